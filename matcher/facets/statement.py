"""A member's own words, for another person to read. Never scored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from matcher.config import Table
from matcher.errors import shown
from matcher.facets.base import Column, EncodeContext, Facet, FacetContext, JSONSchema, Side, ValueProblem, text_schema
from matcher.facets.column import Blank

LONGEST = 280
SEPARATORS = str.maketrans(dict.fromkeys("/_;|*~=\u2212'\u00b7\u2022", "-"))
SERVICES = (
    "whatsapp|telegram|insta|instagram|snapchat|tiktok|facebook|skype|wechat|viber|linkedin|gmail|hotmail|icloud|yahoo"
)
ENDINGS = "com|org|net|uk|io|info|eu|de|fr"
CONTACT = (
    (
        "an e-mail address",
        re.compile(
            rf"@|\S\s*[(\[]\s*at\s*[)\]]\s*\S|\bat\b.{{1,30}}\bdot\s+(co|{ENDINGS})\b", re.IGNORECASE | re.DOTALL
        ),
    ),
    ("a web address", re.compile(rf"https?:|www\.|\b[\w-]+\.[a-z]{{2,}}/\S|\b[\w-]+\.({ENDINGS})\b", re.IGNORECASE)),
    ("an account name", re.compile(rf"\b({SERVICES})\b|\bsignal\s*(:|-|is\b|me\b)|\w#\d{{3}}", re.IGNORECASE)),
)
DIGIT = re.compile(r"\d")
NUMBER = re.compile(r"(?:\+|\b)(?:\d[\s().+-]*){7,}")
YEAR = r"(?:19|20)\d\d"
WHEN = re.compile(rf"(?:{YEAR}-\d\d-\d\d|\d\d?[\s.-]\d\d?[\s.-]{YEAR}|{YEAR}|\d\d?\.\d\d\s*-\s*\d\d?\.\d\d|[\s().-])+")
"""Digits that only tell when: years, whole dates, hours from and to. Others as long may be a telephone number."""
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
        if not _only_ascii_shows(text) and any(
            unicodedata.category(letter) in REFUSED and letter not in "\n\u200d" for letter in text
        ):
            raise ValueProblem("found a control character; expected plain text")
        if found := contact_details(text):
            raise ValueProblem(f"found {found}; contact details are exchanged after both accept, so leave them out")
        return text

    def json_schema(self) -> JSONSchema:
        """Return the schema of some text."""
        return text_schema(LONGEST)

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> StatementColumn:
        """Return the column of a pool."""
        return StatementColumn(self, len(shows))

    @property
    def column_class(self) -> type[Column]:
        """What a saved column of this facet is."""
        return StatementColumn


def _only_ascii_shows(text: str) -> bool:
    """Tell quickly that `text` is plain, as most is: nothing but ASCII that is printed, and line feeds."""
    return text.isascii() and text.replace("\n", " ").isprintable()


def contact_details(text: str) -> str | None:
    """Return what kind of contact details `text` has, or None: a net for the usual ones, not a proof of absence."""
    written = dashed = text
    if not text.isascii():  # in ASCII nothing is hidden or dressed up, and the only dash is the hyphen
        bare = "".join(letter for letter in text if unicodedata.category(letter) not in {"Mn", "Me", "Cf"})
        written = unicodedata.normalize("NFKC", bare).replace("\u3002", ".")
        dashed = "".join("-" if unicodedata.category(letter) == "Pd" else letter for letter in written)
    for what, pattern in CONTACT:
        if pattern.search(written):
            return what
    if not DIGIT.search(dashed):
        return None
    numbers = NUMBER.finditer(re.sub(r",(?=\d)|(?<=\d{3}):|:(?=\d{3})", "-", dashed.translate(SEPARATORS)))
    return None if all(WHEN.fullmatch(number[0]) for number in numbers) else "a telephone number"


class StatementColumn(Blank):
    """Nothing of a statement is encoded."""
