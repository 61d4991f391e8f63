"""What is in ``deploy/`` names commands that there are, and timers name their services."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import click
import pytest

from service.cli import main

PROGRAM = re.compile(r"/opt/peermatch/bin/peermatch ([^|\n']+)")
NIGHTLY = {"train": "*-*-01 04:10:00 UTC", "refresh": "*-*-* 00:01:00 UTC", "retention": "*-*-* 03:20:00 UTC"}


def unit(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read(path, "utf-8")
    return found


def lines(root: Path) -> list[str]:
    files = [path for path in (root / "deploy").iterdir() if path.suffix in {".service", ".cron"}]
    return [line for path in sorted(files) for line in PROGRAM.findall(path.read_text("utf-8"))]


def test_every_command_is_one(root: Path) -> None:
    found = lines(root)
    assert len(found) >= 8
    for line in found:
        name, *arguments = line.replace('"', "").split()
        command = main.get_command(click.Context(main), name)
        assert command is not None, name
        known = {option for one in command.params for option in one.opts}
        assert {word for word in arguments if word.startswith("--")} <= known, line


def test_every_timer_has_its_service_and_a_moment(root: Path) -> None:
    timers = sorted((root / "deploy").glob("*.timer"))
    assert len(timers) >= 4
    for path in timers:
        assert path.with_suffix(".service").is_file(), path.name
        assert unit(path)["Timer"]["OnCalendar"].endswith(" UTC"), path.name
        assert unit(path)["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize("name", NIGHTLY)
def test_cron_says_the_same_times(root: Path, name: str) -> None:
    assert unit(root / "deploy" / f"peermatch-{name}.timer")["Timer"]["OnCalendar"] == NIGHTLY[name]
    text = (root / "deploy" / "peermatch.cron").read_text("utf-8")
    (line,) = (line for line in text.splitlines() if f"peermatch {name} " in line)
    minute, hour, day, month, weekday, user = line.split()[:6]
    assert (month, weekday, user) == ("*", "*", "peermatch")
    date, time, _ = NIGHTLY[name].split()
    assert (f"{int(hour):02}:{int(minute):02}:00", day) == (time, "1" if date.endswith("01") else "*")


def test_every_service_keeps_what_it_writes_to_itself(root: Path) -> None:
    for path in (root / "deploy").glob("*.service"):
        service = unit(path)["Service"]
        assert (service["UMask"], service["ProtectSystem"], service["User"]) == ("0077", "strict", "peermatch"), path
