"""Languages that a member can talk in: a gate, one shared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matcher.config import Table
from matcher.errors import shown
from matcher.facets.base import Column, EncodeContext, Facet, FacetContext, Mask, Side, Sides, ValueProblem, strings
from matcher.facets.postings import Postings

TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-([A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*", re.ASCII)
"""Language, script, region, variants: what RFC 5646 (2009) lets a person's language be."""


def canonical(tag: str) -> str:
    """Return a tag in the customary case: ``pt-BR``, ``sr-Latn``."""
    first, *rest = tag.split("-")
    by_length = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(by_length.get(len(part), str.lower)(part) for part in rest)])


def primary(tag: str) -> str:
    """Return the language itself: ``en`` of ``en-GB``."""
    return tag.split("-", 1)[0]


@dataclass(frozen=True, kw_only=True)
class Languages(Facet):
    """BCP 47 tags; two people must share one language."""

    kind: ClassVar[str] = "languages"
    scorable: ClassVar[bool] = False

    @classmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> Languages:
        """Read the facet from its TOML table."""
        return cls(name=name, label=table.string("label", default=name.replace("_", " ").capitalize()))

    @property
    def gating(self) -> bool:
        """Languages are always a gate."""
        return True

    def parse(self, raw: object) -> object:
        """Return distinct tags in customary case, sorted."""
        for tag in strings(raw):
            if not TAG.fullmatch(tag):
                at = raw.index(tag) if isinstance(raw, list | tuple) else 0
                raise ValueProblem(f"found {shown(tag)}; expected a BCP 47 tag such as en or pt-BR", f"[{at}]")
        return strings([canonical(tag) for tag in strings(raw)])

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> LanguageColumn:
        """Return the column of a pool."""
        return LanguageColumn(self, sides[self.name], shows)


class LanguageColumn(Column):
    """The languages of a pool: one packed bitmap a language."""

    def __init__(self, facet: Languages, sides: Sequence[Side], shows: Sequence[bool]) -> None:
        self.facet = facet
        self.size = len(sides)
        spoken: dict[object, tuple[str, ...]] = {}
        for side in sides:
            if side.value not in spoken:
                spoken[side.value] = tuple(sorted({primary(tag) for tag in side.value or ()}))  # type: ignore[attr-defined]
        postings = Postings([spoken[side.value] for side in sides])
        self.bitmaps = {language: np.packbits(postings.any_of([language])) for language in postings}
        self.importance = np.zeros(self.size, dtype=np.uint8)
        self.shows = np.fromiter(shows, np.bool_, self.size)

    def permit(self, seeker: Sides) -> Mask | None:
        """Return who shares a language with the seeker."""
        mine = {primary(tag) for tag in seeker[self.facet.name].value or ()}  # type: ignore[attr-defined]
        shared = np.zeros(-(-self.size // 8), dtype=np.uint8)
        for language in mine & self.bitmaps.keys():
            shared |= self.bitmaps[language]
        return np.unpackbits(shared, count=self.size).view(np.bool_)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(bitmap.nbytes for bitmap in self.bitmaps.values()) + self.importance.nbytes + self.shows.nbytes
