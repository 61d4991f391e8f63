"""Rules for the fields of a record: one or several a field, constants, and the week, which has two parts."""

from __future__ import annotations

from dataclasses import dataclass

from matcher.config import MISSING
from matcher.facets.base import ValueProblem
from service.intake.csvfile import Cells
from service.intake.draft import CellProblem, Draft
from service.intake.rule import Rule, constant, read_rule
from service.intake.section import Section
from service.intake.targets import Shape, Target, list_target, text_target


@dataclass(frozen=True, slots=True)
class Field:
    """The rules of one field: a list is what all of them give together, anything else what the first one gives."""

    target: Target
    rules: tuple[Rule, ...]

    def read(self, cells: Cells, draft: Draft) -> object | None:
        """Return the field's value for a row; None where it is unknown or at fault (the draft then says so)."""
        try:
            found = [value for rule in self.rules if (value := rule.read(cells, draft)) is not None]
        except CellProblem as problem:
            draft.fail(self.target.path, problem.message)
            return None
        if not found:
            return None
        if self.target.shape is not Shape.LIST:
            return found[0]
        return list(dict.fromkeys(item for value in found if isinstance(value, list) for item in value))

    def apply(self, cells: Cells, draft: Draft) -> None:
        """Put the field's value into the draft."""
        value = self.read(cells, draft)
        if value is not None:
            draft.put(self.target.path, value)


@dataclass(frozen=True, slots=True)
class WeekField:
    """``availability``: a time zone and slots, each by its own rules; without both the week is unknown."""

    target: Target
    tz: Field
    slots: Field

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of both parts."""
        return self.tz.rules + self.slots.rules

    def apply(self, cells: Cells, draft: Draft) -> None:
        """Put the week into the draft."""
        tz, slots = self.tz.read(cells, draft), self.slots.read(cells, draft)
        if tz is not None and slots is not None:
            draft.put(self.target.path, {"tz": tz, "slots": slots})


def read_field(section: Section, key: str, target: Target) -> Field | WeekField:
    """Return the rules that ``[key]``, or each ``[[key]]``, of `section` states for `target`."""
    if target.shape is Shape.WEEK:
        return _week(section.section(key), target)
    return Field(target, tuple(read_rule(table, target) for table in section.one_or_many(key)))


def read_part(section: Section, key: str, target: Target) -> Field:
    """Return the rules of a key that may also hold the constant itself."""
    if isinstance(section.raw(key), dict):
        return Field(target, tuple(read_rule(table, target) for table in section.one_or_many(key)))
    return Field(target, (Rule(target=target, section=section, constant=constant(section, key, target)),))


def _week(section: Section, target: Target) -> WeekField:
    for key in ("tz", "slots"):
        if section.raw(key) is MISSING:
            section.fail(key, MISSING, "a time zone and slots, each a value or a rule")
    tz = read_part(section, "tz", text_target(f"{target.path}.tz"))
    slots = read_part(section, "slots", list_target(f"{target.path}.slots"))
    section.finish()
    if not any(rule.columns for rule in tz.rules + slots.rules):
        _check_constant_week(section, target, tz, slots)
    return WeekField(target, tz, slots)


def _check_constant_week(section: Section, target: Target, tz: Field, slots: Field) -> None:
    try:
        target.check({"tz": tz.rules[0].constant, "slots": slots.rules[0].constant})
    except ValueProblem as problem:
        section.fail("slots", slots.rules[0].constant, f"a week ({problem.at} {problem.message})")
