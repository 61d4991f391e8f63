"""What every facet kind offers: parse, validate, encode, satisfy, forbid, explain.

A kind is one file with one `Facet` subclass and the `Column` that holds a pool's values of it. The rules are
stated in ``docs/reference/matching.md``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, TypeAlias, TypedDict

from matcher.config import Table
from matcher.errors import shown
from matcher.facets.bitmaps import Mask, Rows
from matcher.facets.column import Column, Floats, Satisfied
from matcher.facets.information import Information
from matcher.facets.sides import MUST, Side, Sides, Value, ValueProblem, Want
from matcher.vocabulary import Vocabulary

JSONSchema: TypeAlias = dict[str, Any]
MOST_VALUES = 100


class CommonKeys(TypedDict):
    """The keys of a facet's table that every scorable kind has."""

    name: str
    label: str
    weight: float
    importance: int
    show: bool


@dataclass(frozen=True, slots=True)
class FacetContext:
    """What a facet may look at while it is read from a programme file."""

    age_bands: tuple[str, ...]
    mutual: bool
    vocabulary: Callable[[str], Vocabulary]
    """Loads a vocabulary by its name or file name, relative to the programme file."""


@dataclass(frozen=True, slots=True)
class EncodeContext:
    """What a kind may use while it encodes a pool."""

    information: Mapping[str, Information]
    """By facet name, for facets of concepts."""
    day: date
    """The UTC day for which weeks are compared."""
    facets: Mapping[str, Facet]
    """Every facet of the programme."""


@dataclass(frozen=True, kw_only=True)
class Facet(ABC):
    """One comparable aspect of a profile, as a programme declares it."""

    kind: ClassVar[str]
    scorable: ClassVar[bool] = True
    """Whether the kind can be a feature at all."""

    name: str
    label: str
    weight: float = 0.0
    """Prior weight; 0 is no feature."""
    importance: int = 1
    """What a member has who did not ask, 0–3."""
    show: bool = False
    """May be a reason, where both sides consent."""
    source: str | None = field(default=None)
    """``"age_band"`` where the value is not in the profile."""

    @classmethod
    @abstractmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> Facet:
        """Read the facet from its TOML table; raise ProgrammeError with key, found and expected."""

    @property
    def gating(self) -> bool:
        """Whether the facet itself excludes pairs (and so must be among the required consents)."""
        return False

    @property
    def wantable(self) -> bool:
        """Whether ``wants`` may name this facet."""
        return self.scorable

    @property
    def is_feature(self) -> bool:
        """Whether the facet takes part in the affinity."""
        return self.scorable and self.weight > 0

    @property
    def backward_feature(self) -> bool:
        """Whether it takes part in the candidate's affinity for the seeker."""
        return self.is_feature

    @abstractmethod
    def parse(self, raw: object) -> Value:
        """Return the canonical value of the JSON value `raw`; raise ValueProblem."""

    def parse_asked(self, raw: object) -> tuple[str, ...]:
        """Return a canonical ``prefer`` or ``avoid`` list, never empty; raise ValueProblem."""
        raise ValueProblem(f"a facet of kind {self.kind} takes no such list; remove it")

    @abstractmethod
    def json_schema(self) -> JSONSchema:
        """Return a JSON Schema (2020-12) of what `parse` takes; see `matcher.profile_schema` for what none can say."""

    def asked_schema(self) -> JSONSchema | None:
        """Return a JSON Schema of what `parse_asked` takes; None where it takes nothing."""
        return None

    def warnings(self, value: Value) -> tuple[str, ...]:
        """Return what is accepted but worth telling, e.g. codes that the vocabulary lacks."""
        return ()

    @abstractmethod
    def encode(self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext) -> Column:
        """Return the column of a pool, in row order.

        Parameters
        ----------
        sides : mapping of str to sequence of Side
            For every facet of the programme, the side of each of the N members.
        shows : sequence of bool
            For each member whether ``show_reasons`` is on and covers this facet.
        context : EncodeContext
        """

    @property
    @abstractmethod
    def column_class(self) -> type[Column]:
        """What `encode` returns, and a saved column is restored as."""

    @classmethod
    def common(cls, name: str, table: Table) -> CommonKeys:
        """Read the keys that every scorable kind has."""
        return CommonKeys(
            name=name,
            label=table.string("label", default=name.replace("_", " ").capitalize()),
            weight=table.number("weight", default=0.0, minimum=0.0, maximum=1000.0),
            importance=table.integer("importance", default=1, minimum=0, maximum=MUST),
            show=table.boolean("show", default=False),
        )

    def phrase(self, shared: str) -> str:
        """Return the plain sentence that gives `shared` as a reason."""
        return f"{self.label}: {self.value_label(shared)}"

    def phrase_to_candidate(self, shared: str) -> str:
        """Return the same in words to the candidate, where they are others than to the seeker."""
        return self.phrase(shared)

    def value_label(self, value: str) -> str:
        """Return a value as a person reads it."""
        return value.replace("_", " ")


def strings(raw: object, *, allow_empty: bool = True, limit: int = MOST_VALUES) -> tuple[str, ...]:
    """Return a JSON array of distinct, non-empty strings, sorted; raise ValueProblem naming the place."""
    if not isinstance(raw, list | tuple):
        raise ValueProblem(f"found {shown(raw)}; expected an array of strings")
    if len(raw) > limit:
        raise ValueProblem(f"found {len(raw)} values; expected at most {limit}")
    for position, item in enumerate(raw):
        if not isinstance(item, str) or not item:
            raise ValueProblem(f"found {shown(item)}; expected a non-empty string", f"[{position}]")
    if not raw and not allow_empty:
        raise ValueProblem("found an empty array; expected at least one value, or leave the key out")
    if len(set(raw)) != len(raw):
        twice = next(item for item in raw if list(raw).count(item) > 1)
        raise ValueProblem(f"found {shown(twice)} twice; expected each value once")
    return tuple(sorted(raw))


def array_schema(items: JSONSchema, *, least: int = 0) -> JSONSchema:
    """Return the JSON Schema of what `strings` takes, of one of its strings."""
    schema: JSONSchema = {"type": "array", "items": items, "maxItems": MOST_VALUES, "uniqueItems": True}
    return {**schema, "minItems": least} if least else schema


def text_schema(longest: int) -> JSONSchema:
    """Return the JSON Schema of text that shows something."""
    # Two patterns, each of which is checked in one pass; one that says both is not.
    return {"type": "string", "maxLength": longest, "allOf": [{"pattern": r"\S"}, {"pattern": r"^[^\u0000]*$"}]}


__all__ = [
    "MUST",
    "Column",
    "CommonKeys",
    "EncodeContext",
    "Facet",
    "FacetContext",
    "Floats",
    "Information",
    "JSONSchema",
    "Mask",
    "Rows",
    "Satisfied",
    "Side",
    "Sides",
    "Value",
    "ValueProblem",
    "Want",
    "array_schema",
    "strings",
    "text_schema",
]
