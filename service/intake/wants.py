"""``[wants.<facet>]``: what a member asks of a peer, perhaps only if another column says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matcher.facets.base import Facet
from service.intake.condition import When, read_when
from service.intake.csvfile import Cells
from service.intake.draft import Draft, Note
from service.intake.fields import Field, read_part
from service.intake.rule import Rule
from service.intake.section import Section
from service.intake.targets import asked_target, importance_target


@dataclass(frozen=True, slots=True)
class WantRule:
    """What is asked in one facet."""

    path: str
    when: When | None
    parts: tuple[tuple[str, Field], ...]
    """``importance``, ``prefer`` and ``avoid``, as far as the mapping names them."""

    @property
    def rules(self) -> Iterator[Rule]:
        """The rules of all parts."""
        return (rule for _, part in self.parts for rule in part.rules)

    def apply(self, cells: Cells, draft: Draft) -> None:
        """Put the want into the draft, where it holds for the row.

        A want whose ``prefer`` or ``avoid`` comes out empty is left out as a whole, and told: asked for without a
        value it would mean something else, "like myself".
        """
        if self.when is not None and not self.when.holds(cells):
            return
        want: dict[str, object] = {}
        for key, part in self.parts:
            errors = len(draft.errors)
            value = part.read(cells, draft)
            if len(draft.errors) > errors:
                return
            if value is None or value == []:
                if key == "importance":
                    continue
                draft.notes.append(Note(self.path, f"asked for without a value to {key}, left out"))
                return
            want[key] = value
        if want:
            draft.put(self.path, want)


def read_want(section: Section, facet: Facet) -> WantRule:
    """Return the rule of one facet's wants; raise ProgrammeError with key, found and expected."""
    path = f"wants.{facet.name}"
    if not facet.wantable:
        section.fail("importance", section.values, f"no such table: nobody can want anything in {facet.name!r}")
    when = read_when(section)
    parts: list[tuple[str, Field]] = []
    section.raw("importance")
    if "importance" in section:
        parts.append(("importance", read_part(section, "importance", importance_target(facet))))
    for key in ("prefer", "avoid"):
        section.raw(key)
        if key in section:
            parts.append((key, read_part(section, key, asked_target(facet, key))))
    section.finish()
    if not parts:
        section.fail("importance", {}, "at least one of importance, prefer and avoid")
    return WantRule(path, when, tuple(parts))
