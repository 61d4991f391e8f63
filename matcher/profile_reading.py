"""Reading the two parts of a member record that depend on the programme's facets: `profile` and `wants`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

from matcher.facets.base import MUST, Facet, Value, ValueProblem, Want
from matcher.facets.coded import CodedFacet
from matcher.memory import Memory
from matcher.programme import Programme
from matcher.records import ABSENT, Fields, Problems, join, note

_T = TypeVar("_T")
_ITEM = re.compile(r"(?:\.(\w+))?\[(\d+)\]")
_WANT_KEYS = dict.fromkeys(("importance", "prefer", "avoid"))


def read_profile(fields: Fields, programme: Programme) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the parsed values by facet, in the programme's order, and what is worth a warning."""
    profile: dict[str, Value] = {}
    warnings: list[str] = []
    raw = fields.get("profile")
    if raw is ABSENT:
        return profile, ()
    inner = Fields(raw, "profile", fields.problems, programme.facets, "facet")
    values = inner.values
    for name, reader in _readers(programme).items():
        if (given := values.get(name)) is None:
            inner.get(name)  # where it is null, that is noted
        elif reader.facet.source is not None:
            inner.note(name, f"is not told here: it is taken from {reader.facet.source}; leave it out")
        elif (read := reader.value(given, inner)) is not None:
            profile[name], told = read
            if told:
                warnings += [f"{join(inner.path, name)}: {message}" for message in told]
    return profile, tuple(warnings)


def read_wants(fields: Fields, programme: Programme) -> dict[str, Want]:
    """Return what is asked of a peer, by facet, in the programme's order."""
    wants: dict[str, Want] = {}
    raw = fields.get("wants")
    if raw is ABSENT:
        return wants
    inner = Fields(raw, "wants", fields.problems, programme.facets, "facet")
    for name, reader in _readers(programme).items():
        if (given := inner.values.get(name)) is None:
            inner.get(name)
        elif not reader.facet.wantable:
            valid = ", ".join(name for name, facet in programme.facets.items() if facet.wantable)
            inner.note(name, f"cannot be asked of a peer; expected one of {valid}, or leave it out")
        elif (want := reader.want(given, inner)) is not None:
            wants[name] = want
    return wants


class _Reader:
    """Reads what members say of one facet, and remembers what was sound: nothing that is wrong, and no free text."""

    def __init__(self, facet: Facet) -> None:
        self.facet = facet
        self.free = not isinstance(facet, CodedFacet)
        """Whether text is a member's own, not one of a list."""
        self._values: Memory[tuple[Value, tuple[str, ...]]] = Memory()
        self._wants: Memory[Want] = Memory()

    def value(self, given: object, fields: Fields) -> tuple[Value, tuple[str, ...]] | None:
        """Return the value and its warnings, or None after noting what is wrong with it."""
        own = self.free and type(given) is str
        if not own and (known := self._values.recall(given)) is not None:
            return known
        value = parsed(self.facet.parse, given, fields, self.facet.name)
        if value is None:
            return None
        read = value, self.facet.warnings(value)
        return read if own else self._values.keep(given, read)

    def want(self, given: object, fields: Fields) -> Want | None:
        """Return what is asked, or None after noting what is wrong with it."""
        if (known := self._wants.recall(given)) is not None:
            return known
        before = len(fields.problems)
        want = _want(Fields(given, join(fields.path, self.facet.name), fields.problems, _WANT_KEYS), self.facet)
        return None if len(fields.problems) > before else self._wants.keep(given, want)


@lru_cache(maxsize=8)
def _readers(programme: Programme) -> Mapping[str, _Reader]:
    """Return a reader for each facet of a programme; of programmes that say the same, the same ones."""
    return {name: _Reader(facet) for name, facet in programme.facets.items()}


def _want(fields: Fields, facet: Facet) -> Want:
    importance = fields.whole("importance", default=-1, maximum=MUST)
    prefer, avoid = (
        parsed(facet.parse_asked, fields.get(key), fields, key) if key in fields.values else None
        for key in ("prefer", "avoid")
    )
    both = sorted(set(prefer or ()) & set(avoid or ()))
    if both:
        fields.note("avoid", f"has {', '.join(both)}, which prefer has too; expected each in one of them")
    if not fields.values:
        note(fields.problems, fields.path, "asks nothing; expected importance, prefer or avoid, or leave it out")
    return Want(None if importance < 0 else importance, prefer, avoid)


def parsed(parse: Callable[[object], _T], raw: object, fields: Fields, key: str) -> _T | None:
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
