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
SEPARATORS = str.maketrans(dict.fromkeys("/_,;|*~'\u00b7\u2022", "-"))
SERVICES = "whatsapp|telegram|instagram|snapchat|facebook|signal app|skype|discord|gmail|hotmail|icloud|outlook"
ENDINGS = "com|org|net|uk|io|info|eu|de|fr"
CONTACT = (
    ("an e-mail address", re.compile(r"\S@\S|\S\s*[(\[]\s*at\s*[)\]]\s*\S|\bat\b.{1,30}\bdot\b", re.IGNORECASE)),
    (
        "a web address",
        re.compile(rf"https?:|www\.|\b[\w-]+\.[a-z]{{2,6}}/|\b[\w-]+\.({ENDINGS})\b", re.IGNORECASE),
    ),
    ("a telephone number", re.compile(r"(?:\+|\b)(?:\d[\s().+-]*){7,}")),
    ("an account name", re.compile(rf"(?<!\w)@\w\w|\b({SERVICES})\b", re.IGNORECASE)),
)
REFUSED = {"Cc", "Cs", "Cf", "Co", "Zl", "Zp"}
"""Kinds of characters that show nothing, or something else than what is stored."""


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
        if not text:
            raise ValueProblem("found no text; leave it out")
        if any(unicodedata.category(letter) in REFUSED and letter not in "\n\u200d" for letter in text):
            raise ValueProblem("found a control character; expected plain text")
        for what, pattern in CONTACT:
            for form in _plain(text):
                if pattern.search(form):
                    raise ValueProblem(
                        f"found {what}; contact details are exchanged after both accept, so leave them out"
                    )
        return text

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> StatementColumn:
        """Return the column of a pool."""
        return StatementColumn(len(sides))


def _plain(text: str) -> tuple[str, str]:
    """Return `text` as contact details are looked for: as written, and with every dash and separator alike."""
    written = YEAR.sub(" ", unicodedata.normalize("NFKC", text.replace("\u200d", "")))
    dashed = "".join("-" if unicodedata.category(letter) == "Pd" else letter for letter in written)
    return written, dashed.translate(SEPARATORS)


class StatementColumn(Column):
    """Nothing of a statement is encoded."""

    def __init__(self, size: int) -> None:
        self.importance = np.zeros(size, dtype=np.uint8)
        self.shows = np.zeros(size, dtype=np.bool_)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.importance.nbytes + self.shows.nbytes
