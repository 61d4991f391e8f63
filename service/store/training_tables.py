"""The tables of training: who trains at present, and what releases cost in privacy."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.table_base import Base, Name


class LockRow(Base):
    """What one process at a time may do to a programme, on whatever machine it runs."""

    __tablename__ = "locks"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Name(32), primary_key=True)
    holder: Mapped[str] = mapped_column(Text)
    """JSON object: what it does, and its process and host."""
    token: Mapped[str] = mapped_column(Name(32))
    """Known to the holder alone: whoever was overtaken finds another one."""
    since: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""
    until: Mapped[int] = mapped_column(BigInteger)
    """From when on the holder counts as dead; it says anew now and then that it is not."""


class PrivacyReleaseRow(Base):
    """What one fit told of the members it learned from. Kept for good: a budget that forgets is none."""

    __tablename__ = "privacy_releases"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(Name(64), primary_key=True)
    """Of the model, whether or not it was published."""
    at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""
    steps: Mapped[int] = mapped_column(Integer)
    """How often noise was added."""
    noise_multiplier: Mapped[float] = mapped_column(Float(53))
    """Standard deviation of the noise over what one member can change."""
    epsilon: Mapped[float] = mapped_column(Float(53))
    """Of this release alone, at `delta`."""
    delta: Mapped[float] = mapped_column(Float(53))
