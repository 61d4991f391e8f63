"""``when``: a rule that holds for some rows only."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from service.intake.csvfile import Cells
from service.intake.section import Section


def fold(text: str) -> str:
    """Return `text` as cells are compared: without regard to case, and to how blanks and accents are written."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


@dataclass(frozen=True, slots=True)
class When:
    """``{ column = "…", equals = "…" }``; also ``not_equals`` and ``filled``."""

    section: Section
    column: str
    values: frozenset[str]
    wanted: bool
    """Whether the cell must be among `values`, or must not."""

    @classmethod
    def read(cls, section: Section) -> When:
        """Read the condition from its table."""
        column = section.string("column")
        keys = [key for key in ("equals", "not_equals", "filled") if key in section]
        if len(keys) != 1:
            section.fail("equals", keys, "exactly one of equals, not_equals and filled")
        if keys[0] == "filled":
            values, wanted = frozenset({""}), not section.boolean("filled")
        else:
            raw = section.raw(keys[0])
            texts = (section.string(keys[0]),) if isinstance(raw, str) else section.strings(keys[0], minimum=1)
            values, wanted = frozenset(map(fold, texts)), keys[0] == "equals"
        section.finish()
        return cls(section, column, values, wanted)

    def holds(self, cells: Cells) -> bool:
        """Return whether the condition holds for a row."""
        return (fold(cells[self.column]) in self.values) == self.wanted


def read_when(section: Section) -> When | None:
    """Return the condition of a rule, or None where it holds for every row."""
    return When.read(section.section("when")) if "when" in section else None
