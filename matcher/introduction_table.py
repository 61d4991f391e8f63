"""The states of an introduction, and the one table of who may do what in which: everything else reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from matcher.errors import PeermatchError

SEEKER, CANDIDATE, COORDINATOR, SERVICE = "seeker", "candidate", "coordinator", "service"
SIDES = (SEEKER, CANDIDATE)
PARTIES = (*SIDES, COORDINATOR, SERVICE)
"""Who acts in an introduction."""
PROPOSERS = (SEEKER, COORDINATOR)

PROPOSED, IN_REVIEW, OFFERED, ACCEPTED, CONNECTED = "proposed", "in_review", "offered", "accepted", "connected"
DECLINED, REJECTED, EXPIRED, WITHDRAWN, ENDED = "declined", "rejected", "expired", "withdrawn", "ended"
STATES = (PROPOSED, IN_REVIEW, OFFERED, ACCEPTED, CONNECTED, DECLINED, REJECTED, EXPIRED, WITHDRAWN, ENDED)

OPEN = frozenset({PROPOSED, IN_REVIEW, OFFERED, ACCEPTED})
"""States in which it is not yet known whether the two come together."""
HOLDING = frozenset({OFFERED, ACCEPTED, CONNECTED})
"""States that take a place of the candidate, in a mutual programme of both sides."""
FINAL = frozenset(STATES) - OPEN - {CONNECTED}
"""States that nothing leaves. A report can still be made in them, and looked at."""

PROPOSE, REVIEW, OFFER, APPROVE, REJECT = "propose", "review", "offer", "approve", "reject"
ACCEPT, CONNECT, DECLINE, WITHDRAW, EXPIRE = "accept", "connect", "decline", "withdraw", "expire"
END, REMATCH, SUSPEND, RESUME = "end", "rematch", "suspend", "resume"
ACTS = (
    PROPOSE,
    REVIEW,
    OFFER,
    APPROVE,
    REJECT,
    ACCEPT,
    CONNECT,
    DECLINE,
    WITHDRAW,
    EXPIRE,
    END,
    REMATCH,
    SUSPEND,
    RESUME,
)

END_REASONS = ("finished", "no_contact", "not_a_fit", "bereavement", "moved", "other", "safety")
REASONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {END: END_REASONS, REMATCH: END_REASONS, REJECT: ("not_a_fit", "safety", "other")}
)
"""The reasons that an act may have, by act. The others have none: why somebody says no is theirs."""


class TransitionError(PeermatchError):
    """An act that is not allowed now. Its message holds no id, and tells a side nothing of the other's answer."""

    title = "The introduction does not allow this now"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    who: frozenset[str]
    """Those of `PARTIES` who may act."""
    state: str
    """The state that follows."""


def _row(state: str, *who: str) -> Row:
    return Row(frozenset(who), state)


GOING: Mapping[tuple[str, str], Row] = {
    (PROPOSED, REVIEW): _row(IN_REVIEW, SERVICE),
    (PROPOSED, OFFER): _row(OFFERED, SERVICE),
    (PROPOSED, DECLINE): _row(DECLINED, *SIDES),
    (PROPOSED, WITHDRAW): _row(WITHDRAWN, SEEKER, SERVICE),
    (IN_REVIEW, APPROVE): _row(OFFERED, COORDINATOR),
    (IN_REVIEW, REJECT): _row(REJECTED, COORDINATOR),
    (IN_REVIEW, DECLINE): _row(DECLINED, *SIDES),
    (IN_REVIEW, WITHDRAW): _row(WITHDRAWN, SEEKER, SERVICE),
    (IN_REVIEW, EXPIRE): _row(EXPIRED, SERVICE),
    (IN_REVIEW, SUSPEND): _row(IN_REVIEW, COORDINATOR, SERVICE),
    (OFFERED, ACCEPT): _row(ACCEPTED, *SIDES),
    (OFFERED, DECLINE): _row(DECLINED, *SIDES),
    (OFFERED, WITHDRAW): _row(WITHDRAWN, SEEKER, SERVICE),
    (OFFERED, EXPIRE): _row(EXPIRED, SERVICE),
    (OFFERED, END): _row(ENDED, COORDINATOR, SERVICE),
    (OFFERED, SUSPEND): _row(OFFERED, COORDINATOR, SERVICE),
    (ACCEPTED, ACCEPT): _row(ACCEPTED, *SIDES),
    (ACCEPTED, CONNECT): _row(CONNECTED, SERVICE),
    (ACCEPTED, DECLINE): _row(DECLINED, *SIDES),
    (ACCEPTED, WITHDRAW): _row(WITHDRAWN, SEEKER, SERVICE),
    (ACCEPTED, EXPIRE): _row(EXPIRED, SERVICE),
    (ACCEPTED, END): _row(ENDED, *PARTIES),
    (ACCEPTED, SUSPEND): _row(ACCEPTED, COORDINATOR, SERVICE),
    (CONNECTED, END): _row(ENDED, *PARTIES),
    (CONNECTED, REMATCH): _row(ENDED, *SIDES, COORDINATOR),
    (CONNECTED, SUSPEND): _row(CONNECTED, COORDINATOR, SERVICE),
    **{(state, SUSPEND): _row(state, COORDINATOR, SERVICE) for state in STATES if state in FINAL},
}
"""By state and act, while it is not suspended. What is not here is not allowed."""

SUSPENDED: Mapping[tuple[str, str], Row] = {
    (IN_REVIEW, RESUME): _row(IN_REVIEW, COORDINATOR),
    (IN_REVIEW, REJECT): _row(REJECTED, COORDINATOR),
    (IN_REVIEW, WITHDRAW): _row(WITHDRAWN, SEEKER, SERVICE),
    (OFFERED, RESUME): _row(OFFERED, COORDINATOR),
    (OFFERED, WITHDRAW): _row(WITHDRAWN, SEEKER, SERVICE),
    (OFFERED, END): _row(ENDED, *PARTIES),
    (ACCEPTED, RESUME): _row(ACCEPTED, COORDINATOR),
    (ACCEPTED, WITHDRAW): _row(WITHDRAWN, SEEKER, SERVICE),
    (ACCEPTED, END): _row(ENDED, *PARTIES),
    (CONNECTED, RESUME): _row(CONNECTED, COORDINATOR),
    (CONNECTED, END): _row(ENDED, *PARTIES),
    (CONNECTED, REMATCH): _row(ENDED, *SIDES, COORDINATOR),
    **{(state, act): _row(state, COORDINATOR) for state in STATES if state in FINAL for act in (RESUME, END)},
}
"""The same while it is suspended. What is over stays in its state: a coordinator only closes the report, so that the
two may meet again as they otherwise might (resume), or not (end)."""


def takes_place(state: str) -> bool:
    """Return whether an introduction in `state` takes a place, suspended or not."""
    return state in HOLDING
