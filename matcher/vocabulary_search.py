"""Finding concepts by what somebody types into a search box: in codes and labels, whatever the case or accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np

from matcher.vocabulary import Vocabulary

MOST = 50
FEW = 500
"""So many rows are ranked one by one."""
LINE = b"\n"


def folded(text: str) -> str:
    """Return `text` without case and accents, its white space as single spaces."""
    if not text.isascii():
        text = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join(text.casefold().split())


class VocabularySearch:
    """One vocabulary, ready to be searched.

    Codes and labels are two long byte strings with a line each a concept, so that a search is a few passes of
    `bytes.find`: for ICD-10-CM's 98,000 concepts some milliseconds, and 8 MB.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        codes = vocabulary.codes()
        self._codes = _Lines(codes)
        self._in_codes = _Lines([folded(code) for code in codes])
        self._in_labels = _Lines([folded(label) for label in vocabulary.labels()])

    def find(self, text: str, limit: int = MOST) -> list[tuple[str, str]]:
        """Return at most `limit` concepts as pairs of code and label, the likeliest first.

        First those whose code starts with `text`, then whose label does, then those of whose label a word does, then
        those that have it anywhere in the label, then in the code; each in the order of the codes.
        """
        asked = folded(text).encode()
        if not asked:
            return []
        rows = self._in_codes.rows(asked), self._in_labels.rows(asked)
        few: set[int] = set()
        for row in chain(*rows):
            few.add(row)  # what both have is one
            if len(few) == FEW:
                break
        if len(few) < FEW:
            ranked = sorted(few, key=lambda row: (self._rank(row, asked), row))
            return self._told(ranked[:limit])
        return self._told(self._passes(asked, limit))

    def _rank(self, row: int, asked: bytes) -> int:
        code, label = self._in_codes.line(row), self._in_labels.line(row)
        signs = (code.startswith(asked), label.startswith(asked), b" " + asked in label, asked in label)
        return next((place for place, true in enumerate(signs) if true), len(signs))

    def _passes(self, asked: bytes, limit: int) -> Iterable[int]:
        """Return the first rows of something that many have, rank by rank: ranking them all would take long."""
        found: dict[int, None] = {}
        passes = (
            (self._in_codes, LINE + asked),
            (self._in_labels, LINE + asked),
            (self._in_labels, b" " + asked),
            (self._in_labels, asked),
            (self._in_codes, asked),
        )
        for lines, sought in passes:
            for row in lines.rows(sought):
                found[row] = None
                if len(found) == limit:
                    return found
        return found

    def _told(self, rows: Iterable[int]) -> list[tuple[str, str]]:
        codes = [self._codes.line(row).decode() for row in rows]
        return [(code, self.vocabulary.label(code)) for code in codes]


class _Lines:
    """Texts as one: a newline, then each followed by one."""

    def __init__(self, texts: Sequence[str]) -> None:
        encoded = [text.encode() for text in texts]
        self.text = LINE + b"".join(line + LINE for line in encoded)
        self.ends = np.cumsum([len(line) + 1 for line in encoded], dtype=np.int64)
        """Where each line's newline stands."""

    def line(self, row: int) -> bytes:
        """Return one of the texts."""
        start = int(self.ends[row - 1]) if row else 0
        return self.text[start + 1 : int(self.ends[row])]

    def rows(self, sought: bytes) -> Iterator[int]:
        """Yield the rows that have `sought`, in order, each once."""
        at = self.text.find(sought)
        while at >= 0:
            # A newline that is sought at its start belongs to the row before.
            row = int(np.searchsorted(self.ends, at + (sought[:1] == LINE)))
            yield row
            at = self.text.find(sought, int(self.ends[row]))


@lru_cache(maxsize=8)
def search_of(vocabulary: Vocabulary) -> VocabularySearch:
    """Return the search of a vocabulary; made when it is first asked for."""
    return VocabularySearch(vocabulary)
