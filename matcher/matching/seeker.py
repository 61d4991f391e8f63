"""The seeker of one request, as the gates and the score may see them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from matcher.consent import ConsentedProfile
from matcher.errors import ConsentMissingError, SeekerError
from matcher.facets.base import Sides
from matcher.matching.circumstances import Standing
from matcher.matching.pool import Pool, agreed, keyed_hash
from matcher.programme import Programme

NOTHING = Standing()


@dataclass(frozen=True, slots=True)
class Seeker:
    """One side of every pair of a request."""

    profile: ConsentedProfile
    sides: Sides
    """Read through the seeking view."""
    row: int | None
    """The seeker's own row in the pool, if they are shown to others."""
    adult: bool | None
    """None where the age is unknown."""
    agreed: bool
    standing: Standing
    """What stands between the seeker and others."""
    tie: np.uint64
    """The seeker's part in the order of equals."""

    @classmethod
    def of(cls, profile: ConsentedProfile, pool: Pool, standing: Standing = NOTHING) -> Seeker:
        """Return the seeker; raise ConsentMissingError or SeekerError where they cannot have a list."""
        programme = pool.programme
        if profile.programme_id != programme.id:
            raise SeekerError(f"the member belongs to another programme than {programme.id!r}; ask that one")
        check_seeks(profile, programme)
        assert profile.seeking is not None
        return cls(
            profile=profile,
            sides=profile.seeking.sides(programme, profile.age_band),
            row=pool.find(profile.member_id),
            adult=None if profile.age_band is None else profile.age_band not in programme.minors,
            agreed=agreed(programme, profile),
            standing=standing,
            tie=np.uint64(keyed_hash(pool.key, profile.member_id)),
        )

    def within(self, pool: Pool) -> Seeker:
        """Return the same seeker as another pool of the programme has them."""
        # Of two pools at most one has the seeker.
        return replace(self, row=pool.find(self.profile.member_id))


def check_seeks(profile: ConsentedProfile, programme: Programme) -> None:
    """Raise ConsentMissingError or SeekerError where a member cannot have any list."""
    gate = forbids_seeking(profile, programme)
    if gate == "consent":
        raise ConsentMissingError("match_serve is not on for this member; record that consent before asking for peers")
    if gate == "role":
        raise SeekerError("the member lacks the role seeker; add it to roles to look for peers")


def forbids_seeking(profile: ConsentedProfile, programme: Programme) -> str | None:
    """Return the gate that keeps a member from having any list, or None."""
    if profile.seeking is None:
        return "consent"
    return None if programme.mutual or "seeker" in profile.roles else "role"
