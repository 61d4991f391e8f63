"""The tables that requests for lists read: narrow rows beside the records, the lists themselves, and groups."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.table_base import Base, Name


class LiveRow(Base):
    """What the live re-check reads of a member: one narrow row beside each record, changed in the same transaction.

    Lists, groups and the change feed name people by `id`, which is never used twice: what is left of somebody erased
    is a number that means nobody.
    """

    __tablename__ = "live"
    __table_args__ = (
        Index("live_member", "programme_id", "member_id", unique=True),
        Index("live_number", "programme_id", "number"),
        Index("live_edge", "programme_id", "edge"),
        Index("live_held_until", "programme_id", "held_until"),
        Index("live_rests_until", "programme_id", "rests_until"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"))
    member_id: Mapped[str] = mapped_column(Name(64))
    revision: Mapped[int] = mapped_column(Integer)
    """Change number of the last change of the record, or of when its consents mean something else: never used twice,
    not even after a deletion."""
    number: Mapped[int] = mapped_column(Integer)
    """Change number of the last change of any kind."""
    accepted: Mapped[int] = mapped_column(Integer)
    """1: the programme as it is now accepts the record."""
    shown: Mapped[int] = mapped_column(Integer)
    """1: ``be_shown_as_peer`` is on until `edge`."""
    edge: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970 at which the record's consents next mean something else; FOREVER: never."""
    held_until: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970; 0: not held; FOREVER: until it is lifted."""
    capacity: Mapped[int] = mapped_column(Integer)
    free: Mapped[int] = mapped_column(Integer)
    """Capacity less the places that offers and connections take."""
    visible_from: Mapped[int] = mapped_column(Integer)
    """Ordinal of the first UTC day on which others may be shown this member."""
    rests_until: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """µs since 1970; until then a supporter is offered to nobody new, however many places are free."""
    seeker: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """1: the member seeks somebody, as far as their roles go."""
    seeks_since: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """µs since 1970 from when on they have wanted to be matched; 0: ``match_serve`` is off until `edge`."""


class GoneRow(Base):
    """Somebody was erased: tells workers which number of theirs means nobody any more."""

    __tablename__ = "gone"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    live_id: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""


class ApartRow(Base):
    """Who stands apart from whom, and why. Both directions are stored, so that it can be read from either side."""

    __tablename__ = "apart"
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(Name(64), primary_key=True)
    other_id: Mapped[str] = mapped_column(Name(64), primary_key=True)
    kind: Mapped[str] = mapped_column(Name(16), primary_key=True)
    """``blocked``, ``declined``, ``connected`` or ``introduced``."""
    takes: Mapped[int] = mapped_column(Integer)
    """Places that it takes of `member_id`'s. Two rows of one pair are one place."""


class HoldRow(Base):
    """A member is held: gets no list, and is in nobody's."""

    __tablename__ = "holds"
    __table_args__ = (Index("holds_member", "programme_id", "member_id"),)
    id: Mapped[str] = mapped_column(Name(32), primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"))
    member_id: Mapped[str] = mapped_column(Name(64))
    kind: Mapped[str] = mapped_column(Name(16))
    """``crisis``, ``safeguarding`` or ``pause``."""
    until: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970; FOREVER: until it is lifted."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""


class ListRow(Base):
    """A shortlist as it was computed: the list of a seeker for an epoch, and the log of what was shown."""

    __tablename__ = "lists"
    __table_args__ = (
        Index("lists_seeker", "programme_id", "seeker_id", "kind", "made_at"),
        Index("lists_match", "programme_id", "match_id", unique=True),
        Index("lists_epoch", "programme_id", "epoch", "id"),
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"))
    match_id: Mapped[str] = mapped_column(Name(32))
    seeker_id: Mapped[int] = mapped_column(Integer)
    """`LiveRow.id`."""
    kind: Mapped[str] = mapped_column(Name(8))
    """``buddy`` or ``group``."""
    epoch: Mapped[int] = mapped_column(Integer)
    """Ordinal of the UTC day of the pool it was ranked over."""
    made_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""
    returned_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970, of the day on which it was last returned: its handles are valid for some days from then."""
    number: Mapped[int] = mapped_column(Integer)
    """`PoolRow.number` when it was last found to be true."""
    profile: Mapped[str] = mapped_column(Name(32))
    """Digest of what the seeker's side of it was made from."""
    revision: Mapped[int] = mapped_column(Integer)
    """Of the seeker's record."""
    good_until: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970 at which the seeker's consents next mean something else."""
    digest: Mapped[str] = mapped_column(Name(64))
    """Of the programme."""
    model_version: Mapped[str] = mapped_column(Name(64))
    outcome: Mapped[str] = mapped_column(Name(16))
    reason: Mapped[str | None] = mapped_column(Name(32))
    cut: Mapped[int] = mapped_column(Integer)
    """1: more were good enough than the list is deep."""
    entries: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON, sealed: see `service.store.lists`."""
    shown: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON: position in `entries`, rank and moment of everybody who was returned, the first time they were."""


class GroupRow(Base):
    """A support group: its record as `Group.to_dict` writes it, but for who is in it."""

    __tablename__ = "groups"
    __table_args__ = (Index("groups_group", "programme_id", "group_id", unique=True), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    """Names the group in lists; never used twice."""
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"))
    group_id: Mapped[str] = mapped_column(Name(64))
    record: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer)
    """Change number of the last change of `record`."""
    number: Mapped[int] = mapped_column(Integer)
    """Change number of the last change of any kind: of `record`, or of who is in it."""
    week: Mapped[int] = mapped_column(Integer)
    """Ordinal of the Monday of the UTC week of which `group_weeks` holds the roster. In any later week nobody has come
    or gone yet, and the roster is who is in the group."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""
    updated_at: Mapped[int] = mapped_column(BigInteger)
    """µs since 1970."""


class GroupPersonRow(Base):
    """Who is in a group now."""

    __tablename__ = "group_people"
    __table_args__ = (Index("group_people_member", "programme_id", "member_id"),)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    group_number: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(Name(64), primary_key=True)
    role: Mapped[str] = mapped_column(Name(16))
    """``member`` or ``facilitator``."""


class GroupWeekRow(Base):
    """The roster of a group in a week in which somebody came or went: its members when the week began."""

    __tablename__ = "group_weeks"
    __table_args__ = (Index("group_weeks_member", "programme_id", "member_id"),)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id", ondelete="CASCADE"), primary_key=True)
    group_number: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(Name(64), primary_key=True)
