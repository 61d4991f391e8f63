"""The lantern programme's rules in pandas: one table of all members, and one boolean table a set-valued facet.

All columns are made beforehand, so that a request does nothing row by row in Python. `speed` checks that these rules
leave exactly the members whom `Matcher` leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd  # type: ignore[import-untyped]

from matcher.consent import ConsentedProfile, View
from matcher.facets.base import MUST, Side
from matcher.facets.concepts import Concepts
from matcher.facets.languages import primary
from matcher.facets.week import Week, quarters
from matcher.programme import Programme

QUARTERS, HOUR = 672, 4
WANTED = {
    # facet with wants: the facet of the other side that is looked at
    "conditions": "conditions",
    "experiences": "experiences",
    "needs": "experiences",
    "age": "age",
    "gender": "gender",
    "region": "region",
    "interests": "interests",
}


class PandasGates:
    """Every rule as an expression over tables of all `profiles`, in their order.

    Parameters
    ----------
    programme : Programme
    profiles : sequence of ConsentedProfile
    monday : date
        Of the week that free time is compared for.
    """

    def __init__(self, programme: Programme, profiles: Sequence[ConsentedProfile], monday: date) -> None:
        self.programme, self.monday = programme, monday
        sides = [self._sides(profile.shown, profile) for profile in profiles]
        self.members = pd.DataFrame([self._row(profile) for profile in profiles])
        for facet in ("journey", "severity"):
            self.members[facet] = [self._level(facet, side[facet]) for side in sides]
        for facet in set(WANTED.values()):
            self.members[f"knows_{facet}"] = [side[facet].value is not None for side in sides]
        self.free = _flags([self._hours(side["availability"]) for side in sides], range(QUARTERS))
        self.languages = _flags([_primary(side) for side in sides])
        self.channel = _flags([_values(side["channel"]) for side in sides])
        self.boundaries = _flags([_values(side["boundaries"]) for side in sides])
        self.subjects = _flags([self._subjects(side) for side in sides])
        self.held = {facet: _flags([self._up(facet, _values(side[facet])) for side in sides]) for facet in WANTED}
        # Only what somebody insists on or avoids needs a table.
        self.must = {facet: pd.Series([side[facet].importance == MUST for side in sides]) for facet in WANTED}
        self.asked = {
            facet: _flags([_asked(side[facet]) for side in sides]) for facet in WANTED if self.must[facet].any()
        }
        avoids = {facet: _flags([side[facet].avoid or () for side in sides]) for facet in WANTED}
        self.avoided = {facet: flags for facet, flags in avoids.items() if len(flags.columns)}
        self.avoids = {facet: flags.any(axis=1) for facet, flags in self.avoided.items()}

    def allowed(self, seeker: ConsentedProfile) -> npt.NDArray[np.bool_]:
        """Return whom the rules leave for `seeker`, shape (members,)."""
        members, mine = self.members, self._sides(seeker.seeking, seeker)
        journey, severity = (self._level(facet, mine[facet]) for facet in ("journey", "severity"))
        if journey < 0 or severity < 0 or seeker.age_band is None or not self._agreed(seeker):
            return np.zeros(len(members), dtype=np.bool_)
        top = len(self.programme.facets["journey"].values) - 1  # type: ignore[attr-defined]
        highest = len(self.programme.facets["severity"].values) - 1  # type: ignore[attr-defined]
        left = members["consent"] & members["supporter"] & members["vetted"] & members["agreed"]
        left &= (members["capacity"] > 0) & members["knows_age"] & (members["member_id"] != seeker.member_id)
        left &= members["journey"] >= min(journey + 1, top)
        left &= (members["severity"] >= 0) & ~((members["severity"] == highest) & (severity == highest))
        left &= _any(self.free, self._hours(mine["availability"]))
        left &= _any(self.languages, _primary(mine))
        left &= _any(self.channel, _values(mine["channel"]))
        for facet, target in WANTED.items():
            left = self._wanted(left, facet, target, mine)
        left &= ~_any(self.boundaries, self._subjects(mine))
        return np.asarray(left & ~_any(self.subjects, _values(mine["boundaries"])))

    def _wanted(self, left: Any, facet: str, target: str, mine: dict[str, Side]) -> Any:
        """Return `left` without those against whom a must or an avoid of either side stands."""
        held = self._up(target, _values(mine[target]))
        knows = self.members[f"knows_{target}"]
        if mine[facet].importance == MUST:
            left = left & knows & _any(self.held[target], _asked(mine[facet]))
        if avoid := mine[facet].avoid:
            left = left & knows & ~_any(self.held[target], avoid)
        if facet in self.asked:
            left = left & (~self.must[facet] | _any(self.asked[facet], held))
        if facet in self.avoided:
            clear = ~_any(self.avoided[facet], held) if mine[target].value is not None else False
            left = left & (~self.avoids[facet] | clear)
        return left

    def _sides(self, view: View | None, profile: ConsentedProfile) -> dict[str, Side]:
        empty: dict[str, Side] = {name: Side() for name in self.programme.facets}
        return view.sides(self.programme, profile.age_band) if view else empty

    def _agreed(self, profile: ConsentedProfile) -> bool:
        return self.programme.confidentiality in profile.agreements

    def _row(self, profile: ConsentedProfile) -> dict[str, object]:
        return {
            "member_id": profile.member_id,
            "consent": profile.shown is not None,
            "supporter": "supporter" in profile.roles,
            "vetted": profile.vetted,
            "agreed": self._agreed(profile),
            "capacity": profile.capacity,
        }

    def _level(self, facet: str, side: Side) -> int:
        levels: Sequence[object] = self.programme.facets[facet].values  # type: ignore[attr-defined]
        return -1 if side.value is None else levels.index(side.value)

    def _hours(self, side: Side) -> Sequence[int]:
        week = side.value
        return _starts(week.tz, week.slots, self.monday) if isinstance(week, Week) else ()

    def _up(self, facet: str, values: Iterable[str]) -> tuple[str, ...]:
        kind = self.programme.facets[facet]
        return tuple(kind.vocabulary.up(values)) if isinstance(kind, Concepts) else tuple(values)

    def _subjects(self, sides: dict[str, Side]) -> tuple[str, ...]:
        return self._up("needs", {*_values(sides["needs"]), *(sides["experiences"].prefer or ())})


def _values(side: Side) -> tuple[str, ...]:
    value = side.value
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def _asked(side: Side) -> tuple[str, ...]:
    return () if side.importance < MUST else side.prefer or _values(side)


def _primary(sides: dict[str, Side]) -> tuple[str, ...]:
    return tuple({primary(tag) for tag in _values(sides["languages"])})


def _flags(rows: Sequence[Iterable[Any]], columns: Iterable[Any] | None = None) -> Any:
    """Return a boolean table with a column for each value that occurs (or for each of `columns`)."""
    names = list(columns if columns is not None else sorted({value for row in rows for value in row}))
    place = {name: column for column, name in enumerate(names)}
    held = np.zeros((len(rows), len(names)), dtype=np.bool_, order="F")
    for row, values in enumerate(rows):
        for value in values:
            held[row, place[value]] = True
    return pd.DataFrame(held, columns=names)


def _any(flags: Any, values: Iterable[Any]) -> Any:
    """Return which rows have any of `values`."""
    return flags[[value for value in values if value in flags.columns]].any(axis=1)


@cache
def _starts(tz: str, slots: tuple[str, ...], monday: date) -> tuple[int, ...]:
    """Return the quarter-hours of the week at which somebody with these slots has an hour ahead."""
    free = np.zeros(QUARTERS, dtype=np.bool_)
    for slot in slots:
        start, count = quarters(tz, slot, monday)
        free[np.arange(start, start + count) % QUARTERS] = True
    return tuple(np.flatnonzero(np.logical_and.reduce([np.roll(free, -shift) for shift in range(HOUR)])).tolist())
