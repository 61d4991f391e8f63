"""What a member told of others: their own feedback, without the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.store import text
from service.store.tables import FeedbackRow

_TOLD: Final = ("at", "rank", "propensity", "rating", "scale")


def own_acts(session: Session, programme_id: str, member_id: str) -> Iterator[dict[str, Any]]:
    """Yield what a member did, in the order in which it came: ``event``, ``role``, and what else is told but whom of.

    It is whoever the record names who did it, the seeker where it names nobody. What others did is theirs, and is not
    here: that there is any would tell of them.
    """
    query = select(FeedbackRow.seeker, FeedbackRow.event, FeedbackRow.record).where(
        FeedbackRow.programme_id == programme_id,
        or_(FeedbackRow.seeker == member_id, FeedbackRow.candidate == member_id),
    )
    for seeker, event, kept in session.execute(query.order_by(FeedbackRow.id)).all():
        record = text.read(kept)
        role = "seeker" if seeker == member_id else "candidate"
        if role == record.get("by", "seeker"):
            yield {"event": event, "role": role, **{key: record[key] for key in _TOLD if key in record}}
