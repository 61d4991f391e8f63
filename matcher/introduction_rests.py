"""When a supporter rests, when two may be introduced again, and when something next happens by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from matcher.introduction_record import Introduction
from matcher.introduction_table import ENDED, EXPIRED, REMATCH, SEEKER, WITHDRAWN
from matcher.programme_introductions import Introductions

WEEK = timedelta(days=7)
LOSS = "bereavement"
APART = frozenset({"not_a_fit", "safety"})
"""Reasons of an end after which two are not introduced again."""


@dataclass(frozen=True, slots=True)
class Past:
    """What of one introduction of a supporter makes them rest."""

    offered_at: datetime | None
    """When it was offered; None: never."""
    ended_at: datetime | None = None
    """When the connection that came of it ended; None: it has not, or none came of it."""
    reason: str | None = None
    """Why it ended."""


def past_of(introduction: Introduction) -> Past:
    """Return what of `introduction` makes its supporter rest."""
    closing = introduction.closing
    if closing is not None and closing.state == ENDED and introduction.connected_at:
        return Past(introduction.offered_at, closing.at, closing.reason)
    return Past(introduction.offered_at)


def rests_until(past: Iterable[Past], rules: Introductions, at: datetime) -> datetime | None:
    """Return until when a supporter gets no new offers; None: they may have one at the moment `at`.

    A supporter rests `cool_down_days` after a connection of theirs ended, `after_loss_days` if a bereavement ended it,
    and while `per_week` offers are less than 7 days old, whatever became of them.

    Parameters
    ----------
    past : iterable of Past
        Of all introductions that were offered to them, in any order.
    rules : Introductions
        Tells the days.
    at : datetime
        With an offset.
    """
    told = list(past)
    ends = [end for one in told if (end := _rest_end(one, rules)) is not None]
    if rules.per_week is not None:
        offers = sorted((one.offered_at for one in told if one.offered_at is not None), reverse=True)
        ends += [offer + WEEK for offer in offers[rules.per_week - 1 : rules.per_week]]
    return max((end for end in ends if end > at), default=None)


def due(introduction: Introduction, rules: Introductions, at: datetime) -> datetime | None:
    """Return the next moment at which something of `introduction` happens by itself; None: nothing will.

    It lapses (that moment is told until it is noted, even where it has passed), its offer is a week old, or the rest
    after it ends. The latter two are told while they are to come; then see `rests_until` anew.
    """
    past = past_of(introduction)
    return min(_moments(introduction, past, rules, at), default=None)


def again_from(introduction: Introduction, rules: Introductions) -> datetime | None:
    """Return from when on its two members may be introduced again; None: never, or not while it goes on.

    Never where one declined, a coordinator rejected it, a rematch was asked for, it ended because they are no fit or
    for safety, or a report was made of which no coordinator has found that nothing is against it. `again_days` after it
    expired, or the seeker took back what was offered. At once after any other end.
    """
    last = introduction.closing
    if last is None or introduction.reported:
        return None
    if introduction.state in {EXPIRED, WITHDRAWN}:
        taken_back = last.by == SEEKER and introduction.offered_at is not None
        days = rules.again_days if introduction.state == EXPIRED or taken_back else 0
        return introduction.since + timedelta(days=days)
    if introduction.state == ENDED and last.act != REMATCH and last.reason not in APART:
        return introduction.since
    return None


def _rest_end(past: Past, rules: Introductions) -> datetime | None:
    if past.ended_at is None:
        return None
    loss = rules.after_loss_days if past.reason == LOSS else 0
    return past.ended_at + timedelta(days=max(rules.cool_down_days, loss))


def _moments(introduction: Introduction, past: Past, rules: Introductions, at: datetime) -> Iterator[datetime]:
    if introduction.until is not None:
        yield introduction.until
    end = _rest_end(past, rules)
    if end is not None and end > at:
        yield end
    if past.offered_at is not None and rules.per_week is not None and past.offered_at + WEEK > at:
        yield past.offered_at + WEEK
