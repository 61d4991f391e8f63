"""What an introduction is: two members, a state, and every step that led there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from matcher.introduction_table import (
    ACCEPT,
    ACCEPTED,
    CONNECTED,
    COORDINATOR,
    DECLINE,
    END,
    ENDED,
    FINAL,
    OFFERED,
    OPEN,
    PROPOSED,
    REJECT,
    REMATCH,
    RESUME,
    SEEKER,
    SIDES,
    SUSPEND,
    WITHDRAW,
    TransitionError,
)

CLOSED: Final = "closed"
"""What a side is told of every end before a connection that is not its own doing."""
PAUSED: Final = "paused"
"""What both sides are told while it is suspended."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an introduction's history."""

    act: str
    """One of `ACTS`."""
    by: str
    """One of `PARTIES`."""
    before: str | None
    """The state that it left; None: it is the first."""
    state: str
    """The state that followed, which may be the same."""
    at: datetime
    """When, in UTC."""
    until: datetime | None = None
    """From when on it would then have lapsed by itself; None: never."""
    reason: str | None = None
    """One of `REASONS` of the act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """One introduction. Made by `propose`, moved by `advance` and `let_time_pass`, read back by `replay`."""

    seeker: str = field(repr=False)
    candidate: str = field(repr=False)
    by: str
    """Who proposed it: ``seeker`` or ``coordinator``."""
    state: str
    """One of `STATES`."""
    yes: frozenset[str]
    """The sides that said yes; to propose is one."""
    since: datetime
    """When it came to its state, in UTC."""
    until: datetime | None
    """From when on it has lapsed, in UTC; None: never by itself."""
    suspended: bool
    """Whether a report waits for a coordinator: until then nothing goes on. That a side leaves lifts no report."""
    history: tuple[Step, ...]
    """Oldest first, never empty."""
    reason: str | None
    """Why it ended or was rejected, as was told last; None: not told."""

    @property
    def offered_at(self) -> datetime | None:
        """When it was offered, and first took a place; None: it never was."""
        return self._came_to(OFFERED)

    @property
    def connected_at(self) -> datetime | None:
        """When the two were connected; None: they never were."""
        return self._came_to(CONNECTED)

    @property
    def closing(self) -> Step | None:
        """The step that ended it; None: it goes on. Steps after it only make a report, or close one."""
        return next((step for step in self.history if step.state in FINAL), None)

    @property
    def reported(self) -> bool:
        """Whether it was suspended, and no coordinator has since found that nothing is against it."""
        return next((step.act == SUSPEND for step in self.history[::-1] if step.act in {SUSPEND, RESUME}), False)

    def _came_to(self, state: str) -> datetime | None:
        return next((step.at for step in self.history if step.state == state), None)


def first(seeker: str, candidate: str, step: Step) -> Introduction:
    """Return the introduction that begins with `step`."""
    return Introduction(
        seeker=seeker,
        candidate=candidate,
        by=step.by,
        state=step.state,
        yes=frozenset({SEEKER} if step.by == SEEKER else ()),
        since=step.at,
        until=step.until,
        suspended=False,
        history=(step,),
        reason=None,
    )


def after(introduction: Introduction, step: Step) -> Introduction:
    """Return `introduction` after one more `step`, allowed or not."""
    moved = step.state != introduction.state
    return replace(
        introduction,
        state=step.state,
        yes=introduction.yes | {step.by} if step.act == ACCEPT else introduction.yes,
        since=step.at if moved else introduction.since,
        until=step.until,
        suspended=step.act == SUSPEND or (introduction.suspended and not _looked_at(step)),
        history=(*introduction.history, step),
        reason=step.reason or introduction.reason,
    )


def _looked_at(step: Step) -> bool:
    """Whether `step` is what a coordinator decided on a report."""
    return step.by == COORDINATOR and step.act in {RESUME, REJECT, END, REMATCH}


def side_of(introduction: Introduction, member_id: str) -> str:
    """Return on which side a member is, ``seeker`` or ``candidate``; raise TransitionError for anybody else."""
    for side, own in zip(SIDES, (introduction.seeker, introduction.candidate), strict=True):
        if member_id == own:
            return side
    raise TransitionError(
        "member: found somebody on neither side of this introduction; expected its seeker or its candidate. "
        "Ask for an introduction of this member's own"
    )


def seen_by(introduction: Introduction, side: str) -> str | None:
    """Return what one side's app is told of the state.

    Of every end before a connection that is not its own doing a side hears ``closed``: who declined, who took it back,
    what a coordinator rejected and what lapsed look alike. Nor does either side hear of the other's yes before both
    have said it: who has not answered reads ``offered``, who has reads ``accepted``. While it is suspended both read
    ``paused``. Coordinators read `Introduction.state`.

    Parameters
    ----------
    introduction : Introduction
        As time has left it: see `let_time_pass`.
    side : str
        ``seeker`` or ``candidate``.

    Returns
    -------
    str or None
        ``proposed``, ``in_review``, ``offered``, ``accepted``, ``paused``, ``connected``, ``declined`` or
        ``withdrawn`` (by this side), ``ended`` (by this side, or after a connection) or ``closed``; None: this side was
        never told of it.

    Raises
    ------
    TransitionError
        If `side` is neither.
    """
    if side not in SIDES:
        raise TransitionError("side: found neither of the two; expected seeker or candidate")
    if introduction.offered_at is None and side != SEEKER and not _own(introduction, side):
        return None
    if introduction.state in OPEN or introduction.state == CONNECTED:
        return PAUSED if introduction.suspended else _going(introduction, side)
    if _own(introduction, side):
        return introduction.state
    return ENDED if introduction.connected_at else CLOSED


def seen_since(introduction: Introduction, side: str) -> datetime:
    """Return since when it is what a side reads. That the other side said yes meanwhile moves nothing of it."""
    unmoved = introduction.state == ACCEPTED and side not in introduction.yes
    return (introduction.offered_at if unmoved else None) or introduction.since


def _own(introduction: Introduction, side: str) -> bool:
    """Whether it is over by this side's own no: it declined, took it back, or ended it."""
    last = introduction.closing
    return last is not None and last.by == side and last.act in {DECLINE, WITHDRAW, END}


def _going(introduction: Introduction, side: str) -> str:
    if introduction.by == COORDINATOR and introduction.state not in {PROPOSED, CONNECTED}:
        return ACCEPTED if side in introduction.yes else OFFERED
    return introduction.state
