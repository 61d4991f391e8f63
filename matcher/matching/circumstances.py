"""What is true of members now and is no part of their profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

Number = TypeVar("Number", int, float)
Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands between one seeker and others now. Whoever is not in a pool may be named too."""

    held: bool = False
    """The seeker is in a crisis, safeguarding or pause hold."""
    blocked: frozenset[str] = frozenset()
    """Members whom the seeker blocked, or who blocked the seeker."""
    declined: frozenset[str] = frozenset()
    """Members of whom one declined the other before."""
    connected: frozenset[str] = frozenset()
    views: Mapping[str, float] = field(default_factory=dict, hash=False)
    """By member whom the seeker was shown and did not propose to: the sum of `exposure.view`, never above 0."""
    own_exposure: Mapping[str, float] = field(default_factory=dict, hash=False)
    """By member: what of their exposure the seeker's own list gave them. It does not count against them here."""


@dataclass(frozen=True)
class Circumstances:
    """What is true of all members. Pairs hold whichever way round they are written."""

    held: frozenset[str] = frozenset()
    """Members in a crisis, safeguarding or pause hold."""
    blocks: Pairs = frozenset()
    declined: Pairs = frozenset()
    connected: Pairs = frozenset()
    load: Mapping[str, int] = field(default_factory=dict)
    """Open introductions and connections, by supporter."""
    exposure: Mapping[str, float] = field(default_factory=dict)
    """Sum of `exposure.weight` over the lists that are still valid, by who is in them."""
    views: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What `Standing.views` says, by seeker."""

    def __or__(self, other: Circumstances) -> Circumstances:
        """Return what is true by either; loads, exposure and views told twice count once, at the larger."""
        seekers = self.views.keys() | other.views.keys()
        return Circumstances(
            self.held | other.held,
            self.blocks | other.blocks,
            self.declined | other.declined,
            self.connected | other.connected,
            _larger(self.load, other.load),
            _larger(self.exposure, other.exposure),
            {member: _lower(self.views.get(member, {}), other.views.get(member, {})) for member in seekers},
        )

    def standing(self, member_id: str) -> Standing:
        """Return what stands between one member and the others."""
        blocked, declined, connected = (others.get(member_id, frozenset()) for others in self._apart)
        return Standing(member_id in self.held, blocked, declined, connected, self.views.get(member_id, {}))

    @cached_property
    def _apart(self) -> tuple[dict[str, frozenset[str]], ...]:
        """For blocks, declines and connections: the others by member, both ways."""
        return tuple(map(both_ways, (self.blocks, self.declined, self.connected)))


def _larger(one: Mapping[str, Number], other: Mapping[str, Number]) -> dict[str, Number]:
    return {
        member: max(told[member] for told in (one, other) if member in told) for member in one.keys() | other.keys()
    }


def _lower(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {member: min(one.get(member, 0.0), other.get(member, 0.0)) for member in one.keys() | other.keys()}


def both_ways(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return for each member of `pairs` those whom it stands beside, whichever comes first."""
    found: dict[str, set[str]] = {}
    for left, right in pairs:
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return {member: frozenset(others) for member, others in found.items()}
