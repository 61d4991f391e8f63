"""Whether somebody may do something in an introduction now, and if not, why, in words that they may hear."""

from __future__ import annotations

from matcher.errors import nearest, shown
from matcher.introduction_record import Introduction, seen_by
from matcher.introduction_table import (
    ACCEPT,
    ACCEPTED,
    ACTS,
    CONNECT,
    DECLINE,
    END,
    EXPIRE,
    FINAL,
    GOING,
    OPEN,
    PARTIES,
    REASONS,
    SIDES,
    SUSPENDED,
    Row,
    TransitionError,
)


def row_of(introduction: Introduction, act: str) -> Row | None:
    """Return the line of the table for an act in the present state; None: there is none."""
    return (SUSPENDED if introduction.suspended else GOING).get((introduction.state, act))


def refusal(introduction: Introduction, act: str, by: str) -> str | None:
    """Return what stands against an act, as the one who acts may know it; None: nothing."""
    row = row_of(introduction, act)
    said = by in introduction.yes
    if by in SIDES and said and act in {ACCEPT, DECLINE} and introduction.state in OPEN and not introduction.suspended:
        return f"that the {by} has said yes already"
    # Who has not answered may not read off the state that the other side has: to both states there is one answer.
    early = act == END and introduction.state == ACCEPTED and not introduction.suspended and by in SIDES and not said
    if row is None or by not in row.who or early:
        return f"an introduction that is {_told(introduction, by)}"
    if act == EXPIRE:
        return "that it has not lapsed yet"
    if act == CONNECT and not introduction.yes.issuperset(SIDES):
        return "that not both have said yes"
    return None


def _told(introduction: Introduction, by: str) -> str:
    """Return the state in the words that `by` may hear."""
    if by in SIDES:
        return seen_by(introduction, by) or "not offered to them"
    return introduction.state + (", and suspended" if introduction.suspended else "")


def way_out(introduction: Introduction, by: str) -> str:
    """Return what `by` may do instead, for a message."""
    acts = ", ".join(act for act in ACTS if refusal(introduction, act, by) is None)
    if introduction.state in FINAL and (by in SIDES or not introduction.suspended):
        return "it is over. The seeker may choose somebody else"
    if introduction.suspended:
        return f"allowed now for the {by}: {acts or 'nothing'}. A coordinator looks at it, and resumes or ends it"
    hint = "Choose one of these" if acts else "Wait for an answer"
    return f"allowed now for the {by}: {acts or 'nothing'}. {hint}"


def check_words(act: str, by: str, reason: str | None) -> None:
    """Refuse words that no introduction knows. A reason is not repeated: it may be somebody's own words."""
    if act not in ACTS:
        raise TransitionError(f"act: found {shown(act)}; expected one of {', '.join(ACTS)}{nearest(act, ACTS)}")
    if by not in PARTIES:
        raise TransitionError(f"by: found somebody who takes no part; expected one of {', '.join(PARTIES)}")
    reasons = REASONS.get(act, ())
    if reason is not None and reason not in reasons:
        expected = f"one of {', '.join(reasons)}, or none" if reasons else f"none: {act} has no reason"
        raise TransitionError(f"reason: found another; expected {expected}")
