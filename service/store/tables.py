"""The tables of what is kept: programmes, keys, records, feedback and models.

Everything but what the installation is belongs to one programme.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.table_base import Base, Instant, Name


class InstallationRow(Base):
    """One row: which database this is, and whether the data keys at hand are the ones it was sealed with."""

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """1."""
    store_id: Mapped[str] = mapped_column(Name(32))
    """Another one after a restore: what was derived from the database before it is not of this one."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """`store_id`, sealed."""


class ProgrammeRow(Base):
    """A programme, with all the text that is needed to read it again on another machine."""

    __tablename__ = "programmes"
    id: Mapped[str] = mapped_column(Name(39), primary_key=True)
    toml: Mapped[str] = mapped_column(Text)
    files: Mapped[str] = mapped_column(Text)
    """JSON object: vocabulary name as the TOML writes it → its text."""
    digest: Mapped[str] = mapped_column(Name(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class PoolRow(Base):
    """The change feed of a programme: what a worker compares to know whether what it holds is still true."""

    __tablename__ = "pools"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    """Grows with every change to a member, whatever changed; each row of `live` keeps the number of its last one."""
    additions: Mapped[int] = mapped_column(Integer)
    """`number` of the last change that may have let somebody into lists who was not in them."""
    events: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """Number of the last event."""


class ApiKeyRow(Base):
    """An API key: SHA-256 of its secret, never the secret."""

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(Name(16), primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(Name(64))
    scopes: Mapped[str] = mapped_column(Text)
    """Separated by spaces."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    label: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What the key is for, in an administrator's words."""
    per_minute: Mapped[int | None] = mapped_column(Integer)
    """Requests a minute; None: as the settings say; 0: no bound."""
    replaced_by: Mapped[str | None] = mapped_column(Name(16))
    """Id of the key that a rotation made in its place; both open until this one expires."""


class MemberRow(Base):
    """A member's record as `Member.to_dict` writes it, sealed."""

    __tablename__ = "members"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(Name(64), primary_key=True)
    record: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class IdempotencyRow(Base):
    """A POST with an Idempotency-Key, and its reply once there is one."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("idempotency_started", "started_at"),)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Name(64), primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(Name(64))
    """SHA-256 of method, address and body."""
    started_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""
    status: Mapped[int | None] = mapped_column(Integer)
    """None: under way."""
    headers: Mapped[str | None] = mapped_column(Text)
    """JSON object."""
    reply: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed."""
    about: Mapped[str] = mapped_column(Text)
    """JSON array of the ids that the request names, so that it is forgotten when one of them is erased."""


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
    seeker: Mapped[str] = mapped_column(Name(64))
    candidate: Mapped[str] = mapped_column(Name(64))
    event: Mapped[str] = mapped_column(Name(16))
    record: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Name(64))
    """SHA-256 of the record: the same event imported twice is one event."""


class ModelRow(Base):
    """A published model; its files lie in ``$PEERMATCH_HOME/models/<programme>/<version>/``."""

    __tablename__ = "models"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(Name(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    verdict: Mapped[str] = mapped_column(Text)
    """JSON object."""


class ActiveModelRow(Base):
    """One row a programme: publishing a model is changing this row."""

    __tablename__ = "active_models"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(Name(64))
    previous: Mapped[str | None] = mapped_column(Name(64))
    since: Mapped[datetime] = mapped_column(Instant)
