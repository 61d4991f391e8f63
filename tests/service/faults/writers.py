"""Starts writers and kills them, and looks at what they left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from matcher.consent import fold
from matcher.people import Member
from service.store import audit_chain, consent_log, holds, members
from service.store.live_tables import ApartRow, LiveRow
from service.store.record_tables import ConsentEventRow, ErasureRow
from service.store.tables import MemberRow
from tests.conftest import ROOT
from tests.service.faults.history import MEMBERS, Person, World
from tests.service.installation import Installation

NAMING = (MemberRow, LiveRow, ConsentEventRow, ApartRow)


class Writers:
    """Starts writers, one after another, and kills them."""

    def __init__(self, made: Installation, wrapped: tuple[str, ...] = ()) -> None:
        self.made = made
        command = [*wrapped, sys.executable, "-m", "tests.service.faults.writer"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lines(
        self, seed: int, *, pragma: str | None = None, steps: int = 10_000, most: int | None = None
    ) -> Iterator[str]:
        """Yield what one writer says, from its start to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"folder": str(self.made.folder), "key": self.made.key, "seed": seed}
        self.process.stdin.write(json.dumps({**asked, "pragma": pragma, "steps": steps, "most": most}) + "\n")
        self.process.stdin.flush()
        while (line := self.process.stdout.readline().strip()) != "end":
            assert line, "the writers have ended"
            yield line

    def killed(self, seed: int, after: int, delay: float) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """Kill a writer `delay` seconds into its step number `after`; return what was done, and what was tried."""
        done: list[dict[str, Any]] = []
        tried: dict[str, Any] | None = None
        process = 0
        for line in self.lines(seed):
            word, _, rest = line.partition(" ")
            if word == "pid":
                process = int(rest)
            elif word == "try":
                tried = json.loads(rest)
                if len(done) == after:
                    threading.Timer(delay, os.kill, (process, signal.SIGKILL)).start()
            else:
                assert int(rest) < 500
                assert tried is not None
                done.append(tried)
                tried = None
        assert process, "the writer did not start"
        return done, tried

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


@contextmanager
def writers(made: Installation, *wrapped: str) -> Iterator[Writers]:
    running = Writers(made, wrapped)
    try:
        yield running
        running.close()
    finally:
        running.process.kill()
        running.process.communicate()


def stored(made: Installation) -> World:
    """Return what is stored, after checking that it is whole."""
    world = World()
    with made.store.reading() as session:
        for one in members.all_members(session, "lantern"):
            member = Member.from_dict(one.record, made.programme)
            events = [(event.purpose, event.decision) for event in member.consents]
            log = consent_log.history(session, "lantern", one.member_id)
            assert [recorded.event for recorded in log] == list(member.consents)
            live = session.scalars(select(LiveRow).where(LiveRow.programme_id == "lantern", LiveRow.id == one.id)).one()
            state = fold(member.consents, made.programme, datetime.now(UTC))
            assert live.shown == int(state.on("be_shown_as_peer"))
            running = holds.running(session, "lantern", one.member_id, datetime.now(UTC))
            assert (live.held_until > 0) == bool(running)
            world.people[one.member_id] = Person(str(one.record["profile"]["journey"]), events, len(running))
        rows = session.execute(
            select(ApartRow.member_id, ApartRow.other_id).where(ApartRow.programme_id == "lantern")
        ).all()
        assert {(other, one) for one, other in rows} == {(one, other) for one, other in rows}
        world.blocks = {(min(row), max(row)) for row in rows}
        digests = set(session.scalars(select(ErasureRow.digest).where(ErasureRow.programme_id == "lantern")))
        world.erased = {name for name in MEMBERS if made.store.derived.erasure("lantern", name) in digests}
        for table in NAMING:
            names = session.scalars(select(table.member_id).where(table.programme_id == "lantern"))
            assert set(names) <= world.people.keys()
        assert audit_chain.verify(session, "lantern").broken is None
    return world
