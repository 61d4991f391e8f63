"""Languages that a member can talk in: a gate, one shared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from matcher.config import Table
from matcher.errors import shown
from matcher.facets.base import (
    Column,
    EncodeContext,
    Facet,
    FacetContext,
    JSONSchema,
    Side,
    Sides,
    ValueProblem,
    array_schema,
    strings,
)
from matcher.facets.bitmaps import Bitmap
from matcher.facets.language_codes import shortest
from matcher.facets.postings import Postings
from matcher.facets.side_codes import SideCodes

TAG_PATTERN = r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
TAG = re.compile(TAG_PATTERN, re.ASCII)
"""Language, script, region, variants: what RFC 5646 (2009) lets a person's language be."""


def canonical(tag: str) -> str:
    """Return a tag in customary case, with the one code of its language: ``pt-BR``, ``sr-Latn``, ``en`` for ``eng``."""
    first, *rest = tag.split("-")
    by_length = {2: str.upper, 4: str.title}
    return "-".join([shortest(first.lower()), *(by_length.get(len(part), str.lower)(part) for part in rest)])


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

    def json_schema(self) -> JSONSchema:
        """Return the schema of tags, in any case."""
        return array_schema({"type": "string", "pattern": f"^{TAG_PATTERN}$(?!\\n)"})

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> LanguageColumn:
        """Return the column of a pool."""
        return LanguageColumn(self, sides[self.name], shows)

    @property
    def column_class(self) -> type[Column]:
        """What a saved column of this facet is."""
        return LanguageColumn


class LanguageColumn(Column):
    """The languages of a pool."""

    POSTINGS: ClassVar[tuple[str, ...]] = ("spoken",)
    facet: Languages
    spoken: Postings

    def __init__(self, facet: Languages, sides: Sequence[Side], shows: npt.ArrayLike) -> None:
        self.facet = facet
        coded = SideCodes.of(sides)
        self.spoken = Postings.of_rows(len(coded), (coded.codes, [_primaries(side) for side in coded.distinct]))
        self.importance = np.zeros(len(coded), dtype=np.uint8)
        self.shows = np.array(shows, dtype=np.bool_)

    def permit_bits(self, seeker: Sides) -> Bitmap | None:
        """Return who shares a language with the seeker."""
        return self.spoken.any_bits(_primaries(seeker[self.facet.name]))


def _primaries(side: Side) -> set[str]:
    """Return the languages themselves, without regions and scripts."""
    return {primary(tag) for tag in side.value or ()}  # type: ignore[attr-defined]
