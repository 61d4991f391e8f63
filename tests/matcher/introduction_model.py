"""Introductions a second time, from docs/reference/introductions.md: sets and sentences, nothing of the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from matcher.programme_introductions import Introductions

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
RULES = Introductions(
    offer_days=7, review_days=14, open_at_once=1, per_week=2, cool_down_days=7, after_loss_days=90, again_days=30
)
EVERYBODY = {"seeker", "candidate", "coordinator", "service"}
WORDS = {"propose", "review", "offer", "approve", "reject", "accept", "connect", "decline", "withdraw", "expire"} | {
    "end",
    "rematch",
    "suspend",
    "resume",
}
BECOMES = {
    "approve": "offered",
    "reject": "rejected",
    "decline": "declined",
    "withdraw": "withdrawn",
    "end": "ended",
    "rematch": "ended",
}


@dataclass
class Naive:
    """One introduction, changed in place."""

    proposer: str
    reviewed: bool
    at: datetime
    state: str = "offered"
    yes: set[str] = field(default_factory=set)
    suspended: bool = False
    until: datetime | None = None
    left: timedelta | None = None

    def __post_init__(self) -> None:
        if self.proposer == "seeker":
            self.yes.add("seeker")
        if self.proposer == "seeker" and self.reviewed:
            self.state, self.until = "in_review", self.at + 14 * DAY
        else:
            self.until = self.at + 7 * DAY

    def open_(self) -> bool:
        return self.state in {"in_review", "offered", "accepted"}

    def may(self) -> set[tuple[str, str]]:
        """Every (act, by) that is allowed now, time aside."""
        silent = {"seeker", "candidate"} - self.yes
        answered = {"seeker", "candidate"} & self.yes
        may: dict[str, set[str]] = {word: set() for word in WORDS}
        if self.open_():
            may["withdraw"] = {"seeker", "service"}
        if self.state == "connected":
            may["end"] = set(EVERYBODY)
            may["rematch"] = EVERYBODY - {"service"}
        if self.suspended:
            may["resume"] = {"coordinator"}
            if self.state == "in_review":
                may["reject"] = {"coordinator"}
            else:
                over = not self.open_() and self.state != "connected"
                may["end"] = {"coordinator"} if over else set(EVERYBODY)
        else:
            may["suspend"] = {"coordinator", "service"}
        if self.open_() and not self.suspended:
            may["decline"] = silent
            if self.state == "in_review":
                may["approve"] = may["reject"] = {"coordinator"}
            else:
                may["accept"] = silent
                may["end"] = {"coordinator", "service"} | (answered if self.state == "accepted" else set())
        return {(act, by) for act, who in may.items() for by in who}

    def lapse(self, at: datetime) -> bool:
        """Expire if its time has come; return whether it did."""
        if self.open_() and not self.suspended and self.until is not None and at >= self.until:
            self.state, self.at, self.until = "expired", self.until, None
            return True
        return False

    def do(self, act: str, by: str, at: datetime) -> bool:
        """Act; return whether it was allowed."""
        at = max(at, self.at)
        lapsed = self.lapse(at)
        if (act, by) == ("expire", "service"):
            return lapsed
        if (act, by) not in self.may():
            return False
        self.at = at
        self._change(act, by, at)
        return True

    def _change(self, act: str, by: str, at: datetime) -> None:
        if act == "suspend":
            self.suspended = True
            self.left = None if self.until is None else self.until - at
            self.until = None
        elif act == "resume":
            self.suspended = False
            self.until = at + self.left if self.open_() and self.left is not None else None
        elif act == "accept":
            self.yes.add(by)
            self.state = "connected" if len(self.yes) == 2 else "accepted"
            self.until = None if len(self.yes) == 2 else self.until
        else:
            over = not self.open_() and self.state != "connected"
            self.state = self.state if over else BECOMES[act]
            self.suspended = self.suspended and by != "coordinator"
            self.until = at + 7 * DAY if act == "approve" else None
