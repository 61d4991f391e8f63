"""One rule: how cells of a row become the value of one field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from matcher.config import MISSING
from matcher.errors import nearest, shown
from matcher.facets.base import ValueProblem
from service.intake.condition import When, fold, read_when
from service.intake.csvfile import Cells
from service.intake.draft import CellProblem, Draft, Note
from service.intake.numbers import KEYS as NUMBER_KEYS
from service.intake.numbers import NUMBER, Numbers
from service.intake.section import Section
from service.intake.targets import Shape, Target

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_EMPTY = ("unknown", "refuse")
_EMPTY_LIST = ("unknown", "none", "refuse")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A constant, or what is read from columns. ``docs/reference/mapping.md`` states every key."""

    target: Target
    section: Section | None = None
    columns: tuple[str, ...] = ()
    constant: object = None
    join: str = " "
    split: str | None = None
    map: Mapping[str, tuple[object, ...]] | None = None
    unmapped: str = "refuse"
    numbers: Numbers | None = None
    missing: frozenset[str] = field(default_factory=frozenset)
    empty: str = "unknown"
    default: object = None
    when: When | None = None

    def read(self, cells: Cells, draft: Draft) -> object | None:
        """Return the value for a row, None where it is unknown; raise CellProblem where the row must be refused."""
        if self.when is not None and not self.when.holds(cells):
            return None
        if not self.columns:
            return self.constant
        value = self._value([cells[column] for column in self.columns], draft)
        return self.default if value is None else value

    def _value(self, texts: list[str], draft: Draft) -> object | None:
        if self.target.shape is not Shape.LIST:
            # A joined text of which a part is blank would be shared by everybody who left it blank.
            texts = [self.join.join(texts)] if all(texts) else []
        parts = [part for text in texts if text for part in self._parts(text)]
        if not parts:
            if self.empty == "refuse":
                raise self._problem("found nothing; expected an answer")
            return [] if self.empty == "none" else None
        values = [value for part in parts for value in self._read_part(part, draft)]
        known = [value for value in values if value is not None]
        if values and not known:
            return None
        return list(dict.fromkeys(known)) if self.target.shape is Shape.LIST else known[0]

    def _parts(self, text: str) -> Iterable[str]:
        parts = [part.strip() for part in text.split(self.split)] if self.split is not None else [text]
        return [part for part in parts if part and fold(part) not in self.missing]

    def _read_part(self, part: str, draft: Draft) -> tuple[object | None, ...]:
        """Return the values of one part; (None,) where it is left out, () where it is known to be nothing."""
        if self.map is not None:
            return self._mapped(self.map, part, draft)
        if self.numbers is not None:
            try:
                part = self.numbers(part)
            except CellProblem as problem:
                if not self.numbers.drop:
                    raise self._problem(problem.message) from None
                return self._left_out(draft, f"not {self.numbers.expected}, left out", part)
        return (self._cast(part),)

    def _mapped(self, table: Mapping[str, tuple[object, ...]], part: str, draft: Draft) -> tuple[object | None, ...]:
        found = table.get(fold(part))
        if found is not None:
            return found
        if self.unmapped == "drop":
            return self._left_out(draft, "not in the map, left out", part)
        if self.unmapped == "keep":
            return (self._cast(part),)
        raise self._problem(f"found {shown(part)}; expected a value that the map names{nearest(fold(part), table)}")

    def _left_out(self, draft: Draft, what: str, found: str) -> tuple[None]:
        draft.notes.append(Note(self.target.path, what, found))
        return (None,)

    def _cast(self, part: str) -> object:
        shape = self.target.shape
        if shape is Shape.INTEGER and _WHOLE.fullmatch(part):
            return int(part)
        if shape is Shape.NUMBER and NUMBER.fullmatch(part):
            return float(part)
        if shape is Shape.BOOLEAN and fold(part) in _TRUTH:
            return _TRUTH[fold(part)]
        if shape in (Shape.TEXT, Shape.LIST):
            return part
        raise self._problem(f"found {shown(part)}; expected {shape.value}")

    def _problem(self, message: str) -> CellProblem:
        names = " + ".join(map(repr, self.columns))
        return CellProblem(f"column{'s' if len(self.columns) > 1 else ''} {names}: {message}")


def read_rule(section: Section, target: Target) -> Rule:
    """Return the rule that a table states.

    Raises
    ------
    ProgrammeError
        Naming key, found and expected.
    """
    if "value" in section:
        value = constant(section, "value", target)
        rule = Rule(target=target, section=section, constant=value, when=read_when(section))
    else:
        rule = _column_rule(section, target)
    section.finish()
    return rule


def constant(section: Section, key: str, target: Target) -> object:
    """Return the value of `key`, which must be one that `target` may have."""
    value = section.raw(key)
    if value is MISSING:
        section.fail(key, value, f"{target.shape.value} for {target.path}")
    try:
        target.check(value)
    except ValueProblem as problem:
        found = value.isoformat() if isinstance(value, date) else value
        section.fail(key, found, f"a value of {target.path} ({problem.message})")
    return value


def _column_rule(section: Section, target: Target) -> Rule:
    is_list = target.shape is Shape.LIST
    if "split" in section and not is_list:
        section.fail("split", section.raw("split"), f"no such key: {target.path} is {target.shape.value}")
    if "map" in section and any(key in section for key in NUMBER_KEYS):
        section.fail("map", section.raw("map"), "either map or numbers (minimum, maximum, bin), not both")
    if "unmapped" in section and "map" not in section:
        section.fail("unmapped", section.raw("unmapped"), "a map beside it")
    columns = _columns(section)
    numeric = any(key in section for key in NUMBER_KEYS)
    rule = Rule(
        target=target,
        section=section,
        columns=columns,
        split=_separator(section, "split") if "split" in section else None,
        map=_map(section, target) if "map" in section else None,
        unmapped=section.string("unmapped", default="refuse", choices=("refuse", "drop", "keep")),
        numbers=Numbers.read(section, target) if numeric else None,
        missing=frozenset(map(fold, section.strings("missing", default=()))),
        empty=section.string("empty", default="unknown", choices=_EMPTY_LIST if is_list else _EMPTY),
        default=constant(section, "default", target) if "default" in section else None,
        when=read_when(section),
    )
    joined = len(columns) > 1 and not is_list
    return replace(rule, join=_separator(section, "join")) if joined and "join" in section else rule


def _columns(section: Section) -> tuple[str, ...]:
    if "column" in section and "columns" in section:
        section.fail("columns", section.raw("columns"), "either column or columns, not both")
    if "columns" in section:
        return section.strings("columns", minimum=1)
    return (section.string("column"),)


def _separator(section: Section, key: str) -> str:
    value = section.raw(key)
    if not isinstance(value, str) or not value:
        section.fail(key, value, 'text that stands between the parts, e.g. "|"')
    return value


def _map(section: Section, target: Target) -> dict[str, tuple[object, ...]]:
    table = section.section("map")
    found: dict[str, tuple[object, ...]] = {}
    for text in table.values:
        raw = table.raw(text)
        several = isinstance(raw, list)
        if several and target.shape is not Shape.LIST:
            table.fail(text, raw, f"one value: {target.path} is {target.shape.value}")
        try:
            (target.check if several else target.check_part)(raw)
        except ValueProblem as problem:
            table.fail(text, raw, f"a value of {target.path} ({problem.message})")
        values = tuple(raw) if isinstance(raw, list) else (raw,)
        if found.setdefault(fold(text), values) != values:
            table.fail(text, raw, "one value for each text; case and blanks make no difference")
    if not found:
        section.fail("map", {}, 'texts of the file with what they mean, e.g. { "Yes" = "yes" }')
    return found
