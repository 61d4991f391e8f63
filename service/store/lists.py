"""Stored lists: what was computed for a seeker, and what of it was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, overload

import orjson
from sqlalchemy import bindparam, func, insert, select, update

from service.store.hot import Statement, Transaction
from service.store.live_tables import ListRow

NOBODY_SHOWN: Final = b"[]"
"""`ListRow.shown` of a list that was never returned, or had nobody who could be."""


class Entry(NamedTuple):
    """One candidate of a stored list, in the order of the list."""

    id: int
    """`LiveRow.id` of a peer, `GroupRow.id` of a group."""
    revision: int
    """Of the record that a peer was ranked by; of a group, the last change of a member that it was ranked with."""
    score: float
    strength: str
    reasons: tuple[tuple[str, str], ...]
    """Facet and text."""


class _Entries(Sequence[Entry]):
    """The entries of a list as they were read: most requests look at the first few of them."""

    def __init__(self, raw: list[list[Any]]) -> None:
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        found = self._raw[place]
        return [_entry(one) for one in found] if isinstance(place, slice) else _entry(found)


def _entry(raw: list[Any]) -> Entry:
    return Entry(raw[0], raw[1], raw[2], raw[3], tuple((facet, text) for facet, text in raw[4]))


@dataclass(frozen=True, kw_only=True)
class StoredList:
    """A list as it was computed. Moments are µs since 1970, `epoch` is the ordinal of a UTC day."""

    id: int = 0
    """Of the row; 0 before it is stored."""
    match_id: str
    seeker_id: int
    kind: str
    epoch: int
    made_at: int
    returned_at: int
    number: int
    profile: str
    revision: int
    good_until: int
    digest: str
    model_version: str
    outcome: str
    reason: str | None
    cut: bool
    entries: Sequence[Entry]
    shown: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Position in `entries` → rank at which, and moment when, it was first returned."""

    def same_content(self, other: StoredList) -> bool:
        """Return whether both say the same of the same people."""
        mine, others = ([(e.id, e.strength, e.reasons) for e in some.entries] for some in (self, other))
        return (self.outcome, self.reason, mine) == (other.outcome, other.reason, others)


_LISTS: Final = ListRow.__tablename__
_FIELDS: Final = (
    "id", "match_id", "seeker_id", "kind", "epoch", "made_at", "returned_at", "number", "profile", "revision",
    "good_until", "digest", "model_version", "outcome", "reason", "cut", "entries", "shown",
)  # fmt: skip
_COLUMNS: Final = [getattr(ListRow, name) for name in _FIELDS]
_OF_SEEKER: Final = (
    ListRow.programme_id == bindparam("programme"),
    ListRow.seeker_id == bindparam("seeker"),
    ListRow.kind == bindparam("kind"),
)
# By number, not by moment: a clock that was set back must not make an older list the newest.
_NUMBER: Final = select(func.max(ListRow.id)).where(*_OF_SEEKER)
_IS: Final = ListRow.programme_id == bindparam("programme")
_LATEST: Final = Statement(select(*_COLUMNS).where(_IS, ListRow.id == _NUMBER.scalar_subquery()))
_MATCHED: Final = _NUMBER.where(ListRow.outcome == "matched").scalar_subquery()
_LATEST_MATCHED: Final = Statement(select(*_COLUMNS).where(_IS, ListRow.id == _MATCHED))
_LAST_ID: Final = Statement(_NUMBER)
_MADE: Final = Statement(
    select(ListRow.made_at)
    .where(
        *_OF_SEEKER, ListRow.outcome == "matched", ListRow.made_at > bindparam("since"), ListRow.shown != NOBODY_SHOWN
    )
    .order_by(ListRow.made_at)
)
_BY_MATCH: Final = Statement(
    select(*_COLUMNS).where(ListRow.programme_id == bindparam("programme"), ListRow.match_id == bindparam("match_id"))
)
_INSERT: Final = Statement(
    insert(ListRow).values(programme_id=bindparam("programme"), **{name: bindparam(name) for name in _FIELDS[1:]})
)
_SHOWN: Final = Statement(
    update(ListRow)
    .where(ListRow.programme_id == bindparam("programme"), ListRow.id == bindparam("list_id"))
    .values(shown=bindparam("seen"), returned_at=bindparam("at"))
)
_WHO_WAS_SHOWN: Final = Statement(
    select(ListRow.shown).where(ListRow.programme_id == bindparam("programme"), ListRow.id == bindparam("list_id"))
)
_CONFIRM: Final = Statement(
    update(ListRow)
    .where(ListRow.programme_id == bindparam("programme"), ListRow.id == bindparam("list_id"))
    .values(number=bindparam("change"), model_version=bindparam("model"))
)


def latest(reader: Transaction, programme_id: str, seeker_id: int, kind: str) -> StoredList | None:
    """Return the seeker's newest list of a kind."""
    return _read(reader, programme_id, reader.one(_LATEST, programme=programme_id, seeker=seeker_id, kind=kind))


def latest_matched(reader: Transaction, programme_id: str, seeker_id: int, kind: str) -> StoredList | None:
    """Return the seeker's newest list of a kind that has somebody in it."""
    row = reader.one(_LATEST_MATCHED, programme=programme_id, seeker=seeker_id, kind=kind)
    return _read(reader, programme_id, row)


def last_id(reader: Transaction, programme_id: str, seeker_id: int, kind: str) -> int:
    """Return the number of the seeker's newest row of a kind; 0 where there is none."""
    row = reader.one(_LAST_ID, programme=programme_id, seeker=seeker_id, kind=kind)
    return 0 if row is None or row[0] is None else int(row[0])


def made_since(reader: Transaction, programme_id: str, seeker_id: int, kind: str, since: int) -> list[int]:
    """Return when the lists that a seeker was shown since a moment were made, the oldest first: µs since 1970."""
    return [int(row[0]) for row in reader.all(_MADE, programme=programme_id, seeker=seeker_id, kind=kind, since=since)]


def by_match_id(reader: Transaction, programme_id: str, match_id: str) -> StoredList | None:
    """Return a list by the name that apps know."""
    return _read(reader, programme_id, reader.one(_BY_MATCH, programme=programme_id, match_id=match_id))


def add(writer: Transaction, programme_id: str, made: StoredList) -> None:
    """Store a list."""
    values: dict[str, Any] = {name: getattr(made, name) for name in _FIELDS[1:]}
    entries = orjson.dumps(list(made.entries), default=tuple)
    values |= {
        "cut": int(made.cut),
        "entries": writer.keyring.seal(programme_id, _LISTS, made.match_id, entries),
        "shown": _written(made.shown),
    }
    writer.run(_INSERT, programme=programme_id, **values)


def shown(reader: Transaction, programme_id: str, list_id: int) -> dict[int, tuple[int, int]]:
    """Return who of a list was shown: position in its entries → rank and moment of the first time."""
    row = reader.one(_WHO_WAS_SHOWN, programme=programme_id, list_id=list_id)
    return {} if row is None else _shown(row[0])


def show(
    writer: Transaction, programme_id: str, list_id: int, shown: dict[int, tuple[int, int]], returned_at: int
) -> None:
    """Log who was shown for the first time, and that the list was returned."""
    writer.run(_SHOWN, programme=programme_id, list_id=list_id, seen=_written(shown), at=returned_at)


def confirm(writer: Transaction, programme_id: str, list_id: int, number: int, model_version: str) -> None:
    """Note that a list computed anew says what this one says."""
    writer.run(_CONFIRM, programme=programme_id, list_id=list_id, change=number, model=model_version)


def _written(shown: dict[int, tuple[int, int]]) -> bytes:
    return orjson.dumps([[position, *rank_and_moment] for position, rank_and_moment in shown.items()])


def _read(reader: Transaction, programme_id: str, row: Sequence[Any] | None) -> StoredList | None:
    if row is None:
        return None
    values = dict(zip(_FIELDS, row, strict=True))
    values["cut"] = bool(values["cut"])
    entries = reader.keyring.open(programme_id, _LISTS, values["match_id"], values["entries"])
    values["entries"] = _Entries(orjson.loads(entries))
    values["shown"] = _shown(values["shown"])
    return StoredList(**values)


def _shown(written: bytes) -> dict[int, tuple[int, int]]:
    return {one[0]: (one[1], one[2]) for one in orjson.loads(written)}
