"""Writers killed at any moment: what was acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from service.store import members, sealed
from service.store.record_tables import AuditRow
from service.store.tables import MemberRow
from tests.conftest import examples
from tests.service.databases import SQLITE, only
from tests.service.faults.history import World
from tests.service.faults.writers import stored, writers
from tests.service.installation import Installation

POINTS = examples(20, 200)


def entries(made: Installation) -> int:
    with made.store.reading() as session:
        return session.scalar(select(func.count()).where(AuditRow.programme_id == "lantern")) or 0


def test_what_was_acknowledged_is_there_and_nothing_by_halves(small: Installation) -> None:
    made, chance, known = small, random.Random(7), World()
    half_done = 0
    with writers(made) as running:
        for seed in range(POINTS):
            done, tried = running.killed(seed, chance.randrange(12), chance.random() * 0.012)
            for step in done:
                known = known.after(step)
            found = stored(made)
            if found != known:
                assert tried is not None
                known = known.after(tried)
                half_done += 1
            assert found == known
    assert half_done < POINTS
    if made.database.name == SQLITE:
        with made.store.reading() as session:
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert not session.execute(text("PRAGMA foreign_key_check")).all()


def test_a_lost_write_would_be_seen(small: Installation) -> None:
    """Positive control: a member's record written back as it was, and a log that lacks its last entry."""
    with writers(small) as running:
        done, _ = running.killed(1, 11, 0.0)
    known = World()
    for step in done:
        known = known.after(step)
    assert entries(small) > 0
    name, person = next(iter(known.people.items()))
    person.journey = "another"
    assert stored(small) != known
    with small.store.transaction() as session:
        one = members.get(session, "lantern", name)
        assert one is not None
        record = json.dumps({**one.record, "consents": one.record["consents"][:-1]})
        kept = sealed.seal(session, "lantern", sealed.MEMBERS, name, record)
        which = (MemberRow.programme_id == "lantern", MemberRow.member_id == name)
        session.execute(update(MemberRow).where(*which).values(record=kept))
    with pytest.raises(AssertionError):
        stored(small)


@only(SQLITE, "PostgreSQL writes its log in a process of its own, as its settings say.")
@pytest.mark.parametrize(("pragma", "enough"), [(None, True), ("PRAGMA synchronous = OFF", False)])
def test_each_acknowledged_write_is_on_the_disk(
    small: Installation, tmp_path: Path, system_program: Callable[[str], str], pragma: str | None, *, enough: bool
) -> None:
    """A killed process cannot show it (the system writes on), so the calls themselves are counted.

    The second case is the positive control.
    """
    trace = tmp_path / "trace"
    strace = (system_program("strace"), "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o")
    with writers(small, *strace, str(trace)) as running:
        lines = [line for line in running.lines(3, pragma=pragma, steps=60) if line.startswith(("try", "done"))]
    steps = zip(lines[::2], lines[1::2], strict=True)
    changing = sum("consent" in step and done.split()[1] in {"200", "201"} for step, done in steps)
    assert changing > 5
    synced = trace.read_text("utf-8").count("sync(")
    assert (synced >= changing) == enough
