"""One facet of one member, as far as it may be known: the value, and what the member asks of a peer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = object
"""A parsed facet value, by kind: ``tuple[str, ...]`` for sets, ``str`` for one of a list, `Week`."""

MUST = 3
"""The importance that is a gate."""


class ValueProblem(Exception):
    """What is wrong with one value; the caller knows the path. `at` is the place inside the value, e.g. ``[2]``."""

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at


@dataclass(frozen=True, slots=True)
class Want:
    """What a member asks of a peer in one facet."""

    importance: int | None = None
    """0 not at all, 1 nice, 2 important, 3 must; None: the facet's default."""
    prefer: tuple[str, ...] | None = None
    avoid: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One facet of one side of a pair, as far as consent lets it be known."""

    value: Value | None = None
    """None is unknown; an empty tuple is known to be none."""
    importance: int = 1
    prefer: tuple[str, ...] | None = None
    avoid: tuple[str, ...] | None = None


Sides: TypeAlias = Mapping[str, Side]
"""One side of a pair: a `Side` for every facet of the programme."""
