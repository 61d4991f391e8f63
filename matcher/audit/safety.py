"""Whether lists of a model keep what must never be broken, asked of the people themselves and not of the gates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from matcher.audit.utility import FAIL, INCONCLUSIVE, PASS
from matcher.consent import ConsentedProfile
from matcher.matching.circumstances import Standing
from matcher.matching.pool import Circumstances, Pool
from matcher.matching.shortlist import Shortlist, shortlist
from matcher.model.artefact import Model
from matcher.programme import Programme

SEEKERS: Final = 100
"""So many lists are made, of seekers spread over all."""
DEPTH: Final = 40
KEY: Final = b"safety"


@dataclass(frozen=True)
class Safety:
    """What was found."""

    verdict: str
    """PASS; FAIL: something is broken; INCONCLUSIVE: nobody seeks, or nobody may be shown."""
    lists: int = 0
    broken: Mapping[str, int] = field(default_factory=dict)
    """How many entries break a rule, by rule."""


def check(model: Model, programme: Programme, profiles: Sequence[ConsentedProfile], at: datetime) -> Safety:
    """Make lists by `model`, and look at everybody in them.

    Parameters
    ----------
    model : Model
    programme : Programme
    profiles : sequence of ConsentedProfile
        Of all members, at the moment `at`.
    at : datetime
        Aware.
    """
    pool = Pool.build(programme, model.encoder, profiles, at, Circumstances(), KEY)
    by_id = {profile.member_id: profile for profile in profiles}
    seekers = sorted(profile.member_id for profile in profiles if _seeks(profile, programme))
    step = max(1, len(seekers) // SEEKERS)
    broken: dict[str, int] = {}
    lists = entries = 0
    for name in seekers[::step][:SEEKERS]:
        found = shortlist([pool], model.affinity, by_id[name], Standing(), DEPTH, model.version)
        lists, entries = lists + 1, entries + len(found)
        for rule in _broken(found, by_id, programme):
            broken[rule] = broken.get(rule, 0) + 1
    verdict = FAIL if broken else PASS if entries else INCONCLUSIVE
    return Safety(verdict, lists, dict(sorted(broken.items())))


def _seeks(profile: ConsentedProfile, programme: Programme) -> bool:
    return profile.state.on("match_serve") and (programme.mutual or "seeker" in profile.roles)


def _broken(found: Shortlist, by_id: Mapping[str, ConsentedProfile], programme: Programme) -> Iterator[str]:
    """Yield the rules that a list breaks, once for each entry that does."""
    seeker, before = by_id[found.seeker], math.inf
    names = [entry.member_id for entry in found]
    yield from ["twice"] * (len(names) - len(set(names)))
    for entry in found:
        other = by_id.get(entry.member_id)
        if other is None or other.member_id == seeker.member_id or not other.state.on("be_shown_as_peer"):
            yield "consent"
            continue
        yield from _unsafe(seeker, other, programme)
        if not (math.isfinite(entry.score) and programme.quality_floor <= entry.score < 1):
            yield "quality_floor"
        if entry.score > before + 1e-9:
            yield "order"
        before = entry.score


def _unsafe(seeker: ConsentedProfile, other: ConsentedProfile, programme: Programme) -> Iterator[str]:
    """Yield the safety rules that two people break, in this pairing of the programme."""
    minors = [profile.age_band in programme.minors for profile in (seeker, other)]
    if minors[0] != minors[1] or (minors[0] and programme.minors_policy != "separate"):
        yield "age"
    if not (programme.mutual or "supporter" in other.roles):
        yield "role"
    if not other.vetted or (programme.mutual and not seeker.vetted):
        yield "vetted"
    agreement = programme.confidentiality
    if agreement is not None and not all(agreement in one.agreements for one in (seeker, other)):
        yield "agreement"
    if other.capacity < 1:
        yield "capacity"
