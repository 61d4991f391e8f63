"""The tables of schema 2, exactly as they were."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA: Final = MetaData()
NUMBER: Final = 2
"""What `schema_version` says."""


def programme(**more: Any) -> Column[str]:
    """Return the column that says which programme a row is of."""
    return Column("programme_id", String(39), ForeignKey("programmes.id", ondelete="CASCADE"), nullable=False, **more)


def text(name: str, length: int | None = None, *, nullable: bool = False, **more: Any) -> Column[str]:
    """Return a column of a text."""
    return Column(name, Text if length is None else String(length), nullable=nullable, **more)


def number(name: str, *, nullable: bool = False, **more: Any) -> Column[int]:
    """Return a column of a whole number."""
    return Column(name, Integer, nullable=nullable, **more)


def micros(name: str) -> Column[int]:
    """Return a column of a moment in µs since 1970."""
    return Column(name, BigInteger, nullable=False)


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column of a moment in UTC without its zone."""
    return Column(name, DateTime, nullable=nullable)


def content(name: str) -> Column[bytes]:
    """Return a column of bytes."""
    return Column(name, LargeBinary, nullable=False)


KEY: Final[dict[str, Any]] = {"primary_key": True}
NUMBERED: Final[dict[str, Any]] = {"primary_key": True, "autoincrement": False}

SCHEMA_VERSION = Table("schema_version", METADATA, number("version", **NUMBERED))
PROGRAMMES = Table(
    "programmes", METADATA, text("id", 39, **KEY), text("toml"), text("files"), text("digest", 64),
    instant("created_at"), instant("updated_at"),
)  # fmt: skip
POOLS = Table("pools", METADATA, programme(**KEY), number("number"), number("additions"))
API_KEYS = Table(
    "api_keys", METADATA, text("id", 16, **KEY), programme(index=True), text("digest", 64), text("scopes"),
    instant("created_at"), instant("expires_at", nullable=True),
)  # fmt: skip
MEMBERS = Table(
    "members", METADATA, programme(**KEY), text("member_id", 64, **KEY), text("record"),
    instant("created_at"), instant("updated_at"),
)  # fmt: skip
IDEMPOTENCY = Table(
    "idempotency", METADATA,
    Column("key_id", String(16), ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True),
    text("key", 64, **KEY), programme(index=True), text("fingerprint", 64), micros("started_at"),
    number("status", nullable=True), text("headers", nullable=True), text("reply", nullable=True), text("about"),
    Index("idempotency_started", "started_at"),
)  # fmt: skip
FEEDBACK = Table(
    "feedback", METADATA, number("id", **KEY), programme(), text("seeker", 64), text("candidate", 64),
    text("event", 16), text("record"), text("digest", 64),
    Index("feedback_seeker", "programme_id", "seeker"),
    Index("feedback_candidate", "programme_id", "candidate"),
    Index("feedback_digest", "programme_id", "digest", unique=True),
)  # fmt: skip
MODELS = Table(
    "models", METADATA, programme(**KEY), text("version", 64, **KEY), instant("created_at"), text("verdict"),
)  # fmt: skip
ACTIVE_MODELS = Table(
    "active_models", METADATA, programme(**KEY), text("version", 64), text("previous", 64, nullable=True),
    instant("since"),
)  # fmt: skip
LIVE = Table(
    "live", METADATA, number("id", **KEY), programme(), text("member_id", 64), number("revision"), number("number"),
    number("accepted"), number("shown"), micros("edge"), micros("held_until"), number("capacity"), number("free"),
    number("visible_from"),
    Index("live_member", "programme_id", "member_id", unique=True),
    Index("live_number", "programme_id", "number"),
    Index("live_edge", "programme_id", "edge"),
    Index("live_held_until", "programme_id", "held_until"),
    sqlite_autoincrement=True,
)  # fmt: skip
GONE = Table("gone", METADATA, programme(**KEY), number("number", **NUMBERED), number("live_id"))
APART = Table(
    "apart", METADATA, programme(**KEY), text("member_id", 64, **KEY), text("other_id", 64, **KEY),
    text("kind", 16, **KEY), number("takes"),
)  # fmt: skip
HOLDS = Table(
    "holds", METADATA, text("id", 32, **KEY), programme(), text("member_id", 64), text("kind", 16), micros("until"),
    micros("created_at"),
    Index("holds_member", "programme_id", "member_id"),
)  # fmt: skip
LISTS = Table(
    "lists", METADATA, number("id", **KEY), programme(), text("match_id", 32), number("seeker_id"), text("kind", 8),
    number("epoch"), micros("made_at"), micros("returned_at"), number("number"), text("profile", 32),
    number("revision"), micros("good_until"), text("digest", 64), text("model_version", 64), text("outcome", 16),
    text("reason", 32, nullable=True), number("cut"), content("entries"), content("shown"),
    Index("lists_seeker", "programme_id", "seeker_id", "kind", "made_at"),
    Index("lists_match", "programme_id", "match_id", unique=True),
)  # fmt: skip
GROUPS = Table(
    "groups", METADATA, number("id", **KEY), programme(), text("group_id", 64), text("record"), number("revision"),
    number("number"), number("week"), micros("created_at"), micros("updated_at"),
    Index("groups_group", "programme_id", "group_id", unique=True),
    sqlite_autoincrement=True,
)  # fmt: skip


def _group() -> Column[int]:
    return Column("group_number", Integer, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)


GROUP_PEOPLE = Table(
    "group_people", METADATA, programme(**KEY), _group(), text("member_id", 64, **KEY), text("role", 16),
    Index("group_people_member", "programme_id", "member_id"),
)  # fmt: skip
GROUP_WEEKS = Table(
    "group_weeks", METADATA, programme(**KEY), _group(), text("member_id", 64, **KEY),
    Index("group_weeks_member", "programme_id", "member_id"),
)  # fmt: skip
