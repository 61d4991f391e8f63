"""Reading back what `Member.to_dict` wrote, without checking it again: what a worker does a hundred thousand times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from matcher.consent_events import FEWEST, ConsentEvent, new_event
from matcher.facets.base import Value, Want
from matcher.facets.week import Week, WeekFacet
from matcher.frozen import maker
from matcher.memory import LONGEST, Shared
from matcher.programme import Programme

_new_week: Callable[..., Week] = maker(Week)


class StoredReader:
    """Reads the parts of the records of one programme, and shares what many of them say alike.

    Attributes
    ----------
    names : Shared
        The frozenset of each tuple of names.
    """

    def __init__(self, programme: Programme) -> None:
        self.names: Shared[tuple[str, ...], frozenset[str]] = Shared(frozenset)
        self._lists: Shared[tuple[str, ...], tuple[str, ...]] = Shared(tuple)
        self._weeks: Shared[tuple[str, tuple[str, ...]], Week] = Shared(lambda parts: _new_week(*parts))
        self._moments: Shared[str, datetime] = Shared(datetime.fromisoformat)
        self._wants: Shared[tuple[Any, ...], Want] = Shared(lambda parts: Want(*parts))
        self._objects: Mapping[str, Callable[[Any], Value]] = {
            name: self._week if isinstance(facet, WeekFacet) else facet.parse
            for name, facet in programme.facets.items()
        }

    def profile(self, stored: Mapping[str, Any]) -> dict[str, Value]:
        """Return the parsed values by facet."""
        lists, made = self._lists, dict[str, Value]()
        for name, value in stored.items():
            kind = type(value)
            if kind is list:
                made[name] = lists[tuple(value)] if len(value) <= LONGEST else tuple(value)
            else:
                made[name] = self._objects[name](value) if kind is dict else value
        return made

    def wants(self, stored: Mapping[str, Any]) -> dict[str, Want]:
        """Return what is asked of a peer, by facet."""
        return {name: self._wants[_parts(want)] for name, want in stored.items()}

    def consents(self, stored: Iterable[Mapping[str, Any]]) -> tuple[ConsentEvent, ...]:
        """Return the consent events, in their order."""
        moments = self._moments
        return tuple(
            [
                new_event(event["purpose"], event["decision"], event["policy_version"], moments[event["at"]])
                if len(event) == FEWEST
                else self._event(event)
                for event in stored
            ]
        )

    def _week(self, stored: Mapping[str, Any]) -> Week:
        tz, slots = stored["tz"], tuple(stored["slots"])
        return self._weeks[tz, slots] if len(slots) <= LONGEST else _new_week(tz, slots)

    def _event(self, stored: Mapping[str, Any]) -> ConsentEvent:
        """Return an event that tells more than every event does."""
        until = stored.get("valid_until")
        if len(stored) > FEWEST + 1 or until is None:
            return ConsentEvent.from_stored(stored)
        at = self._moments[stored["at"]]
        return new_event(stored["purpose"], stored["decision"], stored["policy_version"], at, self._moments[until])


@lru_cache(maxsize=8)
def stored_reader(programme: Programme) -> StoredReader:
    """Return the reader of a programme: the same one for programmes of one digest, for each digest its own."""
    return StoredReader(programme)


def _parts(stored: Mapping[str, Any]) -> tuple[Any, ...]:
    prefer, avoid = stored.get("prefer"), stored.get("avoid")
    return (
        stored.get("importance"),
        None if prefer is None else tuple(prefer),
        None if avoid is None else tuple(avoid),
    )
