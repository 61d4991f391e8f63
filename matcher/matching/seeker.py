"""The seeker of one request, as the gates and the score may see them."""

from __future__ import annotations

from dataclasses import dataclass

from matcher.consent import ConsentedProfile
from matcher.errors import ConsentMissingError, SeekerError
from matcher.facets.base import Sides
from matcher.matching.pool import Pool, agreed
from matcher.programme import Programme


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

    @classmethod
    def of(cls, profile: ConsentedProfile, pool: Pool) -> Seeker:
        """Return the seeker; raise ConsentMissingError or SeekerError where they cannot have a list."""
        programme = pool.programme
        if profile.programme_id != programme.id:
            raise SeekerError(f"the member belongs to another programme than {programme.id!r}; ask that one")
        gate = forbids_seeking(profile, programme)
        if gate == "consent":
            raise ConsentMissingError(
                "match_serve is not on for this member; record that consent before asking for peers"
            )
        if gate == "role":
            raise SeekerError("the member lacks the role seeker; add it to roles to look for peers")
        assert profile.seeking is not None
        return cls(
            profile=profile,
            sides=profile.seeking.sides(programme, profile.age_band),
            row=pool.row.get(profile.member_id),
            adult=None if profile.age_band is None else profile.age_band not in programme.minors,
            agreed=agreed(programme, profile),
        )


def forbids_seeking(profile: ConsentedProfile, programme: Programme) -> str | None:
    """Return the gate that keeps a member from having any list, or None."""
    if profile.seeking is None:
        return "consent"
    return None if programme.mutual or "seeker" in profile.roles else "role"
