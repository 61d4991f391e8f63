"""Why a candidate is in a list, in words that both sides and the programme allow: docs/reference/matching.md §7."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matcher.facets.base import Facet
from matcher.facets.concepts import Concepts
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker

DIGITS = 9


@dataclass(frozen=True, slots=True)
class Reason:
    """One plain sentence about one facet."""

    facet: str
    text: str


def reasons(pool: Pool, seeker: Seeker, row: int, added: Mapping[str, float]) -> tuple[Reason, ...]:
    """Return the reasons for `row`, the weightiest first, at most as many as the programme shows on a card.

    `added` is what each facet adds to the seeker's logit for this row, in the programme's order.
    """
    programme = pool.programme
    found: list[Reason] = []
    # Rounded, so that equal likeness is equal whatever the order in which it was added up.
    for name in sorted((name for name in added if added[name] > 0), key=lambda name: -round(added[name], DIGITS)):
        facet = programme.facets[name]
        if len(found) < programme.reasons_a_card and allowed(pool, seeker, facet, row):
            shared = (it for it in pool.columns[name].shared(seeker.sides, row) if it.holders >= programme.reason_k)
            if (sharing := next(shared, None)) is not None:
                found.append(Reason(name, facet.phrase(sharing.value)))
    return tuple(found)


def allowed(pool: Pool, seeker: Seeker, facet: Facet, row: int) -> bool:
    """Whether the programme and both sides let this facet be a reason."""
    told = facet.target if isinstance(facet, Concepts) else facet.name
    seeker_shows = seeker.profile.state.covers("show_reasons", facet.name)
    return facet.show and seeker_shows and bool(pool.columns[told].shows[row])
