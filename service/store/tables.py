"""The tables. Everything but the schema's version belongs to one programme."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Date, DateTime, ForeignKey, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of every table."""


class SchemaVersion(Base):
    """One row: which schema this database has."""

    __tablename__ = "schema_version"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class ProgrammeRow(Base):
    """A programme, with all the text that is needed to read it again on another machine."""

    __tablename__ = "programmes"
    id: Mapped[str] = mapped_column(String(39), primary_key=True)
    toml: Mapped[str] = mapped_column(Text)
    files: Mapped[str] = mapped_column(Text)
    """JSON object: vocabulary name as the TOML writes it → its text."""
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class PoolRow(Base):
    """What a worker compares to know whether the pool it holds is still true."""

    __tablename__ = "pools"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    """Grows with every change to what today's pool shows."""
    changes: Mapped[int] = mapped_column(Integer)
    """Grows with every change to a member; each row keeps the number of its last one."""


class ApiKeyRow(Base):
    """An API key: SHA-256 of its secret, never the secret."""

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(Text)
    """Separated by spaces."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class MemberRow(Base):
    """A member's record as `Member.to_dict` writes it."""

    __tablename__ = "members"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    record: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer)
    """`PoolRow.changes` after the last change of this member: never used twice, not even after a deletion."""
    visible_from: Mapped[date] = mapped_column(Date)
    """The first UTC day on which others may be shown this member."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class FeedbackRow(Base):
    """One thing that happened to a suggestion. `seeker` and `candidate` stand apart so that erasure finds them."""

    __tablename__ = "feedback"
    __table_args__ = (
        Index("feedback_seeker", "programme_id", "seeker"),
        Index("feedback_candidate", "programme_id", "candidate"),
        Index("feedback_digest", "programme_id", "digest", unique=True),
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"))
    seeker: Mapped[str] = mapped_column(String(64))
    candidate: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(16))
    record: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the record: the same event imported twice is one event."""


class ModelRow(Base):
    """A published model; its files lie in ``$PEERMATCH_HOME/models/<programme>/<version>/``."""

    __tablename__ = "models"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    verdict: Mapped[str] = mapped_column(Text)
    """JSON object."""


class ActiveModelRow(Base):
    """One row a programme: publishing a model is changing this row."""

    __tablename__ = "active_models"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str | None] = mapped_column(String(64))
    since: Mapped[datetime] = mapped_column(Instant)
