"""``peermatch match``: the list that the partner's app gets, with what only a coordinator sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from service import create_app
from service.store import holds, keys, open_store
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON, consent, record


def test_the_document_is_as_its_schema_says(people: Callable[[int], Cli], root: Path) -> None:
    cli = people(8)
    cli.add(record("m-hidden", consents=[consent("be_shown_as_peer", "withdrawn")]))
    schema = json.loads((root / "docs/schemas/match.schema.json").read_text("utf-8"))
    for arguments in ([], ["--limit", "2"]):
        document = cli.json("match", "seeker", "--programme", "lantern", *arguments)
        jsonschema.validate(document, schema)
    assert document["outcome"] == "matched"
    assert [match["rank"] for match in document["matches"]] == [1, 2]
    assert document["excluded"] == {"consent": 1}


def test_it_is_the_list_of_the_http_reply_with_the_same_handles(people: Callable[[int], Cli]) -> None:
    cli = people(20)
    view = cli.json("match", "seeker")
    store = open_store(cli.settings)
    with store.transaction() as session:
        key = keys.create(session, "lantern", ["match", "match:ids"], now=NOON).text
    store.close()
    client = create_app(cli.settings, clock=cli.clock).test_client()
    reply = client.post(
        "/v1/match", json={"member_id": "seeker"}, headers={"Authorization": f"Bearer {key}"}
    ).get_json()
    client.application.extensions["peermatch"].store.close()
    keep = ("rank", "member_id", "handle", "strength", "reasons")
    assert [{k: m[k] for k in keep} for m in reply["matches"]] == [{k: m[k] for k in keep} for m in view["matches"]]
    assert len(view["matches"]) == 5
    assert {key: reply[key] for key in ("outcome", "reason", "model_version")} == {
        key: view[key] for key in ("outcome", "reason", "model_version")
    }


def test_people_read_tables_with_reasons_and_gates_in_plain_words(people: Callable[[int], Cli]) -> None:
    cli = people(12)
    cli.add(record("m-video", profile={"channel": ["video"]}), record("m-new", vetted=False))
    shown = cli.run("match", "seeker").stdout
    assert shown.startswith("seeker in lantern: matched, 5 peers (model ")
    assert "Lumpectomy" in shown
    assert "has not been vetted" in shown
    assert "channel does not fit" in shown


def test_nobody_is_told_in_words_too(cli: Cli, root: Path) -> None:
    cli.add(record("seeker", "seeker"))
    document = cli.json("match", "seeker")
    jsonschema.validate(document, json.loads((root / "docs/schemas/match.schema.json").read_text("utf-8")))
    assert (document["outcome"], document["reason"], document["matches"]) == ("no_match", "no_eligible", [])
    assert "no_match: the gates leave nobody" in cli.run("match", "seeker").stdout


def test_somebody_whom_others_do_not_see_yet_can_seek(people: Callable[[int], Cli]) -> None:
    cli = people(3)
    cli.add(record("early", "seeker", "supporter"), later=True)
    assert len(cli.json("match", "early")["matches"]) == 3
    assert "early" not in {match["member_id"] for match in cli.json("match", "seeker")["matches"]}


@pytest.mark.parametrize(
    ("member", "changes", "message"),
    [
        ("nobody", None, "MEMBER_ID: found 'nobody'"),
        ("a/b", None, "MEMBER_ID: found 'a/b'"),
        ("m-s", {"roles": ["supporter"]}, "seek"),
        ("m-s", {"consents": []}, "match_serve"),
    ],
)
def test_who_cannot_have_a_list(cli: Cli, member: str, changes: dict[str, object] | None, message: str) -> None:
    if changes is not None:
        cli.add(record(member, "seeker", **changes))
    assert message in cli.run("match", member, code=1).stderr


@pytest.mark.parametrize("limit", ["0", "11", "x"])
def test_a_limit_out_of_range_is_a_usage_error(cli: Cli, limit: str) -> None:
    assert "--limit" in cli.run("match", "seeker", "--limit", limit, code=2).stderr


def test_whoever_is_held_is_told_so_whatever_they_consent_to(cli: Cli) -> None:
    cli.add(record("m-1", "seeker", consents=[consent("match_serve", "withdrawn")]))
    store = open_store(cli.settings)
    with store.transaction() as session:
        holds.add(session, "lantern", "m-1", "crisis", until=None, now=NOON)
    store.close()
    document = cli.json("match", "m-1")
    assert (document["reason"], document["matches"], document["excluded"]) == ("held", [], {})
