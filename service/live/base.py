"""The base of a pool: everybody whom others may see on a UTC day, in one memory-mapped file that all workers share."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from matcher.errors import PeermatchError
from matcher.matching import pool_file
from matcher.matching.pool import Pool
from matcher.model.artefact import Model
from matcher.programme import Programme
from service.live.showing import EMPTY, Table
from service.logs import log_failure
from service.store.scene import Live

Numbers = npt.NDArray[np.int64]
ARRAYS: Final = ("numbers", "revisions", "edges", "hidden", "order")
POINTER: Final = "current"
"""The file that names the newest base."""


@dataclass(frozen=True)
class Base:
    """A pool as it was built, and what it was built from.

    Attributes
    ----------
    name : str
        Of its folder; empty for one that is in no file.
    numbers, revisions, edges : ndarray of int64, shape (N,)
        `LiveRow.id` of each row, the revision of the record it was encoded from, and when its consents next mean
        something else.
    hidden : ndarray of int64
        `LiveRow.id` of each of the pool's `hidden`, in their order.
    order : ndarray of intp, shape (N,)
        The rows by ascending number.
    shown : Table
        Whom the newest list of each seeker that counted on that day showed.
    epoch : int
        Ordinal of the UTC day.
    number : int
        The last change to a member that it holds.
    skipped : int
        Stored records that the programme no longer accepts: they are in no list.
    store : str
        Id of the database it was built from; after a restore the database is another one.
    erased : set of int
        Numbers of those who have been erased since: they are in no list either, and yet in the file.
    """

    name: str
    pool: Pool
    numbers: Numbers
    revisions: Numbers
    edges: Numbers
    hidden: Numbers
    digest: str
    model: Model
    epoch: int
    number: int
    built_at: datetime
    skipped: int
    store: str
    order: npt.NDArray[np.intp]
    shown: Table = EMPTY
    erased: set[int] = field(default_factory=set)

    def look_up(self, numbers: Collection[int]) -> list[int]:
        """Return the row that each of some members has, or had until they were taken out; -1: they never had any."""
        if not numbers or not len(self.order):
            return [-1] * len(numbers)
        wanted = np.fromiter(numbers, np.int64, len(numbers))
        rows = self.order[np.minimum(self.numbers.searchsorted(wanted, sorter=self.order), len(self.order) - 1)]
        found: list[int] = np.where(self.numbers[rows] == wanted, rows, -1).tolist()
        return found

    def row(self, number: int, member_id: str) -> int | None:
        """Return the row of the member with a number and an id; None where there is none, or it is another's now."""
        row = self.pool.find(member_id)
        return row if row is not None and int(self.numbers[row]) == number else None

    def forget(self, number: int) -> None:
        """Be from now on as if the member with a number, who has been erased, had never been there."""
        if self.names((number,)):
            self.erased.add(number)
        for at in np.flatnonzero(self.numbers == number).tolist():
            self.pool.retire(at)
        for at in np.flatnonzero(self.hidden == number).tolist():
            self.pool.forget(self.pool.hidden.ids[at])

    def names(self, numbers: Iterable[int]) -> bool:
        """Whether any of the members with these numbers, erased since or not, is in it in any way."""
        wanted = np.fromiter(numbers, np.int64)
        named = (self.numbers, self.hidden, self.shown.seekers, self.shown.people)
        return any(bool(np.isin(wanted, some).any()) for some in named)

    def encodes(self, row: int, live: Live) -> bool:
        """Whether a row still is what it was encoded from; holds and places aside, which are written into it."""
        return int(self.revisions[row]) == live.revision and int(self.edges[row]) == live.edge


def newest(folder: Path) -> str | None:
    """Return the name of the newest base in a programme's folder, or None."""
    try:
        name = (folder / POINTER).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name if name and "/" not in name and not name.startswith(".") else None


def load(folder: Path, name: str, programme: Programme, models: dict[str, Model], store: str) -> Base | None:
    """Return a base from its file; None where it is missing, damaged, of another release, database, programme or model.

    Parameters
    ----------
    models : dict of str to Model
        By version: those it may be of.
    store : str
        Id of the database.
    """
    try:
        head = pool_file.read_head(folder / name)
        model = models.get(str(head["model_version"]))
        if model is None or head.get("store") != store:
            return None
        pool, extra, head = pool_file.load(folder / name, programme, model.encoder)
        return Base(
            name=name,
            pool=pool,
            numbers=extra["numbers"],
            revisions=extra["revisions"],
            edges=extra["edges"],
            hidden=extra["hidden"],
            digest=programme.digest,
            model=model,
            epoch=int(head["epoch"]),
            number=int(head["number"]),
            built_at=datetime.fromisoformat(str(head["built_at"])),
            skipped=int(head["skipped"]),
            store=store,
            order=extra["order"],
            shown=Table(*(extra[name] for name in Table._fields)),
        )
    except FileNotFoundError:
        return None  # another process has replaced it meanwhile
    except (PeermatchError, KeyError, ValueError) as problem:
        log_failure(problem)
        return None


def save(base: Base, folder: Path, name: str) -> None:
    """Write a base beside the others and point to it; whole or not at all.

    Raises
    ------
    OSError
        If the disk is full, or the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = folder / f".{name}"
    _remove(aside)
    try:
        pool_file.save(
            base.pool,
            aside,
            extra={name: getattr(base, name) for name in ARRAYS} | base.shown._asdict(),
            head={
                "model_version": base.model.version,
                "epoch": base.epoch,
                "number": base.number,
                "built_at": base.built_at.isoformat(),
                "skipped": base.skipped,
                "store": base.store,
            },
        )
        aside.rename(folder / name)
        pointer = folder / f".{POINTER}.{os.getpid()}"
        pointer.write_text(name + "\n", encoding="ascii")
        pointer.replace(folder / POINTER)
    except BaseException:
        _remove(aside)
        raise


def prune(folder: Path, *, newest_too: bool = False) -> None:
    """Remove all bases but the newest, and what builders that were killed left: a worker keeps what it has mapped.

    Only for whoever builds in `folder` alone. Files are unlinked, not written over: whoever has one mapped ranks by
    what it says.
    """
    name = None if newest_too else newest(folder)
    for one in folder.iterdir():
        if one.is_dir() and one.name != name:
            _remove(one)
        elif one.name.startswith(f".{POINTER}."):
            one.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    with suppress(OSError):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
