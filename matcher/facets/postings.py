"""Which rows of a pool have which concepts: one sorted list of rows a concept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from matcher.facets.base import Floats, Mask, Rows


class Postings:
    """Rows by concept, as one array of rows cut by one array of bounds.

    Parameters
    ----------
    concepts : sequence of N collections of str
        The concepts of each row; the same object may serve many rows, and is then looked up once.
    """

    def __init__(self, concepts: Sequence[Iterable[str]]) -> None:
        self.size = len(concepts)
        index: dict[str, int] = {}
        known: dict[int, np.ndarray] = {}
        parts: list[np.ndarray] = []
        for row in concepts:
            ids = known.get(id(row))
            if ids is None:
                ids = np.array([index.setdefault(concept, len(index)) for concept in row], dtype=np.int32)
                known[id(row)] = ids
            parts.append(ids)
        flat = np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
        rows = np.repeat(np.arange(self.size), [part.size for part in parts])
        order = np.argsort(flat, kind="stable")
        self.rows: Rows = rows[order]
        bounds = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=len(index)))]).astype(np.intp)
        self._slices = {concept: slice(int(bounds[i]), int(bounds[i + 1])) for concept, i in index.items()}

    def __getitem__(self, concept: str) -> Rows:
        """Return the rows that have `concept`, ascending; none for a concept nobody has."""
        return self.rows[self._slices.get(concept, slice(0, 0))]

    def __bool__(self) -> bool:
        return bool(self._slices)

    def __iter__(self) -> Iterator[str]:
        return iter(self._slices)

    def sums(self, weights: Mapping[str, float]) -> Floats:
        """Return for each row the sum of the `weights` of those concepts that it has; shape (N,).

        Concepts are added in sorted order, so that the same sets give the same bits.
        """
        found = [(self[concept], weight) for concept, weight in sorted(weights.items()) if concept in self._slices]
        if not found:
            return np.zeros(self.size)
        rows = np.concatenate([rows for rows, _ in found])
        values = np.repeat([weight for _, weight in found], [rows.size for rows, _ in found])
        sums: Floats = np.bincount(rows, weights=values, minlength=self.size).astype(np.float64, copy=False)
        return sums

    def any_of(self, concepts: Iterable[str]) -> Mask:
        """Return which rows have at least one of `concepts`; shape (N,)."""
        mask = np.zeros(self.size, dtype=np.bool_)
        for concept in concepts:
            mask[self[concept]] = True
        return mask

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return int(self.rows.nbytes)
