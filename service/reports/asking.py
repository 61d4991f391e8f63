"""What is asked of a report: of which programme, as of when, and about which days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from matcher.consent import fold
from matcher.people import Member
from matcher.programme import Programme
from service.store.hot import Transaction
from service.store.moments import micros, start_of

DAY: Final = 86_400_000_000
"""µs."""


@dataclass(frozen=True)
class Period:
    """Some UTC days."""

    first: date | None = None
    """None: from the start."""
    last: date | None = None
    """Included; None: up to now."""

    def has(self, at: int) -> bool:
        """Whether a moment, µs since 1970, is in it."""
        begun = self.first is None or at >= start_of(self.first.toordinal())
        return begun and (self.last is None or at < start_of(self.last.toordinal() + 1))


@dataclass(frozen=True)
class Asking:
    """One question for a report, within one read transaction."""

    reader: Transaction
    programme: Programme
    now: datetime
    period: Period = Period()

    @property
    def at(self) -> int:
        """Now, in µs since 1970."""
        return micros(self.now)

    def allows(self, member: Member, purpose: str) -> bool:
        """Whether a purpose of a member's is on now."""
        minor = member.age_band in self.programme.minors
        return fold(member.consents, self.programme, self.now, minor=minor).on(purpose)
