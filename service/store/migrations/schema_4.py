"""The tables that are new in schema 4, and the columns that others gain."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

from service.store.migrations.schema_2 import NUMBERED, micros, number
from service.store.migrations.schema_3 import name

METADATA: Final = MetaData()


def _programme() -> Column[str]:
    of = ForeignKey("programmes.id", ondelete="CASCADE")
    return Column("programme_id", name(39), of, nullable=False, primary_key=True)


def _text(called: str, length: int, *, key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(called, name(length), nullable=nullable, primary_key=key)


# What it reads and changes of tables that there are.
PROGRAMMES = Table("programmes", METADATA, _text("id", 39, key=True), Column("toml", Text, nullable=False))
LIVE = Table(
    "live", METADATA, number("id", primary_key=True), _text("programme_id", 39), _text("member_id", 64),
    number("accepted"), number("capacity"), number("free"), number("seeker"), micros("seeks_since"),
)  # fmt: skip
POOLS = Table("pools", METADATA, _text("programme_id", 39), number("number"), number("events"))
APART = Table(
    "apart", METADATA, _text("programme_id", 39), _text("member_id", 64), _text("other_id", 64), _text("kind", 16),
    number("takes"),
)  # fmt: skip

INTRODUCTIONS = Table(
    "introductions", METADATA, _programme(), _text("id", 32, key=True), _text("seeker", 64), _text("candidate", 64),
    _text("match_id", 32, nullable=True),
    _text("state", 16), micros("made_at"), micros("since"), Column("offered_at", BigInteger),
    Column("connected_at", BigInteger), micros("due"),
    number("suspended"), Column("details", LargeBinary, nullable=False),
    Index("introductions_seeker", "programme_id", "seeker"),
    Index("introductions_candidate", "programme_id", "candidate"),
    Index("introductions_state", "programme_id", "state", "since"),
    Index("introductions_due", "programme_id", "due"),
)  # fmt: skip
EVENTS = Table(
    "events", METADATA, _programme(), number("number", **NUMBERED), micros("at"), _text("kind", 32),
    _text("member_id", 64), _text("introduction_id", 32, nullable=True),
    Index("events_member", "programme_id", "member_id"),
)  # fmt: skip
NEW: Final = (INTRODUCTIONS, EVENTS)
LISTS_EPOCH: Final = ("lists_epoch", "lists", ["programme_id", "epoch", "id"])
"""The index that lists gain: which of them still count."""


LIVE_RESTS: Final = ("live_rests_until", "live", ["programme_id", "rests_until"])
"""The index that narrow rows gain: whose rest is over."""
INDEXES: Final = (LISTS_EPOCH, LIVE_RESTS)


def of_live() -> tuple[Column[int], ...]:
    """Return the columns that narrow rows gain: until when a supporter rests, and who seeks since when."""
    return (
        Column("rests_until", BigInteger, nullable=False, server_default="0"),
        Column("seeker", Integer, nullable=False, server_default="0"),
        Column("seeks_since", BigInteger, nullable=False, server_default="0"),
    )


def of_pools() -> Column[int]:
    """Return the column that change feeds gain: the number of the last event."""
    return Column("events", Integer, nullable=False, server_default="0")
