"""Reading the two parts of a member record that depend on the programme's facets: `profile` and `wants`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from matcher.facets.base import MUST, Facet, Value, ValueProblem, Want
from matcher.programme import Programme
from matcher.records import ABSENT, Fields, Problems, join, note

_T = TypeVar("_T")
_ITEM = re.compile(r"(?:\.(\w+))?\[(\d+)\]")
_WANT_KEYS = ("importance", "prefer", "avoid")


def read_profile(fields: Fields, programme: Programme) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the parsed values by facet, in the programme's order, and what is worth a warning."""
    profile: dict[str, Value] = {}
    warnings: list[str] = []
    raw = fields.get("profile")
    if raw is ABSENT:
        return profile, ()
    inner = Fields(raw, "profile", fields.problems, tuple(programme.facets), "facet")
    for name, facet in programme.facets.items():
        given = inner.get(name)
        if given is ABSENT:
            continue
        if facet.source is not None:
            inner.note(name, f"is not told here: it is taken from {facet.source}; leave it out")
            continue
        value = _parsed(facet.parse, given, inner, name)
        if value is not None:
            profile[name] = value
            warnings += [f"{join(inner.path, name)}: {message}" for message in facet.warnings(value)]
    return profile, tuple(warnings)


def read_wants(fields: Fields, programme: Programme) -> dict[str, Want]:
    """Return what is asked of a peer, by facet, in the programme's order."""
    wants: dict[str, Want] = {}
    raw = fields.get("wants")
    if raw is ABSENT:
        return wants
    inner = Fields(raw, "wants", fields.problems, tuple(programme.facets), "facet")
    for name, facet in programme.facets.items():
        given = inner.get(name)
        if given is ABSENT:
            continue
        if facet.wantable:
            wants[name] = _want(Fields(given, join(inner.path, name), fields.problems, _WANT_KEYS), facet)
        else:
            valid = ", ".join(name for name, facet in programme.facets.items() if facet.wantable)
            inner.note(name, f"cannot be asked of a peer; expected one of {valid}, or leave it out")
    return wants


def _want(fields: Fields, facet: Facet) -> Want:
    importance = fields.whole("importance", default=-1, maximum=MUST)
    prefer, avoid = (
        _parsed(facet.parse_asked, fields.get(key), fields, key) if key in fields.values else None
        for key in ("prefer", "avoid")
    )
    both = sorted(set(prefer or ()) & set(avoid or ()))
    if both:
        fields.note("avoid", f"has {', '.join(both)}, which prefer has too; expected each in one of them")
    if not fields.values:
        note(fields.problems, fields.path, "asks nothing; expected importance, prefer or avoid, or leave it out")
    return Want(None if importance < 0 else importance, prefer, avoid)


def _parsed(parse: Callable[[object], _T], raw: object, fields: Fields, key: str) -> _T | None:
    """Return what a facet makes of `raw`, or None after noting what it says is wrong."""
    if raw is ABSENT:
        return None
    try:
        return parse(raw)
    except ValueProblem as problem:
        path = join(fields.path, key)
        note(fields.problems, path + problem.at, problem.message)
        _note_others(parse, raw, problem, path, fields.problems)
        return None


def _note_others(
    parse: Callable[[object], object], raw: object, problem: ValueProblem, path: str, problems: Problems
) -> None:
    """Note what else is wrong with a value: a facet tells the first, so parse again without the items it names."""
    found = _ITEM.fullmatch(problem.at)
    inside = raw.get(found[1]) if found and found[1] and isinstance(raw, dict) else raw
    if not found or not isinstance(inside, list | tuple):
        return
    kept = list(range(len(inside)))
    while found:
        kept.pop(int(found[2]))
        if not kept and not isinstance(raw, dict):
            return
        rest = [inside[place] for place in kept]
        try:
            parse({**raw, found[1]: rest} if isinstance(raw, dict) else rest)
        except ValueProblem as other:
            found = _ITEM.fullmatch(other.at)
            place = f"{other.at[: found.start(2)]}{kept[int(found[2])]}]" if found else other.at
            note(problems, path + place, other.message)
        else:
            return
