"""The group: its help, its usage errors, its table of commands."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from service.cli import COMMANDS, main


def leaves(command: click.Command, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    """Return every command below `command` that does something."""
    if isinstance(command, click.Group):
        return [leaf for name, child in command.commands.items() for leaf in leaves(child, (*path, name))]
    return [(path, command)]


def load(name: str) -> click.Command:
    command: click.Command = importlib.import_module(COMMANDS[name].module).command
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_json_help_and_an_example(name: str) -> None:
    for path, command in leaves(load(name), (name,)):
        assert any("--json" in option.opts for option in command.params), path
        result = CliRunner().invoke(main, [*path, "--help"])
        assert result.exit_code == 0, path
        assert f"peermatch {' '.join(path)}" in result.stdout.split("Example")[1], f"{path} shows no example"


def test_help_lists_every_command_without_importing_one() -> None:
    script = (
        "import sys; from service.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'sqlalchemy', 'flask', 'sklearn', 'service.settings'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(["matc"], "did you mean 'match'?"), (["--nonsense"], "--nonsense"), (["match"], "MEMBER_ID")],
)
def test_a_usage_error_exits_2(arguments: list[str], hint: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert hint in result.stderr
    assert result.stdout == ""


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    command = f"{sys.executable} -m service.cli --help | head -c 1 >/dev/null"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
