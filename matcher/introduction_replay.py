"""An introduction read back from its history, which must be one that can have happened."""

from __future__ import annotations

from collections.abc import Iterable

from matcher.introduction_record import Introduction, Step, after, first
from matcher.introduction_refusals import refusal, row_of
from matcher.introduction_table import EXPIRE, OPEN, PROPOSE, PROPOSED, PROPOSERS, REASONS, TransitionError


def replay(history: Iterable[Step], *, seeker: str, candidate: str) -> Introduction:
    """Return the introduction that `history` tells of, after checking that it can have happened.

    Raises
    ------
    TransitionError
        If it cannot: with the number of the first step that does not follow, from 1.
    """
    introduction = None
    for number, step in enumerate(history, start=1):
        if introduction is None:
            follows = (step.act, step.before, step.state, step.reason) == (PROPOSE, None, PROPOSED, None)
            follows = follows and step.by in PROPOSERS
            introduction = first(seeker, candidate, step)
        else:
            follows = _follows(introduction, step)
            introduction = after(introduction, step)
        if not follows or not _lapses_rightly(introduction, step):
            raise TransitionError(f"history, step {number}: found {step.act}; it cannot follow. Restore a backup")
    if introduction is None:
        raise TransitionError("history: found no step; expected at least that it was proposed. Restore a backup")
    return introduction


def _lapses_rightly(introduction: Introduction, step: Step) -> bool:
    """Whether the last `step` of `introduction` has an `until` where it needs one, and only there."""
    if introduction.state in OPEN - {PROPOSED} and not introduction.suspended:
        return step.until is not None and step.until > step.at
    return step.until is None


def _follows(introduction: Introduction, step: Step) -> bool:
    """Whether `step` may be the next of `introduction`, its `until` aside."""
    row = row_of(introduction, step.act)
    until = introduction.until
    if row is None or (step.before, step.state) != (introduction.state, row.state):
        return False
    if step.at < introduction.history[-1].at or step.reason not in {None, *REASONS.get(step.act, ())}:
        return False
    if step.act == EXPIRE:
        return step.at == until and step.by in row.who
    return (until is None or step.at < until) and refusal(introduction, step.act, step.by) is None
