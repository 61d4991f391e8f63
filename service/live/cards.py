"""An introduction as one side may see it now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from matcher.introductions import Introduction, allowed, let_time_pass, seen_by, seen_since
from matcher.matching.cards import Card, card
from matcher.matching.pool import Pool
from matcher.model.affinity import PairAffinity
from matcher.programme import Programme
from matcher.records import written
from service.live.introducing import SAFETY, forbidding, person
from service.live.pool_cache import PoolCache
from service.store import scene
from service.store.introduction_rows import Kept

SHOWN: Final = frozenset({"in_review", "offered", "accepted", "connected"})
"""States, as a side sees them, in which it may read the other's card."""
UNSEEN: Final = SAFETY - {"connected"}
"""Gates that by now keep a side from reading the other's card."""


class Cards:
    """Makes cards of one programme over its pool as it is now.

    Parameters
    ----------
    pools : PoolCache
    programme_id : str
    now : datetime
    whole : bool
        Whether statements are shown before the offer too, as to coordinators.
    """

    def __init__(self, pools: PoolCache, programme_id: str, now: datetime, *, whole: bool = False) -> None:
        self._now, self._whole = now, whole
        with pools.store.hot.reading() as reader:
            seen = scene.scene(reader, programme_id)
            assert seen is not None  # its key would be gone with it
            held = pools.current(reader, seen, now)
            self._parts: tuple[tuple[Pool, ...], PairAffinity] = (
                tuple(held.view.pools),
                held.base.model.affinity,
            )
            self._model = held.base.model

    def of(self, session: Session, programme: Programme, introduction: Introduction, *, to: str) -> Card | None:
        """Return what one side may read of the other; None where either is not matched with anybody now.

        Parameters
        ----------
        to : str
            ``seeker`` or ``candidate``: who reads it.
        """
        seeker = person(session, programme, introduction.seeker, self._now)
        candidate = person(session, programme, introduction.candidate, self._now)
        if seeker is None or candidate is None:
            return None
        pools, affinity = self._parts
        found = card(pools, affinity, seeker.profile, candidate.profile, to_candidate=to == "candidate")
        # Own words are for whoever is asked: not yet for the two of what a coordinator looks at.
        return found if introduction.offered_at is not None or self._whole else replace(found, statement=None)

    def in_inbox(self, session: Session, programme: Programme, kept: Kept, side: str) -> dict[str, Any] | None:
        """Return an introduction as one side may see it, with the other's card; None: it has never heard of it.

        There is no card where safety forbids the two by now: an age or a vetting may have changed since the offer.
        """
        seen = seen_as(kept, side, self._now)
        if seen is None:
            return None
        found = self._readable(session, programme, kept.introduction, side) if seen["state"] in SHOWN else None
        return {**seen, "card": None if found is None else told(found)}

    def _readable(self, session: Session, programme: Programme, introduction: Introduction, side: str) -> Card | None:
        pair = (introduction.seeker, introduction.candidate)
        if UNSEEN.intersection(forbidding(session, programme, self._model, *pair, self._now)):
            return None
        return self.of(session, programme, introduction, to=side)


def seen_as(kept: Kept, side: str, now: datetime) -> dict[str, Any] | None:
    """Return an introduction as one side may see it; None: it has never heard of it.

    Without the other's card: replies may be kept and sent again, and who has taken a consent back since must not be
    in them.
    """
    introduction = let_time_pass(kept.introduction, now)
    state = seen_by(introduction, side)
    if state is None:
        return None
    other = introduction.candidate if side == "seeker" else introduction.seeker
    return {
        "introduction_id": kept.id,
        "side": side,
        "state": state,
        "since": written(seen_since(introduction, side)),
        "until": None if introduction.until is None else written(introduction.until),
        "allowed": list(allowed(introduction, side, now)),
        "member_id": other if state == "connected" else None,
    }


def told(one: Card) -> dict[str, Any]:
    """Return a card as JSON has it."""
    return {
        "reasons": [{"facet": reason.facet, "text": reason.text} for reason in one.reasons],
        "statement": one.statement,
    }
