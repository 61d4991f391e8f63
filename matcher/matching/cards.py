"""What one side of an introduction may read of the other: reasons, and their own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.consent import ConsentedProfile
from matcher.errors import ConsentMissingError, SeekerError
from matcher.facets.statement import Statement
from matcher.matching.pool import Pool
from matcher.matching.reasons import Reasons, reasons
from matcher.matching.scoring import score
from matcher.matching.seeker import Seeker
from matcher.model.affinity import PairAffinity


@dataclass(frozen=True, slots=True)
class Card:
    """What one member is told of another before both have accepted."""

    reasons: Reasons
    statement: str | None
    """Their own words, if they wrote some and let them be shown."""


def card(
    pools: Sequence[Pool],
    affinity: PairAffinity,
    seeker: ConsentedProfile,
    candidate: ConsentedProfile,
    *,
    to_candidate: bool,
) -> Card:
    """Return the card that one of two reads of the other, as both consent to it now.

    Parameters
    ----------
    pools : sequence of Pool
        Parts of everybody, which have nobody in common: enough of them must share what is given as a reason.
    seeker, candidate : ConsentedProfile
        Of both sides.
    to_candidate : bool
        Whether the candidate reads it.
    """
    return Card(
        _reasons(pools, affinity, seeker, candidate.member_id, to_candidate=to_candidate),
        _statement(pools[0], seeker if to_candidate else candidate, seeks=to_candidate),
    )


def _reasons(
    pools: Sequence[Pool], affinity: PairAffinity, profile: ConsentedProfile, candidate: str, *, to_candidate: bool
) -> Reasons:
    """Return the reasons; none where either is not matched with anybody now."""
    for pool in pools:
        row = pool.find(candidate)
        if row is None:
            continue
        try:
            seeker = Seeker.of(profile, pool)
        except (ConsentMissingError, SeekerError):
            return ()
        scored = score(pool, affinity, seeker, np.array([row]))
        added = scored.forward_at(np.array([0]))
        return reasons(pools, pool, seeker, scored.rows, added, to_candidate=to_candidate)[0]
    return ()


def _statement(pool: Pool, author: ConsentedProfile, *, seeks: bool) -> str | None:
    """Return what somebody wrote, where the consent of the part that they have here covers it."""
    view = author.seeking if seeks else author.shown
    for facet in pool.programme.facets.values():
        if isinstance(facet, Statement) and view is not None:
            text = view.values.get(facet.name)
            return text if isinstance(text, str) else None
    return None
