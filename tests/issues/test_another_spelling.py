"""The same person under another spelling of the id met themselves (openreview 301): self never is in a list."""

from __future__ import annotations

import pytest

from matcher.errors import RecordError
from matcher.people import Member
from tests.properties import pairs
from tests.properties.pairs import ids, person


@pytest.mark.parametrize("spelling", ["andre\u0301", "andr\u00e9", " a", "a ", "a/b", "a@b", "\uff41", ""])
def test_an_id_that_could_be_spelt_twice_is_refused_with_the_rule(spelling: str) -> None:
    with pytest.raises(RecordError) as refused:
        Member.from_dict(person(spelling), pairs.programme())
    assert "member_id" in refused.value.errors


def test_ids_compare_by_exact_characters_and_nobody_meets_themselves() -> None:
    programme = pairs.programme()
    records = [person(name, profile={"journey": "after"}) for name in ("a", "A", "a.")]
    matcher = pairs.fitted(programme, records)
    assert [sorted(ids(matcher, name)) for name in ("a", "A", "a.")] == [["A", "a."], ["a", "a."], ["A", "a"]]
    again = Member.from_dict(records[0], programme)
    assert sorted(entry.member_id for entry in matcher.match(again)) == ["A", "a."]
