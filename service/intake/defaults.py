"""``[defaults]``: what the whole file lacks, said once and openly. Laid out like a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from matcher.errors import nearest
from matcher.facets.base import Facet, ValueProblem
from matcher.programme import Programme
from service.intake.section import Section
from service.intake.targets import Target, asked_target, field_targets, importance_target, profile_target

Defaults = tuple[tuple[str, object], ...]
"""Path and value, for the fields that a row leaves open."""


def read_defaults(section: Section, programme: Programme) -> Defaults:
    """Return the defaults that the section states; raise ProgrammeError where a record may not have one."""
    fields = field_targets(programme)
    found: list[tuple[str, object]] = []
    for key in section.values:
        if key == "profile":
            found.extend(_profile(section.section(key), programme))
        elif key == "wants":
            found.extend(_wants(section.section(key), programme))
        elif key == "strata":
            strata = section.section(key)
            found.extend(_value(strata, name, fields.get(f"strata.{name}"), programme.strata) for name in strata.values)
        elif key == "consents":
            section.fail(key, section.raw(key), "no such key: consent has no default; [consent] says what is on record")
        else:
            outer = [name for name in fields if "." not in name]
            found.append(_value(section, key, fields.get(key), [*outer, "profile", "wants", "strata"]))
    return tuple(found)


def _profile(section: Section, programme: Programme) -> Iterator[tuple[str, object]]:
    facets = profile_facets(programme)
    for name in section.values:
        yield _value(section, name, profile_target(facets[name]) if name in facets else None, facets)


def _wants(section: Section, programme: Programme) -> Iterator[tuple[str, object]]:
    wantable = {name: facet for name, facet in programme.facets.items() if facet.wantable}
    for name in section.values:
        if name not in wantable:
            section.fail(name, section.raw(name), f"a facet in which something can be wanted{nearest(name, wantable)}")
        table = section.section(name)
        want: dict[str, object] = {}
        for key in table.values:
            target = importance_target(wantable[name]) if key == "importance" else asked_target(wantable[name], key)
            known = key in ("importance", "prefer", "avoid")
            want[key] = _value(table, key, target if known else None, ("importance", "prefer", "avoid"))[1]
        yield f"wants.{name}", want


def _value(section: Section, key: str, target: Target | None, valid: Iterable[str]) -> tuple[str, object]:
    raw = section.raw(key)
    if target is None:
        names = list(valid)
        section.fail(key, raw, f"one of {', '.join(names) or 'none'} as the key{nearest(key, names)}")
    try:
        target.check(raw)
    except ValueProblem as problem:
        section.fail(key, raw, f"a value of {target.path} ({problem.at} {problem.message})".replace("( ", "("))
    return target.path, raw


def profile_facets(programme: Programme) -> dict[str, Facet]:
    """Return the facets whose values stand in the profile, by name."""
    return {name: facet for name, facet in programme.facets.items() if facet.source is None}
