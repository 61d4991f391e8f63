"""A table of a mapping file: a programme file's `Table`, with the two things only mappings need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Self

from matcher.config import MISSING, Table
from matcher.errors import ProgrammeError
from matcher.toml_lines import header_lines
from service.intake.errors import MappingError
from service.intake.shared_maps import shared_maps

_SEVERAL = re.compile(r"^\s*\[\[\s*([^\]]+?)\s*\]\]", re.MULTILINE)


class Section(Table):
    """A table that also gives raw values, and arrays of tables as tables named ``1``, ``2`` …"""

    @classmethod
    def from_text(cls, text: str, source: str) -> Self:
        """Return the section of a whole mapping file; raise MappingError where it is not TOML."""
        try:
            whole = Table.from_text(text, source)
        except ProgrammeError as error:
            raise MappingError(error.message) from None
        text = text.replace("\r\n", "\n")
        lines = header_lines(text) | dict(_several_lines(text))
        numbered = {key: _numbered(value) for key, value in whole.values.items()}
        return cls("", shared_maps(numbered, source, lines), None, source, lines)

    def raw(self, key: str) -> object:
        """Return the value of `key` as TOML has it, or `MISSING`."""
        return MISSING if self._absent(key) else self._take(key, "")

    def section(self, key: str) -> Self:
        """Return the sub-table `key`."""
        return self._own(self.table(key))

    def sections(self) -> dict[str, Self]:
        """Return every value of this table as a sub-table, by key."""
        return {key: self.section(key) for key in self.values}

    def one_or_many(self, key: str) -> list[Self]:
        """Return ``[key]`` alone, or every ``[[key]]``, in the file's order."""
        section = self.section(key)
        several = bool(section.values) and all(name.isdigit() for name in section.values)
        return list(section.sections().values()) if several else [section]

    def _own(self, table: Table) -> Self:
        return type(self)(table.header, table.values, table.line, table.source, self._lines)


def _numbered(value: object) -> object:
    """Return `value` with arrays of tables turned into tables by number, so that each has a place of its own."""
    if isinstance(value, dict):
        return {key: _numbered(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {str(number): _numbered(item) for number, item in enumerate(value, start=1)}
    return value


def _several_lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield the line of each ``[[header]]`` under the name that `_numbered` gives it."""
    seen: dict[str, int] = {}
    for found in _SEVERAL.finditer(text):
        header = found[1]
        seen[header] = seen.get(header, 0) + 1
        yield f"{header}.{seen[header]}", text.count("\n", 0, found.start(1)) + 1


def place(values: Mapping[str, object], path: str) -> object:
    """Return what stands at a dotted path of a record, or None."""
    value: object = values
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
