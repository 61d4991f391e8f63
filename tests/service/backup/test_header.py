from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from service.backup.errors import RestoreError
from service.backup.header import LONGEST, Header, file_key, key_id, new_salt, read_header

SECRET = bytes(range(32))
HEADER = Header(
    revision="0003", created=datetime(2026, 3, 4, 12, tzinfo=UTC), release="0.2.0", key=key_id(SECRET),
    salt="00" * 16, programmes=2, members=24, rows=150,
)  # fmt: skip


def refused(line: bytes) -> str:
    with pytest.raises(RestoreError) as caught:
        read_header(io.BytesIO(line))
    return caught.value.message


def test_a_header_is_read_as_it_was_written() -> None:
    file = io.BytesIO(HEADER.line() + b"the rest")
    assert read_header(file) == (HEADER, HEADER.line())
    assert file.read() == b"the rest"
    assert len(HEADER.line()) < LONGEST


def test_another_kind_of_file_is_refused() -> None:
    for other in (b"", b"\n", b"SQLite format 3\0" * 1000, b'{"table":1}\n', b"\xff" * 10_000):
        assert "another kind of file" in refused(other)


def test_a_backup_of_another_form_is_refused() -> None:
    line = HEADER.line().replace(b'"peermatch-backup":1', b'"peermatch-backup":2')
    assert "form 2; this release reads form 1: install the release that wrote it" in refused(line)


def test_a_first_line_that_was_changed_is_refused() -> None:
    said = json.loads(HEADER.line())
    for name in said:
        if name != "peermatch-backup":
            for other in (None, [], {"a": 1}):
                assert "changed" in refused(json.dumps({**said, name: other}, separators=(",", ":")).encode() + b"\n")
            without = {key: value for key, value in said.items() if key != name}
            assert "changed" in refused(json.dumps(without, separators=(",", ":")).encode() + b"\n")
    assert "changed" in refused(HEADER.line()[:60])


def test_keys_are_of_one_file_and_tell_nothing_of_the_secret() -> None:
    keys = {file_key(SECRET, new_salt()) for _ in range(10)}
    assert len(keys) == 10
    assert all(len(key) == 32 for key in keys)
    assert key_id(SECRET) != key_id(bytes(32))
    assert key_id(SECRET) not in {key.hex()[:16] for key in (*keys, SECRET)}
