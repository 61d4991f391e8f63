"""What a data scientist would write first: pandas for the rules, scikit-learn's brute-force neighbours for likeness.

It reads the same consented profiles as `Matcher` and applies the same rules. In its favour it looks one way only, and
gives no reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction import FeatureHasher
from sklearn.neighbors import NearestNeighbors

from benchmarks.pandas_gates import PandasGates
from matcher.consent import ConsentedProfile, View
from matcher.facets.concepts import Concepts
from matcher.programme import Programme

WIDTH = 256
"""Dimensions that profiles are hashed to."""
ASKED_FIRST = 200
"""Neighbours that the variant that filters last asks for at first."""


class Baseline:
    """Filters with pandas and ranks with `NearestNeighbors(algorithm="brute")`.

    Parameters
    ----------
    programme : Programme
    profiles : sequence of ConsentedProfile
    monday : date
        Of the week that free time is compared for.
    """

    def __init__(self, programme: Programme, profiles: Sequence[ConsentedProfile], monday: date) -> None:
        self.programme = programme
        self.ids = [profile.member_id for profile in profiles]
        self.gates = PandasGates(programme, profiles, monday)
        self.vectors = self._vectors([profile.shown for profile in profiles], seeking=False)
        self.neighbours = NearestNeighbors(algorithm="brute", metric="cosine").fit(self.vectors)

    def first_filter(self, seeker: ConsentedProfile, limit: int) -> list[str]:
        """Return a list for `seeker`: the rules first, then the neighbours among those left."""
        rows = np.flatnonzero(self.gates.allowed(seeker))
        if not len(rows):
            return []
        near = NearestNeighbors(algorithm="brute", metric="cosine").fit(self.vectors[rows])
        _, order = near.kneighbors(self._query(seeker), min(limit, len(rows)))
        return [self.ids[rows[i]] for i in order[0]]

    def last_filter(self, seeker: ConsentedProfile, limit: int) -> list[str]:
        """Return the same list the other way round: neighbours among all, then those whom the rules allow."""
        allowed = self.gates.allowed(seeker)
        ask = min(ASKED_FIRST, len(self.ids))
        while True:
            _, order = self.neighbours.kneighbors(self._query(seeker), ask)
            found = order[0][allowed[order[0]]]
            if len(found) >= limit or ask == len(self.ids):
                return [self.ids[i] for i in found[:limit]]
            ask = min(8 * ask, len(self.ids))

    def _query(self, seeker: ConsentedProfile) -> npt.NDArray[np.float32]:
        return self._vectors([seeker.seeking], seeking=True)

    def _vectors(self, views: Sequence[View | None], *, seeking: bool) -> npt.NDArray[np.float32]:
        hasher = FeatureHasher(WIDTH, input_type="string", dtype=np.float32)
        tokens = ([*self._tokens(view, seeking)] if view else [] for view in views)
        dense: npt.NDArray[np.float32] = hasher.transform(tokens).toarray()
        return dense

    def _tokens(self, view: View, seeking: bool) -> Iterator[str]:
        """Yield what is hashed: concepts with their ancestors, a seeker's needs as experiences, and single values."""
        for name in ("conditions", "experiences", *(["needs"] if seeking else [])):
            facet, place = self.programme.facets[name], "experiences" if name == "needs" else name
            assert isinstance(facet, Concepts)
            for concept in facet.vocabulary.up(_tags(view, name)):
                yield f"{place}={concept}"
        for name in ("interests", "region", "gender"):
            for value in _tags(view, name):
                yield f"{name}={value}"


def _tags(view: View, facet: str) -> tuple[str, ...]:
    value = view.values.get(facet)
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]
