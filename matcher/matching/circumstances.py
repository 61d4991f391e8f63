"""What is true of members now and is no part of their profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

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

    def __or__(self, other: Circumstances) -> Circumstances:
        """Return what is true by either; loads told twice count once, at the larger."""
        members = self.load.keys() | other.load.keys()
        return Circumstances(
            self.held | other.held,
            self.blocks | other.blocks,
            self.declined | other.declined,
            self.connected | other.connected,
            {member: max(self.load.get(member, 0), other.load.get(member, 0)) for member in members},
        )

    def standing(self, member_id: str) -> Standing:
        """Return what stands between one member and the others."""
        apart = (others.get(member_id, frozenset()) for others in self._apart)
        return Standing(member_id in self.held, *apart)

    @cached_property
    def _apart(self) -> tuple[dict[str, frozenset[str]], ...]:
        """For blocks, declines and connections: the others by member, both ways."""
        return tuple(map(both_ways, (self.blocks, self.declined, self.connected)))


def both_ways(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return for each member of `pairs` those whom it stands beside, whichever comes first."""
    found: dict[str, set[str]] = {}
    for left, right in pairs:
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return {member: frozenset(others) for member, others in found.items()}
