"""`Pool`: everybody who may be shown, as columns."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher.consent import ConsentedProfile
from matcher.facets.base import Column, Floats, Mask, Rows
from matcher.facets.bitmaps import Bitmap, pack
from matcher.matching.circumstances import Circumstances, Standing
from matcher.matching.exposure import crowding_odds
from matcher.matching.ids import Counted, Ids
from matcher.model.encoder import ProfileEncoder, checked
from matcher.programme import Programme

__all__ = ["Circumstances", "Pool", "Standing", "agreed", "keyed_hash"]

Hashes = npt.NDArray[np.uint64]


def keyed_hash(key: bytes, member_id: str) -> int:
    """Return 64 bits that order ties: BLAKE2b of the id under `key`."""
    return int.from_bytes(hashlib.blake2b(member_id.encode(), digest_size=8, key=key[:64]).digest())


@dataclass(frozen=True)
class Pool:
    """N members who may be shown, sorted by id. Rows of all arrays are theirs.

    Several pools of one programme, no member in two of them, may be ranked as one: see `shortlist`.

    Attributes
    ----------
    ids : Ids, length N
    columns : dict of str to Column
        By facet.
    present : Mask, shape (N,)
        False for those who were retired.
    supporter, vetted, agreed, held : Mask, shape (N,)
    minor, adult : Mask, shape (N,)
        Neither for an unknown age.
    free : ndarray of int, shape (N,)
        Capacity less load.
    exposure : Floats, shape (N,)
        Attention got in lists that are still valid; 0 until `set_exposure`, and in no file.
    hashes : ndarray of uint64, shape (N,)
        For ties.
    hidden : Counted
        Members whose ``be_shown_as_peer`` is off.
    foreign : Counted
        Members of another programme.
    """

    programme: Programme
    encoder: ProfileEncoder
    at: datetime
    key: bytes
    ids: Ids
    columns: Mapping[str, Column]
    present: Mask
    supporter: Mask
    minor: Mask
    adult: Mask
    vetted: Mask
    agreed: Mask
    held: Mask
    free: npt.NDArray[np.int32]
    hashes: Hashes
    hidden: Counted
    foreign: Counted
    exposure: Floats = field(init=False, repr=False, compare=False)
    _packed: dict[str, tuple[int, Bitmap]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _changes: dict[str, int] = field(default_factory=Counter, init=False, repr=False, compare=False)
    """How often each mask has changed: a bitmap made while another thread changes it is used once, and not kept."""
    _crowding: dict[str, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)
    """``odds``, shape (N,), from the first exposure on."""
    _writing: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)
    """Held from a change of `free` or `exposure` until `crowding` follows: of two at once none is lost."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "exposure", np.zeros(len(self.ids)))

    @classmethod
    def build(
        cls,
        programme: Programme,
        encoder: ProfileEncoder,
        profiles: Iterable[ConsentedProfile],
        at: datetime,
        circumstances: Circumstances,
        key: bytes,
        hidden: Iterable[str] = (),
    ) -> Pool:
        """Encode `profiles`; the order in which they come does not matter.

        Of `circumstances` only holds, loads and exposure are told of rows; what stands between two members is a
        `Standing`.
        `hidden` are the ids of more members whose ``be_shown_as_peer`` is off: of them no more need be known.

        Raises
        ------
        TypeError
            If anything but a ConsentedProfile is among them.
        """
        everybody = sorted(checked(profiles), key=lambda profile: profile.member_id)
        own = [profile for profile in everybody if profile.programme_id == programme.id]
        rows = [profile for profile in own if profile.shown is not None]
        size = len(rows)
        minor = np.fromiter((profile.age_band in programme.minors for profile in rows), np.bool_, size)
        aged = np.fromiter((profile.age_band is not None for profile in rows), np.bool_, size)
        free = (profile.capacity - circumstances.load.get(profile.member_id, 0) for profile in rows)
        pool = cls(
            programme=programme,
            encoder=encoder,
            at=at,
            key=key,
            ids=Ids.of(profile.member_id for profile in rows),
            columns=encoder.transform(rows, at.astimezone(UTC).date()),
            present=np.ones(size, dtype=np.bool_),
            supporter=np.fromiter(("supporter" in profile.roles for profile in rows), np.bool_, size),
            minor=minor,
            adult=aged & ~minor,
            vetted=np.fromiter((profile.vetted for profile in rows), np.bool_, size),
            agreed=np.fromiter((agreed(programme, profile) for profile in rows), np.bool_, size),
            held=np.fromiter((profile.member_id in circumstances.held for profile in rows), np.bool_, size),
            free=np.fromiter(free, np.int32, size),
            hashes=np.fromiter((keyed_hash(key, profile.member_id) for profile in rows), np.uint64, size),
            hidden=Counted(Ids.of(chain(hidden, (profile.member_id for profile in own if profile.shown is None)))),
            foreign=Counted(Ids.of(p.member_id for p in everybody if p.programme_id != programme.id)),
        )
        for member_id, exposure in circumstances.exposure.items():
            if (row := pool.find(member_id)) is not None:
                pool.set_exposure(row, exposure)
        return pool

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, member_id: str) -> int | None:
        """Return the row of a member, or None for who has none, or has been retired."""
        row = self.ids.find(member_id)
        return row if row is not None and self.present[row] else None

    def retire(self, row: int) -> None:
        """From now on be as if the member of `row` had never been among the profiles."""
        self.present[row] = False
        self._changes["present"] += 1
        for column in self.columns.values():
            column.retire(row)

    def forget(self, member_id: str) -> None:
        """From now on be as if the member had never been among the profiles, shown or not; unknown ids are none."""
        if (row := self.find(member_id)) is not None:
            self.retire(row)
        self.hidden.drop(member_id)
        self.foreign.drop(member_id)

    def set_held(self, row: int, held: bool) -> None:
        """Hold a member, or let them be found again."""
        self.held[row] = held
        self._changes["held"] += 1

    def set_free(self, row: int, free: int) -> None:
        """Set how many places a member has left; 0 and fewer are none."""
        with self._writing:
            self.free[row] = free
            self._changes["free"] += 1
            self._crowd(row)

    def set_exposure(self, rows: int | Rows, exposure: float | Floats) -> None:
        """Set what attention a member, or several, had in lists that are still valid.

        Raises
        ------
        ValueError
            If it is below 0 or no number.
        """
        if not (np.isfinite(exposure) & (np.asarray(exposure) >= 0)).all():
            raise ValueError("exposure: found a value below 0 or no number; expected 0 or more")
        with self._writing:
            self.exposure[rows] = exposure
            self._crowd(rows)

    @property
    def crowding(self) -> Floats | None:
        """`crowding_odds` of all, shape (N,), or None where nobody has had any exposure."""
        return self._crowding.get("odds")

    def _crowd(self, rows: int | Rows) -> None:
        """Keep `crowding` true of some rows: anew for these alone, so that a list never waits for all.

        Only while `_writing` is held.
        """
        if (odds := self._crowding.get("odds")) is not None:
            odds[rows] = crowding_odds(self.exposure[rows], self.free[rows])
        elif np.any(self.exposure[rows]):
            self._crowding["odds"] = crowding_odds(self.exposure, self.free)

    def packed(self, name: str) -> Bitmap:
        """Return one of the masks, or who has a place ``free``, as a bitmap; kept until it changes."""
        changes = self._changes[name]
        found = self._packed.get(name)
        if found is None or found[0] != changes:
            values: npt.NDArray[Any] = getattr(self, name)
            found = self._packed[name] = changes, pack(values > 0)
        return found[1]

    def ties(self, seeker: np.uint64, rows: Rows) -> Hashes:
        """Return the order of equals among n `rows`, shape (n,): splitmix64 (Steele et al. 2014) of both hashes.

        `seeker` is the seeker's `keyed_hash`.
        """
        z = (self.hashes[rows] ^ seeker) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    @property
    def nbytes(self) -> int:
        """Bytes of the columns, arrays and ids."""
        masks = (self.present, self.supporter, self.minor, self.adult, self.vetted, self.agreed, self.held)
        tables = self.ids.nbytes + self.hidden.ids.nbytes + self.foreign.ids.nbytes
        own = sum(mask.nbytes for mask in masks) + self.free.nbytes + self.hashes.nbytes + tables
        own += self.exposure.nbytes + sum(odds.nbytes for odds in self._crowding.values())
        return own + sum(column.nbytes for column in self.columns.values())


def agreed(programme: Programme, profile: ConsentedProfile) -> bool:
    """Whether the member accepted the programme's confidentiality agreement, where it names one."""
    return programme.confidentiality is None or programme.confidentiality in profile.agreements
