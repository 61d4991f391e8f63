"""A member's own words, for another person to read. Never scored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matcher.config import Table
from matcher.errors import shown
from matcher.facets.base import Column, EncodeContext, Facet, FacetContext, Side, ValueProblem

LONGEST = 280
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
"""Years are no part of a telephone number: people tell when it was."""
CONTACT = (
    ("an e-mail address", re.compile(r"\S@\S|\S\s*[(\[]\s*at\s*[)\]]\s*\S", re.IGNORECASE)),
    ("a web address", re.compile(r"https?:|www\.|\b[\w-]+\.(com|org|net|uk|io|info|eu|de|fr)\b", re.IGNORECASE)),
    ("a telephone number", re.compile(r"(?:\+|\b)(?:\d[\s().-]*){7,}")),
    (
        "an account name",
        re.compile(r"(?<!\w)@\w{2,}|\b(whatsapp|telegram|instagram|snapchat|facebook)\b", re.IGNORECASE),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Statement(Facet):
    """Own words, at most 280 characters, without contact details."""

    kind: ClassVar[str] = "statement"
    scorable: ClassVar[bool] = False
    shown_when: str | None = None
    """``shortlist`` or ``after_offer``; None: what the programme's size says."""

    @classmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> Statement:
        """Read the facet from its TOML table."""
        return cls(
            name=name,
            label=table.string("label", default=name.replace("_", " ").capitalize()),
            shown_when=table.string("show", default=None, choices=["after_offer", "shortlist"]),
        )

    def parse(self, raw: object) -> object:
        """Return the text in NFC, trimmed; refuse contact details, control characters and length."""
        if not isinstance(raw, str):
            raise ValueProblem(f"found {shown(raw)}; expected text")
        text = unicodedata.normalize("NFC", raw).strip()
        if len(text) > LONGEST:
            raise ValueProblem(f"found {len(text)} characters; expected at most {LONGEST}")
        if any(unicodedata.category(letter) in {"Cc", "Cs", "Cf"} and letter not in "\n\u200d" for letter in text):
            raise ValueProblem("found a control character; expected plain text")
        plain = YEAR.sub(" ", unicodedata.normalize("NFKC", text))
        for what, pattern in CONTACT:
            if pattern.search(plain):
                raise ValueProblem(f"found {what}; contact details are exchanged after both accept, so leave them out")
        return text

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> StatementColumn:
        """Return the column of a pool."""
        return StatementColumn(len(sides))


class StatementColumn(Column):
    """Nothing of a statement is encoded."""

    def __init__(self, size: int) -> None:
        self.importance = np.zeros(size, dtype=np.uint8)
        self.shows = np.zeros(size, dtype=np.bool_)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.importance.nbytes + self.shows.nbytes
