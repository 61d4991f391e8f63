from __future__ import annotations

import pytest

from service.store import feed
from service.store.feed import UnknownFeedError
from tests.service.installation import Installation, another_programme


def test_numbers_of_change_are_never_given_twice(made: Installation) -> None:
    with made.store.transaction() as session:
        first = feed.next_number(session, "lantern", 3, adds=False)
        assert feed.next_number(session, "lantern", adds=False) == first + 3
        with pytest.raises(UnknownFeedError, match="found 'other'; the database has no such programme"):
            feed.next_number(session, "other", adds=True)


def test_only_what_adds_moves_the_number_of_additions(made: Installation) -> None:
    with made.store.transaction() as session:
        number, additions = feed.latest(session, "lantern")
        feed.next_number(session, "lantern", adds=False)
        assert feed.latest(session, "lantern") == (number + 1, additions)
        feed.next_number(session, "lantern", 5, adds=True)
        assert feed.latest(session, "lantern") == (number + 6, number + 6)
        feed.next_number(session, "lantern", adds=False)
        assert feed.latest(session, "lantern") == (number + 7, number + 6)


def test_programmes_keep_their_own(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        before = feed.latest(session, "beacon")
        feed.next_number(session, "lantern", 7, adds=True)
        assert feed.latest(session, "beacon") == before


def test_a_transaction_that_fails_takes_no_number(made: Installation) -> None:
    def fail() -> None:
        with made.store.transaction() as session:
            feed.next_number(session, "lantern", adds=True)
            raise RuntimeError

    with made.store.reading() as session:
        before = feed.latest(session, "lantern")
    with pytest.raises(RuntimeError):
        fail()
    with made.store.reading() as session:
        assert feed.latest(session, "lantern") == before
