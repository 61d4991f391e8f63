"""How long a programme keeps what it no longer needs: the `[retention]` table of its file."""

from __future__ import annotations

from dataclasses import dataclass

from matcher.config import Table
from matcher.programme_introductions import Introductions
from matcher.programme_numbers import bound

REPORTED = 182
"""Days after which reports ask last whether a connection goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days after which something is deleted; None: never."""

    lists_days: int | None
    """Lists, after they were made."""
    feedback_days: int | None
    """Feedback and answers, after they were told."""
    introductions_days: int | None
    """Introductions, after they were over."""
    events_days: int | None
    """Events, after they happened."""
    audit_days: int | None
    """Entries of the audit log, after they were written."""
    without_consent_days: int | None
    """Members, after the last day on which a purpose was on."""


def read_retention(root: Table, censor_days: int, introductions: Introductions) -> Retention:
    """Return what `[retention]` says.

    Lists are kept for as long as budgets look back at them (30 days), and feedback for longer than an answer may take
    (`censor_days`): what is deleted before that would be counted wrongly. So it is with introductions, which tell who
    rests, when two may be introduced again, and what became of a connection.
    """
    table = root.table("retention", optional=True)
    answered = censor_days + 1
    rested = 1 + max(REPORTED, introductions.cool_down_days, introductions.after_loss_days, introductions.again_days)
    retention = Retention(
        lists_days=bound(table, "lists_days", 400, minimum=31),
        feedback_days=bound(table, "feedback_days", max(1095, answered), minimum=answered),
        introductions_days=bound(table, "introductions_days", max(730, rested), minimum=rested),
        events_days=bound(table, "events_days", 90, minimum=30),
        audit_days=bound(table, "audit_days", 1095, minimum=90),
        without_consent_days=bound(table, "without_consent_days", 730, minimum=30),
    )
    table.finish()
    return retention
