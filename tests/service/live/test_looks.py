"""What looks that came to nothing add up to."""

from __future__ import annotations

import pytest

from matcher.matching.exposure import view, weight
from service.live.looks import chosen, views
from service.store import lists, scene
from service.store.valid_lists import Showing
from tests.service.installation import Installation
from tests.service.introduced import people, propose, shown

LISTS = [Showing(1, 9, 10, (4, 0, 5)), Showing(3, 9, 12, (5, 6))]


def test_looks_add_up_by_the_weight_of_each_rank() -> None:
    found = views(LISTS, {})
    expected = {4: view(1.0), 5: view(weight(3)) + view(1.0), 6: view(weight(2))}
    assert found == pytest.approx(expected)
    assert views([], {}) == {}


def test_where_another_one_was_chosen_a_look_counts_half_and_whoever_was_chosen_was_not_refused() -> None:
    found = views(LISTS, {3: frozenset({5})})
    assert found == pytest.approx({4: view(1.0), 5: view(weight(3)), 6: view(weight(2), other_chosen=True)})
    assert views(LISTS, {3: frozenset({99})})[5] == pytest.approx(view(weight(3)) + view(1.0, other_chosen=True))


def test_whom_a_seeker_proposed_to_is_told_of_the_list_from_which_they_chose(small: Installation) -> None:
    made = people(small)
    names = shown(made)
    propose(made, "s-1", "m-2")
    with made.store.hot.reading() as reader:
        stored = lists.by_match_id(reader, "lantern", names["m-2"]["match_id"])
        assert stored is not None
        of_list = chosen(reader, "lantern", "s-1")
        (number,) = of_list[stored.id]
        assert scene.people(reader, "lantern", [number])[number].member_id == "m-2"
        assert set(of_list) == {stored.id}
        assert chosen(reader, "lantern", "s-2") == {}
