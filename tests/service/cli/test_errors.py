"""Whatever a command raises leaves as one short message and an exit code."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from matcher.errors import PeermatchError, RecordError
from service import cli
from service.cli import output


def run(monkeypatch: pytest.MonkeyPatch, error: BaseException, *arguments: str) -> Result:
    """Run a command that raises `error`, through the real group."""

    @click.command()
    @output.json_option
    def command(as_json: bool) -> None:
        raise error

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda self, ctx, name: command)
    return CliRunner().invoke(cli.main, ["doctor", *arguments])


def test_an_error_of_ours_is_one_line_on_stderr_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, PeermatchError("limit: found 11; expected 1 to 10"))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "peermatch: limit: found 11; expected 1 to 10\n"


def test_errors_by_path_follow_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RecordError("2 problems", {"profile.journey": "unknown level", "wants": "expected an object"})
    result = run(monkeypatch, error)
    assert result.stderr.splitlines() == [
        "peermatch: 2 problems",
        "  profile.journey: unknown level",
        "  wants: expected an object",
    ]


def test_many_errors_are_cut_short_for_people_but_not_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RecordError("many", {f"slots[{i}]": "malformed" for i in range(50)})
    result = run(monkeypatch, error, "--json")
    assert result.stderr.splitlines()[-1] == "  … and 30 more"
    assert len(json.loads(result.stdout)["error"]["errors"]) == 50


def test_with_json_the_refusal_is_one_document_on_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, RecordError("no", {"a": "b"}), "--json")
    assert result.exit_code == 1
    expected = {"title": RecordError.title, "message": "no", "errors": {"a": "b"}}
    assert json.loads(result.stdout) == {"error": expected}
    assert result.stderr.startswith("peermatch: no\n")


def test_the_unexpected_is_one_line_with_a_reference_that_the_log_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PEERMATCH_HOME", str(tmp_path / "home"))
    result = run(monkeypatch, ValueError("m-000123 lives with C50.9"))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    log = tmp_path / "home" / "peermatch.log"
    text = log.read_text("utf-8")
    reference = result.stderr.split("see ")[1].split(" in ")[0]
    assert f"{reference} ValueError" in text
    assert "test_errors.py" in text
    assert "C50.9" not in text + result.stderr, "an exception's text may quote a record"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_does_not_hide_the_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PEERMATCH_HOME", str(tmp_path / "file"))
    result = run(monkeypatch, ValueError("x"))
    assert result.exit_code == 1
    assert "test_errors.py:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_traceback_is_shown_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PEERMATCH_HOME", str(tmp_path))
    assert "Traceback" not in run(monkeypatch, ValueError("x")).output
    monkeypatch.setenv("PEERMATCH_DEBUG", "1")
    result = run(monkeypatch, ValueError("x"))
    assert "Traceback" in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "members.jsonl"), "members.jsonl: No such file"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    ],
)
def test_files_and_disks_are_told_plainly(monkeypatch: pytest.MonkeyPatch, error: OSError, message: str) -> None:
    result = run(monkeypatch, error)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"peermatch: {message}")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError(errno.EPIPE, "Broken pipe")])
def test_an_interruption_and_a_broken_pipe_are_quiet(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    result = run(monkeypatch, error)
    assert result.exit_code != 0
    assert result.output == ""


def test_a_message_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, PeermatchError("id \x1b[31m\u202e"))
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr
