"""What is within a backup: lines of JSON, compressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

import orjson

from service.backup.errors import RestoreError
from service.backup.stream import Encrypting, decrypted

LEVEL: Final = 4
"""Of compression: twice as quick as the usual one, for a tenth more."""
PIECE: Final = 1 << 20
"""Bytes that are looked at at once."""


class LineWriter:
    """Writes lines to a file."""

    def __init__(self, file: IO[bytes], key: bytes, bound: bytes) -> None:
        self._frames = Encrypting(file, key, bound)
        self._packer = zlib.compressobj(LEVEL)
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, line: Any) -> None:
        """Write one line."""
        text = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= PIECE:
            self._flush()

    def close(self) -> None:
        """Write what is left; the file itself stays open."""
        self._flush()
        self._frames.write(self._packer.flush())
        self._frames.close()

    def _flush(self) -> None:
        self._frames.write(self._packer.compress(b"".join(self._waiting)))
        self._waiting.clear()
        self._size = 0


def lines(file: IO[bytes], key: bytes, bound: bytes) -> Iterator[Any]:
    """Yield the lines of a file.

    Raises
    ------
    RestoreError
        Where it is not as it was written.
    """
    left = b""
    for piece in _unpacked(file, key, bound):
        whole = (left + piece).split(b"\n")
        left = whole.pop()
        try:
            yield from map(orjson.loads, whole)
        except orjson.JSONDecodeError:
            raise _other_form() from None
    if left:
        raise _other_form()


def _unpacked(file: IO[bytes], key: bytes, bound: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    try:
        for frame in decrypted(file, key, bound):
            rest = frame
            while rest:
                yield unpacker.decompress(rest, PIECE)
                rest = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error:
        raise _other_form() from None
    if not unpacker.eof or unpacker.unused_data:
        raise _other_form()


def _other_form() -> RestoreError:
    return RestoreError("what is within the backup is of another form; install the release that wrote it")
