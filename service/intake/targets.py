"""What a column can be mapped to: the fields of a member's record, and what each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from matcher.errors import nearest, shown
from matcher.facets.base import Facet, ValueProblem
from matcher.programme import Programme

ROLES = ("seeker", "supporter")


class Shape(Enum):
    """The form in which a field stands in the record."""

    TEXT = "text"
    LIST = "a list of texts"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    WEEK = "a time zone and slots"


_SHAPES = {
    "concepts": Shape.LIST,
    "tags": Shape.LIST,
    "languages": Shape.LIST,
    "week": Shape.WEEK,
    "number": Shape.NUMBER,
}
"""By kind of facet; a kind that is not here takes one text."""


@dataclass(frozen=True, slots=True)
class Target:
    """One field of the record."""

    path: str
    shape: Shape
    check: Callable[[object], object]
    """Takes a JSON value of the field; raises ValueProblem where no record may have it."""

    def check_part(self, value: object) -> None:
        """Check one value of a list, or the value itself where the field is none."""
        self.check([value] if self.shape is Shape.LIST else value)


def profile_target(facet: Facet) -> Target:
    """Return the profile field of a facet."""
    return Target(f"profile.{facet.name}", _SHAPES.get(facet.kind, Shape.TEXT), facet.parse)


def asked_target(facet: Facet, key: str) -> Target:
    """Return ``prefer`` or ``avoid`` of what a member wants in a facet."""
    return Target(f"wants.{facet.name}.{key}", Shape.LIST, facet.parse_asked)


def importance_target(facet: Facet) -> Target:
    """Return ``importance`` of what a member wants in a facet."""
    return Target(f"wants.{facet.name}.importance", Shape.INTEGER, _number_check(0, 3))


def field_targets(programme: Programme) -> dict[str, Target]:
    """Return the fields outside profile and wants, by path, without ``member_id`` and ``consents``."""
    targets = [
        Target("roles", Shape.LIST, _list_check(ROLES)),
        Target("age_band", Shape.TEXT, _choice_check(programme.age_bands)),
        Target("capacity", Shape.INTEGER, _number_check(0, None)),
        Target("vetted", Shape.BOOLEAN, _boolean),
        Target("agreements", Shape.LIST, _list_check(None)),
    ]
    for name, values in programme.strata.items():
        targets.append(Target(f"strata.{name}", Shape.TEXT, _choice_check(values)))
    return {target.path: target for target in targets}


def text_target(path: str) -> Target:
    """Return a field that takes any text."""
    return Target(path, Shape.TEXT, _text)


def list_target(path: str) -> Target:
    """Return a field that takes any list of texts."""
    return Target(path, Shape.LIST, _list_check(None))


def _text(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        raise ValueProblem(f"found {shown(value)}; expected text")
    return value


def _boolean(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueProblem(f"found {shown(value)}; expected true or false")
    return value


def _choice_check(valid: tuple[str, ...]) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str) or value not in valid:
            hint = nearest(value, valid) if isinstance(value, str) else ""
            raise ValueProblem(f"found {shown(value)}; expected one of {', '.join(map(repr, valid))}{hint}")
        return value

    return check


def _list_check(valid: tuple[str, ...] | None) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, list):
            raise ValueProblem(f"found {shown(value)}; expected a list of texts")
        for item in value:
            (_text if valid is None else _choice_check(valid))(item)
        return value

    return check


def _number_check(minimum: int, maximum: int | None) -> Callable[[object], object]:
    expected = f"a whole number ≥ {minimum}" if maximum is None else f"a whole number from {minimum} to {maximum}"

    def check(value: object) -> object:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < minimum or (maximum is not None and value > maximum):  # type: ignore[operator]
            raise ValueProblem(f"found {shown(value)}; expected {expected}")
        return value

    return check
