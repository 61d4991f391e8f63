"""Introductions that were made or moved since a backup was made, and what was told of them: no decision is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from matcher.introductions import OPEN, Introduction, TransitionError
from service.backup.kept_apart import there
from service.backup.present import kept, put_back
from service.sealing import SealError
from service.store import closing, introduction_rows, programmes
from service.store.apart import Pair
from service.store.introduction_effects import let_rest, stand
from service.store.introduction_tables import EventRow, IntroductionRow

JUMP: Final = 1_000_000
"""So far the numbers of events go on: an app that has read further than the backup must miss nothing."""


def number(session: Session, programme_id: str, before: int) -> None:
    """Have a programme's events go on far beyond every number that may have been given."""
    session.execute(
        text(
            "UPDATE pools SET events = CASE WHEN events > :before THEN events ELSE :before END + :jump "
            "WHERE programme_id = :programme"
        ),
        {"before": before, "jump": JUMP, "programme": programme_id},
    )


def put_introductions(session: Session, programme_id: str) -> list[Pair]:
    """Put back what the database had further than the backup; return the pair of each.

    Before anything closes what the backup has: a decision that was made is never hidden by one that a restore makes.
    """
    was = kept("introductions").c
    rows = session.execute(
        select(*was).where(
            was.programme_id == programme_id, there(programme_id, was.seeker), there(programme_id, was.candidate)
        )
    ).mappings()
    moved = [row for row in map(dict[str, Any], rows) if _is_further(session, programme_id, row)]
    known = set(session.scalars(select(IntroductionRow.id).where(IntroductionRow.programme_id == programme_id)))
    for row in moved:
        _write(session, programme_id, row, known=row["id"] in known)
    _put_events(session, programme_id)
    return [(row["seeker"], row["candidate"]) for row in moved]


def follow(session: Session, programme_id: str, pairs: Iterable[Pair], now: datetime) -> None:
    """Have places, rests and who stands apart follow from introductions of `pairs`, and close what must not go on.

    After everything else was put back, and as far as this release reads the programme.
    """
    with suppress(PeermatchError):  # one that this release does not read has no lists either
        programme = programmes.load(session, programme_id)
        for pair in sorted({(min(pair), max(pair)) for pair in pairs}):
            for one in introduction_rows.between(session, programme_id, pair):
                stand(session, programme, one.introduction, now)
                let_rest(session, programme, one.introduction, now)
        closing.pass_time(session, programme, now)
        closing.close_unallowed(session, programme, now, _names(session, programme_id))


def _is_further(session: Session, programme_id: str, row: Mapping[str, Any]) -> bool:
    """Whether an introduction went on beyond what the backup has of it; that there is none there is less than any."""
    there_now = introduction_rows.one(session, programme_id, row["id"])
    if there_now is None:
        return True
    mine = next(_read(session, programme_id, [row]), None)
    steps = there_now.introduction.history
    return mine is not None and (len(mine.history), mine.history[-1].at) > (len(steps), steps[-1].at)


def _read(session: Session, programme_id: str, rows: list[Any]) -> Iterator[Introduction]:
    for row in rows:
        try:
            yield introduction_rows.read(session, programme_id, _Row(row))
        except (SealError, TransitionError, ValueError, KeyError, TypeError):
            continue  # damaged: it is put back as it is, for `doctor` to find


class _Row:
    """A row whose columns are attributes."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def _write(session: Session, programme_id: str, row: dict[str, Any], *, known: bool) -> None:
    if not known:
        session.execute(insert(IntroductionRow).values(**row))
        return
    mine = (IntroductionRow.programme_id == programme_id, IntroductionRow.id == row["id"])
    values = {name: value for name, value in row.items() if name not in {"programme_id", "id"}}
    session.execute(update(IntroductionRow).where(*mine).values(**values))


def _put_events(session: Session, programme_id: str) -> None:
    """Put back what was told since, but for introductions that could not be put back, since one side is gone."""
    was, before = kept("events").c, kept("introductions").c
    known = select(EventRow.number).where(EventRow.programme_id == programme_id, EventRow.number == was.number)
    now = select(IntroductionRow.id).where(
        IntroductionRow.programme_id == programme_id, IntroductionRow.id == before.id
    )
    lost = select(before.id).where(before.programme_id == programme_id, before.id == was.introduction_id, ~now.exists())
    put_back(session, "events", programme_id, there(programme_id, was.member_id), ~known.exists(), ~lost.exists())


def _names(session: Session, programme_id: str) -> set[str]:
    """Return who is in an introduction that goes on."""
    query = select(IntroductionRow.seeker, IntroductionRow.candidate).where(
        IntroductionRow.programme_id == programme_id, IntroductionRow.state.in_(sorted({*OPEN, "connected"}))
    )
    return {name for row in session.execute(query) for name in row}
