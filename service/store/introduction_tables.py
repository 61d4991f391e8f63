"""The tables of introductions, and of what partner apps are told of."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from service.store.table_base import Base, Name


class IntroductionRow(Base):
    """An introduction of two members. Moments are µs since 1970; FOREVER: never."""

    __tablename__ = "introductions"
    __table_args__ = (
        Index("introductions_seeker", "programme_id", "seeker"),
        Index("introductions_candidate", "programme_id", "candidate"),
        Index("introductions_state", "programme_id", "state", "since"),
        Index("introductions_due", "programme_id", "due"),
    )
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(Name(32), primary_key=True)
    """128 random bits: names the introduction to both sides, and nobody else."""
    seeker: Mapped[str] = mapped_column(Name(64))
    candidate: Mapped[str] = mapped_column(Name(64))
    match_id: Mapped[str | None] = mapped_column(Name(32))
    """Of the list from which the seeker chose; None: a coordinator proposed it."""
    state: Mapped[str] = mapped_column(Name(16))
    made_at: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[int] = mapped_column(BigInteger)
    """When it came to its state."""
    offered_at: Mapped[int | None] = mapped_column(BigInteger)
    """When a place was first taken for it; None: it was never offered."""
    connected_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the two were connected; None: they never were."""
    due: Mapped[int] = mapped_column(BigInteger)
    """When something of it next happens by itself: it lapses, or its members may be introduced again."""
    suspended: Mapped[int] = mapped_column(Integer)
    """1: after a report; nothing goes on until a coordinator has looked at it."""
    details: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON, sealed: its history."""


class EventRow(Base):
    """Something that a partner app is told of, in the order in which it happened."""

    __tablename__ = "events"
    __table_args__ = (Index("events_member", "programme_id", "member_id"),)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""
    kind: Mapped[str] = mapped_column(Name(32))
    member_id: Mapped[str] = mapped_column(Name(64))
    """Whom it is to be told to."""
    introduction_id: Mapped[str | None] = mapped_column(Name(32))
