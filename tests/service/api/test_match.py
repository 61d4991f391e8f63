from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from service.store import programmes
from tests.service.api.test_members import problem
from tests.service.installation import NOON, Installation, another_programme, consent, record, write_programme


@pytest.fixture
def schema(root: Path) -> Any:
    """The published schema of a reply."""
    return json.loads((root / "docs" / "schemas" / "match-response.schema.json").read_text())


@pytest.fixture
def peopled(made: Installation) -> Installation:
    """A seeker and twelve supporters, enough for a reason to be shown."""
    made.add(record("s-1", "seeker"), *(record(f"p-{number:02}") for number in range(12)))
    return made


def test_the_reply_is_exactly_the_contract(peopled: Installation, schema: Any) -> None:
    reply = peopled.match("s-1")
    jsonschema.validate(reply, schema)
    assert list(reply) == ["match_id", "outcome", "reason", "model_version", "fresh", "matches", "waiting"]
    assert (reply["outcome"], reply["reason"], reply["model_version"]) == ("matched", None, "1")
    assert (reply["fresh"], reply["waiting"]) == (True, None)
    assert len(reply["matches"]) == 5
    assert [match["rank"] for match in reply["matches"]] == [1, 2, 3, 4, 5]
    for match in reply["matches"]:
        assert list(match) == ["rank", "handle", "strength", "reasons", "statement"]
    assert reply["matches"][0]["reasons"][0]["facet"] == "experiences"
    assert len({match["handle"] for match in reply["matches"]}) == 5


def test_both_addresses_answer_the_same_bytes_again_and_again(peopled: Installation) -> None:
    asked = {"member_id": "s-1", "kind": "buddy", "limit": 3}
    replies = [peopled.call("POST", path, asked).data for path in ("/v1/match", "/match", "/v1/match")]
    peopled.clock.turn(hours=2)
    replies.append(peopled.call("POST", "/match", asked).data)
    assert len(set(replies)) == 1


def test_limit_is_honoured(peopled: Installation) -> None:
    for limit in (1, 7, 10):
        assert len(peopled.match("s-1", limit=limit)["matches"]) == limit
    assert len(peopled.match("s-1", limit=None)["matches"]) == peopled.programme.limit


def test_ids_are_only_for_keys_with_their_scope(peopled: Installation, schema: Any) -> None:
    plain = peopled.match("s-1")
    assert "p-0" not in json.dumps(plain)
    reply = peopled.match("s-1", key=peopled.new_key("match", "match:ids"))
    jsonschema.validate(reply, schema)
    for without, with_id in zip(plain["matches"], reply["matches"], strict=True):
        assert with_id["member_id"].startswith("p-")
        assert {key: value for key, value in with_id.items() if key != "member_id"} == without


def test_a_handle_is_the_seekers_own_and_changes_with_the_day(peopled: Installation) -> None:
    peopled.add(record("s-2", "seeker"))
    mine = {match["handle"] for match in peopled.match("s-1", limit=10)["matches"]}
    theirs = {match["handle"] for match in peopled.match("s-2", limit=10)["matches"]}
    assert not mine & theirs
    first = peopled.match("s-1")
    peopled.clock.turn(days=1)
    second = peopled.match("s-1")
    assert first["match_id"] != second["match_id"]
    assert not {m["handle"] for m in first["matches"]} & {m["handle"] for m in second["matches"]}


def test_no_match_says_why(made: Installation, schema: Any) -> None:
    made.add(record("s-1", "seeker"))
    reply = made.match("s-1")
    jsonschema.validate(reply, schema)
    assert (reply["outcome"], reply["reason"], reply["matches"]) == ("no_match", "no_eligible", [])


def test_nothing_in_common_is_no_likeness(made: Installation) -> None:
    bare = {"profile": {"channel": ["phone"]}}
    made.add(record("s-1", "seeker", **bare), record("p-1", **bare))
    assert made.match("s-1")["reason"] == "low_information"


def test_where_there_are_no_groups_there_is_no_list_of_them(peopled: Installation, schema: dict[str, Any]) -> None:
    reply = peopled.match("s-1", kind="group")
    jsonschema.validate(reply, schema)
    assert (reply["outcome"], reply["reason"], reply["matches"]) == ("no_match", "no_eligible", [])


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "member_id"),
        ({"member_id": None}, "member_id"),
        ({"member_id": 7}, "member_id"),
        ({"member_id": "a/b"}, "member_id"),
        ({"member_id": "m-1\n"}, "member_id"),
        ({"member_id": ".."}, "member_id"),
        ({"member_id": "s-1", "kind": "peer"}, "kind"),
        ({"member_id": "s-1", "kind": None}, "kind"),
        ({"member_id": "s-1", "limit": 0}, "limit"),
        ({"member_id": "s-1", "limit": 11}, "limit"),
        ({"member_id": "s-1", "limit": 5.0}, "limit"),
        ({"member_id": "s-1", "limit": "5"}, "limit"),
        ({"member_id": "s-1", "limit": True}, "limit"),
        ({"member_id": "s-1", "programme": "beacon"}, "programme"),
        ({"member_id": "s-1", "Limit": 5}, "Limit"),
    ],
)
def test_a_bad_request_names_the_field(peopled: Installation, body: dict[str, Any], path: str) -> None:
    errors = problem(peopled.call("POST", "/v1/match", body), 422, "invalid")["errors"]
    assert list(errors) == [path]
    assert "expected" in errors[path]


def test_the_nearest_field_is_named(peopled: Installation) -> None:
    body = problem(peopled.call("POST", "/match", {"member_id": "s-1", "limits": 5}), 422, "invalid")
    assert body["errors"]["limits"].endswith("did you mean 'limit'?")


def test_a_seeker_needs_consent_and_the_role(made: Installation) -> None:
    made.add(
        record("p-1"),
        record("off", "seeker", consents=[]),
        record("withdrawn", "seeker", consents=[consent("match_serve"), consent("match_serve", "withdrawn", NOON)]),
        record("ended", "seeker", consents=[consent("match_serve", valid_until="2026-03-04T12:00:00Z")]),
        record("old", "seeker", consents=[{**consent("match_serve"), "policy_version": "0"}]),
    )
    for member_id in ("off", "withdrawn", "ended", "old"):
        reply = made.call("POST", "/v1/match", {"member_id": member_id})
        problem(reply, 403, "consent-missing")
    problem(made.call("POST", "/v1/match", {"member_id": "p-1"}), 409, "not-a-seeker")


def test_a_member_added_today_seeks_at_once_and_is_seen_tomorrow(peopled: Installation) -> None:
    peopled.match("s-1")  # a pool is held from now on
    peopled.clock.turn(hours=1)
    both = record("new", "seeker", "supporter")
    both["consents"] = [consent("match_serve", at=peopled.clock()), consent("be_shown_as_peer", at=peopled.clock())]
    assert peopled.call("PUT", "/v1/members/new", both).status_code == 201
    assert peopled.match("new")["outcome"] == "matched"
    ids = peopled.new_key("match", "match:ids")

    def seen() -> set[str]:
        return {match["member_id"] for match in peopled.match("s-2", limit=10, key=ids)["matches"]}

    alike = record("s-2", "seeker")
    alike["profile"]["channel"] = both["profile"]["channel"]
    peopled.add(alike)
    taken = [
        {"seeker": "s-2", "candidate": f"p-{n:02}", "event": "declined", "by": "seeker", "at": "2026-03-01T00:00:00Z"}
        for n in range(8)
    ]
    peopled.tell(*taken)
    assert seen() == {f"p-{number:02}" for number in range(8, 12)}
    peopled.clock.turn(days=1)
    assert "new" in seen()


def test_who_declined_is_not_shown_again(peopled: Installation) -> None:
    ids = peopled.new_key("match", "match:ids")
    first = peopled.match("s-1", key=ids)["matches"][0]["member_id"]
    told = {"seeker": "s-1", "candidate": first, "event": "declined", "by": "candidate", "at": "2026-03-04T11:00:00Z"}
    peopled.tell(told)
    after = [match["member_id"] for match in peopled.match("s-1", limit=10, key=ids)["matches"]]
    assert first not in after
    assert len(after) == 10


def test_members_of_another_programme_are_never_shown(made: Installation) -> None:
    other = another_programme(made, "beacon")
    for number in range(3):
        made.call("PUT", f"/v1/members/b-{number}", record(f"b-{number}"), key=other)
    made.add(record("s-1", "seeker"))
    made.clock.turn(days=1)
    assert made.match("s-1")["reason"] == "no_eligible"


def test_a_record_that_the_programme_no_longer_takes_is_said_so(peopled: Installation) -> None:
    base = peopled.folder / "files"
    text = (base / "programme.toml").read_text().replace('"35-64"', '"35-99"')
    write_programme(base)
    (base / "programme.toml").write_text(text)
    changed = type(peopled.programme).from_toml(base / "programme.toml")
    with peopled.store.transaction() as session:
        programmes.save(session, changed, base, now=NOON)
    peopled.publish("2", changed)
    body = problem(peopled.call("POST", "/v1/match", {"member_id": "s-1"}), 409, "record-outdated")
    assert "errors" not in body
    assert peopled.client.get("/__heartbeat__").get_json()["pools"]["skipped_records"] == 13


def test_consent_that_ends_during_the_day_ends_at_its_second(made: Installation) -> None:
    ends = NOON + timedelta(hours=1)
    shown = consent("be_shown_as_peer", valid_until=f"{ends:%Y-%m-%dT%H:%M:%SZ}")
    starts = consent("be_shown_as_peer", at=ends + timedelta(minutes=5))
    made.add(record("s-1", "seeker"), record("p-1", consents=[shown]), record("p-2", consents=[starts]))
    ids = made.new_key("match", "match:ids")

    def seen() -> list[str]:
        return [match["member_id"] for match in made.match("s-1", key=ids)["matches"]]

    assert seen() == ["p-1"]
    made.clock.now = ends - timedelta(seconds=1)
    assert seen() == ["p-1"]
    made.clock.now = ends
    assert seen() == []
    made.clock.now = ends + timedelta(minutes=5)
    assert seen() == ["p-2"]
