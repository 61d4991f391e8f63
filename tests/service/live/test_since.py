from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from service.live.since import Since
from tests.service.installation import NOON

LATER = NOON + timedelta(hours=3)


def test_the_first_moment_is_kept_across_restarts_until_it_is_over(tmp_path: Path) -> None:
    assert Since(tmp_path).note("model", "lantern", "2", NOON) == NOON
    assert Since(tmp_path).note("model", "lantern", "2", LATER) == NOON
    Since(tmp_path).forget("model", "lantern")
    Since(tmp_path).forget("model", "lantern")
    assert Since(tmp_path).note("model", "lantern", "2", LATER) == LATER


def test_another_thing_is_another_moment(tmp_path: Path) -> None:
    Since(tmp_path).note("model", "lantern", "2", NOON)
    assert Since(tmp_path).note("model", "lantern", "3", LATER) == LATER
    assert Since(tmp_path).note("pool", "lantern", "", LATER) == LATER
    assert Since(tmp_path).note("model", "beacon", "2", LATER) == LATER


def test_a_clock_that_was_set_back_tells_no_moment_to_come(tmp_path: Path) -> None:
    Since(tmp_path).note("model", "lantern", "2", LATER)
    assert Since(tmp_path).note("model", "lantern", "2", NOON) == NOON


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"what": "2"}', '{"what": "2", "since": "soon"}', "\x00\xff"])
def test_a_damaged_file_is_written_anew(tmp_path: Path, text: str) -> None:
    Since(tmp_path).note("model", "lantern", "2", NOON)
    (file,) = (tmp_path / "stale").iterdir()
    file.write_text(text, "latin-1")
    assert Since(tmp_path).note("model", "lantern", "2", LATER) == LATER
    assert Since(tmp_path).note("model", "lantern", "2", LATER + timedelta(hours=1)) == LATER


def test_where_nothing_can_be_written_each_process_knows_for_itself(tmp_path: Path) -> None:
    (tmp_path / "stale").write_text("a file in the way")
    assert Since(tmp_path).note("model", "lantern", "2", NOON) == NOON
    assert Since(tmp_path).note("model", "lantern", "2", LATER) == LATER
    Since(tmp_path).forget("model", "lantern")
    assert Since(None).note("model", "lantern", "2", LATER) == LATER
    Since(None).forget("model", "lantern")
