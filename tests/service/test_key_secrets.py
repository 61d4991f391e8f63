"""The secret of an API key is printed once, where it is made. It is nowhere else: not in a log, an error, a file."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.access import find_access
from service.cli import main
from service.problems import Problem
from service.security import new_token, split_token
from service.store import keys
from tests.service.cli.conftest import Cli, cli, empty
from tests.service.databases import SQLITE
from tests.service.installation import NOON, Installation, record
from tests.service.routes import routes
from tests.service.store.audited import tables

__all__ = ["cli", "empty"]
PART = 12
"""So many characters of a secret in a row are no accident."""


def parts(text: str) -> Iterator[str]:
    _, secret = split_token(text) or ("", "")
    assert len(secret) == 43
    yield from (secret[start : start + PART] for start in range(0, len(secret) - PART, 3))


def tells(haystack: str | bytes, text: str) -> bool:
    """Return whether a part of a key's secret stands in something."""
    seen = haystack.decode("utf-8", "replace") if isinstance(haystack, bytes) else haystack
    return any(part in seen for part in parts(text))


def test_a_part_of_a_secret_is_found() -> None:
    text = new_token().text
    assert tells(f"key={text}", text)
    assert tells(text[30:50].encode(), text)
    assert not tells(text[:20], text), "its id is no secret"
    assert not tells(new_token().text, text)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def where(found: dict[str, Any], text: str) -> list[str]:
    return [name for name, content in found.items() if tells(content, text)]


def replies(made: Installation, header: str) -> Iterator[tuple[str, str]]:
    for route in routes(made.app):
        for body in (None, {}, {"key": header}):
            sent = {"Authorization": header, "X-Request-Id": "r-1", "Idempotency-Key": "k-1"}
            reply = made.client.open(route.path, method=route.method, json=body, headers=sent)
            told = f"{reply.status} {dict(reply.headers)} {reply.get_data(as_text=True)}"
            yield f"{route.name} {body}", told.replace(header, "") if body and header in body.values() else told


@pytest.mark.parametrize("right", [True, False])
def test_no_request_tells_the_secret_it_was_sent(
    made: Installation, caplog: pytest.LogCaptureFixture, right: bool
) -> None:
    made.add(record("m-1", "seeker", "supporter"), record("m-2"))
    wrong = new_token()
    key_id, _ = split_token(made.key) or ("", "")
    text = made.key if right else f"pm_{key_id}_{wrong.text.rsplit('_', 1)[1]:x<43}"[:63]
    with caplog.at_level(logging.DEBUG):
        for name, told in replies(made, f"Bearer {text}"):
            if "'key'" not in name:  # what a body holds may be quoted in its error
                assert not tells(told, text), name
        made.call("GET", "/v1/members/m-1", key=text[:-1])
        made.client.get("/v1/members/m-1", headers={"Authorization": f"Basic {text}"})
    assert caplog.records, "the control: something was logged"
    assert not tells(caplog.text, text)
    assert where({name: "".join(rows) for name, rows in tables(made.store).items()}, text) == []
    made.store.close()
    assert where(files(made.folder), text) == []


def test_a_failure_within_tells_nothing(
    made: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, key_id: str) -> None:
        raise RuntimeError(f"{key_id} {made.key}")

    monkeypatch.setattr(keys, "look_up", fail)
    with caplog.at_level(logging.DEBUG):
        reply = made.call("GET", "/v1/members/m-1")
    assert reply.status_code == 500
    assert '"event":"failure"' in caplog.text
    assert not tells(caplog.text, made.key)
    assert not tells(reply.data, made.key)


def test_no_object_prints_it(made: Installation) -> None:
    token = new_token()
    with made.store.transaction() as session:
        created = keys.create(session, "lantern", ["match"], now=NOON)
        known = keys.list_keys(session, "lantern")
    opened = keys.look_up(made.store, created.key_id)
    access = find_access(made.store, f"Bearer {created.text}", NOON)
    for thing in (token, created, known, opened, access, made.settings, made.store):
        shown = f"{thing!r} {thing!s}"
        assert not tells(shown, created.text)
        assert not tells(shown, token.text)
        assert created.digest not in shown
        assert token.digest not in shown


def test_every_refusal_reads_the_same(made: Installation) -> None:
    token = new_token()
    expired = made.new_key("members", expires_at=NOON.replace(hour=13))
    revoked = made.new_key("members")
    made.clock.turn(hours=1)
    with made.store.transaction() as session:
        keys.revoke(session, "lantern", (split_token(revoked) or ("",))[0])
    told = set()
    for text in (expired, revoked, token.text, made.key[:-2] + "xx", "pm_", ""):
        with pytest.raises(Problem) as refusal:
            find_access(made.store, f"Bearer {text}", made.clock())
        told.add((refusal.value.kind, refusal.value.detail, str(refusal.value), tuple(refusal.value.headers.items())))
    assert len(told) == 1


def test_no_command_tells_it_but_the_one_that_made_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERMATCH_DEBUG", "1")
    made = cli.json("keys", "create", "--scope", "members", "--label", "app")
    rotated = cli.json("keys", "rotate", made["key_id"])
    cli.add(record("m-1", "seeker"))
    commands: list[tuple[object, ...]] = [
        ("keys", "list"),
        ("doctor",),
        ("refresh",),
        ("train",),
        ("models", "list"),
        ("match", "m-1"),
        ("keys", "revoke", made["key_id"]),
        ("keys", "rotate", "--data"),
        ("keys", "list"),
    ]
    for command in commands:
        shown = cli.run(*command).output
        for text in (made["api_key"], rotated["api_key"]):
            assert not tells(shown, text), command
    for text in (made["api_key"], rotated["api_key"]):
        for command in (("keys", "revoke", text), ("keys", "rotate", text[:40]), ("keys", "revoke", text, "--json")):
            refused = CliRunner().invoke(main, command)
            assert refused.exit_code == 1
            assert "Traceback" in refused.output, "the control: with all that is known of it"
            assert not tells(refused.output, text), command
        assert where(files(cli.folder), text) == []


def test_the_folder_holds_no_secret_of_the_first_key_either(cli: Cli) -> None:
    if cli.settings.url.get_backend_name() == SQLITE:
        assert cli.settings.database_file is not None
    shown = cli.run("init", cli.file, code=1).output
    assert re.search(r"pm_[a-z0-9]{16}_", shown) is None
    assert not any(re.search(rb"pm_[a-z0-9]{16}_", content) for content in files(cli.folder).values())
