"""A pool of a few people as they are now, beside the one of everybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from matcher.consent import ConsentedProfile
from matcher.matching.circumstances import Circumstances
from matcher.matching.pool import Pool
from matcher.model.encoder import ProfileEncoder
from matcher.programme import Programme
from service.store.moments import micros
from service.store.scene import Live

Person = tuple[ConsentedProfile, Live]
"""What matching may see of somebody, and how they stand."""


def pool_of(
    programme: Programme,
    encoder: ProfileEncoder,
    people: Iterable[Person],
    now: datetime,
    at: datetime,
    key: bytes,
    exposure: Mapping[str, float] | None = None,
) -> Pool:
    """Return a pool of `people`, with the holds and the places that they have `now`; weeks are those of `at`.

    Whoever rests has no place.
    """
    some = list(people)
    moment = micros(now)
    circumstances = Circumstances(
        held=frozenset(row.member_id for _, row in some if row.held_until > moment),
        load={row.member_id: profile.capacity - row.places(moment) for profile, row in some},
        exposure=exposure or {},
    )
    return Pool.build(programme, encoder, [profile for profile, _ in some], at, circumstances, key)
