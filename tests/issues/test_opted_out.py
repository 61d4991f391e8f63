"""Someone who opted out was paired all the same (teams-apps-icebreaker 199)."""

from __future__ import annotations

import pytest

from matcher.errors import ConsentMissingError
from tests.properties import pairs
from tests.properties.pairs import consents, ids, person
from tests.service.installation import Installation, record


def withdrawn(*purposes: str) -> list[pairs.Record]:
    after = [{**event, "decision": "withdrawn", "at": "2026-02-01T00:00:00Z"} for event in consents(*purposes)]
    return [*consents(*pairs.PURPOSES), *after]


def test_withdrawn_is_absent_from_every_list() -> None:
    gone = person("gone", consents=withdrawn("be_shown_as_peer"))
    matcher = pairs.fitted(pairs.programme(), [person("a", profile={"journey": "new"}), gone, person("b")])
    assert ids(matcher, "a") == ["b"]
    assert dict(matcher.match("a").excluded) == {"consent": 1}
    assert matcher.score("a", "gone").gate == "consent"


def test_withdrawn_is_nobodys_seeker() -> None:
    gone = person("gone", profile={"journey": "new"}, consents=withdrawn("match_serve"))
    matcher = pairs.fitted(pairs.programme(), [gone, person("b")])
    with pytest.raises(ConsentMissingError):
        matcher.match("gone")


def test_before_the_withdrawal_they_were_there() -> None:
    gone = person("gone", consents=withdrawn("be_shown_as_peer"))
    early = pairs.AT.replace(month=1, day=20)
    records = [person("a", profile={"journey": "new"}), gone]
    # The withdrawal is the latest event and not yet due: it is no grant, so a clock set back revives nothing.
    assert dict(pairs.fitted(pairs.programme(), records, at=early).match("a").excluded) == {"consent": 1}


def test_over_http_they_are_in_no_list_from_the_next_request_on_and_have_none(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("both", "seeker", "supporter"), record("p-1"))
    key = made.new_key("match", "match:ids")
    assert {match["member_id"] for match in made.match("s-1", key=key)["matches"]} == {"both", "p-1"}
    assert made.match("both")["outcome"] == "matched"
    reply = made.call("POST", "/v1/members/both/consents", {"purpose": "all", "decision": "withdrawn"})
    assert reply.status_code == 201
    assert [match["member_id"] for match in made.match("s-1", key=key)["matches"]] == ["p-1"]
    assert made.call("POST", "/v1/match", {"member_id": "both"}).status_code == 403
    made.clock.turn(days=1)
    made.add(record("s-2", "seeker"))
    for seeker in ("s-1", "s-2"):
        assert [match["member_id"] for match in made.match(seeker, key=key)["matches"]] == ["p-1"]
