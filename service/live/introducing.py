"""Whether two people may be introduced now, asked in the transaction that would do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.consent import ConsentedProfile, consented
from matcher.errors import RecordError
from matcher.introductions import advance, allowed, needs_review
from matcher.matching import gates
from matcher.matching.circumstances import Standing
from matcher.matching.seeker import Seeker, forbids_seeking
from matcher.model.artefact import Model
from matcher.programme import Programme
from service.live.few import pool_of
from service.live.handles import Named
from service.live.models import Models
from service.live.pool_cache import PoolCache
from service.store import apart, introductions, members, models, stored
from service.store.introduction_rows import Kept
from service.store.introductions import NOBODY_NOW, NotAvailableError
from service.store.live_tables import LiveRow
from service.store.moments import micros
from service.store.scene import Live

SAFETY: Final = frozenset({"programme", "consent", *gates.PROGRAMME_GATES})
"""Gates that nobody overrides. The others are a programme's and its members' wishes."""
PLACES: Final = "capacity"
"""The gate that is asked by `service.store.introductions.check_places` instead, of both where both give a place."""


@dataclass(frozen=True)
class Person:
    """Somebody as the present transaction sees them."""

    profile: ConsentedProfile
    live: Live


def forbidding(
    session: Session, programme: Programme, model: Model, seeker: str, candidate: str, now: datetime
) -> tuple[str, ...]:
    """Return the gates that keep two people from being introduced, in the order in which they are asked.

    Whether a place is free is none of them: see `PLACES`. Nor is it one that these two are being introduced, or were:
    see `service.store.introductions`.
    """
    one, other = (person(session, programme, name, now) for name in (seeker, candidate))
    if one is None or other is None:
        return ("consent",)
    first = forbids_seeking(one.profile, programme)
    if first is not None:
        return (first,)
    pool = pool_of(programme, model.encoder, [(other.profile, other.live)], now, now, b"introduction")
    around = apart.around(session, programme.id, seeker)
    standing = Standing(
        held=one.live.held_until > micros(now),
        blocked=around[apart.BLOCKED],
        declined=around[apart.DECLINED],
        connected=around[apart.CONNECTED],
    )
    found = gates.failing(pool, Seeker.of(one.profile, pool, standing), candidate)
    return tuple(name for name in found if name != PLACES)


def person(session: Session, programme: Programme, member_id: str, now: datetime) -> Person | None:
    """Return somebody as matching may see them; None: there is none, or the programme no longer takes their record."""
    kept = members.get(session, programme.id, member_id)
    member = stored.member(kept.record, programme) if kept is not None and kept.accepted else None
    if member is None:
        return None
    columns = [getattr(LiveRow, name) for name in Live._fields]
    query = select(*columns).where(LiveRow.programme_id == programme.id, LiveRow.member_id == member_id)
    return Person(consented(member, programme, now), Live(*session.execute(query).one()))


def check(names: tuple[str, ...], *, override: bool = False, told: bool = False) -> None:
    """Refuse two whom gates keep apart.

    Parameters
    ----------
    names : tuple of str
        What `forbidding` returned.
    override : bool
        Whether wishes count for nothing, as where a coordinator knows better. Safety is never overridden.
    told : bool
        Whether the message names the gates, as it does to coordinators alone.

    Raises
    ------
    NotAvailableError
    """
    left = [name for name in names if name in SAFETY or not override]
    if not left:
        return
    if not told:
        raise NotAvailableError(NOBODY_NOW)
    wishes = "" if set(left) & SAFETY else '; these are wishes, and "override": true passes over them'
    raise NotAvailableError(f"found that {', '.join(left)} forbid it; choose somebody else{wishes}")


def prepare(pools: PoolCache, programme_id: str, now: datetime) -> None:
    """Have the programme and its model at hand before others have to wait for a transaction that writes.

    Reading them for the first time takes a worker longer than others wait.

    Raises
    ------
    ModelError, ProgrammeError
        If one of them cannot be read.
    """
    with pools.store.reading() as session:
        model_of(session, pools.models, pools.programmes.get(session, programme_id), now)


def model_of(session: Session, kept: Models, programme: Programme, now: datetime) -> Model:
    """Return the model by which people are encoded now.

    Raises
    ------
    ModelError
        If none can be loaded.
    """
    active = models.active(session, programme.id)
    versions = (None, None) if active is None else (active.version, active.previous)
    return kept.best(programme, versions, now)


def by_handle(session: Session, models_: Models, programme: Programme, named: Named, now: datetime) -> Kept:
    """Propose whom a seeker chose of a list, which is the seeker's yes; return what is stored.

    Raises
    ------
    NotAvailableError, TransitionError, NoPlaceError, TooManyOpenError
        If it cannot be now.
    """
    pair = (named.seeker, named.candidate)
    check(forbidding(session, programme, model_of(session, models_, programme, now), *pair, now))
    reviewed = needs_review(programme.review, introductions.is_first_of_either(session, programme.id, *pair))
    return introductions.begin(
        session, programme, pair, by="seeker", now=now, reviewed=reviewed, match_id=named.match_id
    )


def by_hand(
    session: Session,
    models_: Models,
    programme: Programme,
    seeker: str,
    candidate: str,
    now: datetime,
    *,
    override: bool,
) -> tuple[Kept, tuple[str, ...]]:
    """Propose two to each other as a coordinator; return what is stored, and the wishes that were passed over.

    Raises
    ------
    RecordError
        If they are one.
    NotAvailableError, TransitionError, NoPlaceError
        If it cannot be now.
    """
    if seeker == candidate:
        raise RecordError("a member and themselves", {"candidate": "found the seeker; expected another member"})
    model = model_of(session, models_, programme, now)
    names = forbidding(session, programme, model, seeker, candidate, now)
    check(names, override=override, told=True)
    made = introductions.begin(
        session, programme, (seeker, candidate), by="coordinator", now=now, reviewed=False, rested=not override
    )
    return made, names


def approve(
    session: Session, models_: Models, programme: Programme, kept: Kept, now: datetime, *, override: bool
) -> tuple[Kept, tuple[str, ...]]:
    """Offer what was in review, if it may still be; return what is stored, and the wishes that were passed over.

    Raises
    ------
    NotAvailableError, TransitionError, NoPlaceError
        If it cannot be now.
    """
    one = kept.introduction
    if "approve" not in allowed(one, "coordinator", now):  # says so first: of two reasons it is the one that stays
        advance(one, "approve", by="coordinator", at=now, rules=programme.introductions)
    model = model_of(session, models_, programme, now)
    names = forbidding(session, programme, model, one.seeker, one.candidate, now)
    check(names, override=override, told=True)
    moved = introductions.act(session, programme, kept, "approve", by="coordinator", now=now, rested=not override)
    return moved, names


def accept(
    session: Session, models_: Models, programme: Programme, kept: Kept, side: str, now: datetime
) -> tuple[Kept, bool]:
    """Say yes for a side; return what is stored, and whether it counted.

    Where safety forbids by now what was offered, it is withdrawn instead.

    Raises
    ------
    TransitionError
        If it is not allowed now.
    """
    one = kept.introduction
    if "accept" in allowed(one, side, now):
        model = model_of(session, models_, programme, now)
        if SAFETY.intersection(forbidding(session, programme, model, one.seeker, one.candidate, now)):
            return introductions.act(session, programme, kept, "withdraw", by="service", now=now), False
    return introductions.act(session, programme, kept, "accept", by=side, now=now), True
