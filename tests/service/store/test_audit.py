from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.store import audit, open_store
from service.store.audit import AuditError
from service.store.audit_actions import ACTIONS, MEANINGS
from service.store.derived_keys import derived
from service.store.moments import micros
from tests.service.installation import NOON, Installation, another_programme
from tests.service.store.audited import by_hand, rows, write

KEY_ID = "abcdefgh12345678"
THREADS = 6
PER_THREAD = 8


def put(made: Installation, action: str = "hold.placed", by: str = "command", **more: Any) -> int:
    with made.store.transaction() as session:
        return audit.record(session, "lantern", action, now=NOON, by=by, **more)


def test_an_entry_tells_who_did_what_when_and_to_whom_by_a_hash(made: Installation) -> None:
    assert put(made, by=KEY_ID, subject="m-1", purpose="match_serve", new=True, places=3, scopes=["members"]) == 1
    (row,) = rows(made)
    with made.store.reading() as session:
        assert row.subject == derived(session).subject("lantern", "m-1")
    assert (row.number, row.at, row.by, row.action) == (1, micros(NOON), KEY_ID, "hold.placed")
    assert json.loads(row.details) == {"purpose": "match_serve", "new": True, "places": 3, "scopes": ["members"]}
    assert "m-1" not in repr({**row.__dict__, "_sa_instance_state": None})


def test_numbers_have_no_gap_and_each_programme_counts_its_own(made: Installation) -> None:
    another_programme(made, "beacon")
    assert write(made, 3) == [1, 2, 3]
    assert write(made, 2, "beacon") == [1, 2]
    assert write(made, 1) == [4]


def test_the_same_member_has_another_hash_in_another_programme(made: Installation) -> None:
    another_programme(made, "beacon")
    write(made, 1), write(made, 1, "beacon")
    assert rows(made)[0].subject != rows(made, "beacon")[0].subject


def test_what_is_rolled_back_was_never_recorded(made: Installation) -> None:
    def fail() -> None:
        with made.store.transaction() as session:
            audit.record(session, "lantern", "hold.placed", now=NOON, by="command")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(made) == []
    assert put(made) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "hold.broken"},
        {"by": "m-1"},
        {"by": ""},
        {"why": "she said so"},
        {"why": ""},
        {"why": "x" * 65},
        {"why": "é"},
        {"why": 0.5},
        {"why": None},
        {"why": {"a": 1}},
        {"why": ["a", 0.5]},
        {"why": [["a"]]},
        {"why": b"a"},
        {"Why": "a"},
    ],
)
def test_what_is_no_entry_is_refused_without_being_told(made: Installation, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected") as refusal:
        put(made, **wrong)
    assert "m-1" not in str(refusal.value)
    assert "said so" not in str(refusal.value)
    assert rows(made) == []


def test_every_action_fits_the_table_and_has_its_meaning() -> None:
    assert tuple(MEANINGS) == ACTIONS
    assert all(len(action) <= 32 and action.count(".") == 1 for action in ACTIONS)
    assert all(meaning.endswith(".") for meaning in MEANINGS.values())


def test_entries_are_read_in_pages_and_by_member(made: Installation) -> None:
    write(made, 20)
    with made.store.reading() as session:
        assert [one.number for one in audit.entries(session, "lantern", limit=3)] == [1, 2, 3]
        assert [one.number for one in audit.entries(session, "lantern", after=18)] == [19, 20]
        mine = audit.entries(session, "lantern", member_id="m-0")
        assert [json.loads(one.details)["place"] for one in mine] == [0, 7, 14]
        assert audit.entries(session, "lantern", member_id="m-99") == []
        assert audit.entries(session, "beacon") == []


def trimmed(made: Installation, before: datetime) -> int:
    with made.store.transaction() as session:
        return audit.trim(session, "lantern", before, NOON + timedelta(days=1))


def test_old_entries_go_from_the_start_and_the_log_says_so(made: Installation) -> None:
    write(made, 10)
    mac = rows(made)[3].mac
    assert trimmed(made, NOON + timedelta(minutes=4)) == 4
    left = rows(made)
    assert [row.number for row in left] == [5, 6, 7, 8, 9, 10, 11]
    assert left[-1].action == "audit.trimmed"
    assert json.loads(left[-1].details) == {"number": 4, "mac": mac, "entries": 4}
    assert trimmed(made, NOON + timedelta(minutes=4)) == 0
    assert len(rows(made)) == 7


def test_nothing_is_trimmed_behind_a_younger_entry(made: Installation) -> None:
    write(made, 2)
    write(made, 1, start=NOON - timedelta(days=1))  # the clock was set back
    assert trimmed(made, NOON) == 0
    assert trimmed(made, NOON + timedelta(minutes=1)) == 1
    assert [row.number for row in rows(made)] == [2, 3, 4]


def test_a_log_can_be_trimmed_to_its_last_entry_and_goes_on(made: Installation) -> None:
    write(made, 5)
    assert trimmed(made, NOON + timedelta(hours=1)) == 5
    assert [row.number for row in rows(made)] == [6]
    assert write(made, 1) == [7]
    with made.store.reading() as session:
        assert audit.verify(session, "lantern").broken is None


def test_an_empty_log_is_not_trimmed(made: Installation) -> None:
    assert trimmed(made, NOON) == 0
    assert rows(made) == []


def test_what_was_changed_is_not_trimmed_away(made: Installation) -> None:
    write(made, 5)
    by_hand(made, "UPDATE audit SET at = at + 1 WHERE number = 2")
    with pytest.raises(AuditError, match=r"entry 2 .*peermatch doctor"):
        trimmed(made, NOON + timedelta(minutes=3))
    assert len(rows(made)) == 5


def test_two_programmes_are_trimmed_apart(made: Installation) -> None:
    another_programme(made, "beacon")
    write(made, 3), write(made, 3, "beacon")
    assert trimmed(made, NOON + timedelta(hours=1)) == 3
    assert [row.number for row in rows(made, "beacon")] == [1, 2, 3]


def test_many_at_once_make_one_chain(made: Installation) -> None:
    stores = [open_store(made.settings) for _ in range(2)]

    def run(place: int) -> int:
        return sum(len(write(made, 2, store=stores[place % 2])) for _ in range(PER_THREAD))

    with ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(run, range(THREADS))) == 2 * THREADS * PER_THREAD
    for store in stores:
        store.close()
    with made.store.reading() as session:
        found = audit.verify(session, "lantern")
    assert (found.count, found.number, found.broken) == (2 * THREADS * PER_THREAD, 2 * THREADS * PER_THREAD, None)
