from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.backup import stream
from service.backup.errors import RestoreError
from service.backup.stream import TAG, Encrypting, decrypted
from tests.conftest import examples

KEY = bytes(range(32))
SMALL = 64
"""Bytes of a frame in these tests."""
BOUND = b"the first line\n"


@pytest.fixture(autouse=True)
def _small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "FRAME", SMALL)


def encrypted(text: bytes, piece: int = 17, key: bytes = KEY) -> bytes:
    file = io.BytesIO()
    writer = Encrypting(file, key, BOUND)
    for at in range(0, len(text), piece):
        writer.write(text[at : at + piece])
    writer.close()
    return file.getvalue()


def read(sealed: bytes, key: bytes = KEY, bound: bytes = BOUND) -> bytes:
    return b"".join(decrypted(io.BytesIO(sealed), key, bound))


def frames(sealed: bytes) -> Iterator[bytes]:
    while sealed:
        size = 4 + int.from_bytes(sealed[:4], "big")
        yield sealed[:size]
        sealed = sealed[size:]


@settings(max_examples=examples(100, 2000))
@given(st.binary(max_size=5 * SMALL), st.integers(1, 3 * SMALL))
def test_what_was_written_is_read(text: bytes, piece: int) -> None:
    assert read(encrypted(text, piece)) == text


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL, 3 * SMALL + 1])
def test_frames_are_full_but_for_the_last(size: int) -> None:
    sizes = [len(one) - 4 - TAG for one in frames(encrypted(bytes(size)))]
    assert sum(sizes) == size
    assert all(one == SMALL for one in sizes[:-1])
    assert len(sizes) == max(1, -(-size // SMALL))


def test_every_bit_counts() -> None:
    whole = encrypted(b"something" * 20)
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            with pytest.raises(RestoreError, match=r"part \d+ of it was changed or cut off"):
                read(bytes(changed))


def test_every_cut_is_found() -> None:
    whole = encrypted(b"something" * 20)
    for length in range(len(whole)):
        with pytest.raises(RestoreError, match="cut off"):
            read(whole[:length])


@pytest.mark.parametrize("more", [b"\0", b"\0\0\0\x10" + bytes(16), None])
def test_what_is_added_is_found(more: bytes | None) -> None:
    whole = encrypted(b"something" * 20)
    with pytest.raises(RestoreError, match="added"):
        read(whole + (whole if more is None else more))


def test_frames_that_are_left_out_moved_or_repeated_are_found() -> None:
    first, second, third, *rest = frames(encrypted(b"0123456789abcdef" * 16))
    assert rest
    for wrong in ([second, third], [first, third], [second, first, third], [first, first, second, third]):
        with pytest.raises(RestoreError):
            read(b"".join([*wrong, *rest]))


def test_a_frame_of_another_file_is_found() -> None:
    mine, others = list(frames(encrypted(b"a" * 200))), list(frames(encrypted(b"a" * 200, key=bytes(32))))
    assert read(b"".join(mine)) == b"a" * 200
    with pytest.raises(RestoreError):
        read(b"".join([mine[0], others[1], *mine[2:]]))


def test_another_key_or_first_line_opens_nothing() -> None:
    whole = encrypted(b"something")
    for key, bound in ((bytes(32), BOUND), (KEY, BOUND + b" ")):
        with pytest.raises(RestoreError, match="part 1"):
            read(whole, key, bound)


def test_a_length_that_is_far_too_long_is_not_read() -> None:
    class Watched(io.BytesIO):
        longest = 0

        def read(self, size: int | None = -1) -> bytes:
            Watched.longest = max(Watched.longest, size or 0)
            return super().read(size)

    file = Watched(b"\xff\xff\xff\xff" + encrypted(b"something")[4:])
    with pytest.raises(RestoreError):
        list(decrypted(file, KEY, BOUND))
    assert Watched.longest <= SMALL + TAG
