"""One row of an import file, and what a reader could not make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_Content = TypeVar("_Content")

MAX_ROW_BYTES = 65_536
"""As large as a body over HTTP may be."""


@dataclass(frozen=True, slots=True)
class Row(Generic[_Content]):
    """What stands on one line of a file, or on several where a quoted cell spans them.

    Either `content` is what was read, or `errors` says by path why nothing was; ``(record)`` is the row as a whole.
    """

    line: int
    """The first line of the row in the file, from 1."""
    content: _Content | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


def refused(line: int, message: str) -> Row[_Content]:
    """Return the row of a line that could not be read."""
    return Row(line, None, {"(record)": message})
