from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from service.security import create_secret_key
from service.store import audit, open_store
from service.store.audit_chain import START, Entry, Verdict, mac_of, verify
from service.store.derived_keys import derived
from service.store.record_tables import AuditRow
from tests.conftest import examples
from tests.service.databases import SQLITE
from tests.service.installation import NOON, Installation, another_programme
from tests.service.store.audited import by_hand, rows, write

MANY = 50_000
SECONDS = 0.5
LENGTH = 30


def verdict(made: Installation, programme_id: str = "lantern") -> Verdict:
    with made.store.reading() as session:
        return verify(session, programme_id)


def test_what_was_written_is_whole(made: Installation) -> None:
    assert verdict(made) == Verdict(0, 0, START)
    write(made, LENGTH)
    assert verdict(made) == Verdict(LENGTH, LENGTH, rows(made)[-1].mac)


def test_the_mac_of_an_entry_is_as_the_reference_writes_it() -> None:
    # Kept apart from the code: logs of years ago must still be verified.
    entry = Entry(2, 1_772_625_600_000_000, "command", "hold.placed", "ab" * 16, '{"new":true}')
    whole = (
        '["lantern",2,1772625600000000,"command","hold.placed","abababababababababababababababab","{\\"new\\":true}"]'
    )
    right = hmac.new(b"k" * 32, f"{START}|{whole}".encode(), hashlib.sha256).hexdigest()
    assert mac_of(b"k" * 32, START, "lantern", entry) == right


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("UPDATE audit SET at = at - 1 WHERE number = 7", 7),
        ("UPDATE audit SET by = 'service' WHERE number = 7", 7),
        ("UPDATE audit SET action = 'hold.lifted' WHERE number = 7", 7),
        ("UPDATE audit SET subject = NULL WHERE number = 7", 7),
        ("UPDATE audit SET details = '{}' WHERE number = 7", 7),
        ("UPDATE audit SET mac = '00' WHERE number = 7", 7),
        ("UPDATE audit SET mac = (SELECT mac FROM audit AS o WHERE o.number = 8) WHERE number = 7", 7),
        ("UPDATE audit SET number = 31 WHERE number = 7", 7),
        ("DELETE FROM audit WHERE number = 7", 7),
        ("DELETE FROM audit WHERE number <= 7", 1),
        ("DELETE FROM audit WHERE number BETWEEN 7 AND 9", 7),
        (
            "INSERT INTO audit SELECT programme_id, 31, at, by, action, subject, details, mac FROM audit "
            "WHERE number = 30",
            31,
        ),
        (
            "INSERT INTO audit SELECT programme_id, 0, at, by, action, subject, details, mac FROM audit "
            "WHERE number = 1",
            0,
        ),
    ],
)
def test_whatever_is_changed_by_hand_is_found_where_it_is(made: Installation, change: str, where: int) -> None:
    write(made, LENGTH)
    by_hand(made, change)
    found = verdict(made)
    assert found.broken == where
    assert found.count == max(where - 1, 0)


def test_entries_that_changed_places_are_found(made: Installation) -> None:
    write(made, LENGTH)
    by_hand(
        made,
        "UPDATE audit SET number = 100 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 5",
        "UPDATE audit SET number = 5 WHERE number = 100",
    )
    assert verdict(made).broken == 4


def test_a_log_moved_to_another_programme_is_found(made: Installation) -> None:
    another_programme(made, "beacon")
    write(made, LENGTH)
    by_hand(made, "UPDATE audit SET programme_id = 'beacon'")
    assert verdict(made, "beacon").broken == 1
    assert verdict(made) == Verdict(0, 0, START)


def test_a_log_written_with_another_secret_is_found(made: Installation) -> None:
    write(made, LENGTH)
    made.settings.secret_key_file.unlink()
    create_secret_key(made.settings)
    store = open_store(made.settings)
    write(made, 1, store=store)
    with store.reading() as session:
        assert verify(session, "lantern").broken == 1
    store.close()


def test_what_no_column_holds_is_found_and_ends_nothing(made: Installation) -> None:
    write(made, 3)
    values = ("7.5", "X'00FF'") if made.database.name == SQLITE else ("''", "'\u00e9\U0001f600'")
    for value in values:
        by_hand(made, f"UPDATE audit SET details = {value} WHERE number = 2")
        assert verdict(made).broken == 2


def trim(made: Installation, minutes: int) -> None:
    with made.store.transaction() as session:
        audit.trim(session, "lantern", NOON + timedelta(minutes=minutes), NOON + timedelta(days=1))


def test_a_trimmed_log_begins_where_it_says(made: Installation) -> None:
    write(made, LENGTH)
    trim(made, 10)
    assert verdict(made) == Verdict(LENGTH - 10 + 1, LENGTH + 1, rows(made)[-1].mac)
    write(made, 5)
    trim(made, 12)
    assert verdict(made).broken is None
    assert rows(made)[0].number == 13


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("DELETE FROM audit WHERE number = 11", 11),
        ("DELETE FROM audit WHERE number <= 14", 11),
        ("DELETE FROM audit WHERE action = 'audit.trimmed'", 1),
        ("UPDATE audit SET details = '{}' WHERE action = 'audit.trimmed'", 1),
        ("UPDATE audit SET details = 'no JSON' WHERE action = 'audit.trimmed'", 1),
        ("UPDATE audit SET details = replace(details, ':10', ':11') WHERE action = 'audit.trimmed'", 11),
        (
            "INSERT INTO audit SELECT programme_id, 10, at, by, action, subject, details, mac FROM audit "
            "WHERE number = 11",
            10,
        ),
    ],
)
def test_a_start_that_no_trimming_made_is_found(made: Installation, change: str, where: int) -> None:
    write(made, LENGTH)
    trim(made, 10)
    by_hand(made, change)
    assert verdict(made).broken == where


def test_more_deleted_behind_a_trimming_that_was_made_to_fit_is_found(made: Installation) -> None:
    write(made, LENGTH)
    trim(made, 10)
    mac = rows(made)[3].mac
    by_hand(
        made,
        "DELETE FROM audit WHERE number <= 14",
        f"""UPDATE audit SET details = '{{"entries":14,"mac":"{mac}","number":14}}' WHERE action = 'audit.trimmed'""",
    )
    assert verdict(made).broken == LENGTH + 1  # the forged entry itself


def test_any_change_of_any_kind_is_found(made: Installation) -> None:
    """Hands at random: what verifies afterwards is what was there, or a start of it that was cut at its end."""
    write(made, LENGTH)
    whole = {row.number: row.mac for row in rows(made)}
    chance = random.Random(4)
    for _ in range(examples(12, 300)):
        one, other = chance.sample(range(1, LENGTH + 1), 2)
        kind: Callable[[], str] = chance.choice(
            [
                lambda one=one: f"UPDATE audit SET at = at + 1 WHERE number = {one}",
                lambda one=one: f"UPDATE audit SET subject = 'x' WHERE number = {one}",
                lambda one=one: f"DELETE FROM audit WHERE number = {one}",
                lambda one=one: f"DELETE FROM audit WHERE number >= {one}",
                lambda one=one, other=other: (
                    f"UPDATE audit SET mac = (SELECT mac FROM audit AS o WHERE o.number = {other}) WHERE number = {one}"
                ),
            ]
        )
        before = [_values(row) for row in rows(made)]
        by_hand(made, kind())
        after = [_values(row) for row in rows(made)]
        found = verdict(made)
        cut = after == before[: len(after)]
        assert (found.broken is None) == cut, (after, before)
        assert all(whole[row["number"]] == row["mac"] for row in after[: found.count])
        _restore(made, before)
    assert verdict(made).broken is None


def _values(row: AuditRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in AuditRow.__table__.columns.keys()}  # noqa: SIM118


def _restore(made: Installation, kept: list[dict[str, Any]]) -> None:
    by_hand(made, "DELETE FROM audit")
    with made.store.transaction() as session:
        session.execute(insert(AuditRow), kept)


def test_fifty_thousand_entries_are_verified_in_half_a_second(made: Installation) -> None:
    with made.store.transaction() as session:
        key, mac, kept = derived(session).chain, START, []
        for number in range(1, MANY + 1):
            entry = Entry(
                number, number, "abcdefgh12345678", "consent.recorded", "ab" * 16, '{"purpose":"match_serve"}'
            )
            mac = mac_of(key, mac, "lantern", entry)
            kept.append({"programme_id": "lantern", "mac": mac, **entry._asdict()})
        session.execute(insert(AuditRow), kept)
    taken = []
    for _ in range(5):
        began = time.process_time()  # the machine is shared: what others do meanwhile does not count
        assert verdict(made) == Verdict(MANY, MANY, mac)
        taken.append(time.process_time() - began)
    assert min(taken) < SECONDS
