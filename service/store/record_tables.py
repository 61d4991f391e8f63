"""The tables of what must be shown to others: consents, who did what, and who was erased. They only grow."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.table_base import Base, Name


class ConsentEventRow(Base):
    """One decision about what a member's data may be used for. Never changed; gone only with the member.

    The member's record has the same events in the same order, for the matching to read. An event is looked up among
    those of its member: an index of ids, which come in no order, would take longer to fill than all the rest.
    """

    __tablename__ = "consent_events"
    __table_args__ = ({"sqlite_with_rowid": False},)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(Name(64), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """In the member's history, from 0."""
    event_id: Mapped[str] = mapped_column(Name(32))
    """What receipts name it by."""
    purpose: Mapped[str] = mapped_column(Name(32))
    decision: Mapped[str] = mapped_column(Name(16))
    policy_version: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970 at which it was decided."""
    valid_until: Mapped[int | None] = mapped_column(BigInteger)
    """µs since 1970."""
    details: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The rest of the event as `ConsentEvent.to_dict` writes it, sealed; None: there is no more."""
    recorded_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970 at which the service wrote it down."""
    recorded_by: Mapped[str] = mapped_column(Name(16))
    """Id of the API key, ``command`` or ``service``."""


class AuditRow(Base):
    """One entry of a programme's audit log, chained to the one before."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_subject", "programme_id", "subject"),)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """From 1, without a gap."""
    at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""
    by: Mapped[str] = mapped_column(Name(16))
    """Id of the API key, ``command`` or ``service``."""
    action: Mapped[str] = mapped_column(Name(32))
    subject: Mapped[str | None] = mapped_column(Name(32))
    """Keyed hash of a `member_id`: whom it was about."""
    details: Mapped[str] = mapped_column(Text)
    """JSON object; names nobody."""
    mac: Mapped[str] = mapped_column(Name(64))
    """HMAC-SHA-256 over the `mac` before and all of this entry."""


class ErasureRow(Base):
    """Somebody was erased: kept so that no old file and no old backup brings them back."""

    __tablename__ = "erasures"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(Name(64), primary_key=True)
    """Keyed hash of the `member_id`."""
    erased_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970; of several erasures the last."""
    receipt: Mapped[str] = mapped_column(Name(32))
