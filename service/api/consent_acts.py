"""What the audit log is told of decisions: which purpose and what, never why, how or by whom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from matcher.consent_events import ConsentEvent, is_system
from matcher.programme import Programme
from service.access import access
from service.store import audit

OTHER: Final = "other"
"""Stands for a version that is not the programme's: somebody wrote it, and it may be anything."""
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,63}")


def told(session: Session, programme: Programme, member_id: str, events: Iterable[ConsentEvent], now: datetime) -> None:
    """Have the audit log tell of decisions of people, which the key of the present request recorded."""
    for event in events:
        if not is_system(event):
            audit.record(
                session,
                programme.id,
                "consent.recorded",
                now=now,
                by=access().key_id,
                subject=member_id,
                purpose=event.purpose,
                decision=event.decision,
                policy_version=_version(event, programme),
            )


def _version(event: ConsentEvent, programme: Programme) -> str:
    ours = event.policy_version == programme.policy_version and _WORD.fullmatch(event.policy_version)
    return event.policy_version if ours else OTHER
