"""What is allowed now: the fold of a member's consent events, and the only profile that matching may see.

`consented` is the one way from `Member` to the encoder. What it returns holds nothing that consent does not cover, so
that whatever is computed from it cannot depend on the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

from matcher.consent_events import ConsentEvent
from matcher.consent_words import DECISIONS, EXPIRED, MATCHING_PURPOSES, PURPOSES, SUPERSEDED
from matcher.errors import PeermatchError
from matcher.facets.base import Facet, Side, Value, Want
from matcher.people import Member
from matcher.programme import Programme

__all__ = [
    "DECISIONS",
    "PURPOSES",
    "ConsentEvent",
    "ConsentState",
    "ConsentedProfile",
    "View",
    "check_moment",
    "consented",
    "deciding",
    "fold",
    "guarded_purposes",
]

Covered: TypeAlias = frozenset[str] | None
"""The facets that a grant covers; None: all."""

_MAKER: Final = object()
_UNKNOWN: Final = tuple(Side(importance=importance) for importance in range(4))


@dataclass(frozen=True, slots=True)
class ConsentState:
    """Which purposes are on for one member at one moment, and for which facets."""

    grants: Mapping[str, Covered] = field(default_factory=dict)
    """What each purpose that is on covers. Shared between members, never to be changed."""

    def on(self, purpose: str) -> bool:
        """Whether `purpose` is on."""
        return purpose in self.grants

    def covers(self, purpose: str, facet: str) -> bool:
        """Whether `purpose` is on and covers `facet`."""
        if purpose not in self.grants:
            return False
        covered = self.grants[purpose]
        return covered is None or facet in covered


@dataclass(frozen=True, slots=True)
class View:
    """What of one member may be known for one purpose: all facets outside it are as if never written."""

    values: Mapping[str, Value]
    wants: Mapping[str, Want]

    def side(self, facet: Facet, age_band: str | None) -> Side:
        """Return `facet` of this view, its importance resolved. `age_band` is the value of a facet with a source."""
        value = self.values.get(facet.name) if facet.source is None else age_band
        want = self.wants.get(facet.name)
        if want is None:
            return _UNKNOWN[facet.importance] if value is None else Side(value, facet.importance)
        importance = facet.importance if want.importance is None else want.importance
        return Side(value, importance, want.prefer, want.avoid)

    def sides(self, programme: Programme, age_band: str | None) -> dict[str, Side]:
        """Return the side of every facet of `programme`, by name."""
        return {name: self.side(facet, age_band) for name, facet in programme.facets.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentedProfile:
    """What matching may see of a member. Made by `consented` alone; anything else raises TypeError."""

    programme_id: str
    member_id: str
    roles: frozenset[str]
    age_band: str | None
    """None also where neither view is allowed."""
    capacity: int
    vetted: bool
    agreements: frozenset[str]
    state: ConsentState
    seeking: View | None
    """How the member is known while seeking; None: ``match_serve`` is off."""
    shown: View | None
    """How the member is known as somebody's candidate; None: ``be_shown_as_peer`` is off."""
    training: tuple[View | None, View | None]
    """Both views, narrowed to what ``train_model`` covers too."""
    maker: InitVar[object] = None

    def __post_init__(self, maker: object) -> None:
        if maker is not _MAKER:
            raise TypeError("a ConsentedProfile is made by matcher.consent.consented, which folds the consents")


def fold(events: Iterable[ConsentEvent], programme: Programme, at: datetime, minor: bool = False) -> ConsentState:
    """Return what is on at the moment `at`.

    A purpose is on iff its latest event is a grant under the current policy version and ``event.at ≤ at <
    valid_until``: see `deciding`. An event in the future may be the latest too, and is not yet on.

    Parameters
    ----------
    events : iterable of ConsentEvent
        In the order of the record.
    programme : Programme
        Tells the current policy version, and how minors are treated.
    at : datetime
        With an offset.
    minor : bool
        Whether the member is one: with ``minors_policy = "separate"`` both matching purposes then need `guardian`.

    Raises
    ------
    PeermatchError
        If `at` has no offset.
    """
    check_moment(at)
    guarded = guarded_purposes(programme, minor)
    grants = [
        (purpose, event.categories)
        for purpose, event in deciding(events).items()
        if event.decision == "given"
        and event.policy_version == programme.policy_version
        and event.at <= at
        and (event.valid_until is None or at < event.valid_until)
        and not (purpose in guarded and event.guardian is None)
    ]
    return _state(frozenset(grants))


def deciding(events: Iterable[ConsentEvent]) -> dict[str, ConsentEvent]:
    """Return the event that counts for each purpose that has one: the latest that decides anything.

    The latest is the one with the latest ``at``; at the same instant what is refused or withdrawn counts as later than
    a grant, otherwise the later in `events`. That one has expired ends what was decided before it in `events`, up to
    its ``at``, and nothing behind it: a clock that ran ahead may have dated it in the future. That a policy is
    superseded decides nothing.
    """
    latest: dict[str, ConsentEvent] = {}
    of_people: dict[str, ConsentEvent] = {}
    for event in events:
        if event.decision == SUPERSEDED:
            continue
        before = of_people.get(event.purpose)
        if event.decision == EXPIRED:
            if before is None or event.at >= before.at:
                latest[event.purpose] = event
        elif before is None or _later(event, before):
            latest[event.purpose] = of_people[event.purpose] = event
    return latest


def guarded_purposes(programme: Programme, minor: bool) -> frozenset[str]:
    """Return the purposes for which a grant needs `guardian`; `minor` tells whether the member is one."""
    return MATCHING_PURPOSES if minor and programme.minors_policy == "separate" else frozenset()


def check_moment(at: datetime) -> None:
    """Refuse a moment without an offset; raise PeermatchError."""
    if at.tzinfo is None:
        raise PeermatchError(f"at: found {at.isoformat()} without an offset; expected an aware datetime, e.g. in UTC")


def _later(event: ConsentEvent, before: ConsentEvent) -> bool:
    """Whether `event` counts as later than `before`, which stands before it in the record."""
    if event.at == before.at:
        return event.decision != "given" or before.decision == "given"
    return event.at > before.at


@lru_cache(maxsize=4096)
def _state(grants: frozenset[tuple[str, Covered]]) -> ConsentState:
    """Return the one state with these grants: most members of a programme share a few."""
    return ConsentState(dict(sorted(grants, key=lambda grant: grant[0])))


def consented(member: Member, programme: Programme, at: datetime) -> ConsentedProfile:
    """Return what matching may see of `member` at the moment `at`; strata are never among it.

    Of a member of another programme nothing is known but that.
    """
    state = fold(member.consents, programme, at, minor=member.age_band in programme.minors)
    if member.programme_id != programme.id:
        state = _state(frozenset())
    seeking, shown = _views(member, state, programme)
    return ConsentedProfile(
        programme_id=member.programme_id,
        member_id=member.member_id,
        roles=member.roles,
        age_band=None if seeking is None and shown is None else member.age_band,
        capacity=member.capacity,
        vetted=member.vetted,
        agreements=member.agreements,
        state=state,
        seeking=seeking,
        shown=shown,
        training=_training(seeking, shown, state, programme),
        maker=_MAKER,
    )


def _views(member: Member, state: ConsentState, programme: Programme) -> tuple[View | None, View | None]:
    """Return the seeking and the shown view: one object where both grants cover the same."""
    grants = state.grants
    whole = View(member.profile, member.wants)
    seeking = _narrowed(whole, grants["match_serve"], programme) if "match_serve" in grants else None
    if "be_shown_as_peer" not in grants:
        return seeking, None
    if seeking is not None and grants["match_serve"] == grants["be_shown_as_peer"]:
        return seeking, seeking
    return seeking, _narrowed(whole, grants["be_shown_as_peer"], programme)


def _training(
    seeking: View | None, shown: View | None, state: ConsentState, programme: Programme
) -> tuple[View | None, View | None]:
    if not state.on("train_model"):
        return None, None
    covered = state.grants["train_model"]
    first = None if seeking is None else _narrowed(seeking, covered, programme)
    if shown is seeking:
        return first, first
    return first, None if shown is None else _narrowed(shown, covered, programme)


def _narrowed(view: View, covered: Covered, programme: Programme) -> View:
    """Return `view` without what `covered` does not cover. Facets with a source are in every view."""
    if covered is None:
        return view
    return View(
        {facet: value for facet, value in view.values.items() if facet in covered},
        {facet: want for facet, want in view.wants.items() if facet in covered or facet in programme.sourced},
    )
