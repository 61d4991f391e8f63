"""The tables that are new in schema 5."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Float, ForeignKey, MetaData, Table, Text

from service.store.migrations.schema_2 import micros, number
from service.store.migrations.schema_3 import name

METADATA: Final = MetaData()


def _key(called: str, length: int) -> Column[str]:
    return Column(called, name(length), nullable=False, primary_key=True)


def _programme() -> Column[str]:
    of = ForeignKey("programmes.id", ondelete="CASCADE")
    return Column("programme_id", name(39), of, nullable=False, primary_key=True)


def _real(called: str) -> Column[float]:
    return Column(called, Float(53), nullable=False)


PROGRAMMES = Table("programmes", METADATA, _key("id", 39))
"""As far as others name its rows."""

LOCKS = Table(
    "locks", METADATA, _programme(), _key("name", 32), Column("holder", Text, nullable=False),
    Column("token", name(32), nullable=False), micros("since"), micros("until"),
)  # fmt: skip
PRIVACY_RELEASES = Table(
    "privacy_releases", METADATA, _programme(), _key("version", 64), micros("at"), number("steps"),
    _real("noise_multiplier"), _real("epsilon"), _real("delta"),
)  # fmt: skip
NEW: Final = (LOCKS, PRIVACY_RELEASES)
