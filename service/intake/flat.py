"""CSV without a mapping: each column is named for the field it holds, e.g. ``profile.conditions``."""

from __future__ import annotations

from matcher.errors import nearest, shown
from matcher.programme import Programme
from service.intake.csvfile import CsvFile
from service.intake.defaults import profile_facets
from service.intake.errors import IntakeError
from service.intake.fields import Field, WeekField
from service.intake.identity import MemberId
from service.intake.mapping import MemberMapping
from service.intake.rule import Rule
from service.intake.targets import (
    Shape,
    Target,
    asked_target,
    field_targets,
    importance_target,
    list_target,
    profile_target,
    text_target,
)
from service.intake.wants import WantRule

SPLIT = "|"


def flat_mapping(file: CsvFile, programme: Programme) -> MemberMapping:
    """Return the mapping that the column names of `file` are; lists are separated by ``|``.

    Raises
    ------
    IntakeError
        If a column is no field of the programme's records, with the nearest; or if it is about consent, which
        only a mapping's ``[consent]`` section, or JSON Lines, can state.
    """
    targets = _targets(programme)
    for column in file.header:
        if column.split(".")[0].startswith("consent"):
            raise IntakeError(
                f"{file.name}, line {file.header_line}: found the column {shown(column)}; expected no consent in plain "
                "CSV: state it in [consent] of a --mapping file, or import JSON Lines"
            )
        if column != "member_id" and column not in targets:
            valid = ["member_id", *targets]
            raise IntakeError(
                f"{file.name}, line {file.header_line}: found the column {shown(column)}; expected one of "
                f"{', '.join(valid)}{nearest(column, valid)} (a --mapping file renames, splits and drops columns)"
            )
    if "member_id" not in file.header:
        raise IntakeError(f"{file.name}, line {file.header_line}: found no column 'member_id'; expected one")
    fields = {column: _field(targets[column], column) for column in file.header if column != "member_id"}
    return MemberMapping(
        source="the header",
        member_id=MemberId(None, ("member_id",)),
        fields=(*_outer(fields, programme), *_weeks(fields, programme, file)),
        wants=tuple(_wants(fields, programme)),
    )


def _targets(programme: Programme) -> dict[str, Target]:
    targets = field_targets(programme)
    for facet in profile_facets(programme).values():
        target = profile_target(facet)
        if target.shape is Shape.WEEK:
            targets[f"{target.path}.tz"] = text_target(f"{target.path}.tz")
            targets[f"{target.path}.slots"] = list_target(f"{target.path}.slots")
        else:
            targets[target.path] = target
    for facet in programme.facets.values():
        if facet.wantable:
            for target in (importance_target(facet), asked_target(facet, "prefer"), asked_target(facet, "avoid")):
                targets[target.path] = target
    return targets


def _field(target: Target, column: str) -> Field:
    split = SPLIT if target.shape is Shape.LIST else None
    return Field(target, (Rule(target=target, columns=(column,), split=split),))


def _outer(fields: dict[str, Field], programme: Programme) -> list[Field]:
    """Return the fields that stand by themselves, neither parts of a week nor of a want."""
    weeks = tuple(f"profile.{name}." for name in programme.facets)
    return [field for path, field in fields.items() if not path.startswith(("wants.", *weeks))]


def _weeks(fields: dict[str, Field], programme: Programme, file: CsvFile) -> list[WeekField]:
    weeks = []
    for facet in profile_facets(programme).values():
        target = profile_target(facet)
        parts = [fields.get(f"{target.path}.{key}") for key in ("tz", "slots")]
        if target.shape is not Shape.WEEK or parts == [None, None]:
            continue
        tz, slots = parts
        if tz is None or slots is None:
            raise IntakeError(
                f"{file.name}, line {file.header_line}: found one of {target.path}.tz and {target.path}.slots; "
                "expected both"
            )
        weeks.append(WeekField(target, tz, slots))
    return weeks


def _wants(fields: dict[str, Field], programme: Programme) -> list[WantRule]:
    wants = []
    for name in programme.facets:
        keys = [key for key in ("importance", "prefer", "avoid") if f"wants.{name}.{key}" in fields]
        if keys:
            wants.append(WantRule(f"wants.{name}", None, tuple((key, fields[f"wants.{name}.{key}"]) for key in keys)))
    return wants
