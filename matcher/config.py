"""One table of a TOML file, read key by key, so that every error names file, line, header, key, found and expected."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Final, NoReturn, TypeVar

from matcher.errors import ProgrammeError, nearest, shown
from matcher.toml_lines import header_lines, header_of

_Nothing = TypeVar("_Nothing", bound=None)
"""``None`` where the default may be it: then, and only then, a getter may return it."""


class Required:
    """The default of a key that has none."""


REQUIRED: Final = Required()


class Words:
    """Stands in a message for what was found, where that is no value or cannot be printed."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words


MISSING: Final = Words("nothing")


class Table:
    """One TOML table with its place in the file. Reading a key consumes it; `finish` refuses what nobody read.

    Parameters
    ----------
    header : str
        The table's header without brackets, e.g. ``facets.conditions``; empty for the whole file.
    values : mapping of str to object
        What the TOML reader made of the table.
    line : int or None
        Line of the header, from 1; None where the table has no header line.
    source : str
        Name of the file, for messages.
    lines : mapping of str to int, optional
        Lines of all headers of the file, by header.

    Raises
    ------
    ProgrammeError
        By every getter, where the key is missing without default or its value is not what was expected.
    """

    def __init__(
        self,
        header: str,
        values: Mapping[str, object],
        line: int | None,
        source: str,
        lines: Mapping[str, int] | None = None,
    ) -> None:
        self.header = header
        self.values = dict(values)
        self.line = line
        self.source = source
        self._lines = dict(lines or {})
        self._asked: dict[str, None] = {}

    @classmethod
    def from_text(cls, text: str, source: str) -> Table:
        """Return the table of a whole TOML file whose text is `text`; raise ProgrammeError where it is not TOML."""
        text = text.replace("\r\n", "\n")
        try:
            values = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            line = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", reason)
            where = f", line {line[1] or text.count(chr(10)) + 1}" if line else ""
            what = reason[: line.start()] if line else reason
            raise ProgrammeError(f"{source}{where}: not valid TOML: {what}") from None
        return cls("", values, None, source, header_lines(text))

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def string(
        self,
        key: str,
        *,
        default: str | _Nothing | Required = REQUIRED,
        choices: Iterable[str] | None = None,
        pattern: str | re.Pattern[str] | None = None,
    ) -> str | _Nothing:
        """Return non-empty text: one of `choices`, or wholly matching `pattern`, where they are given."""
        valid = None if choices is None else tuple(choices)
        expected = "text"
        if valid is not None:
            expected = "one of " + ", ".join(map(repr, valid))
        elif pattern is not None:
            expected = f"text that matches {pattern if isinstance(pattern, str) else pattern.pattern}"
        if not isinstance(default, Required) and self._absent(key):
            return default
        value = self._take(key, expected)
        if not isinstance(value, str) or not value.strip():
            self.fail(key, value, expected if valid is not None or pattern is not None else "text that is not empty")
        if valid is not None and value not in valid:
            self.fail(key, value, expected, nearest(value, valid))
        if pattern is not None and not re.fullmatch(pattern, value):
            self.fail(key, value, expected)
        return value

    def number(
        self,
        key: str,
        *,
        default: float | _Nothing | Required = REQUIRED,
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> float | _Nothing:
        """Return a finite number within the bounds, both inclusive."""
        expected = "a number" + _bounds(minimum, maximum)
        if not isinstance(default, Required) and self._absent(key):
            return default if default is None else float(default)
        value = self._take(key, expected)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _within(value, minimum, maximum):
            self.fail(key, value, expected)
        return float(value)

    def integer(
        self,
        key: str,
        *,
        default: int | _Nothing | Required = REQUIRED,
        minimum: int | None = None,
        maximum: int | None = None,
    ) -> int | _Nothing:
        """Return a whole number within the bounds, both inclusive. ``true`` is none, nor is ``1.0``."""
        expected = "a whole number" + _bounds(minimum, maximum)
        if not isinstance(default, Required) and self._absent(key):
            return default
        value = self._take(key, expected)
        if isinstance(value, bool) or not isinstance(value, int) or not _within(value, minimum, maximum):
            self.fail(key, value, expected)
        return value

    def boolean(self, key: str, *, default: bool | Required = REQUIRED) -> bool:
        """Return ``true`` or ``false``."""
        if not isinstance(default, Required) and self._absent(key):
            return default
        value = self._take(key, "true or false")
        if not isinstance(value, bool):
            self.fail(key, value, "true or false")
        return value

    def strings(
        self, key: str, *, default: Iterable[str] | _Nothing | Required = REQUIRED, minimum: int = 0
    ) -> tuple[str, ...] | _Nothing:
        """Return at least `minimum` distinct, non-empty strings, in the file's order."""
        expected = "a list of distinct, non-empty texts" + (f", at least {minimum}" if minimum else "")
        if not isinstance(default, Required) and self._absent(key):
            return default if default is None else tuple(default)
        value = self._take(key, expected)
        if not isinstance(value, list) or len(value) < minimum:
            self.fail(key, value, expected)
        for item in value:
            if not isinstance(item, str) or not item.strip():
                self.fail(key, item, expected)
        if len(set(value)) < len(value):
            twice = next(item for place, item in enumerate(value) if item in value[:place])
            self.fail(key, twice, expected, " (it stands there twice)")
        return tuple(value)

    def table(self, key: str, *, optional: bool = False) -> Table:
        """Return the sub-table `key`; an empty one where it is missing and `optional`."""
        if optional and self._absent(key):
            return self._sub(key, {})
        value = self._take(key, "a table")
        if not isinstance(value, dict):
            self.fail(key, value, f"a table, [{self._child(key)}]")
        return self._sub(key, value)

    def tables(self) -> dict[str, Table]:
        """Return every value of this table as a sub-table, by key, in the file's order."""
        return {key: self.table(key) for key in self.values}

    def fail(self, key: str, found: object, expected: str, hint: str = "") -> NoReturn:
        """Raise the ProgrammeError of `key`. `found` is the value itself; `hint` is added as it stands."""
        what = "a table" if isinstance(found, dict) else shown(found)
        raise ProgrammeError(f"{self.place(key)}: found {what}; expected {expected}{hint}")

    def place(self, key: str | None = None) -> str:
        """Return where `key` (or the table) stands: file, line of the nearest header, the header and the key."""
        line, where = self.line, f"[{self.header}]"
        if key is not None:
            where = f"[{self.header}] {header_of(key)}"
            if isinstance(self.values.get(key), dict) or not self.header:
                line = self._lines.get(self._child(key), line)
            if not self.header:
                where = f"[{header_of(key)}]" if isinstance(self.values.get(key, {}), dict) else header_of(key)
        return f"{self.source}, {where}" if line is None else f"{self.source}, line {line}, {where}"

    def finish(self) -> None:
        """Refuse the keys that nobody asked for, with the nearest of those that somebody did."""
        for key, value in self.values.items():
            if key in self._asked:
                continue
            hint = nearest(key, self._asked)
            if not self.header and isinstance(value, dict):
                valid = ", ".join(f"[{name}]" for name in self._asked)
                raise ProgrammeError(f"{self.place(key)}: unknown section; expected one of {valid}{hint}")
            raise ProgrammeError(f"{self.place(key)}: unknown key; expected one of {', '.join(self._asked)}{hint}")

    def _absent(self, key: str) -> bool:
        """Remember that `key` is valid; tell whether it is missing."""
        self._asked[key] = None
        return key not in self.values

    def _take(self, key: str, expected: str) -> object:
        """Return the raw value of `key`, which must be there."""
        if self._absent(key):
            spare = nearest(key, [name for name in self.values if name not in self._asked])
            self.fail(key, MISSING, expected, spare.replace("did you mean", "is it written as"))
        self._check(key, self.values[key])
        return self.values[key]

    def _check(self, key: str, value: object) -> None:
        """Refuse what no key may hold: U+0000, numbers that are not finite or need more than 64 bits."""
        if isinstance(value, list):
            for item in value:
                self._check(key, list(item.values()) if isinstance(item, dict) else item)
        elif isinstance(value, str) and "\x00" in value:
            self.fail(key, value, "text without the character U+0000")
        elif isinstance(value, float) and not math.isfinite(value):
            self.fail(key, value, "a finite number")
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            self.fail(key, Words("a number of more than 64 bits"), "a number of at most 64 bits")

    def _child(self, key: str) -> str:
        return f"{self.header}.{header_of(key)}" if self.header else header_of(key)

    def _sub(self, key: str, values: Mapping[str, object]) -> Table:
        header = self._child(key)
        return Table(header, values, self._lines.get(header, self.line), self.source, self._lines)


def _within(value: float, minimum: float | None, maximum: float | None) -> bool:
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _bounds(minimum: float | None, maximum: float | None) -> str:
    if minimum is not None and maximum is not None:
        return f" from {minimum:g} to {maximum:g}"
    if minimum is not None:
        return f" ≥ {minimum:g}"
    return "" if maximum is None else f" ≤ {maximum:g}"
