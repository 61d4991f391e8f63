"""Why a candidate is in a list, in words that both sides and the programme allow: docs/reference/matching.md §8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from matcher.facets.base import Facet, Floats, Mask, Rows
from matcher.facets.concepts import Concepts
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker

DIGITS = 9


class Reason(NamedTuple):
    """One plain sentence about one facet."""

    facet: str
    text: str


Reasons = tuple[Reason, ...]


def reasons(
    pools: Sequence[Pool],
    pool: Pool,
    seeker: Seeker,
    rows: Rows,
    added: Mapping[str, Floats],
    *,
    to_candidate: bool = False,
) -> list[Reasons]:
    """Return the reasons for m `rows` of `pool`, the weightiest first, as many as the programme shows on a card.

    Parameters
    ----------
    pools : sequence of Pool
        Holders of all of them count.
    added : mapping of str to ndarray, shape (m,)
        What each facet adds to the seeker's logit, in the programme's order.
    to_candidate : bool
        Whether the candidate reads them: the same things, in words to them.
    """
    facets, card = pool.programme.facets, pool.programme.reasons_a_card
    told = [name for name in added if may_tell(seeker, facets[name])]
    if not told or not card:
        return [()] * rows.size
    # Rounded, so that equal likeness is equal whatever the order in which it was added up.
    weights = np.round([added[name] for name in told], DIGITS)
    orders = np.argsort(-weights, axis=0, kind="stable").T.tolist()
    said: dict[int, list[Reason | None]] = {}  # facets that no card gets to are never asked
    found = []
    for at, order in enumerate(orders):
        some: Reasons = ()
        for facet in order:
            if facet not in said:
                name = told[facet]
                said[facet] = _said(pools, pool, seeker, facets[name], rows, added[name] > 0, to_candidate=to_candidate)
            if (reason := said[facet][at]) is not None:
                some = (*some, reason)
                if len(some) == card:
                    break
        found.append(some)
    return found


def may_tell(seeker: Seeker, facet: Facet) -> bool:
    """Whether the programme and the seeker let this facet be a reason."""
    return facet.show and seeker.profile.state.covers("show_reasons", facet.name)


def _said(
    pools: Sequence[Pool],
    pool: Pool,
    seeker: Seeker,
    facet: Facet,
    rows: Rows,
    counts: Mask,
    *,
    to_candidate: bool,
) -> list[Reason | None]:
    """Return for each of `rows` the reason of one facet: what is shared, where it may be told and enough hold it."""
    columns, least = [part.columns[facet.name] for part in pools], pool.programme.reason_k
    sentences: dict[str | None, Reason | None] = {None: None}

    def enough(value: str) -> bool:
        return sum([column.holders(value) for column in columns]) >= least

    shared = pool.columns[facet.name].telling(seeker.sides, rows, enough)
    for value in set(shared).difference(sentences):
        assert value is not None
        sentences[value] = Reason(facet.name, (facet.phrase_to_candidate if to_candidate else facet.phrase)(value))
    shows = pool.columns[facet.target if isinstance(facet, Concepts) else facet.name].shows[rows] & counts
    return [sentences[value] if show else None for value, show in zip(shared, shows.tolist(), strict=True)]
