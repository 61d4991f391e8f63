"""``peermatch keys``: what is printed, refused, stored and recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service import create_app
from service.sealing import read_keyring
from service.security import SCOPES, split_token
from service.store import Store, open_store
from service.store.record_tables import AuditRow
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON, record


@pytest.fixture
def store(cli: Cli) -> Iterator[Store]:
    opened = open_store(cli.settings)
    yield opened
    opened.close()


def entries(store: Store) -> list[tuple[str, str, dict[str, Any]]]:
    with store.reading() as session:
        query = select(AuditRow).where(AuditRow.programme_id == "lantern").order_by(AuditRow.number)
        return [(row.by, row.action, json.loads(row.details)) for row in session.scalars(query)]


def status(cli: Cli, key: str, path: str = "/v1/members/nobody") -> int:
    app = create_app(cli.settings, clock=cli.clock)
    reply = app.test_client().get(path, headers={"Authorization": f"Bearer {key}"})
    app.extensions["peermatch"].store.close()
    return reply.status_code


def listed(cli: Cli) -> dict[str, dict[str, Any]]:
    return {key["key_id"]: key for key in cli.json("keys", "list")["keys"]}


def create(cli: Cli, *more: object, scope: str = "members") -> dict[str, Any]:
    return dict(cli.json("keys", "create", "--scope", scope, *more))


def test_a_key_is_made_printed_once_and_opens_its_scopes(cli: Cli, store: Store) -> None:
    document = create(cli, "--scope", "audit", "--label", "app, live", "--expires", "90d", "--per-minute", "100")
    key_id, secret = split_token(document["api_key"]) or ("", "")
    assert document == {
        "programme": "lantern",
        "key_id": key_id,
        "api_key": document["api_key"],
        "scopes": ["audit", "members"],
        "label": "app, live",
        "expires_at": "2026-06-02T12:00:00Z",
        "per_minute": 100,
    }
    assert status(cli, document["api_key"]) == 404
    assert status(cli, document["api_key"], "/metrics") == 403
    assert entries(store)[-1] == (
        "command",
        "key.created",
        {"key": key_id, "scopes": ["audit", "members"], "expires": True},
    )
    assert listed(cli)[key_id] == {
        "key_id": key_id,
        "label": "app, live",
        "scopes": ["audit", "members"],
        "created_at": "2026-03-04T12:00:00Z",
        "expires_at": "2026-06-02T12:00:00Z",
        "per_minute": 100,
        "replaced_by": None,
        "state": "open",
    }
    assert secret not in cli.run("keys", "list").output + cli.run("keys", "list", "--json").output


def test_for_people(cli: Cli) -> None:
    shown = cli.run("keys", "create", "--scope", "match").stdout
    assert "shown only now" in shown
    assert "open until it is revoked" in shown
    assert (
        "open until 2026-12-31 00:00:00 UTC"
        in cli.run("keys", "create", "--scope", "match", "--expires", "2026-12-31").stdout
    )
    table = cli.run("keys", "list").stdout
    assert table.count("\n") >= 5
    assert "pm_" not in table


@pytest.mark.parametrize(("said", "kept"), [((), None), (("--per-minute", "none"), 0), (("--per-minute", "1"), 1)])
def test_bounds(cli: Cli, said: tuple[str, ...], kept: int | None) -> None:
    assert create(cli, *said)["per_minute"] == kept


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--scope", "member"), "found 'member'; expected some of members"),
        (("--scope", "match", "--expires", "soon"), "expires: found 'soon'; expected a length of time such as 90d"),
        (("--scope", "match", "--expires", "2026-03-04"), "expected a moment later than now"),
        (("--scope", "match", "--expires", "0d"), "expected a moment later than now"),
        (("--scope", "match", "--per-minute", "0"), "per-minute: found '0'; expected 1 to 10000000, or `none`"),
        (("--scope", "match", "--per-minute", "many"), "per-minute: found 'many'"),
        (("--scope", "match", "--label", "x" * 101), "label: expected at most 100 characters"),
        (("--scope", "match", "--programme", "beacon"), "found 'beacon'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_made(
    cli: Cli, store: Store, arguments: tuple[str, ...], told: str
) -> None:
    before = entries(store)
    document = cli.json("keys", "create", *arguments, code=1)
    assert told in document["error"]["message"]
    assert len(listed(cli)) == 1
    assert entries(store) == before


def test_a_scope_is_needed(cli: Cli) -> None:
    assert "--scope" in cli.run("keys", "create", code=2).output


def test_a_key_is_rotated_with_both_open_for_a_while(cli: Cli, store: Store) -> None:
    old = create(cli, "--expires", "90d")
    new = cli.json("keys", "rotate", old["key_id"], "--overlap", "2h")
    assert new == {
        "programme": "lantern",
        "key_id": new["key_id"],
        "api_key": new["api_key"],
        "expires_at": "2026-06-02T12:00:00Z",
        "replaces": old["key_id"],
        "old_until": "2026-03-04T14:00:00Z",
    }
    assert entries(store)[-1] == ("command", "key.rotated", {"key": new["key_id"], "replaces": old["key_id"]})
    states = {key_id: key["state"] for key_id, key in listed(cli).items()}
    assert (states[old["key_id"]], states[new["key_id"]]) == ("replaced", "open")
    cli.clock.now = NOON + timedelta(hours=2, seconds=-1)
    assert (status(cli, old["api_key"]), status(cli, new["api_key"])) == (404, 404)
    cli.clock.turn(seconds=1)
    assert (status(cli, old["api_key"]), status(cli, new["api_key"])) == (401, 404)
    assert listed(cli)[old["key_id"]]["state"] == "expired"
    assert "is open until" in cli.run("keys", "rotate", new["key_id"], "--expires", "1d").stdout


def test_a_rotation_that_is_refused_changes_nothing(cli: Cli, store: Store) -> None:
    old = create(cli)
    cli.run("keys", "rotate", old["key_id"])
    before, known = entries(store), listed(cli)
    assert "was replaced by" in cli.json("keys", "rotate", old["key_id"], code=1)["error"]["message"]
    assert "30 days" in cli.json("keys", "rotate", old["key_id"], "--overlap", "31d", code=1)["error"]["message"]
    assert (entries(store), listed(cli)) == (before, known)


@pytest.mark.parametrize(
    "arguments", [(), ("0123456789abcdef", "--data"), ("0123456789abcdef", "--drop-old"), ("--drop-old",)]
)
def test_what_is_to_be_rotated_must_be_said(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert "expected KEY_ID, or --data" in cli.run("keys", "rotate", *arguments, code=2).output


def test_an_overlap_is_a_length(cli: Cli) -> None:
    assert "such as 24h" in cli.run("keys", "rotate", "0123456789abcdef", "--overlap", "1", code=2).output


def test_a_revoked_key_opens_nothing(cli: Cli, store: Store) -> None:
    made = create(cli)
    assert cli.json("keys", "revoke", made["key_id"]) == {"programme": "lantern", "revoked": made["key_id"]}
    assert status(cli, made["api_key"]) == 401
    assert made["key_id"] not in listed(cli)
    assert entries(store)[-1] == ("command", "key.revoked", {"key": made["key_id"]})
    assert "no such key" in cli.json("keys", "revoke", made["key_id"], code=1)["error"]["message"]


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_a_whole_key_in_place_of_its_id_is_not_repeated(cli: Cli, what: str) -> None:
    made = create(cli)
    _, secret = split_token(made["api_key"]) or ("", "")
    for given in (made["api_key"], made["api_key"][:-1], secret):
        shown = cli.run("keys", what, given, code=1).output + cli.run("keys", what, given, "--json", code=1).output
        assert secret[:20] not in shown
    assert "in its history" in cli.run("keys", what, made["api_key"], code=1).output


def test_the_data_key_is_rotated_while_the_service_goes_on(cli: Cli, store: Store) -> None:
    cli.add(record("m-1"), record("m-2"))
    old = read_keyring(cli.settings).current
    document = cli.json("keys", "rotate", "--data")
    assert document["new"] is True
    assert document["rows"] == {"members": 2}
    assert document["data_key"] == read_keyring(cli.settings).current != old
    assert entries(store)[-1] == ("command", "data_key.rotated", {"key": document["data_key"]})
    assert "10 minutes ago" in cli.json("keys", "rotate", "--data", "--drop-old", code=1)["error"]["message"]
    cli.clock.turn(minutes=10)
    assert cli.json("keys", "rotate", "--data", "--drop-old") == {"dropped": [old]}
    assert cli.json("keys", "rotate", "--data", "--drop-old") == {"dropped": []}
    assert cli.json("doctor")["status"] != "fail"


def test_the_data_key_for_people(cli: Cli) -> None:
    cli.add(record("m-1"))
    shown = cli.run("keys", "rotate", "--data").stdout
    assert "1 rows sealed anew" in shown
    assert "members" in shown
    assert "Back up" in shown
    assert read_keyring(cli.settings).keys[0].secret.hex() not in shown
    cli.clock.turn(hours=1)
    assert "Dropped from" in cli.run("keys", "rotate", "--data", "--drop-old").stdout


def test_a_key_file_that_cannot_be_written(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.store.data_keys.write_keyring", full)
    message = cli.json("keys", "rotate", "--data", code=1)["error"]["message"]
    assert "No space left on device" in message
    assert "first line" in message


def test_every_scope_can_be_given(cli: Cli) -> None:
    options = [word for scope in SCOPES for word in ("--scope", scope)]
    assert cli.json("keys", "create", *options)["scopes"] == sorted(SCOPES)
