"""Reading a mapping file. ``docs/reference/mapping.md`` is its manual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from matcher.errors import ProgrammeError, nearest
from matcher.facets.base import Facet
from matcher.programme import Programme
from matcher.toml_lines import read_text
from service.intake.consent import read_consent
from service.intake.defaults import profile_facets, read_defaults
from service.intake.errors import MappingError
from service.intake.fields import Field, WeekField, read_field
from service.intake.identity import MemberId
from service.intake.mapping import MemberMapping
from service.intake.section import Section
from service.intake.targets import field_targets, profile_target
from service.intake.wants import WantRule, read_want

_NO_CONSENT = (
    "found no section [consent]; expected purposes, policy_version, evidence and at: for what these people have "
    "consented, and where that is on record. It has no default: a mapping may not invent consent"
)


def read_mapping(path: Path, programme: Programme, now: datetime) -> MemberMapping:
    """Read a mapping file; `now` bounds when consent can have been given.

    Raises
    ------
    MappingError
        If it cannot be read, or says something that cannot be: file, line of the header, header, key, found, expected
        and the nearest valid name.
    """
    try:
        text = read_text(path, "a mapping")
    except ProgrammeError as error:
        raise MappingError(error.message) from None
    return mapping_from_text(text, path.name, programme, now)


def mapping_from_text(text: str, source: str, programme: Programme, now: datetime) -> MemberMapping:
    """Read the text of a mapping file, which messages call `source`; raise MappingError."""
    root = Section.from_text(text, source)
    try:
        mapping = _read(root, source, programme, now)
        _refuse_dropped_and_used(mapping)
    except ProgrammeError as error:
        raise MappingError(error.message) from None
    return mapping


def _read(root: Section, source: str, programme: Programme, now: datetime) -> MemberMapping:
    member_id = MemberId.read(root.section("member_id"))
    fields = (*_outer(root, programme), *_profile(root, programme))
    wants = tuple(_wants(root, programme))
    if "consent" not in root:
        raise MappingError(f"{source}: {_NO_CONSENT}")
    consents = tuple(read_consent(table, programme, now) for table in root.one_or_many("consent"))
    root.raw("defaults")
    defaults = read_defaults(root.section("defaults"), programme) if "defaults" in root else ()
    dropped = _dropped(root)
    root.finish()
    return MemberMapping(
        source=source,
        member_id=member_id,
        fields=fields,
        wants=wants,
        consents=consents,
        defaults=defaults,
        dropped=dropped,
    )


def _outer(root: Section, programme: Programme) -> Iterator[Field | WeekField]:
    """Yield the fields that stand in the record itself, and the strata."""
    targets = field_targets(programme)
    for key, target in targets.items():
        if "." not in key:
            root.raw(key)
            if key in root:
                yield read_field(root, key, target)
    root.raw("strata")
    strata = root.section("strata") if "strata" in root else Section("strata", {}, None, root.source)
    for name in strata.values:
        if f"strata.{name}" not in targets:
            _no_such(strata, name, "stratum", programme.strata)
        yield read_field(strata, name, targets[f"strata.{name}"])


def _profile(root: Section, programme: Programme) -> Iterator[Field | WeekField]:
    for section, key, facet in _facet_tables(root, "profile", profile_facets(programme)):
        yield read_field(section, key, profile_target(facet))


def _wants(root: Section, programme: Programme) -> Iterator[WantRule]:
    for section, key, facet in _facet_tables(root, "wants", programme.facets):
        yield read_want(section.section(key), facet)


def _facet_tables(root: Section, key: str, facets: Mapping[str, Facet]) -> Iterator[tuple[Section, str, Facet]]:
    root.raw(key)
    if key not in root:
        return
    section = root.section(key)
    for name in section.values:
        if name not in facets:
            _no_such(section, name, "facet", facets)
        yield section, name, facets[name]


def _no_such(section: Section, name: str, what: str, valid: Iterable[str]) -> NoReturn:
    names = list(valid)
    expected = f"expected one of {', '.join(names)}" if names else "expected none"
    raise MappingError(f"{section.place(name)}: found no {what} of the programme; {expected}{nearest(name, names)}")


def _dropped(root: Section) -> tuple[str, ...]:
    root.raw("dropped")
    if "dropped" not in root:
        return ()
    section = root.section("dropped")
    columns = section.strings("columns", minimum=1)
    section.finish()
    return columns


def _refuse_dropped_and_used(mapping: MemberMapping) -> None:
    for section, column in mapping.uses():
        if section is not None and column in mapping.dropped:
            section.fail("column", column, "a column that [dropped] does not name as well")
