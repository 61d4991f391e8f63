"""Someone who opted out was paired all the same (teams-apps-icebreaker 199)."""

from __future__ import annotations

import pytest

from matcher.errors import ConsentMissingError
from tests.properties import pairs
from tests.properties.pairs import consents, ids, person


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
