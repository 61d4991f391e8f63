"""``peermatch keys rotate --data``: the key that everything stored is sealed with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.cli import context, output
from service.cli.lock import exclusive
from service.cli.progress import Progress
from service.settings import Settings
from service.store import Store, data_keys
from service.store.data_keys import DataKeyError, RotatedData

LOCK: Final = "data-keys.lock"


def rotate(*, as_json: bool) -> None:
    """Seal everything with a new data key, or end a rotation that was interrupted; print what was done."""
    where, now = context.settings(), context.now()
    with context.opened(where) as store, exclusive(where.home / LOCK, "rotating the data key", now):
        done = _rotate(store, where)
    document = {"data_key": done.key_id, "new": done.is_new, "rows": done.resealed.rows}
    output.result(document, _lines(where, done), as_json=as_json)


def _rotate(store: Store, where: Settings) -> RotatedData:
    with Progress("sealing") as progress:
        try:
            return data_keys.rotate(store, where, context.now, advance=progress.advance)
        except OSError as problem:
            raise _unwritable(where, problem) from None


def drop_old(*, as_json: bool) -> None:
    """Take the old data keys out of the file; print which they were."""
    where, now = context.settings(), context.now()
    with context.opened(where) as store, exclusive(where.home / LOCK, "rotating the data key", now):
        try:
            dropped = data_keys.drop_old(store, where, now)
        except OSError as problem:
            raise _unwritable(where, problem) from None
    lines = [f"Dropped from {where.data_key_file}: {', '.join(dropped) or 'nothing, there was one key'}."]
    output.result({"dropped": dropped}, lines, as_json=as_json)


def _unwritable(where: Settings, problem: OSError) -> DataKeyError:
    return DataKeyError(
        f"{where.data_key_file} cannot be written ({problem.strerror}); make room, or give this user the right to. "
        "Where an orchestrator mounts it, write the new key there as its first line, above the others, and run this "
        "again: then only what is stored is sealed anew"
    )


def _lines(where: Settings, done: RotatedData) -> Iterator[str]:
    what = "new" if done.is_new else "that of the rotation that was interrupted"
    yield f"Data key {done.key_id} ({what}) seals everything: {sum(done.resealed.rows.values()):,} rows sealed anew."
    if done.resealed.rows:
        yield from output.table(("table", "rows"), sorted(done.resealed.rows.items()))
    yield f"Back up {where.data_key_file} now. Old backups need the keys that are in it beside the new one."
    yield "After ten minutes `peermatch keys rotate --data --drop-old` takes the old ones out."
