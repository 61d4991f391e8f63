"""A pool in a file, for every process of a machine to map into memory: what many share is there once.

A folder of two files. ``arrays`` holds all arrays, one after the other, each at a multiple of 64 bytes; ``head.json``
says what they are, of which programme and release, and the BLAKE2b of both. Arrays are mapped privately: who changes
one changes the own copy of that page. The file is personal data, rebuilt from the store at any time and never backed
up.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher import __version__
from matcher.errors import PeermatchError
from matcher.facets.column import Arrays
from matcher.matching.ids import Counted, Ids
from matcher.matching.pool import Pool
from matcher.model.encoder import ProfileEncoder
from matcher.programme import Programme

FORMAT = 1
HEAD, BLOB = "head.json", "arrays"
ALIGNED = 64
OWN = ("present", "supporter", "minor", "adult", "vetted", "agreed", "held", "free", "hashes")
WAY_OUT = "It holds nothing that the store does not: remove its folder and build the pool again"


class PoolFileError(PeermatchError):
    """A stored pool is damaged, or of another format, release, programme or model."""

    title = "The stored pool cannot be used"


class PoolFileMissingError(PoolFileError, FileNotFoundError):
    """There is no stored pool."""


def save(pool: Pool, folder: Path, extra: Mapping[str, npt.NDArray[Any]], head: Mapping[str, Any]) -> None:
    """Write `pool` into `folder`, which must not exist; who wants it whole or not at all renames it afterwards.

    Parameters
    ----------
    pool : Pool
    folder : Path
    extra : mapping of str to ndarray
        Arrays to keep beside it.
    head : mapping of str to JSON values
        What to tell of it in `read_head`.

    Raises
    ------
    FileExistsError
        If the folder exists.
    OSError
        If it cannot be written.
    """
    folder.mkdir(mode=0o700)
    table = {}
    with _new(folder / BLOB) as file:
        for name, array in _arrays(pool, extra):
            file.write(b"\0" * (-file.tell() % ALIGNED))
            table[name] = {"dtype": array.dtype.str, "shape": list(array.shape), "offset": file.tell()}
            file.write(np.ascontiguousarray(array).data if array.size else b"")
        size = file.tell()
        os.fsync(file.fileno())
    with (folder / BLOB).open("rb") as file:
        digest = hashlib.file_digest(file, "blake2b").hexdigest()
    body = {
        "at": pool.at.isoformat(),
        "key": pool.key.hex(),
        "encoder": pool.encoder.digest(),
        "words": {name: column.words() for name, column in pool.columns.items()},
        "arrays": table,
        "size": size,
        "digest": digest,
        "head": dict(head),
    }
    document = {"format": FORMAT, "release": __version__, "programme": pool.programme.digest, "body": body}
    with _new(folder / HEAD) as file:
        file.write(json.dumps({**document, "check": check(document)}, separators=(",", ":")).encode())
        os.fsync(file.fileno())


def read_head(folder: Path) -> dict[str, Any]:
    """Return the `head` that a pool was saved with, without reading the pool.

    Raises
    ------
    PoolFileError
        If there is none, or it is damaged or of another format.
    """
    head: dict[str, Any] = _document(folder)["body"]["head"]
    return head


def load(folder: Path, programme: Programme, encoder: ProfileEncoder) -> tuple[Pool, Arrays, dict[str, Any]]:
    """Return a pool, the arrays and the head that it was saved with. All arrays are mapped, copied where written to.

    Parameters
    ----------
    folder : Path
    programme : Programme
    encoder : ProfileEncoder
        The one the pool was built with.

    Raises
    ------
    PoolFileError
        If it is missing, damaged, or of another format, release, programme or encoder.
    """
    document = _document(folder)
    try:
        _same("release", document["release"], __version__)
        _same("programme", document["programme"], programme.digest)
        body = document["body"]
        _same("encoder of the model", body["encoder"], encoder.digest())
        arrays = _mapped(folder / BLOB, body)
        at = datetime.fromisoformat(body["at"])
        parts = {name: _within(f"column.{name}.", arrays) for name in programme.facets}
        pool = Pool(
            programme=programme,
            encoder=encoder,
            at=at,
            key=bytes.fromhex(body["key"]),
            ids=Ids(arrays["ids"]),
            columns=encoder.restore(parts, body["words"], at.astimezone(UTC).date()),
            hidden=Counted(Ids(arrays["hidden"])),
            foreign=Counted(Ids(arrays["foreign"])),
            **{name: arrays[name] for name in OWN},
        )
        return pool, _within("extra.", arrays), body["head"]
    except PoolFileError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OSError) as error:
        raise _damaged() from error


def _new(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _arrays(pool: Pool, extra: Mapping[str, npt.NDArray[Any]]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield every array with its name in the file."""
    yield from ((name, getattr(pool, name)) for name in OWN)
    yield from (("ids", pool.ids.table), ("hidden", pool.hidden.table()), ("foreign", pool.foreign.table()))
    for facet, column in pool.columns.items():
        yield from ((f"column.{facet}.{name}", array) for name, array in column.arrays().items())
    yield from ((f"extra.{name}", array) for name, array in extra.items())


def _within(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _document(folder: Path) -> dict[str, Any]:
    """Return the head file, whole and of this format."""
    try:
        document = json.loads((folder / HEAD).read_bytes())
        told = document.pop("check")
        found, _ = document["format"], document["body"]["head"]
    except FileNotFoundError:
        raise PoolFileMissingError(f"the stored pool: found no file {HEAD}. {WAY_OUT}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged() from error
    _same("format", found, FORMAT)
    if told != check(document):
        raise _damaged()
    return dict(document)


def check(document: Mapping[str, Any]) -> str:
    """Return the digest of a head file without it."""
    return hashlib.blake2b(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _mapped(path: Path, body: Mapping[str, Any]) -> Arrays:
    """Return the arrays of a blob whose digest is right."""
    try:
        with path.open("rb") as file:
            whole = os.fstat(file.fileno()).st_size == body["size"]
            if not whole or hashlib.file_digest(file, "blake2b").hexdigest() != body["digest"]:
                raise _damaged()
            blob = np.memmap(file, dtype=np.uint8, mode="c") if body["size"] else np.empty(0, dtype=np.uint8)
    except FileNotFoundError:
        raise PoolFileMissingError(f"the stored pool: found no file {path.name}. {WAY_OUT}") from None
    arrays: Arrays = {}
    for name, entry in body["arrays"].items():
        dtype, shape, offset = np.dtype(entry["dtype"]), tuple(entry["shape"]), entry["offset"]
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        arrays[name] = blob[offset : offset + size].view(np.ndarray).view(dtype).reshape(shape)
    return arrays


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise PoolFileError(f"the stored pool, {what}: found {found!r}; expected {expected!r}. {WAY_OUT}")


def _damaged() -> PoolFileError:
    return PoolFileError(f"the stored pool: found it damaged. {WAY_OUT}")
