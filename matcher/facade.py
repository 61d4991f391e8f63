"""`Matcher`: the library in one class. The only place that reads the clock, once, where `at` is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from matcher.consent import ConsentedProfile, consented
from matcher.errors import PeermatchError, UnknownMemberError, shown
from matcher.matching import gates
from matcher.matching.groups import GroupShortlist, GroupState, Topics, rank_groups
from matcher.matching.pool import Circumstances, Pool
from matcher.matching.scoring import BACKWARD, FORWARD, score
from matcher.matching.seeker import Seeker, forbids_seeking
from matcher.matching.shortlist import Shortlist, shortlist
from matcher.model.answers import answers, load, relations
from matcher.model.artefact import Model
from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from matcher.support_group import Group

MAX_LIMIT = 10
FIRST_YEAR, LAST_YEAR = 1970, 9000


@dataclass(frozen=True, slots=True)
class PairScore:
    """How one seeker and one candidate would accept each other. Forbidden is no number: with `gate` all is empty."""

    forward: float | None
    """Probability that the seeker accepts the candidate."""
    backward: float | None
    reciprocal: float | None
    """Geometric mean of both."""
    contributions: Mapping[str, Mapping[str, float]]
    """``forward`` and ``backward``: what ``base`` and each facet add to the logit."""
    gate: str | None
    """The first gate that forbids the pair."""


class Matcher:
    """Finds peers among members.

    Parameters
    ----------
    programme : Programme
    random_state : int
        Orders those who are exactly equal.

    Attributes
    ----------
    model_ : Model
    pool_ : Pool
    at_ : datetime
        The moment for which consents and weeks are read.

    Examples
    --------
    ``Matcher(programme).fit(members).match("m-000123", limit=5)``
    """

    def __init__(self, programme: Programme, *, random_state: int = 0) -> None:
        self.programme = programme
        self.random_state = random_state

    def fit(
        self,
        members: Iterable[Member],
        feedback: Iterable[Feedback] | None = None,
        at: datetime | None = None,
        circumstances: Circumstances | None = None,
    ) -> Matcher:
        """Learn from what happened, if anything did, and hold the members; return self.

        Parameters
        ----------
        members : iterable of Member
        feedback : iterable of Feedback, optional
            Without it the model is the prior. Pairs who declined or are connected are kept apart from then on, and
            connections take places.
        at : datetime, optional
            With a zone. Now, if left out.
        circumstances : Circumstances, optional
            Holds, blocks, declines, connections and loads.

        Raises
        ------
        PeermatchError
            If `at` has no zone, or two members have one id.
        """
        from matcher.release import fit_model  # noqa: PLC0415 - who only serves a model need not load what trains one

        events = list(feedback or ())
        profiles = self._profiles(members, at)
        model = fit_model(self.programme, list(profiles.values()), answers(events, self.programme, self.at_), self.at_)
        declined, connected = relations(events, self.at_)
        told = Circumstances(
            declined=declined, connected=connected, load=load(events, connected, self.at_, mutual=self.programme.mutual)
        )
        return self._hold(model, profiles, told | (circumstances or Circumstances()))

    @classmethod
    def from_model(
        cls,
        programme: Programme,
        model: Model,
        members: Iterable[Member],
        *,
        at: datetime | None = None,
        circumstances: Circumstances | None = None,
        random_state: int = 0,
    ) -> Matcher:
        """Return a matcher that serves `model`, without any learning."""
        matcher = cls(programme, random_state=random_state)
        return matcher._hold(model, matcher._profiles(members, at), circumstances or Circumstances())

    def _profiles(self, members: Iterable[Member], at: datetime | None) -> dict[str, ConsentedProfile]:
        self.at_ = datetime.now(UTC) if at is None else at
        if self.at_.tzinfo is None:
            raise PeermatchError("at: found a time without a zone; expected one with a zone, such as UTC")
        if not FIRST_YEAR <= self.at_.year <= LAST_YEAR:
            raise PeermatchError(f"at: found the year {self.at_.year}; expected {FIRST_YEAR} to {LAST_YEAR}")
        profiles: dict[str, ConsentedProfile] = {}
        for member in members:
            if member.member_id in profiles:
                raise PeermatchError("member_id: found twice among the members; expected each member once")
            profiles[member.member_id] = consented(member, self.programme, self.at_)
        return profiles

    def _hold(self, model: Model, profiles: dict[str, ConsentedProfile], circumstances: Circumstances) -> Matcher:
        key = f"{self.programme.id}:{self.random_state}".encode()
        self.model_ = model
        self._members = profiles
        self._circumstances = circumstances
        self.pool_ = Pool.build(self.programme, model.encoder, profiles.values(), self.at_, circumstances, key)
        return self

    def match(self, seeker: str | Member, limit: int | None = None) -> Shortlist:
        """Return the shortlist of one seeker.

        Parameters
        ----------
        seeker : str or Member
            An id among the members, or a member as they are now, known to the pool or not.
        limit : int, optional
            1 to 10; the programme's, if left out.

        Raises
        ------
        UnknownMemberError
            If the id is unknown.
        ConsentMissingError, SeekerError
            If the member's ``match_serve`` is off, or they are no seeker.
        PeermatchError
            If `limit` is out of range.
        """
        wanted = self._limit(limit)
        profile = self._profile(seeker)
        standing = self._circumstances.standing(profile.member_id)
        return shortlist([self.pool_], self.model_.affinity, profile, standing, wanted, self.model_.version)

    def rank_groups(
        self, seeker: str | Member, groups: Iterable[Group | GroupState], limit: int | None = None
    ) -> GroupShortlist:
        """Return the support groups for one seeker, as ``docs/reference/groups.md`` ranks them.

        Parameters
        ----------
        seeker : str or Member
            As in `match`.
        groups : iterable of Group or GroupState
            Of a `Group` its record tells who is in it, now and when the week began.
        limit : int, optional
            As in `match`.

        Raises
        ------
        UnknownMemberError, ConsentMissingError, SeekerError, PeermatchError
            As in `match`.
        """
        wanted = self._limit(limit)
        profile = self._profile(seeker)
        standing = self._circumstances.standing(profile.member_id)
        states = [group if isinstance(group, GroupState) else GroupState.of(group) for group in groups]
        model = self.model_
        topics = Topics.of(self.programme, model.encoder, [state.group for state in states])
        return rank_groups([self.pool_], topics, model.affinity, profile, standing, states, wanted, model.version)

    def score(self, seeker: str | Member, candidate: str) -> PairScore:
        """Return how a pair would accept each other, with what each facet adds, or the gate that forbids it.

        Raises
        ------
        UnknownMemberError
            If either is unknown.
        PeermatchError
            If both are the same.
        """
        profile, other = self._profile(seeker), self._profile(candidate)
        if other.member_id not in self._members:
            raise UnknownMemberError("candidate: no such member in this programme")
        if profile.member_id == other.member_id:
            raise PeermatchError("candidate: found the seeker; expected somebody else")
        gate = forbids_seeking(profile, self.programme)
        standing = self._circumstances.standing(profile.member_id)
        whom = None if gate else Seeker.of(profile, self.pool_, standing)
        if whom is not None:
            gate = gates.first_gate(self.pool_, whom, other.member_id)
        if gate or whom is None:
            return PairScore(None, None, None, {}, gate)
        row = self.pool_.find(other.member_id)
        assert row is not None  # or a gate would forbid the pair
        return self._scored(whom, row)

    def _scored(self, seeker: Seeker, row: int) -> PairScore:
        scored = score(self.pool_, self.model_.affinity, seeker, np.array([row]))
        nothing = dict.fromkeys(self.programme.features, 0.0)
        base = [{"base": float(intercept), **nothing} for intercept in self.model_.affinity.intercept_]
        for part in scored.parts:
            base[part.direction][part.facet] = float(part.weighted[0])
        p = [float(1.0 / (1.0 + np.exp(-logit[0]))) for logit in (scored.forward, scored.backward)]
        contributions = {"forward": base[FORWARD], "backward": base[BACKWARD]}
        return PairScore(p[0], p[1], float(scored.reciprocal[0]), contributions, None)

    def _limit(self, limit: int | None) -> int:
        wanted = self.programme.limit if limit is None else limit
        if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= MAX_LIMIT:
            raise PeermatchError(f"limit: found {shown(limit)}; expected a whole number from 1 to {MAX_LIMIT}")
        return wanted

    def _profile(self, who: str | Member) -> ConsentedProfile:
        if not hasattr(self, "pool_"):
            raise PeermatchError("the matcher holds no members yet; call fit, or make it with from_model")
        if isinstance(who, Member):
            return consented(who, self.programme, self.at_)
        if not isinstance(who, str) or who not in self._members:
            raise UnknownMemberError("member_id: no such member in this programme")
        return self._members[who]
