from __future__ import annotations

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from service.console.sessions import IDLE, LONGEST, Session, Sessions, new_token
from tests.service.installation import NOON

SECRET, KEY_ID = b"s" * 32, "k" * 16


@pytest.fixture
def made(tmp_path: Path) -> Sessions:
    return Sessions(SECRET, tmp_path)


def the_file(folder: Path) -> Path:
    (path,) = (folder / "sessions").iterdir()
    return path


def test_a_session_is_found_by_its_token_alone(made: Sessions) -> None:
    token = made.begin(KEY_ID, NOON)
    found = made.find(token, NOON)
    assert found == Session(KEY_ID, NOON, token)
    assert token not in repr(found)
    for wrong in (new_token(), token[:-1], f"{token}x", "", "../x", "é" * 43, token.swapcase()):
        assert made.find(wrong, NOON) is None


def test_it_ends_when_nothing_is_done_in_it(made: Sessions) -> None:
    token = made.begin(KEY_ID, NOON)
    at = NOON
    for _ in range(3):
        at += IDLE - timedelta(microseconds=1)
        assert made.find(token, at) is not None
    assert made.find(token, at + IDLE) is None


def test_looking_without_use_does_not_make_it_longer(made: Sessions) -> None:
    token = made.begin(KEY_ID, NOON)
    assert made.find(token, NOON + timedelta(minutes=20), use=False) is not None
    assert made.find(token, NOON + IDLE) is None


def test_it_ends_after_eight_hours_whatever_is_done(made: Sessions) -> None:
    token, at = made.begin(KEY_ID, NOON), NOON
    while at < NOON + LONGEST - timedelta(minutes=20):
        at += timedelta(minutes=20)
        assert (made.find(token, at) is not None) == (at < NOON + LONGEST)
    assert made.find(token, NOON + LONGEST - timedelta(microseconds=1)) is not None
    assert made.find(token, NOON + LONGEST) is None


@pytest.mark.parametrize("back", [IDLE, LONGEST, timedelta(days=400)])
def test_a_clock_that_was_set_back_revives_nothing(made: Sessions, back: timedelta) -> None:
    token = made.begin(KEY_ID, NOON)
    assert made.find(token, NOON - timedelta(milliseconds=5)) is not None, "two workers, two moments"
    assert made.find(token, NOON - back - timedelta(seconds=1)) is None


def test_it_ends_at_once_when_it_is_ended(made: Sessions, tmp_path: Path) -> None:
    token, other = made.begin(KEY_ID, NOON), made.begin(KEY_ID, NOON)
    made.end(token)
    made.end(token)
    made.end("../../x")
    assert made.find(token, NOON) is None
    assert made.find(other, NOON) is not None


def test_the_files_tell_no_token_and_are_nobody_elses(made: Sessions, tmp_path: Path) -> None:
    token = made.begin(KEY_ID, NOON)
    path = the_file(tmp_path)
    assert token not in f"{path.name} {path.read_text('ascii')}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def rewritten(path: Path, text: str) -> None:
    path.write_text(text, "ascii")
    used = int(NOON.timestamp() * 1_000_000_000)
    os.utime(path, ns=(used, used))


def test_who_can_write_to_the_folder_can_make_no_session(made: Sessions, tmp_path: Path) -> None:
    token = made.begin(KEY_ID, NOON)
    path = the_file(tmp_path)
    text = path.read_text("ascii")
    rewritten(path, text)
    assert made.find(token, NOON) is not None, "the control"
    _, issued, signature = text.split(" ")
    later = str(int(issued) + 1)
    for forged in (
        f"{'x' * 16} {issued} {signature}",
        f"{KEY_ID} {later} {signature}",
        f"{KEY_ID} {issued} {'0' * 64}",
        f"{KEY_ID} {issued}",
        f"{KEY_ID} x {signature}",
        "",
    ):
        rewritten(path, forged)
        assert made.find(token, NOON) is None, forged
    # What was written for one token is worth nothing under the name of another.
    rewritten(path, text)
    other = made.begin("another-key-of-it", NOON)
    second = next(one for one in path.parent.iterdir() if one != path)
    rewritten(second, text)
    assert made.find(other, NOON) is None


def test_another_installation_knows_none_of_them(made: Sessions, tmp_path: Path) -> None:
    token = made.begin(KEY_ID, NOON)
    other = Sessions(b"t" * 32, tmp_path)
    assert other.find(token, NOON) is None
    assert not other.is_form_token(token, made.form_token(token))


def test_those_that_are_over_are_deleted(made: Sessions, tmp_path: Path) -> None:
    made.begin(KEY_ID, NOON)
    made.begin(KEY_ID, NOON + IDLE)
    assert len(list((tmp_path / "sessions").iterdir())) == 1


def test_a_form_token_is_of_one_token_alone(made: Sessions) -> None:
    token, other = new_token(), new_token()
    told = made.form_token(token)
    assert made.is_form_token(token, told)
    assert token not in told
    for wrong in ("", told[:-1], told.upper(), "é", made.form_token(other)):
        assert not made.is_form_token(token, wrong)


def test_where_it_cannot_be_written_nobody_is_signed_in(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("in the way")
    with pytest.raises(OSError, match="sessions"):
        Sessions(SECRET, tmp_path).begin(KEY_ID, NOON)


def test_moments_are_of_the_clock_that_is_asked_not_of_the_disk(made: Sessions) -> None:
    long_ago = datetime(1999, 1, 1, tzinfo=NOON.tzinfo)
    assert made.find(made.begin(KEY_ID, long_ago), long_ago) is not None
