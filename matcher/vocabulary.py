"""Concept hierarchies: codes with a label and at most one parent, from a CSV file or bundled with the package."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.errors import VocabularyError, nearest, shown
from matcher.vocabulary_csv import LONGEST_CODE, Concept, read_concepts

Bytes: TypeAlias = npt.NDArray[np.bytes_]
Rows: TypeAlias = npt.NDArray[np.int32]

BUNDLED = ("icd10cm",)
DATA = Path(__file__).parent / "data"
NEIGHBOURS = 200
CATEGORY = 3
"""Characters of an ICD-10-CM category, after which a dot follows."""
ROOT = -1


class Vocabulary:
    """A hierarchy of concepts, held as arrays sorted by code; immutable.

    Parameters
    ----------
    name : str
        What a programme calls it: ``"icd10cm"``, or a file name.
    codes : ndarray of bytes, shape (n,)
        UTF-8, sorted, distinct, as wide as the longest.
    parents : ndarray of int32, shape (n,)
        Row of each concept's parent; -1 for a root.
    labels : bytes
        All labels, UTF-8, one after the other.
    ends : ndarray of int32, shape (n,)
        Where each label ends in `labels`, in bytes.
    """

    def __init__(self, name: str, codes: Bytes, parents: Rows, labels: bytes, ends: Rows) -> None:
        self.name = name
        self._codes = codes
        self._parents = parents
        self._labels = labels
        self._ends = ends
        # Only codes of the vocabulary enter these, so what strangers send cannot make them grow without end.
        self._rows: dict[str, int] = {}
        self._ancestors: dict[str, tuple[str, ...]] = {}

    @classmethod
    def from_concepts(cls, name: str, concepts: Iterable[Concept]) -> Self:
        """Build from concepts in any order: codes distinct, parents among them, no cycles."""
        rows = sorted(concepts, key=lambda concept: concept.code.encode())
        place = {concept.code: row for row, concept in enumerate(rows)}
        labels = [concept.label.encode() for concept in rows]
        return cls(
            name,
            np.array([concept.code.encode() for concept in rows], dtype=np.bytes_),
            np.array([place[concept.parent] if concept.parent else ROOT for concept in rows], dtype=np.int32),
            b"".join(labels),
            np.cumsum([len(label) for label in labels], dtype=np.int32),
        )

    def __len__(self) -> int:
        return len(self._codes)

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and self._row(code) >= 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<Vocabulary {self.name}: {len(self)} concepts>"

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self  # immutable, and scikit-learn's clone copies every parameter

    @cached_property
    def digest(self) -> str:
        """SHA-256 of codes, labels and parents in hex, whatever the name or the order of rows."""
        parts = (
            self._codes.tobytes(),
            self._parents.astype("<i4").tobytes(),
            self._labels,
            self._ends.astype("<i4").tobytes(),
        )
        digest = hashlib.sha256()
        for part in parts:  # never joined: that would be a second copy of all labels
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.hexdigest()

    def codes(self) -> tuple[str, ...]:
        """Return all codes, sorted by code point."""
        return tuple(code.decode() for code in self._codes.tolist())

    def labels(self) -> Iterator[str]:
        """Yield all labels, in the order of `codes`."""
        start = 0
        for end in self._ends.tolist():
            yield self._labels[start:end].decode()
            start = end

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Return the proper ancestors of `code`, nearest first; empty for a root and for an unknown code."""
        known = self._ancestors.get(code)
        return self._climb(code) if known is None else known

    def up(self, codes: Iterable[str]) -> frozenset[str]:
        """Return `codes` with all their ancestors; unknown codes are kept."""
        found: set[str] = set()
        for code in codes:
            found.add(code)
            found.update(self.ancestors(code))
        return frozenset(found)

    def label(self, code: str) -> str:
        """Return what a person reads for `code`: its label, or the code itself where it is unknown."""
        row = self._row(code)
        if row < 0:
            return code
        start = int(self._ends[row - 1]) if row else 0
        return self._labels[start : int(self._ends[row])].decode()

    def nearest(self, code: str) -> str:
        """Return ``; did you mean 'C50.9'?`` for the known code that resembles `code` most, or an empty string."""
        if len(code) > LONGEST_CODE:
            return ""
        for spelling in _spellings(code):
            if spelling in self:
                return f"; did you mean {spelling!r}?"
        # Comparing with each of 98,000 codes takes seconds; those that sort beside it share its beginning.
        beside = {row for spelling in {code.strip(), code.strip().upper()} for row in self._beside(spelling)}
        return nearest(code.strip(), [self._codes[row].item().decode() for row in sorted(beside)])

    def _beside(self, code: str) -> range:
        key = code.encode("utf-8", "replace")[: self._codes.itemsize]
        place = int(np.searchsorted(self._codes, np.bytes_(key)))
        return range(max(0, place - NEIGHBOURS), min(len(self), place + NEIGHBOURS))

    def _row(self, code: str) -> int:
        """Return the row of `code`, or -1."""
        row = self._rows.get(code)
        if row is not None:
            return row
        key = code.encode("utf-8", "surrogatepass")
        if len(key) > self._codes.itemsize:
            return -1
        row = int(np.searchsorted(self._codes, np.bytes_(key)))
        # item() drops no NUL that the key has at its end, where numpy's own comparison would.
        if row == len(self) or self._codes[row].item() != key:
            return -1
        self._rows[code] = row
        return row

    def _climb(self, code: str) -> tuple[str, ...]:
        row = self._row(code)
        if row < 0:
            return ()
        found = []
        while (row := int(self._parents[row])) != ROOT:
            found.append(self._codes[row].item().decode())
        return self._ancestors.setdefault(code, tuple(found))


def load_csv(path: Path) -> Vocabulary:
    """Return the vocabulary in a CSV file of ``code,label,parent``; see `read_concepts` for what is refused."""
    return Vocabulary.from_concepts(path.name, read_concepts(path))


def load(name: str, base: Path) -> Vocabulary:
    """Return the vocabulary that a programme file in the folder `base` calls `name`.

    Raises
    ------
    VocabularyError
        If `name` is neither bundled nor a sound CSV file.
    """
    if name in BUNDLED:
        return load_bundled(name)
    if not name.lower().endswith(".csv"):
        expected = f"a bundled vocabulary ({', '.join(BUNDLED)}) or the name of a CSV file of code,label,parent"
        raise VocabularyError(f"vocabulary: found {shown(name)}; expected {expected}{nearest(name, BUNDLED)}")
    return load_csv(base / name)


@cache
def load_bundled(name: str) -> Vocabulary:
    """Return a vocabulary that the package was built with; the same object each time.

    Raises
    ------
    VocabularyError
        If there is none of that name, or its file is missing or damaged.
    """
    if name not in BUNDLED:
        expected = f"one of {', '.join(BUNDLED)}"
        raise VocabularyError(f"bundled vocabulary: found {shown(name)}; expected {expected}{nearest(name, BUNDLED)}")
    return read_compiled(name, DATA / f"{name}.npz")


def read_compiled(name: str, path: Path) -> Vocabulary:
    """Read the array file that the build hook (``hatch_build.py``) wrote; raise VocabularyError."""
    way_out = "it is made when the package is built: run `make setup` in a source tree, or install peermatch again"
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return Vocabulary(name, file["codes"], file["parents"], file["labels"].tobytes(), file["ends"])
    except FileNotFoundError:
        raise VocabularyError(f"vocabulary {name}: found no file {path.name}; {way_out}") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise VocabularyError(f"vocabulary {name}: found {path.name} damaged; {way_out}") from error


def _spellings(code: str) -> tuple[str, ...]:
    """Return what may have been meant: ``C50.9`` by ``c509`` or ``C50.99``, ``driving_again`` by ``Driving again``."""
    bare = code.strip()
    lower, upper = bare.lower(), bare.upper()
    dotted = f"{upper[:CATEGORY]}.{upper[CATEGORY:]}" if len(upper) > CATEGORY and "." not in upper else upper
    shorter = (dotted[:end] for end in range(len(dotted) - 1, dotted.find("."), -1)) if "." in dotted else ()
    return bare, upper, dotted, lower, lower.replace(" ", "_"), lower.replace(" ", "-"), *shorter
