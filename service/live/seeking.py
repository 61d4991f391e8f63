"""The seeker of one request: what the store says of them, read as far as it is needed."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cached_property

from matcher.consent import ConsentedProfile, consented
from matcher.errors import SeekerError
from matcher.matching.circumstances import Standing
from matcher.matching.seeker import check_seeks
from matcher.people import Member
from matcher.programme import Programme
from service.store import scene, stored
from service.store.hot import Transaction
from service.store.live import next_edge
from service.store.moments import micros
from service.store.scene import Live, Scene


class OutdatedRecordError(SeekerError):
    """The programme has changed since the seeker's record was stored, and no longer accepts it."""

    title = "The stored record no longer fits the programme"


class Seeking:
    """A seeker as one read transaction sees them.

    Parameters
    ----------
    reader : Transaction
    seen : Scene
    live : Live
        The seeker's own row.
    programme : Programme
    now : datetime
        When the request began.
    """

    def __init__(self, reader: Transaction, seen: Scene, live: Live, programme: Programme, now: datetime) -> None:
        self.reader = reader
        self.seen = seen
        self.live = live
        self.programme = programme
        self.now = now
        self.moment = micros(now)

    @property
    def held(self) -> bool:
        """Whether a hold on the seeker runs."""
        return self.live.held_until > self.moment

    @cached_property
    def member(self) -> Member:
        """The seeker's record.

        Raises
        ------
        OutdatedRecordError
            If the programme no longer accepts it.
        """
        records = scene.records(self.reader, self.programme.id, [self.live.id])
        if not self.live.accepted or self.live.id not in records:
            # What is wrong with it is for who may read members, not for who may ask for lists.
            raise OutdatedRecordError("the stored record no longer fits the programme")
        member = stored.member(records[self.live.id], self.programme)
        if member is None:
            raise OutdatedRecordError("the stored record cannot be read")
        return member

    @cached_property
    def profile(self) -> ConsentedProfile:
        """What matching may see of the seeker now.

        Raises
        ------
        ConsentMissingError, SeekerError
            If they cannot have a list.
        """
        profile = consented(self.member, self.programme, self.now)
        check_seeks(profile, self.programme)
        return profile

    def check(self) -> None:
        """Refuse a seeker who cannot have a list now.

        Raises
        ------
        ConsentMissingError, SeekerError
            As `profile`.
        """
        _ = self.profile

    @cached_property
    def standing(self) -> Standing:
        """Who stands apart from the seeker now."""
        apart = scene.apart(self.reader, self.programme.id, self.live.member_id)
        return Standing(self.held, apart.blocked, apart.declined, apart.connected)

    @cached_property
    def good_until(self) -> int:
        """When the seeker's consents next mean something else: µs since 1970."""
        return next_edge(self.member, self.now)

    @cached_property
    def digest(self) -> str:
        """Name what of the seeker a list is made from; 32 hex digits."""
        profile = self.profile
        told = profile.state.grants.get("show_reasons")  # None also where everything may be told
        said = (
            sorted(profile.roles),
            profile.age_band,
            profile.vetted,
            sorted(profile.agreements),
            _view(profile),
            profile.state.on("show_reasons"),
            None if told is None else sorted(told),
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def _view(profile: ConsentedProfile) -> object:
    view = profile.seeking
    return None if view is None else (sorted(view.values.items()), sorted(view.wants.items()))
