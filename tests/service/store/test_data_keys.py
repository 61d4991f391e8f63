from __future__ import annotations

from datetime import datetime, timedelta

import orjson
import pytest
from sqlalchemy import update

from service.sealing import Keyring, new_key, read_keyring, write_keyring
from service.store import data_keys, members, open_store
from service.store.data_keys import HEARD, DataKeyError
from service.store.resealing import is_finished, left_over
from service.store.tables import MemberRow
from tests.service.installation import NOON, Installation, another_programme, record
from tests.service.store.audited import told

LATER = NOON + timedelta(hours=1)


def noon() -> datetime:
    return NOON


def test_a_rotation_makes_a_key_seals_everything_and_is_told(made: Installation) -> None:
    another_programme(made, "beacon")
    made.add(record("m-1"), record("m-2"))
    before = read_keyring(made.settings)
    done = data_keys.rotate(made.store, made.settings, noon)
    after = read_keyring(made.settings)
    assert (done.key_id, done.is_new, done.resealed.rows) == (after.current, True, {"members": 2})
    assert after.keys[1:] == before.keys
    assert after.current != before.current
    assert made.settings.data_key_file.stat().st_mode & 0o777 == 0o600
    for programme_id in ("lantern", "beacon"):
        assert told(made, programme_id)[-1] == ("command", "data_key.rotated")
    with made.store.reading() as session:
        assert is_finished(session, after)


def test_one_that_was_interrupted_is_ended_before_another_key_is_made(made: Installation) -> None:
    made.add(*(record(f"m-{number}") for number in range(5)))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data_keys.rotate(made.store, made.settings, noon, advance=stop)
    made_so_far = read_keyring(made.settings)
    assert len(made_so_far.keys) == 2
    assert told(made) == []
    done = data_keys.rotate(made.store, made.settings, noon)
    assert (done.key_id, done.is_new) == (made_so_far.current, False)
    assert len(read_keyring(made.settings).keys) == 2
    assert data_keys.rotate(made.store, made.settings, noon).is_new


def test_a_key_that_was_put_first_by_hand_is_taken_up(made: Installation) -> None:
    """Where an orchestrator mounts the file nobody here can write it."""
    made.add(record("m-1"))
    write_keyring(made.settings, [new_key(), *read_keyring(made.settings).keys])
    done = data_keys.rotate(made.store, made.settings, noon)
    assert (done.is_new, done.resealed.rows["members"]) == (False, 1)


def test_rows_that_cannot_be_opened_stop_it_at_its_end(made: Installation) -> None:
    made.add(record("m-1"), record("m-2"))
    broken = Keyring([new_key()]).seal("lantern", "members", "m-1", b"{}")
    which = (MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1")
    with made.store.transaction() as session:
        session.execute(update(MemberRow).where(*which).values(record=broken))
    with pytest.raises(DataKeyError, match=r"1 rows cannot be opened .*run this again"):
        data_keys.rotate(made.store, made.settings, noon)
    with pytest.raises(DataKeyError, match="1 of installation, 1 of members"):
        data_keys.drop_old(made.store, made.settings, LATER)
    assert len(read_keyring(made.settings).keys) == 2


def test_old_keys_are_dropped_once_nothing_needs_them(made: Installation) -> None:
    made.add(record("m-1"))
    assert data_keys.drop_old(made.store, made.settings, NOON) == []
    old = read_keyring(made.settings).current
    data_keys.rotate(made.store, made.settings, noon)
    with pytest.raises(DataKeyError, match="less than 10 minutes ago"):
        data_keys.drop_old(made.store, made.settings, NOON + HEARD - timedelta(seconds=1))
    assert data_keys.drop_old(made.store, made.settings, NOON + HEARD) == [old]
    assert len(read_keyring(made.settings).keys) == 1
    store = open_store(made.settings)
    with store.reading() as session:
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        assert stored.record["member_id"] == "m-1"
        assert left_over(session, read_keyring(made.settings)) == {}
    store.close()


def test_nobody_waits_for_a_clock_that_was_set_back(made: Installation) -> None:
    data_keys.rotate(made.store, made.settings, noon)
    assert len(data_keys.drop_old(made.store, made.settings, NOON - timedelta(days=1))) == 1


def test_old_keys_stay_while_anything_is_sealed_with_them(made: Installation) -> None:
    made.add(record("m-1"))
    data_keys.rotate(made.store, made.settings, noon)
    old = Keyring(read_keyring(made.settings).keys[1:])
    which = (MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1")
    with made.store.transaction() as session:
        session.execute(update(MemberRow).where(*which).values(record=old.seal("lantern", "members", "m-1", b"{}")))
    with pytest.raises(DataKeyError, match=r"still sealed with old keys \(1 of members\)"):
        data_keys.drop_old(made.store, made.settings, LATER)


def test_a_worker_that_heard_of_nothing_opens_and_seals_after_the_drop(made: Installation) -> None:
    made.add(record("m-1"))
    worker = open_store(made.settings)
    data_keys.rotate(made.store, made.settings, noon)
    data_keys.drop_old(made.store, made.settings, LATER)
    with worker.transaction() as session:
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        assert stored.record["member_id"] == "m-1"
        made_by_worker = worker.keyring.seal("lantern", "members", "x", b"{}")
    assert read_keyring(made.settings).is_current(made_by_worker)
    worker.close()


def test_the_ten_minutes_count_from_the_end_of_a_rotation(made: Installation) -> None:
    made.add(record("m-1"))
    at = [NOON]

    def takes_an_hour(_: int) -> None:
        at[0] = LATER

    data_keys.rotate(made.store, made.settings, lambda: at[0], advance=takes_an_hour)
    with pytest.raises(DataKeyError, match="less than 10 minutes ago"):
        data_keys.drop_old(made.store, made.settings, LATER + HEARD - timedelta(seconds=1))
    assert len(data_keys.drop_old(made.store, made.settings, LATER + HEARD)) == 1


def test_rows_that_were_sealed_with_an_old_key_meanwhile_are_not_passed_over(made: Installation) -> None:
    made.add(record("m-1"))
    old = read_keyring(made.settings)
    which = (MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1")
    with made.store.reading() as session:
        stored = members.get(session, "lantern", "m-1")
    assert stored is not None
    late = old.seal("lantern", "members", "m-1", orjson.dumps(stored.record))

    def a_worker_that_has_not_heard(changed: int) -> None:
        if changed:
            with made.store.transaction() as session:
                session.execute(update(MemberRow).where(*which).values(record=late))

    with pytest.raises(DataKeyError, match=r"still sealed with old keys \(1 of members\)"):
        data_keys.rotate(made.store, made.settings, noon, advance=a_worker_that_has_not_heard)
    assert told(made) == []
    done = data_keys.rotate(made.store, made.settings, noon)
    assert (done.is_new, done.resealed.rows["members"]) == (False, 1)
