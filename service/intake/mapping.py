"""A mapping at work: how the columns of a foreign file become member records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from matcher.errors import nearest, shown
from service.intake.condition import When
from service.intake.consent import ConsentRule
from service.intake.csvfile import Cells, CsvFile
from service.intake.defaults import Defaults
from service.intake.draft import CellProblem, Draft
from service.intake.errors import MappingError
from service.intake.fields import Field, WeekField
from service.intake.identity import MemberId
from service.intake.section import Section, place
from service.intake.wants import WantRule


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberMapping:
    """What a mapping file states, checked against the programme."""

    source: str
    member_id: MemberId
    fields: tuple[Field | WeekField, ...]
    wants: tuple[WantRule, ...] = ()
    consents: tuple[ConsentRule, ...] = ()
    defaults: Defaults = ()
    dropped: tuple[str, ...] = ()

    def fit(self, file: CsvFile) -> None:
        """Check that every column of the file is used or dropped, and that every column used is there.

        Raises
        ------
        MappingError
            With every fault, by column.
        """
        errors: dict[str, str] = {}
        used = set(self.dropped)
        for section, column in self.uses():
            used.add(column)
            if column not in file.header:
                where = section.place() if section is not None else self.source
                errors[column] = f"{where}: {file.name} has no such column{nearest(column, file.header)}"
        for column in self.dropped:
            if column not in file.header:
                errors[column] = (
                    f"{self.source}, [dropped]: {file.name} has no such column{nearest(column, file.header)}"
                )
        for column in file.header:
            if column not in used:
                errors[column] = f"{self.source} says nothing about it; use it, or name it in [dropped]"
        if errors:
            first = next(iter(errors))
            raise MappingError(
                f"{self.source} does not fit {file.name}: column {shown(first)}: {errors[first]}", errors
            )

    def draft(self, cells: Cells, now: datetime) -> Draft:
        """Return what the mapping makes of one row; its errors say by path why there is no record."""
        draft = Draft()
        try:
            draft.put("member_id", self.member_id(cells))
        except CellProblem as problem:
            draft.fail("member_id", problem.message)
        for field in self.fields:
            field.apply(cells, draft)
        for want in self.wants:
            want.apply(cells, draft)
        for path, value in self.defaults:
            if path not in draft.errors and place(draft.record, path) is None:
                draft.put(path, value)
        events = [event for consent in self.consents for event in consent.events(cells, draft, now)]
        if events:
            draft.put("consents", events)
        return draft

    def uses(self) -> Iterator[tuple[Section | None, str]]:
        """Yield every column that something reads, with its place."""
        for column in self.member_id.columns:
            yield self.member_id.section, column
        for owner in (*self.fields, *self.wants, *self.consents):
            conditions: list[When | None] = [] if isinstance(owner, Field | WeekField) else [owner.when]
            for rule in owner.rules:
                conditions.append(rule.when)
                for column in rule.columns:
                    yield rule.section, column
            for condition in conditions:
                if condition is not None:
                    yield condition.section, condition.column
