"""Sets of concepts from a hierarchy: conditions, experiences, needs, and the subjects of boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

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
from matcher.facets.boundary_column import BoundaryColumn
from matcher.facets.concept_column import ConceptColumn
from matcher.vocabulary import Vocabulary

LONGEST = 64
CODE: JSONSchema = {
    "type": "string",
    "maxLength": LONGEST,
    # Words with spaces between. The end is not `$` alone, which lets a newline follow in Python.
    "pattern": r"^[^\s\u0000]+( +[^\s\u0000]+)*$(?!\n)",
}


@dataclass(frozen=True, kw_only=True)
class Concepts(Facet):
    """A set of codes of one vocabulary; a code stands for itself and its ancestors."""

    kind: ClassVar[str] = "concepts"
    vocabulary: Vocabulary
    against: str | None = None
    """Facet of the other side that meets what is asked here."""
    excludes: str | None = None
    """Facet of the other side that must not touch what is named here: a gate, both ways."""

    @classmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> Concepts:
        """Read the facet from its TOML table; `against` and `excludes` are checked by the programme."""
        against, excludes = table.string("against", default=None), table.string("excludes", default=None)
        if against is not None and excludes is not None:
            table.fail("excludes", excludes, "either against or excludes, not both")
        common = cls.common(name, table)
        if excludes is not None and common["weight"] > 0:
            table.fail("weight", common["weight"], "no weight beside excludes: a boundary is a gate, never a score")
        vocabulary = context.vocabulary(table.string("vocabulary"))
        return cls(vocabulary=vocabulary, against=against, excludes=excludes, **common)

    @property
    def gating(self) -> bool:
        """Whether it is a boundary."""
        return self.excludes is not None

    @property
    def wantable(self) -> bool:
        """Boundaries are told in the profile alone."""
        return self.excludes is None

    @property
    def target(self) -> str:
        """Name of the facet of the other side that is looked at."""
        return self.against or self.name

    def parse(self, raw: object) -> object:
        """Return the codes, sorted; those that the vocabulary lacks are kept."""
        codes = strings(raw)
        for at, code in enumerate(raw if isinstance(raw, list | tuple) else ()):
            if len(code) > LONGEST or code != code.strip() or not code.isprintable():
                raise ValueProblem(f"found {shown(code)}; expected a code of at most {LONGEST} characters", f"[{at}]")
        return codes

    def parse_asked(self, raw: object) -> tuple[str, ...]:
        """Return at least one code; not for facets that are met by another one."""
        if self.against is not None:
            raise ValueProblem(
                f"what is asked of a peer's {self.against} is told in profile.{self.name}; remove it here"
            )
        strings(raw, allow_empty=False)
        return tuple(self.parse(raw))  # type: ignore[arg-type]

    def json_schema(self) -> JSONSchema:
        """Return the schema of codes, whether the vocabulary has them or not."""
        return array_schema(CODE)

    def asked_schema(self) -> JSONSchema | None:
        """Return the schema of at least one code."""
        return None if self.against is not None else array_schema(CODE, least=1)

    def warnings(self, value: object) -> tuple[str, ...]:
        """Return which codes the vocabulary lacks."""
        return tuple(
            f"{shown(code)} is not in the vocabulary {self.vocabulary.name}: kept, and matches only itself"
            f"{self.vocabulary.nearest(code)}"
            for code in value  # type: ignore[attr-defined]
            if code not in self.vocabulary
        )

    def up(self, codes: object) -> tuple[str, ...]:
        """Return `codes` with all their ancestors, sorted."""
        return tuple(sorted(self.vocabulary.up(codes or ())))  # type: ignore[arg-type]

    def subjects(self, sides: Sides, facets: Mapping[str, Facet]) -> tuple[str, ...]:
        """Return what a side wants to talk about, with ancestors: its `excludes` facet, and what it prefers."""
        assert self.excludes is not None
        asked: set[str] = set(sides[self.excludes].value or ())  # type: ignore[call-overload]
        for name in self.preferring(facets):
            asked.update(sides[name].prefer or ())
        return self.up(sorted(asked))

    def preferring(self, facets: Mapping[str, Facet]) -> list[str]:
        """Return the facets of the same vocabulary, whose ``prefer`` are subjects too."""
        return [
            name
            for name, facet in facets.items()
            if isinstance(facet, Concepts) and facet.vocabulary == self.vocabulary
        ]

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> ConceptColumn | BoundaryColumn:
        """Return the column of a pool."""
        if self.excludes is None:
            return ConceptColumn(self, sides[self.name], shows, context)
        return BoundaryColumn(self, sides, context)

    @property
    def column_class(self) -> type[Column]:
        """What a saved column of this facet is."""
        return ConceptColumn if self.excludes is None else BoundaryColumn

    def value_label(self, value: str) -> str:
        """Return the concept's label."""
        return self.vocabulary.label(value)

    def phrase(self, shared: str) -> str:
        """Return the plain sentence that gives `shared` as a reason."""
        if self.against is not None:
            return f"Has been through what you asked about: {self.value_label(shared)}"
        return f"{self.label} in common: {self.value_label(shared)}"

    def phrase_to_candidate(self, shared: str) -> str:
        """Return the same in words to the candidate: what the seeker asks about is what they know."""
        if self.against is not None:
            return f"Asks about what you have been through: {self.value_label(shared)}"
        return self.phrase(shared)
