"""My need was compared with your need instead of with what you are (knu_roommate 23): "needs quiet" × "is quiet"."""

from __future__ import annotations

import pytest

from matcher.programme import Programme
from tests.properties import pairs
from tests.properties.pairs import fitted, ids, person

ONLY = {"hobbies": None, "gender": None, "mood": None, "boundaries": None}


@pytest.fixture(scope="module")
def programme() -> Programme:
    return pairs.programme(
        facets={"experiences": {"kind": "concepts", "vocabulary": "experiences.csv", "importance": 0}}
    )


def someone(member_id: str, needs: list[str], has: list[str], journey: str = "after") -> pairs.Record:
    return person(member_id, profile={**ONLY, "needs": needs, "experiences": has, "journey": journey})


def test_who_has_been_through_it_comes_before_who_needs_the_same(programme: Programme) -> None:
    records = [
        someone("a", ["driving"], []),
        someone("same_need", ["driving"], ["fatigue"]),
        someone("been_there", [], ["driving"]),
    ]
    matcher = fitted(programme, records)
    assert ids(matcher, "a")[0] == "been_there"
    found = {b: matcher.score("a", b).contributions["forward"]["needs"] for b in ("same_need", "been_there")}
    assert found["same_need"] == 0
    assert found["been_there"] > 0


def test_both_ways(programme: Programme) -> None:
    matcher = fitted(
        programme,
        [someone("a", ["driving"], ["fatigue"]), someone("b", ["fatigue"], ["driving"]), someone("c", [], [])],
    )
    assert (ids(matcher, "a")[0], ids(matcher, "b")[0]) == ("b", "a")
    both = matcher.score("a", "b").contributions
    assert both["forward"]["needs"] > 0
    assert both["backward"]["needs"] > 0


def test_what_i_have_been_through_is_nothing_to_my_own_need(programme: Programme) -> None:
    matcher = fitted(programme, [someone("a", ["driving"], ["driving"]), someone("b", [], ["fatigue"])])
    assert matcher.score("a", "b").contributions["forward"]["needs"] == 0
