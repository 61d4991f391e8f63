from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from service.security import split_token
from service.store import keys
from service.store.key_rotation import LONGEST_OVERLAP, OVERLAP, Rotated, rotate
from service.store.keys import ApiKey, ApiKeyError
from tests.service.installation import NOON, Installation, another_programme

DAY = timedelta(days=1)


def make(made: Installation, **more: Any) -> str:
    return (split_token(made.new_key("members", "match", **more)) or ("",))[0]


def turn(made: Installation, key_id: str, now: datetime = NOON, **more: Any) -> Rotated:
    with made.store.transaction() as session:
        return rotate(session, "lantern", key_id, now=now, **more)


def find(made: Installation, key_id: str) -> ApiKey:
    with made.store.reading() as session:
        found = keys.find(session, key_id)
    assert found is not None
    return found


def test_the_new_key_is_as_the_old_one_and_both_are_open_for_a_while(made: Installation) -> None:
    old = make(made, label="app, live", per_minute=50, expires_at=NOON + 90 * DAY)
    done = turn(made, old, NOON + 60 * DAY)
    new = find(made, done.token.key_id)
    assert (new.scopes, new.label, new.per_minute) == ({"members", "match"}, "app, live", 50)
    assert new.created_at == NOON + 60 * DAY
    assert new.expires_at == done.expires_at == NOON + 150 * DAY
    before = find(made, old)
    assert before.replaced_by == new.key_id
    assert before.expires_at == done.old_until == NOON + 60 * DAY + OVERLAP
    made.clock.now = NOON + 61 * DAY - timedelta(seconds=1)
    assert before.is_open(made.clock())
    assert new.is_open(made.clock())
    made.clock.turn(seconds=1)
    assert not before.is_open(made.clock())


def test_the_old_key_is_never_open_longer_than_it_was(made: Installation) -> None:
    old = make(made, expires_at=NOON + timedelta(hours=1))
    assert turn(made, old).old_until == NOON + timedelta(hours=1)


@pytest.mark.parametrize("overlap", [timedelta(), timedelta(seconds=1), LONGEST_OVERLAP])
def test_the_overlap_is_chosen(made: Installation, overlap: timedelta) -> None:
    old = make(made)
    assert turn(made, old, overlap=overlap).old_until == NOON + overlap


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), LONGEST_OVERLAP + timedelta(seconds=1)])
def test_an_overlap_that_cannot_be_is_refused(made: Installation, overlap: timedelta) -> None:
    with pytest.raises(ApiKeyError, match="expected 0 to 30 days"):
        turn(made, make(made), overlap=overlap)


def test_without_overlap_the_old_key_is_closed_at_once(made: Installation) -> None:
    old = make(made)
    now = NOON + timedelta(microseconds=700_000)
    turn(made, old, now, overlap=timedelta())
    assert not find(made, old).is_open(now)


def test_a_key_without_end_gets_one_only_if_it_is_told(made: Installation) -> None:
    assert turn(made, make(made)).expires_at is None
    assert turn(made, make(made), expires_at=NOON + DAY).expires_at == NOON + DAY


def test_two_keys_of_a_chain_are_open_at_most(made: Installation) -> None:
    first = make(made)
    second = turn(made, first).token.key_id
    with pytest.raises(ApiKeyError, match=f"was replaced by {second} already; rotate that one"):
        turn(made, first)
    with pytest.raises(ApiKeyError, match=f"replaced {first}, which is open until .*keys revoke {first}"):
        turn(made, second)
    third = turn(made, second, NOON + OVERLAP).token.key_id
    with made.store.reading() as session:
        live = [key.key_id for key in keys.list_keys(session, "lantern") if key.is_open(NOON + OVERLAP)]
    assert {second, third} <= set(live)
    assert first not in live


def test_revoking_the_key_before_lets_the_next_be_rotated(made: Installation) -> None:
    first = make(made)
    second = turn(made, first).token.key_id
    with made.store.transaction() as session:
        keys.revoke(session, "lantern", first)
    assert turn(made, second).token.key_id


def test_a_key_whose_successor_was_revoked_can_be_rotated_again(made: Installation) -> None:
    first = make(made, expires_at=NOON + 90 * DAY)
    lost = turn(made, first).token.key_id
    with made.store.transaction() as session:
        keys.revoke(session, "lantern", lost)
    again = turn(made, first, NOON + timedelta(hours=1))
    assert again.old_until == NOON + OVERLAP, "not longer than the first rotation left it"
    assert again.expires_at is not None


def test_a_key_that_is_not_there_or_expired_is_not_rotated(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.reading() as session:
        (foreign,) = keys.list_keys(session, "beacon")
    for key_id in ("0123456789abcdef", foreign.key_id):
        with pytest.raises(ApiKeyError, match="this programme has no such key"):
            turn(made, key_id)
    old = make(made, expires_at=NOON + DAY)
    with pytest.raises(ApiKeyError, match="is expired and is rotated no more"):
        turn(made, old, NOON + DAY)
