"""Encryption of a file in frames, as STREAM has it (Hoang, Reyhanitabar, Rogaway and Vizár 2015).

The nonce of a frame is its place and whether it is the last. So a file that was cut off, continued, or whose frames
were left out or moved is found out by the key, at the first frame that is not as it was written.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import IO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.backup.errors import RestoreError

FRAME: Final = 1 << 18
"""Bytes of a frame before it is encrypted; the last one may have fewer."""
TAG: Final = 16
_PLACE_BYTES: Final = 11
_LENGTH: Final = struct.Struct(">I")


class Encrypting:
    """Writes frames to a file.

    Parameters
    ----------
    file : binary file
    key : bytes
        32; of this file alone, since places are counted from 0 in each.
    bound : bytes
        What stands before, and is not to be changed either.
    """

    def __init__(self, file: IO[bytes], key: bytes, bound: bytes) -> None:
        self._file, self._cipher, self._bound = file, AESGCM(key), hashlib.sha256(bound).digest()
        self._left = bytearray()
        self._place = 0

    def write(self, some: bytes) -> None:
        """Write some bytes."""
        self._left += some
        while len(self._left) > FRAME:  # more than one frame: what is left at the end is the last
            self._frame(bytes(self._left[:FRAME]), last=False)
            del self._left[:FRAME]

    def close(self) -> None:
        """Write the last frame; the file itself stays open."""
        self._frame(bytes(self._left), last=True)

    def _frame(self, text: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._place, last=last), text, self._bound)
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)
        self._place += 1


def decrypted(file: IO[bytes], key: bytes, bound: bytes) -> Iterator[bytes]:
    """Yield what the frames of a file hold, to its end.

    Raises
    ------
    RestoreError
        At the first frame that is not as it was written.
    """
    cipher, bound = AESGCM(key), hashlib.sha256(bound).digest()
    place, length = 0, file.read(_LENGTH.size)
    while True:
        size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else 0
        sealed = file.read(size) if TAG <= size <= FRAME + TAG else b""
        length = file.read(_LENGTH.size)
        try:
            if len(sealed) != size:  # a longer length than is left would be read as what is left
                raise ValueError
            yield cipher.decrypt(_nonce(place, last=not length), sealed, bound)
        except (InvalidTag, ValueError):
            raise RestoreError(
                f"part {place + 1} of it was changed or cut off, or something was added to it; take another copy"
            ) from None
        if not length:
            return
        place += 1


def _nonce(place: int, *, last: bool) -> bytes:
    return place.to_bytes(_PLACE_BYTES, "big") + bytes([last])
