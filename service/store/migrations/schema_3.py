"""The tables that are new or another in schema 3."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

from service.store.migrations.schema_2 import NUMBERED, instant, micros, number

METADATA: Final = MetaData()
CHANGED: Final = ("members", "idempotency", "gone")
"""Tables whose rows are written anew: nothing of a column that was is left in the database's files."""


def name(length: int) -> String:
    """Return the type of a text that is ordered and compared code point by code point, on every database."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _programme(*, primary_key: bool = False, index: bool = False) -> Column[str]:
    of = ForeignKey("programmes.id", ondelete="CASCADE")
    return Column("programme_id", name(39), of, nullable=False, primary_key=primary_key, index=index)


def _text(called: str, length: int, *, key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(called, name(length), nullable=nullable, primary_key=key)


# Only so that others can refer to them.
Table("programmes", METADATA, _text("id", 39, key=True))
Table("api_keys", METADATA, _text("id", 16, key=True))

INSTALLATION = Table(
    "installation", METADATA, number("id", **NUMBERED), _text("store_id", 32),
    Column("sealed", LargeBinary, nullable=False),
)  # fmt: skip
MEMBERS = Table(
    "members", METADATA, _programme(primary_key=True), _text("member_id", 64, key=True),
    Column("record", LargeBinary, nullable=False), instant("created_at"), instant("updated_at"),
)  # fmt: skip
IDEMPOTENCY = Table(
    "idempotency", METADATA,
    Column("key_id", name(16), ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True),
    _text("key", 64, key=True), _programme(index=True), _text("fingerprint", 64), micros("started_at"),
    number("status", nullable=True), Column("headers", Text), Column("reply", LargeBinary),
    Column("about", Text, nullable=False),
    Index("idempotency_started", "started_at"),
)  # fmt: skip
GONE = Table(
    "gone", METADATA, _programme(primary_key=True), number("number", **NUMBERED), number("live_id"), micros("at"),
)  # fmt: skip
CONSENT_EVENTS = Table(
    "consent_events", METADATA, _programme(primary_key=True), _text("member_id", 64, key=True),
    number("place", **NUMBERED), _text("event_id", 32), _text("purpose", 32), _text("decision", 16),
    Column("policy_version", Text, nullable=False), micros("at"), Column("valid_until", BigInteger),
    Column("details", LargeBinary), micros("recorded_at"), _text("recorded_by", 16),
    sqlite_with_rowid=False,
)  # fmt: skip
AUDIT = Table(
    "audit", METADATA, _programme(primary_key=True), number("number", **NUMBERED), micros("at"), _text("by", 16),
    _text("action", 32), _text("subject", 32, nullable=True), Column("details", Text, nullable=False), _text("mac", 64),
    Index("audit_subject", "programme_id", "subject"),
)  # fmt: skip
ERASURES = Table(
    "erasures", METADATA, _programme(primary_key=True), _text("digest", 64, key=True), micros("erased_at"),
    _text("receipt", 32),
)  # fmt: skip
NEW: Final = (INSTALLATION, CONSENT_EVENTS, AUDIT, ERASURES)


def of_keys() -> tuple[Column[str], Column[int], Column[str]]:
    """Return the columns that keys have beside those of before."""
    return (
        Column("label", Text, nullable=False, server_default=""),
        Column("per_minute", Integer),
        Column("replaced_by", name(16)),
    )
