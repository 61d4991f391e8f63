"""Which rows have which concepts: a bitmap for each that many have, a sorted list of rows for each that few have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from matcher.facets.bitmaps import Bitmap, Mask, Rows, pack, unpack

Floats = npt.NDArray[np.float64]
DENSE = 32
"""One in so many rows has a concept whose bitmap takes no more bytes than its list of rows."""
IN_A_BYTE = 8
FIRST_BIT = np.uint8(0x80)
Few = npt.NDArray[np.int32]
Coded = tuple[npt.NDArray[np.integer] | None, Sequence[Iterable[str]]]
"""A set of concepts for each code, and each row's code; None: the sets are the rows'."""


class Postings:
    """Rows by concept.

    Parameters
    ----------
    sets : sequence of N collections of str
        The concepts of each row.

    Attributes
    ----------
    size : int
        N.
    names : list of str
        First the concepts that have a bitmap, then the others.
    dense : ndarray of uint8, shape (D, ceil(N/8))
        Bitmaps of the first D.
    rare, bounds : ndarray of int32
        Rows of the others, cut by bounds.
    extent : ndarray of int64, shape (1,)
        N.
    """

    ARRAYS = ("dense", "rare", "bounds", "extent")

    def __init__(self, sets: Sequence[Iterable[str]]) -> None:
        self.build(len(sets), [(None, sets)])

    @classmethod
    def of_rows(cls, size: int, *sources: Coded) -> Self:
        """Return postings of `size` rows, each of which has what its codes in all `sources` stand for."""
        made = cls.__new__(cls)
        made.build(size, sources)
        return made

    @classmethod
    def restore(cls, names: list[str], arrays: Sequence[npt.NDArray[Any]]) -> Self:
        """Return postings from what `names` and the `ARRAYS` of others were."""
        made = cls.__new__(cls)
        made.hold(names, *arrays)
        return made

    def build(self, size: int, sources: Sequence[Coded]) -> None:
        """Make the arrays of `size` rows from what their codes stand for."""
        names = sorted({concept for _, sets in sources for held in sets for concept in held})
        index = {concept: at for at, concept in enumerate(names)}
        parts = [_flat(codes, sets, index) for codes, sets in sources]
        concepts, rows = (np.concatenate(some) for some in zip(*parts, strict=True))
        if len(sources) > 1:
            concepts, rows = np.divmod(np.unique(concepts * max(size, 1) + rows), max(size, 1))
        else:
            order = np.argsort(concepts.astype(np.min_scalar_type(len(names))), kind="stable")
            rows = rows[order]
        counts = np.bincount(concepts, minlength=len(names))
        ends = np.cumsum(counts)
        many = counts * DENSE > size
        dense = np.zeros((int(many.sum()), -(-size // 8)), dtype=np.uint8)
        for bitmap, at in zip(dense, np.flatnonzero(many), strict=True):
            mask = np.zeros(size, dtype=np.bool_)
            mask[rows[ends[at] - counts[at] : ends[at]]] = True
            bitmap[:] = pack(mask)
        rare = rows[np.repeat(~many, counts)].astype(np.int32)
        bounds = np.concatenate([[0], np.cumsum(counts[~many])]).astype(np.int32)
        order = np.argsort(~many, kind="stable")
        self.hold([names[at] for at in order], dense, rare, bounds, np.array([size]))

    def hold(self, names: list[str], dense: Bitmap, rare: Few, bounds: Few, extent: npt.NDArray[np.int64]) -> None:
        """Take names and arrays as they are."""
        self.names, self.dense, self.rare, self.bounds, self.extent = names, dense, rare, bounds, extent
        self.size = int(extent[0])
        self._index = {concept: at for at, concept in enumerate(names)}

    def _rare(self, at: int) -> Few:
        at -= len(self.dense)
        return self.rare[self.bounds[at] : self.bounds[at + 1]]

    def __getitem__(self, concept: str) -> Rows:
        """Return the rows that have `concept`, ascending; none for a concept nobody has."""
        at = self._index.get(concept)
        if at is None:
            return np.empty(0, dtype=np.intp)
        if at < len(self.dense):
            return np.flatnonzero(unpack(self.dense[at], self.size))
        return self._rare(at).astype(np.intp)

    def __bool__(self) -> bool:
        return bool(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def table(self, concepts: Sequence[str], rows: Rows) -> Mask:
        """Return which of k `concepts` each of n `rows` has, shape (k, n)."""
        found = np.zeros((len(concepts), rows.size), dtype=np.bool_)
        byte, bit, wanted = rows >> 3, FIRST_BIT >> (rows & 7).astype(np.uint8), rows.astype(np.int32)
        for at, concept in enumerate(concepts):
            place = self._index.get(concept, -1)
            if place >= len(self.dense):
                having = self._rare(place)
                found[at] = having.take(having.searchsorted(wanted), mode="clip") == wanted
            elif place >= 0:
                found[at] = self.dense[place].take(byte, mode="clip") & bit != 0
        return found

    def places(self, row: int) -> Rows:
        """Return where in `names` the concepts of one row are."""
        many = np.flatnonzero(self.dense[:, row >> 3] & (0x80 >> (row & 7)))
        few = np.searchsorted(self.bounds, np.flatnonzero(self.rare == row), side="right") - 1 + len(self.dense)
        return np.concatenate([many, few])

    def place(self, concept: str) -> int | None:
        """Return where in `names` a concept is, or None."""
        return self._index.get(concept)

    def sums(self, weights: Mapping[str, float], rows: Rows | None = None) -> Floats:
        """Return for each of n `rows` (None: for all N) the sum of the `weights` of those concepts that it has.

        Eight concepts at a time: a byte a row tells which of them it has, and a table what these weigh together.
        Concepts are added in sorted order, so that the same sets give the same bits whoever else is among the rows.
        """
        concepts = sorted(weights)
        total = np.zeros(self.size if rows is None else rows.size)
        for first in range(0, len(concepts), IN_A_BYTE):
            some = concepts[first : first + IN_A_BYTE]
            if not self._index.keys().isdisjoint(some):
                which, sums = self._which(some), subset_sums([weights[concept] for concept in some])
                total += sums.take(which if rows is None else which.take(rows, mode="clip"), mode="clip")
        return total

    def _which(self, concepts: Sequence[str]) -> npt.NDArray[np.uint8]:
        """Return a byte a row: bit i tells whether it has the i-th of up to eight concepts."""
        which = np.zeros(self.size, dtype=np.uint8)
        for concept in reversed(concepts):
            which += which  # ten times as fast as a shift
            at = self._index.get(concept, -1)
            if at >= len(self.dense):
                which[self._rare(at)] |= 1
            elif at >= 0:
                which |= np.unpackbits(self.dense[at], count=self.size)
        return which

    def any_of(self, concepts: Iterable[str]) -> Mask:
        """Return which rows have at least one of `concepts`; shape (N,)."""
        return unpack(self.any_bits(concepts), self.size)

    def any_bits(self, concepts: Iterable[str]) -> Bitmap:
        """Return which rows have at least one of `concepts`, as a bitmap."""
        places = [at for concept in concepts if (at := self._index.get(concept)) is not None]
        few = [self._rare(at) for at in places if at >= len(self.dense)]
        if few:
            mask = np.zeros(self.size, dtype=np.bool_)
            mask[np.concatenate(few)] = True
            found = pack(mask)
        else:
            found = np.zeros(self.dense.shape[1], dtype=np.uint8)
        for at in places:
            if at < len(self.dense):
                found |= self.dense[at]
        return found

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.dense.nbytes + self.rare.nbytes + self.bounds.nbytes + self.extent.nbytes


def _flat(
    codes: npt.NDArray[np.integer] | None, sets: Sequence[Iterable[str]], index: Mapping[str, int]
) -> tuple[Rows, Rows]:
    """Return the pairs of concept and row, by row."""
    lists = [list(held) for held in sets]
    lengths = np.fromiter(map(len, lists), np.intp, len(lists))
    flat = np.fromiter(map(index.__getitem__, chain.from_iterable(lists)), np.intp, int(lengths.sum()))
    if codes is None:
        return flat, np.repeat(np.arange(len(lists)), lengths)
    counts = lengths[codes]
    into = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.cumsum(lengths) - lengths
    return flat[into + np.repeat(starts[codes], counts)], np.repeat(np.arange(len(codes)), counts)


def subset_sums(weights: Sequence[float]) -> Floats:
    """Return the sum of each subset of k `weights`, shape (2^k,): element i adds those whose bits i has, in order."""
    sums = np.zeros(1 << len(weights))
    for at, weight in enumerate(weights):
        np.add(sums[: 1 << at], weight, out=sums[1 << at : 2 << at])
    return sums
