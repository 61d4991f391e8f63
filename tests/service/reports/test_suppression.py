"""What is left out cannot be computed from what is given, not even by somebody who knows how it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.reports import shape
from service.reports.suppression import hidden
from tests.conftest import examples

Hide = Callable[[Sequence[int], int], frozenset[int]]
Told = tuple[int | None, ...]


def sums(total: int, cells: int) -> Iterator[tuple[int, ...]]:
    """Yield every way in which so many people may be in so many cells."""
    if cells == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in sums(total - first, cells - 1))


def told(counts: Sequence[int], k: int, hide: Hide) -> Told:
    gone = hide(counts, k)
    return tuple(None if place in gone else count for place, count in enumerate(counts))


def derived(k: int, total: int, cells: int, hide: Hide) -> Iterator[tuple[int, ...]]:
    """Yield tables of which a reader who knows the total and the method can tell a cell that is left out."""
    worlds: dict[Told, list[tuple[int, ...]]] = {}
    for counts in sums(total, cells):
        worlds.setdefault(told(counts, k, hide), []).append(counts)
    for seen, same in worlds.items():
        for place, value in enumerate(seen):
            if value is None and len({counts[place] for counts in same}) < 2:
                yield same[0]


CASES = [(k, total, cells) for k in (2, 3, 4) for total in range(k, 13) for cells in (2, 3, 4)]


def test_no_small_cell_is_told_and_none_can_be_computed() -> None:
    for k, total, cells in CASES:
        for counts in sums(total, cells):
            assert all(count is None or count >= k for count in told(counts, k, hidden))
        assert list(derived(k, total, cells, hidden)) == [], (k, total, cells)


def only_small(counts: Sequence[int], k: int) -> frozenset[int]:
    return frozenset(place for place, count in enumerate(counts) if count < k)


def but_for_zero(counts: Sequence[int], k: int) -> frozenset[int]:
    return frozenset(place for place, count in enumerate(counts) if 0 < count < k)


def two_at_least(counts: Sequence[int], k: int) -> frozenset[int]:
    """Leave out two, however few people are in them: the fault."""
    gone = set(only_small(counts, k))
    rest = sorted(set(range(len(counts))) - gone, key=lambda place: counts[place])
    return frozenset(gone | set(rest[:1])) if len(gone) == 1 else frozenset(gone)


def the_first_of_equals(counts: Sequence[int], k: int) -> frozenset[int]:
    """Leave out two cells and `k` people, the smallest first: the fault is that the order tells which was too small."""
    gone = set(only_small(counts, k))
    rest = sorted(set(range(len(counts))) - gone, key=lambda place: (counts[place], place))
    while gone and rest and (len(gone) < 2 or sum(counts[place] for place in gone) < k):
        gone.add(rest.pop(0))
    return frozenset(gone)


@pytest.mark.parametrize("fault", [only_small, but_for_zero, two_at_least, the_first_of_equals])
def test_a_method_that_leaves_out_too_little_is_found(fault: Hide) -> None:
    assert any(list(derived(*case, fault)) for case in CASES)


def test_what_is_large_enough_is_told_where_nothing_is_small() -> None:
    for k, total, cells in CASES:
        for counts in sums(total, cells):
            assert bool(hidden(counts, k)) == (min(counts) < k)
    assert hidden([1, 4, 20, 30], 5) == {0, 1}
    assert hidden([4, 4, 20, 30], 5) == {0, 1, 2}
    assert hidden([0, 0, 20, 20], 5) == {0, 1, 2, 3}
    assert hidden([0, 20, 30], 5) == {0, 1}


@given(st.lists(st.integers(0, 60), min_size=2, max_size=8), st.integers(2, 12))
@settings(max_examples=examples(200, 5000))
def test_of_any_table_no_small_cell_is_told_and_two_at_least_are_not(counts: list[int], k: int) -> None:
    gone = hidden(counts, k)
    assert all(place in gone for place, count in enumerate(counts) if count < k)
    assert len(gone) != 1
    assert gone == {len(counts) - 1 - place for place in hidden(counts[::-1], k)}, "the order tells nothing"
    left = [counts[place] for place in gone]
    assert not gone or len(gone) == len(counts) or (sum(left) >= k and len(set(left)) > 1)


def test_a_share_is_told_only_where_it_and_the_rest_are_large_enough() -> None:
    cells = [shape.share("x", part, whole, "part", 3) for part, whole in ((3, 6), (2, 6), (4, 6), (6, 6), (2, 2))]
    assert [(cell.values["count"], cell.values["part"], cell.values["share"]) for cell in cells] == [
        (6, 3, 0.5),
        (6, None, None),
        (6, None, None),
        (6, None, None),
        (None, None, None),
    ]
    assert [cell.suppressed for cell in cells] == [False, True, True, True, True]
