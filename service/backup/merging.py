"""Putting back, into a database that came from a backup, what was decided since in the one that it took the place of.

Whoever has withdrawn, blocked somebody or was held since then must not be shown again because of the restore, and a key
that was revoked since must not open anything again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.backup import kept_consents, kept_introductions, kept_programmes
from service.backup.kept_apart import put_apart, there
from service.backup.present import Present, kept, put_back
from service.backup.reading import Contents
from service.store.live_tables import HoldRow, LiveRow
from service.store.moments import micros
from service.store.tables import ApiKeyRow, IdempotencyRow
from service.store.training_tables import PrivacyReleaseRow


@dataclass
class Merged:
    """How much was put back."""

    decisions: int = 0
    """Of people, about consents."""
    withdrawn: int = 0
    """Grants of the backup that did not hold any more, of members whose history is another than the backup's."""
    programmes: list[str] = field(default_factory=list)
    """Whose file is another than the backup's, and is kept."""
    blocks: int = 0
    """Pairs that are kept apart, both ways counted as one."""
    connections: int = 0
    """Pairs that are kept connected."""
    introductions: int = 0
    """That were made, or went on, since."""
    holds: int = 0
    holds_back: int = 0
    """Holds that had been lifted since the backup, and run again."""
    keys_closed: int = 0
    """API keys of the backup that had been revoked since."""
    keys_since: int = 0
    """API keys that were made since."""
    members_lost: int = 0
    """Members who were added since: they are not in the backup."""


def merge(session: Session, contents: Contents, present: Present, now: datetime) -> Merged:
    """Put everything back; returns how much."""
    done = Merged()
    both = sorted(set(contents.programmes) & set(present.programmes))
    for programme_id in both:
        # First, since all else follows from it.
        if kept_programmes.put_back(session, programme_id):
            done.programmes.append(programme_id)
        pairs = kept_introductions.put_introductions(session, programme_id)
        done.introductions += len(pairs)
        decisions, withdrawn = kept_consents.put_back(session, programme_id, contents, now)
        done.decisions, done.withdrawn = done.decisions + decisions, done.withdrawn + withdrawn
        closed, since = _keys(session, programme_id)
        done.keys_closed, done.keys_since = done.keys_closed + closed, done.keys_since + since
        blocks, connections = put_apart(session, programme_id)
        done.blocks, done.connections = done.blocks + blocks, done.connections + connections
        if programme_id in done.programmes:
            kept_programmes.follow(session, programme_id, now)
        held, back = _holds(session, programme_id, micros(now))
        done.holds, done.holds_back = done.holds + held, done.holds_back + back
        kept_introductions.follow(session, programme_id, pairs, now)
        _privacy(session, programme_id)
        done.members_lost += _lost(session, programme_id)
    return done


def put_back_logs(session: Session, present: Present) -> None:
    """Put the audit logs back that go on where the backup's end, before anything is added to them."""
    for programme_id in present.logs:
        put_back(session, "audit", programme_id)


def forget_replies(session: Session) -> None:
    """Forget replies that were kept for API keys that are no more."""
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.key_id.not_in(select(ApiKeyRow.id))))


def _keys(session: Session, programme_id: str) -> tuple[int, int]:
    """Let those API keys open that did so; return how many of the backup are closed, and how many are newer."""
    was = kept("api_keys")
    of_programme = ApiKeyRow.programme_id == programme_id
    closed = session.execute(delete(ApiKeyRow).where(of_programme, ApiKeyRow.id.not_in(select(was.c.id))))
    same = {
        one.name: select(one).where(was.c.id == ApiKeyRow.id).scalar_subquery()
        for one in was.columns
        if one.name not in {"id", "programme_id"}
    }
    session.execute(update(ApiKeyRow).where(of_programme).values(**same).execution_options(synchronize_session=False))
    new = was.c.id.not_in(select(ApiKeyRow.id))
    return _rows(closed), put_back(session, "api_keys", programme_id, new)


def _holds(session: Session, programme_id: str, now: int) -> tuple[int, int]:
    """Hold whoever is held; return how many holds were put back, and how many run that had been lifted since."""
    was = kept("holds").c
    running = (HoldRow.programme_id == programme_id, HoldRow.until > now)
    back = select(func.count()).select_from(HoldRow).where(*running, HoldRow.id.not_in(select(was.id)))
    lifted = session.scalar(back) or 0
    new = was.id.not_in(select(HoldRow.id))
    added = put_back(session, "holds", programme_id, was.until > now, there(programme_id, was.member_id), new)
    theirs = (HoldRow.programme_id == LiveRow.programme_id, HoldRow.member_id == LiveRow.member_id)
    end = select(func.max(HoldRow.until)).where(*theirs).scalar_subquery()
    longer = update(LiveRow).where(LiveRow.programme_id == programme_id, end > LiveRow.held_until)
    session.execute(longer.values(held_until=end).execution_options(synchronize_session=False))
    return added, lifted


def _privacy(session: Session, programme_id: str) -> None:
    """Put back what fits have cost since: what was told of members is not taken back by a restore."""
    mine = select(PrivacyReleaseRow.version).where(PrivacyReleaseRow.programme_id == programme_id)
    put_back(session, "privacy_releases", programme_id, kept("privacy_releases").c.version.not_in(mine))


def _lost(session: Session, programme_id: str) -> int:
    """Return how many members there were who are not in the backup."""
    was = kept("members")
    query = select(func.count()).select_from(was).where(was.c.programme_id == programme_id)
    return session.scalar(query.where(~there(programme_id, was.c.member_id))) or 0


def _rows(result: Any) -> int:
    return int(result.rowcount)
