"""Introductions as their table keeps them: narrow columns to look them up by, and the history sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.orm import Session

from matcher.introductions import Introduction, Step, TransitionError, again_from, replay
from matcher.programme import Programme
from matcher.records import written
from service.sealing import SealError
from service.store import sealed
from service.store.introduction_tables import IntroductionRow
from service.store.moments import FOREVER, micros, moment

INTRODUCTIONS: Final = IntroductionRow.__tablename__


@dataclass(frozen=True)
class Kept:
    """An introduction as it is stored."""

    id: str
    introduction: Introduction
    due: int
    """µs since 1970 at which something of it next happens by itself; FOREVER: nothing will."""


def add(
    session: Session,
    programme: Programme,
    name: str,
    introduction: Introduction,
    now: datetime,
    match_id: str | None = None,
) -> Kept:
    """Store a new introduction under `name`; `match_id` is of the list from which the seeker chose."""
    values = _values(session, programme, name, introduction, now)
    made = micros(introduction.history[0].at)
    pair = {"seeker": introduction.seeker, "candidate": introduction.candidate, "match_id": match_id, "made_at": made}
    session.execute(insert(IntroductionRow).values(programme_id=programme.id, id=name, **pair, **values))
    return Kept(name, introduction, values["due"])


def write(session: Session, programme: Programme, name: str, introduction: Introduction, now: datetime) -> Kept:
    """Write an introduction that has moved in place of what was stored."""
    values = _values(session, programme, name, introduction, now)
    mine = (IntroductionRow.programme_id == programme.id, IntroductionRow.id == name)
    session.execute(update(IntroductionRow).where(*mine).values(**values))
    return Kept(name, introduction, values["due"])


def one(session: Session, programme_id: str, name: str) -> Kept | None:
    """Return the introduction of a name, or None: unknown and foreign are the same."""
    if "\x00" in name:  # PostgreSQL refuses even to look for it
        return None
    return next(some(session, programme_id, IntroductionRow.id == name), None)


def of_member(session: Session, programme_id: str, member_id: str) -> list[Kept]:
    """Return all introductions of a member, on either side, oldest first."""
    either = or_(IntroductionRow.seeker == member_id, IntroductionRow.candidate == member_id)
    return list(some(session, programme_id, either))


def between(session: Session, programme_id: str, pair: tuple[str, str]) -> list[Kept]:
    """Return all introductions of two members to each other, whoever of them is the seeker, oldest first."""
    return list(some(session, programme_id, IntroductionRow.seeker.in_(pair), IntroductionRow.candidate.in_(pair)))


def some(session: Session, programme_id: str, *which: ColumnElement[bool]) -> Iterator[Kept]:
    """Yield the introductions of which all of `which` is true, oldest first.

    One that is damaged is left out, so that it cannot take the others with it; `peermatch doctor` finds it.
    """
    query = select(IntroductionRow).where(IntroductionRow.programme_id == programme_id, *which)
    columns = query.with_only_columns(
        IntroductionRow.id, IntroductionRow.seeker, IntroductionRow.candidate, IntroductionRow.due,
        IntroductionRow.details,
    )  # fmt: skip
    for row in session.execute(columns.order_by(IntroductionRow.made_at, IntroductionRow.id)).all():
        try:
            yield Kept(row.id, read(session, programme_id, row), row.due)
        except (SealError, TransitionError, ValueError, KeyError, TypeError):
            continue


def read(session: Session, programme_id: str, row: Any) -> Introduction:
    """Return the introduction of a row that has `id`, `seeker`, `candidate` and `details`.

    Raises
    ------
    SealError
        If its key is not at hand, or it was changed or moved.
    TransitionError, ValueError, KeyError, TypeError
        If it tells nothing that can have happened.
    """
    text = sealed.opened(session, programme_id, INTRODUCTIONS, row.id, row.details)
    steps = (_step(told) for told in orjson.loads(text)["history"])
    return replay(steps, seeker=row.seeker, candidate=row.candidate)


def due(introduction: Introduction, programme: Programme, now: datetime) -> int:
    """Return when something of an introduction next happens by itself: µs since 1970, FOREVER where nothing does.

    It lapses, or its two members may be introduced again. When its supporter has rested is in their live row.
    """
    if introduction.until is not None:
        return micros(introduction.until)
    again = again_from(introduction, programme.introductions)
    return FOREVER if again is None or again <= now else micros(again)


def _values(
    session: Session, programme: Programme, name: str, introduction: Introduction, now: datetime
) -> dict[str, Any]:
    history = orjson.dumps({"history": [_told(step) for step in introduction.history]}).decode()
    offered, connected = introduction.offered_at, introduction.connected_at
    return {
        "state": introduction.state,
        "since": micros(introduction.since),
        "offered_at": None if offered is None else micros(offered),
        "connected_at": None if connected is None else micros(connected),
        "due": due(introduction, programme, now),
        "suspended": int(introduction.suspended),
        "details": sealed.seal(session, programme.id, INTRODUCTIONS, name, history),
    }


def _told(step: Step) -> list[Any]:
    until = None if step.until is None else micros(step.until)
    return [step.act, step.by, step.before, step.state, micros(step.at), until, step.reason]


def _step(told: list[Any]) -> Step:
    act, by, before, state, at, until, reason = told
    return Step(act, by, before, state, moment(at), None if until is None else moment(until), reason)


def history(introduction: Introduction) -> list[dict[str, Any]]:
    """Return the steps of an introduction as coordinators and audits read them."""
    return [
        {
            "act": step.act,
            "by": step.by,
            "from": step.before,
            "to": step.state,
            "at": written(step.at),
            "until": None if step.until is None else written(step.until),
            "reason": step.reason,
        }
        for step in introduction.history
    ]
