"""The newest list of each seeker, in a table and beside it, against a dict."""

from __future__ import annotations

import random

import pytest

from service.live import showing
from service.live.showing import Shown, Table
from service.store.valid_lists import Showing


def told(shown: Shown, seekers: range) -> dict[int, tuple[int, ...]]:
    return {seeker: people for seeker in seekers if (people := shown.of_seeker(seeker))}


def test_an_empty_one() -> None:
    assert (Shown().of_seeker(1), Shown().last) == ((), 0)
    assert Shown().forget([1, 2]) == []


def test_the_newest_list_is_the_one_with_the_highest_number() -> None:
    lists = [Showing(3, 7, 10, (1, 2)), Showing(9, 7, 9, (4,)), Showing(5, 8, 10, (2,)), Showing(4, 7, 11, (5,))]
    for some in (lists, lists[::-1]):
        shown = Shown.of(some)
        assert (told(shown, range(9)), shown.last) == ({7: (4,), 8: (2,)}, 9)
    assert shown.add(Showing(8, 7, 12, (6,))) == ((4,), (4,)), "older than the newest"
    assert shown.add(Showing(11, 7, 12, (6, 0, 1))) == ((4,), (6, 0, 1))
    assert (shown.of_seeker(7), shown.last) == ((6, 0, 1), 11)


def test_numbers_of_lists_of_the_erased_may_be_used_again() -> None:
    shown = Shown.of([Showing(3, 7, 10, (1, 2)), Showing(9, 8, 10, (4,))])
    assert shown.forget([8, 99]) == [(4,)]
    assert shown.last == 3
    assert shown.add(Showing(9, 8, 10, (4,))) == ((), ()), "as a thread may see that looks at the store as it was"
    assert shown.add(Showing(9, 5, 10, (1,))) == ((), (1,))
    assert told(shown, range(10)) == {7: (1, 2), 5: (1,)}


@pytest.mark.parametrize("most", [0, 1, 7, 1024])
def test_in_whatever_order_things_happen(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "MOST_BESIDE", most)
    rng, seekers = random.Random(most), range(1, 30)
    shown, expected, gone = Shown(), dict[int, tuple[int, tuple[int, ...]]](), set[int]()
    for number in range(1, 400):
        seeker = rng.choice(seekers)
        if rng.random() < 0.03:
            assert shown.forget([seeker]) == [people for _, people in [expected.pop(seeker, (0, ()))] if people]
            gone.add(seeker)
        elif seeker not in gone:
            people = tuple(rng.randint(1, 2**31 - 1) for _ in range(rng.randint(1, 10)))
            assert shown.add(Showing(number, seeker, 0, people)) == (expected.get(seeker, (0, ()))[1], people)
            expected[seeker] = number, people
        assert shown.last == max((list_id for list_id, _ in expected.values()), default=0) or not gone
        if rng.random() < 0.05:  # as a worker that takes over the file of another one
            shown = Shown(Shown.of(Showing(n, who, 0, people) for who, (n, people) in expected.items()).table)
    assert told(shown, seekers) == {seeker: people for seeker, (_, people) in expected.items()}


def test_the_table_that_is_mapped_is_never_written_to() -> None:
    table = Shown.of([Showing(3, 7, 10, (1, 2)), Showing(9, 8, 10, (4,))]).table
    for array in table:
        array.flags.writeable = False
    shown = Shown(Table(*table))
    shown.add(Showing(10, 7, 10, (5, 6, 7)))
    shown.forget([8])
    assert told(shown, range(9)) == {7: (5, 6, 7)}
    assert table.people.tolist() == [[1, 2], [4, 0]]
