"""Progress is shown to a person who waits, and to nobody else."""

from __future__ import annotations

import io

import pytest

from service.cli.progress import Progress, track


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_nothing_is_shown_within_a_second() -> None:
    clock, stream = Clock(), Terminal()
    with Progress("reading", total=10, stream=stream, clock=clock) as progress:
        clock.seconds = 0.9
        progress.draw()
    assert stream.getvalue() == ""


def test_after_a_second_the_line_says_how_far_it_is_and_disappears_at_the_end() -> None:
    clock, stream = Clock(), Terminal()
    with Progress("reading", total=2000, stream=stream, clock=clock) as progress:
        progress.advance(1200)
        clock.seconds = 3.2
        progress.draw()
        line = "reading … 1,200 of 2,000 (3 s)"
        assert f"\r{line}" in stream.getvalue()
    assert stream.getvalue().endswith("\r" + " " * len(line) + "\r")


def test_without_a_total_only_what_is_known_is_shown() -> None:
    clock, stream = Clock(), Terminal()
    with Progress("training", stream=stream, clock=clock) as progress:
        clock.seconds = 2.0
        progress.draw()
    assert "\rtraining … (2 s)" in stream.getvalue()


def test_no_terminal_no_thread() -> None:
    with Progress("reading", stream=io.StringIO()) as progress:
        assert progress._watcher is None


def test_an_error_ends_the_progress_too() -> None:
    stream = Terminal()
    with pytest.raises(KeyError), Progress("reading", stream=stream) as progress:
        raise KeyError
    watcher = progress._watcher
    assert watcher is not None
    assert not watcher.is_alive()


def test_track_yields_every_item() -> None:
    assert list(track(iter("abc"), "reading", 3)) == ["a", "b", "c"]
