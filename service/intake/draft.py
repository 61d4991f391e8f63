"""What a mapping makes of one row, before it is checked as a record; and what is worth telling about all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from matcher.errors import shown

EXAMPLES = 5


class CellProblem(Exception):
    """What is wrong with one cell, or with several of one row; the row is refused."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was left out of a row without refusing it."""

    path: str
    what: str
    """A sentence part, the same for every row; the counter goes before it."""
    found: str = ""


@dataclass(slots=True)
class Draft:
    """A record in the making."""

    record: dict[str, object] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def put(self, path: str, value: object) -> None:
        """Set what stands at a dotted path."""
        *outer, last = path.split(".")
        table = self.record
        for key in outer:
            inner = table.setdefault(key, {})
            assert isinstance(inner, dict)
            table = inner
        table[last] = value

    def fail(self, path: str, message: str) -> None:
        """Remember what is wrong at a path; two faults of one path stand side by side."""
        self.errors[path] = f"{self.errors[path]}; {message}" if path in self.errors else message


class Tally:
    """Notes of many rows, told as one warning for each kind."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], list[int]] = {}
        self._found: dict[tuple[str, str], Counter[str]] = {}

    def add(self, line: int, notes: Iterable[Note]) -> None:
        """Count the notes of the row on `line`."""
        for note in notes:
            key = (note.path, note.what)
            self._lines.setdefault(key, []).append(line)
            if note.found:
                self._found.setdefault(key, Counter())[note.found] += 1

    def warnings(self) -> Iterator[str]:
        """Yield one sentence for each kind of note, in the order of first appearance."""
        for (path, what), lines in self._lines.items():
            yield f"{path}: {len(lines)} × {what}{self._examples((path, what))} (first on line {lines[0]})"

    def _examples(self, key: tuple[str, str]) -> str:
        found = self._found.get(key)
        if not found:
            return ""
        # By count, then by text: the same file gives the same words.
        common = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{shown(text, 40)} ({count})" for text, count in common[:EXAMPLES])
        more = f" and {len(common) - EXAMPLES} more" if len(common) > EXAMPLES else ""
        return f": {named}{more}"
