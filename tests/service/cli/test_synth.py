"""``peermatch synth``: a whole cohort in an empty folder, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from matcher.programme import Programme
from service.cli import main


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["synth", *(str(argument) for argument in arguments)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def test_it_writes_a_cohort_and_counts_it(tmp_path: Path) -> None:
    out = tmp_path / "new" / "cohort"
    document = json.loads(run("--members", 60, "--seed", 5, "--out", out, "--json").stdout)
    assert document["members"] == 60
    for name in ("members", "feedback", "groups", "truth"):
        assert document[name] == len((out / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    assert sorted(document["files"]) == sorted(path.name for path in out.iterdir())
    assert Programme.from_toml(out / "programme.toml").id == "lantern"


def test_a_person_reads_what_comes_next(tmp_path: Path) -> None:
    said = run("--members", 60, "--out", tmp_path / "cohort").stdout
    assert "members.jsonl" in said
    assert "peermatch init" in said


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        run("--members", 60, "--seed", seed, "--out", tmp_path / name)
    a, b, c = ((tmp_path / name / "members.jsonl").read_bytes() for name in "abc")
    assert a == b != c


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "members.jsonl").write_text("mine")
    refused = run("--members", 60, "--out", tmp_path, code=1)
    assert "--force" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["members.jsonl"]
    assert (tmp_path / "members.jsonl").read_text() == "mine"
    run("--members", 60, "--out", tmp_path, "--force")
    assert (tmp_path / "members.jsonl").read_text() != "mine"


def test_the_end_of_the_history_can_be_given(tmp_path: Path) -> None:
    run("--members", 60, "--out", tmp_path / "cohort", "--at", "2027-06-01T12:00:00Z")
    first = json.loads((tmp_path / "cohort" / "members.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["consents"][0]["at"].startswith("2027-04")


def test_usage_errors_exit_2(tmp_path: Path) -> None:
    assert "10<=x" in run("--members", 3, "--out", tmp_path / "cohort", code=2).stderr
    run("--members", 60, "--seed", -1, "--out", tmp_path / "cohort", code=2)
    run("--members", 60, code=2)
    run("--members", 60, "--out", tmp_path / "cohort", "--at", "yesterday", code=2)
    assert not (tmp_path / "cohort").exists()
