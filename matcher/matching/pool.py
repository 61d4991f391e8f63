"""`Pool`: everybody who may be shown, as columns, and what stands between whom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from matcher.consent import ConsentedProfile
from matcher.facets.base import Column, Mask, Rows
from matcher.model.encoder import ProfileEncoder, checked
from matcher.programme import Programme

Pairs = frozenset[tuple[str, str]]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is true of members now and is no part of their profiles. Pairs hold whichever way round they are written."""

    held: frozenset[str] = frozenset()
    """Members in a crisis, safeguarding or pause hold."""
    blocks: Pairs = frozenset()
    declined: Pairs = frozenset()
    connected: Pairs = frozenset()
    load: Mapping[str, int] = field(default_factory=dict)
    """Open introductions and connections, by supporter."""

    def __or__(self, other: Circumstances) -> Circumstances:
        """Return what is true by either; loads told twice count once, at the larger."""
        members = self.load.keys() | other.load.keys()
        return Circumstances(
            self.held | other.held,
            self.blocks | other.blocks,
            self.declined | other.declined,
            self.connected | other.connected,
            {member: max(self.load.get(member, 0), other.load.get(member, 0)) for member in members},
        )


def keyed_hash(key: bytes, member_id: str) -> int:
    """Return 64 bits that order ties: BLAKE2b of the id under `key`."""
    return int.from_bytes(hashlib.blake2b(member_id.encode(), digest_size=8, key=key[:64]).digest())


@dataclass(frozen=True)
class Pool:
    """N members who may be shown, sorted by id. Rows of all arrays are theirs.

    Attributes
    ----------
    ids : tuple of str, length N
    columns : dict of str to Column
        By facet.
    supporter, vetted, agreed, held : Mask, shape (N,)
    minor, adult : Mask, shape (N,)
        Neither for an unknown age.
    free : ndarray of int, shape (N,)
        Capacity less load.
    hashes : ndarray of uint64, shape (N,)
        For ties.
    hidden : frozenset of str
        Members whose ``be_shown_as_peer`` is off: counted, never encoded.
    foreign : frozenset of str
        Members of another programme.
    pairs : dict of str to dict of str to rows
        For ``blocked``, ``declined`` and ``connected``: by member, the rows that it stands between.
    """

    programme: Programme
    at: datetime
    key: bytes
    ids: tuple[str, ...]
    row: Mapping[str, int]
    columns: Mapping[str, Column]
    supporter: Mask
    minor: Mask
    adult: Mask
    vetted: Mask
    agreed: Mask
    held: Mask
    free: npt.NDArray[np.int64]
    hashes: Hashes
    hidden: frozenset[str]
    foreign: frozenset[str]
    pairs: Mapping[str, Mapping[str, Rows]]
    held_ids: frozenset[str]

    @classmethod
    def build(
        cls,
        programme: Programme,
        encoder: ProfileEncoder,
        profiles: Iterable[ConsentedProfile],
        at: datetime,
        circumstances: Circumstances,
        key: bytes,
    ) -> Pool:
        """Encode `profiles`; the order in which they come does not matter.

        Raises
        ------
        TypeError
            If anything but a ConsentedProfile is among them.
        """
        everybody = sorted(checked(profiles), key=lambda profile: profile.member_id)
        own = [profile for profile in everybody if profile.programme_id == programme.id]
        rows = [profile for profile in own if profile.shown is not None]
        ids = tuple(profile.member_id for profile in rows)
        row = {member_id: at_row for at_row, member_id in enumerate(ids)}
        size = len(rows)
        minor = np.fromiter((profile.age_band in programme.minors for profile in rows), np.bool_, size)
        aged = np.fromiter((profile.age_band is not None for profile in rows), np.bool_, size)
        free = (profile.capacity - circumstances.load.get(profile.member_id, 0) for profile in rows)
        return cls(
            programme=programme,
            at=at,
            key=key,
            ids=ids,
            row=row,
            columns=encoder.transform(rows, at.astimezone(UTC).date()),
            supporter=np.fromiter(("supporter" in profile.roles for profile in rows), np.bool_, size),
            minor=minor,
            adult=aged & ~minor,
            vetted=np.fromiter((profile.vetted for profile in rows), np.bool_, size),
            agreed=np.fromiter((agreed(programme, profile) for profile in rows), np.bool_, size),
            held=np.fromiter((member_id in circumstances.held for member_id in ids), np.bool_, size),
            free=np.fromiter(free, np.int64, size),
            hashes=np.fromiter((keyed_hash(key, member_id) for member_id in ids), np.uint64, size),
            hidden=frozenset(profile.member_id for profile in own if profile.shown is None),
            foreign=frozenset(profile.member_id for profile in everybody if profile.programme_id != programme.id),
            pairs={
                "blocked": between(circumstances.blocks, row),
                "declined": between(circumstances.declined, row),
                "connected": between(circumstances.connected, row),
            },
            held_ids=circumstances.held,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def ties(self, seeker: str, rows: Rows) -> Hashes:
        """Return the order of equals among n `rows`, shape (n,): splitmix64 (Steele et al. 2014) of both hashes."""
        z = (self.hashes[rows] ^ np.uint64(keyed_hash(self.key, seeker))) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    @property
    def nbytes(self) -> int:
        """Bytes of the columns and arrays, without the ids."""
        arrays: Sequence[np.ndarray] = (self.supporter, self.minor, self.adult, self.vetted, self.agreed, self.held)
        own = sum(array.nbytes for array in arrays) + self.free.nbytes + self.hashes.nbytes
        return own + sum(column.nbytes for column in self.columns.values())


def agreed(programme: Programme, profile: ConsentedProfile) -> bool:
    """Whether the member accepted the programme's confidentiality agreement, where it names one."""
    return programme.confidentiality is None or programme.confidentiality in profile.agreements


def between(pairs: Iterable[tuple[str, str]], row: Mapping[str, int]) -> dict[str, Rows]:
    """Return for each member the rows of the others in `pairs`, both ways."""
    found: dict[str, set[int]] = {}
    for left, right in pairs:
        for one, other in ((left, right), (right, left)):
            if other in row:
                found.setdefault(one, set()).add(row[other])
    return {member: np.array(sorted(rows), dtype=np.intp) for member, rows in found.items()}
