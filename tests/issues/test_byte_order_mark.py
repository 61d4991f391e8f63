"""The byte-order mark ate the first CSV header (decidim 7780): files as Excel writes them, from disk to members.

Each single habit of a spreadsheet is in `tests/service/intake/test_reading.py`; here they come together.
"""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from matcher.errors import PeermatchError
from service.intake.members import read_members
from tests.service.installation import NOON, Installation

HEADER = "member_id;roles;age_band;vetted;profile.experiences;profile.channel\r\n"
ROWS = "m-1;seeker;35-64;true;lumpectomy;phone\r\nm-2;supporter;35-64;true;surgery|travel;phone|video\r\n"
BLANK = ";;;;;\r\n\r\n   ;;;;;\r\n"


def read(made: Installation, text: str, encoding: str = "utf-8-sig") -> object:
    path: Path = made.folder / "from-excel.csv"
    path.write_bytes(text.encode(encoding))
    return read_members(path, made.programme, None, NOON)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "utf-16"])
def test_a_file_of_excel_is_read_whole(made: Installation, encoding: str) -> None:
    batch = read(made, HEADER + ROWS + BLANK, encoding)
    assert batch.outcome.refused == []
    assert {member_id: sorted(member.roles) for member_id, member in batch.members.items()} == {
        "m-1": ["seeker"],
        "m-2": ["supporter"],
    }
    assert batch.members["m-2"].profile["experiences"] == ("surgery", "travel")


def test_the_mark_alone_is_no_header(made: Installation) -> None:
    with pytest.raises(PeermatchError, match="empty file"):
        read(made, "\r\n")
    assert "".encode("utf-8-sig") == codecs.BOM_UTF8


def test_a_header_told_twice_is_refused_with_both_places(made: Installation) -> None:
    with pytest.raises(PeermatchError, match="column 1 and as column 7"):
        read(made, HEADER.replace("\r\n", ";member_id\r\n") + ROWS)
