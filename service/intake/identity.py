"""``[member_id]``: from which columns a member's pseudonymous id is made."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from matcher.errors import shown
from matcher.people import MEMBER_ID, MEMBER_ID_RULE
from service.intake.csvfile import Cells
from service.intake.draft import CellProblem
from service.intake.section import Section

_FOREIGN = re.compile(r"[^A-Za-z0-9._~-]+")


@dataclass(frozen=True, slots=True)
class MemberId:
    """One column as it is, or several joined; `slug` replaces what an id may not hold."""

    section: Section | None
    columns: tuple[str, ...]
    join: str = "-"
    slug: bool = False

    @classmethod
    def read(cls, section: Section) -> MemberId:
        """Read the rule from its table."""
        if "columns" in section:
            if "column" in section:
                section.fail("columns", section.raw("columns"), "either column or columns, not both")
            columns = section.strings("columns", minimum=2)
            join = section.string("join", default="-", pattern=r"[._~-]{1,3}")
        else:
            columns, join = (section.string("column"),), "-"
        rule = cls(section, columns, join, section.boolean("slug", default=len(columns) > 1))
        section.finish()
        return rule

    def __call__(self, cells: Cells) -> str:
        """Return the id of a row's member; raise CellProblem where the cells make none."""
        parts = [cells[column] for column in self.columns]
        for column, part in zip(self.columns, parts, strict=True):
            if not part:
                raise CellProblem(f"column {column!r}: found nothing; expected a part of the member_id in every row")
            if "@" in part:
                raise CellProblem(
                    f"column {column!r}: found an e-mail address; expected a pseudonym, which does not tell who it is"
                )
        text = self.join.join(map(_slug, parts) if self.slug else parts)
        if not MEMBER_ID.fullmatch(text):
            names = " + ".join(map(repr, self.columns))
            way_out = "" if self.slug else "; slug = true in [member_id] replaces the rest by -"
            raise CellProblem(f"column {names}: found {shown(text)}; expected {MEMBER_ID_RULE}{way_out}")
        return text


def _slug(text: str) -> str:
    """Return `text` with accents taken off and every run of other characters replaced by one hyphen."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _FOREIGN.sub("-", bare).strip("-")
