"""Member ids in a pool: one sorted table of fixed width, decoded where one is asked for.

A Python string takes some 60 bytes and a place in a set 30 more; here an id takes as many bytes as the longest has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.bytes_]


class Ids(Sequence[str]):
    """Distinct ids in ascending order of code points (which is that of their UTF-8).

    Parameters
    ----------
    table : ndarray of bytes, shape (N,)
        Sorted.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    @classmethod
    def of(cls, ids: Iterable[str]) -> Ids:
        """Return the table of `ids`, in any order."""
        raw = sorted(member_id.encode() for member_id in ids)
        return cls(np.array(raw, dtype=f"S{max(map(len, raw), default=1)}"))

    def find(self, member_id: str) -> int | None:
        """Return the row of `member_id`, or None."""
        key = member_id.encode("utf-8", "surrogatepass")
        if len(key) > self.table.itemsize:
            return None
        row = int(self.table.searchsorted(np.array(key, dtype=self.table.dtype)))
        # item() drops no NUL that the key has at its end, where numpy's own comparison would.
        return row if row < len(self.table) and self.table[row] == key else None

    def look_up(self, member_ids: Iterable[str]) -> npt.NDArray[np.intp]:
        """Return the row of each of `member_ids`, or -1 for one that is not here: all at once."""
        size, keys = self.table.itemsize, [member_id.encode("utf-8", "surrogatepass") for member_id in member_ids]
        # The table's type cuts what is longer and drops NULs at the end: what it would change is not here.
        fitting = [key if len(key) <= size and not key.endswith(b"\0") else b"" for key in keys]
        wanted = np.array(fitting, dtype=self.table.dtype)
        if not len(self.table):
            return np.full(len(wanted), -1, dtype=np.intp)
        rows = np.minimum(self.table.searchsorted(wanted), len(self.table) - 1)
        return np.where((self.table[rows] == wanted) & (wanted != b""), rows, -1)

    def rows(self, member_ids: Iterable[str]) -> list[int]:
        """Return the rows of those of `member_ids` that are here."""
        return [row for member_id in member_ids if (row := self.find(member_id)) is not None]

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Ids: ...
    def __getitem__(self, row: int | slice) -> str | Ids:
        if isinstance(row, slice):
            return Ids(self.table[row])
        found: bytes = self.table[row]
        return found.decode()

    def __iter__(self) -> Iterator[str]:
        return (raw.decode() for raw in self.table.tolist())

    def __len__(self) -> int:
        return len(self.table)

    def __contains__(self, member_id: object) -> bool:
        return isinstance(member_id, str) and self.find(member_id) is not None

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Ids) and np.array_equal(self.table, other.table)

    def __hash__(self) -> int:
        return hash(self.table.tobytes())

    def __repr__(self) -> str:
        return f"<{len(self)} ids>"

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return int(self.table.nbytes)


class Counted:
    """Members whom a pool counts and never encodes.

    Parameters
    ----------
    ids : Ids
    """

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._left: set[str] = set()

    def table(self) -> Table:
        """Return those who count, as a sorted table."""
        return Ids.of(self).table if self._left else self.ids.table

    def count(self, but: str) -> int:
        """Return how many there are besides the member `but`."""
        return len(self) - (but in self)

    def drop(self, member_id: str) -> None:
        """Count a member no longer, if they were."""
        if member_id in self.ids:
            self._left.add(member_id)

    def __len__(self) -> int:
        return len(self.ids) - len(self._left)

    def __contains__(self, member_id: object) -> bool:
        return member_id in self.ids and member_id not in self._left

    def __iter__(self) -> Iterator[str]:
        return (member_id for member_id in self.ids if member_id not in self._left)
