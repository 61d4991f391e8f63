"""Two empty profiles were 53 % alike (starfriends 149): nothing in common is not similarity."""

from __future__ import annotations

import pytest

from tests.properties import pairs
from tests.properties.pairs import person

UNSCORED = {"experiences": None, "needs": None, "gender": None, "hobbies": None, "boundaries": None, "mood": None}


@pytest.mark.parametrize("empty", [None, []])
def test_they_are_not_shown_to_each_other(empty: list[str] | None) -> None:
    nothing = {**UNSCORED, "experiences": empty, "needs": empty, "hobbies": empty}
    records = [person("a", profile={**nothing, "journey": "new"}), person("b", profile=nothing)]
    found = pairs.fitted(pairs.programme(), records).match("a")
    assert (found.outcome, found.reason, list(found)) == ("no_match", "low_information", [])
    assert found.eligible == 1


def test_one_empty_profile_is_no_more_alike_to_a_full_one() -> None:
    records = [person("a", profile={"journey": "new"}), person("b", profile=UNSCORED), person("c")]
    found = pairs.fitted(pairs.programme(), records).match("a")
    assert [entry.member_id for entry in found] == ["c"]
    assert found.eligible == 2
