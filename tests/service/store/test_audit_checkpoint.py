from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from service.store import audit, installation, open_store
from service.store.audit_checkpoint import agreement, checkpoint
from service.store.audit_heads import HeadsError, Line
from tests.service.installation import NOON, Installation, another_programme
from tests.service.store.audited import by_hand, rows, write

LATER = NOON + timedelta(minutes=30)
"""Within the hour: what is written then has no head of its own."""


def sign(made: Installation, programme_id: str = "lantern") -> int | None:
    return checkpoint(made.store, programme_id, LATER)


def problem(made: Installation, programme_id: str = "lantern") -> str:
    return agreement(made.store, programme_id).problem


def cut_file(made: Installation, keep: Callable[[list[bytes]], list[bytes]]) -> None:
    path = made.store.heads.path
    path.write_bytes(b"".join(keep(path.read_bytes().splitlines(keepends=True))))


def test_a_log_and_its_second_place_tell_of_each_other(made: Installation) -> None:
    write(made, 5)
    assert sign(made) == 6
    lines = made.store.heads.read()
    assert [line.head.number for line in lines] == [5, 5]
    told = json.loads(rows(made)[-1].details)
    assert (told["line"], told["sig"], told["anew"]) == (2, lines[1].sig, False)
    found = agreement(made.store, "lantern")
    assert (found.lines, found.problem, found.begun_anew) == (2, "", None)


def test_where_nothing_happened_nothing_is_signed(made: Installation) -> None:
    assert sign(made) is None
    assert problem(made) == ""
    write(made, 1)
    assert sign(made) == 2
    assert sign(made) is None
    assert len(rows(made)) == 2
    assert len(made.store.heads.read()) == 2


@pytest.mark.parametrize("left", [0, 1, 3, 9])
def test_a_log_that_was_cut_at_its_end_is_found(made: Installation, left: int) -> None:
    write(made, 10)
    sign(made)
    by_hand(made, f"DELETE FROM audit WHERE number > {left}")
    with made.store.reading() as session:
        assert audit.verify(session, "lantern").broken is None, "the chain itself cannot tell"
    assert agreement(made.store, "lantern").cut == left + 1
    with pytest.raises(HeadsError, match=f"entry {left + 1} was signed"):
        sign(made)


def test_a_log_that_was_cut_and_goes_on_is_found(made: Installation) -> None:
    write(made, 10)
    sign(made)
    by_hand(made, "DELETE FROM audit WHERE number > 4")
    write(made, 20, start=NOON + timedelta(minutes=5))
    with made.store.reading() as session:
        assert audit.verify(session, "lantern").broken is None
    assert agreement(made.store, "lantern").cut == 10


def test_the_last_entries_that_nothing_signed_are_not_missed(made: Installation) -> None:
    """The limit that docs/reference/audit.md tells of: what came after the last head can be cut unseen."""
    write(made, 10)
    sign(made)
    write(made, 3, start=NOON + timedelta(minutes=31))
    by_hand(made, "DELETE FROM audit WHERE number > 12")
    assert problem(made) == ""


@pytest.mark.parametrize("keep", [lambda lines: [], lambda lines: lines[:1], lambda lines: [lines[0], lines[1][:-1]]])
def test_a_file_that_was_cut_is_found(made: Installation, keep: Callable[[list[bytes]], list[bytes]]) -> None:
    write(made, 5)
    sign(made)
    cut_file(made, keep)
    assert problem(made) == "line 2 of the second place is missing or another one"


def test_a_file_that_was_cut_and_goes_on_is_found(made: Installation) -> None:
    write(made, 5)
    sign(made)
    cut_file(made, lambda lines: lines[:1])
    for hour in (2, 4, 6):
        write(made, 1, start=NOON + timedelta(hours=hour))
    assert len(made.store.heads.read()) == 4
    assert agreement(made.store, "lantern").lost == 2
    with pytest.raises(HeadsError, match="line 2 of the second place"):
        sign(made)


def test_a_changed_file_is_not_signed_over(made: Installation) -> None:
    write(made, 5)
    sign(made)
    cut_file(made, lambda lines: [lines[0].replace(b'"number":5', b'"number":4'), lines[1]])
    with pytest.raises(HeadsError, match="line 1"):
        sign(made)
    with pytest.raises(HeadsError, match="line 1"):
        agreement(made.store, "lantern")


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_file_put_aside_is_begun_anew_and_the_log_says_so(made: Installation, goes_on: bool) -> None:
    write(made, 5)
    sign(made)
    path = made.store.heads.path
    path.rename(path.with_name("audit.heads.aside"))
    if goes_on:  # a worker writes its hourly head before anything is signed
        write(made, 1, start=NOON + timedelta(hours=2))
    assert agreement(made.store, "lantern").lost == 2
    anew = sign(made)
    found = agreement(made.store, "lantern")
    assert (found.lines, found.problem, found.begun_anew) == (1 + goes_on, "", anew)
    write(made, 1, start=NOON + timedelta(hours=4))
    sign(made)
    assert agreement(made.store, "lantern").begun_anew == anew


def test_after_a_restore_the_heads_of_before_are_of_another_database(made: Installation) -> None:
    write(made, 10)
    sign(made)
    by_hand(made, "DELETE FROM audit WHERE number > 4")  # what an older backup brings
    with made.store.transaction() as session:
        installation.renew(session)
        audit.record(session, "lantern", "backup.restored", now=LATER, by="command")
    assert problem(made) == ""
    assert sign(made) == 6
    found = agreement(made.store, "lantern")
    assert (found.lines, found.problem, found.begun_anew) == (1, "", None)


def test_on_another_machine_the_file_begins_again(made: Installation) -> None:
    write(made, 10)
    sign(made)
    made.store.heads.path.unlink()
    with made.store.transaction() as session:
        installation.renew(session)
    assert problem(made) == ""
    assert sign(made) == 12
    assert agreement(made.store, "lantern").begun_anew is None


def test_trimming_leaves_both_in_agreement(made: Installation) -> None:
    write(made, 10)
    sign(made)
    write(made, 5, start=NOON + timedelta(hours=3))
    sign(made)
    with made.store.transaction() as session:
        audit.trim(session, "lantern", NOON + timedelta(hours=2), NOON + timedelta(hours=4))
    assert rows(made)[0].number == 12
    assert problem(made) == ""
    by_hand(made, "DELETE FROM audit WHERE number > 14")
    assert problem(made) != ""


def test_each_programme_has_its_own_heads_in_one_file(made: Installation) -> None:
    another_programme(made, "beacon")
    write(made, 3), write(made, 4, "beacon")
    assert (sign(made), sign(made, "beacon")) == (4, 5)
    by_hand(made, "DELETE FROM audit WHERE programme_id = 'beacon' AND number > 2")
    assert (problem(made), agreement(made.store, "beacon").cut) == ("", 3)


def test_a_signature_by_somebody_else_while_it_looks_is_no_disagreement(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(made, 5)
    sign(made)
    write(made, 1, start=LATER)
    other = open_store(made.settings)
    real = made.store.heads.read
    signed: list[int | None] = []

    def read_and_then_another_signs() -> list[Line]:
        lines = real()
        write(made, 1, start=LATER, store=other)
        signed.append(checkpoint(other, "lantern", LATER))
        return lines

    monkeypatch.setattr(made.store.heads, "read", read_and_then_another_signs)
    found = problem(made)
    monkeypatch.undo()
    other.close()
    assert len(signed) == 2
    assert None not in signed
    assert found == ""
    assert problem(made) == ""
