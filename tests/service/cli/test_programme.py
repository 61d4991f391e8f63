"""``peermatch programme apply``: what changes, for whom, and not at the cost of anybody's record."""

from __future__ import annotations

import pytest

from matcher.programme import Programme
from service.cli import comparison
from service.store import open_store, programmes
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON, consent, record


def stored(cli: Cli) -> Programme:
    store = open_store(cli.settings)
    with store.reading() as session:
        programme = programmes.load(session, "lantern")
    store.close()
    return programme


def edit(cli: Cli, *changes: tuple[str, str]) -> None:
    text = cli.file.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    cli.file.write_text(text, "utf-8")


def test_the_same_file_changes_nothing(cli: Cli) -> None:
    document = cli.json("programme", "apply", cli.file)
    assert document["applied"] is False
    assert document["changes"] == []
    assert "nothing to change" in cli.run("programme", "apply", cli.file).stdout


def test_a_dry_run_says_everything_and_changes_nothing(cli: Cli) -> None:
    cli.add(record("m-1"), record("m-2"))
    before = stored(cli)
    cli.write(size="open")
    shown = cli.run("programme", "apply", cli.file, "--dry-run").stdout
    assert "~ programme.size: standard → open" in shown
    assert "~ programme.review: first → none" in shown, "what the size class sets changes with it"
    assert "Members: 2; 0 records could no longer be read" in shown
    assert "Nothing was changed" in shown
    assert stored(cli) == before


def test_apply_takes_the_place_of_what_was_stored(cli: Cli) -> None:
    cli.write(size="open")
    document = cli.json("programme", "apply", cli.file)
    assert document["applied"] is True
    assert {"path": "programme.size", "before": "standard", "after": "open"} in document["changes"]
    assert stored(cli).size == "open"
    assert cli.json("programme", "apply", cli.file)["changes"] == []


def test_records_that_could_no_longer_be_read_stop_it(cli: Cli) -> None:
    cli.add(record("m-1"), record("m-2"), record("m-3", profile={"channel": ["video"]}))
    before = stored(cli)
    edit(cli, ('"later", ', ""))
    for arguments in (["--dry-run"], []):
        document = cli.json("programme", "apply", cli.file, *arguments, code=1)
        assert document["applied"] is False
        assert document["members"]["total"] == 3
        assert document["members"]["refused"] == 2
        (reason,) = document["members"]["reasons"]
        assert reason["path"] == "profile.journey"
        assert reason["members"] == 2
        assert "'later'" not in reason["reason"], "what somebody's record says is nobody's business here"
    assert stored(cli) == before
    assert "Not applied" in cli.run("programme", "apply", cli.file, code=1).stdout


def test_a_new_policy_version_tells_how_many_must_be_asked_again(cli: Cli) -> None:
    refused = record("m-2", consents=[consent("match_serve", "refused")])
    again = record("m-3", consents=[consent("be_shown_as_peer", policy_version="2")])
    cli.add(record("m-1"), refused, again)
    edit(cli, ('policy_version = "1"', 'policy_version = "2"'))
    document = cli.json("programme", "apply", cli.file, "--dry-run")
    assert document["members"]["consent"] == {
        "match_serve": {"lost": 1, "gained": 0},
        "be_shown_as_peer": {"lost": 1, "gained": 1},
        "show_reasons": {"lost": 1, "gained": 0},
    }


def test_where_the_model_no_longer_fits_the_prior_serves_from_the_same_moment(cli: Cli) -> None:
    edit(
        cli,
        (
            "[facets.statement]",
            '[facets.region]\nkind = "choice"\nvalues = ["n", "s"]\nweight = 1.0\n[facets.statement]',
        ),
    )
    dry = cli.json("programme", "apply", cli.file, "--dry-run")
    assert dry["model"]["fits"] is False
    assert "region" in dry["model"]["reason"]
    assert len(cli.json("models", "list")["models"]) == 1
    assert "the prior serves until `peermatch train`" in cli.run("programme", "apply", cli.file).stdout
    shown = cli.json("models", "show")
    assert shown["problem"] is None
    assert shown["manifest"]["features"] == ["experiences", "journey", "region"]
    assert len(cli.json("models", "list")["models"]) == 2


def test_a_failure_half_way_changes_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    before, folders = stored(cli), cli.settings.home / "models" / "lantern"
    edit(cli, ("weight = 2.0\n", ""))

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(programmes, "save", fail)
        assert "No space left" in cli.run("programme", "apply", cli.file, code=1).stderr
    assert stored(cli) == before
    assert len(list(folders.iterdir())) == 1


def test_members_who_change_meanwhile_are_not_overlooked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write(size="open")
    real = comparison.effect

    def slow(*args: object) -> comparison.Effect:
        found = real(*args)  # type: ignore[arg-type]
        cli.add(record("m-late"))
        return found

    monkeypatch.setattr(comparison, "effect", slow)
    assert "run the command again" in cli.run("programme", "apply", cli.file, code=1).stderr
    assert stored(cli).size == "standard"


def test_a_vocabulary_that_says_something_else_is_a_change(cli: Cli) -> None:
    lists = cli.file.parent / "lists" / "experiences.csv"
    lists.write_text(lists.read_text("utf-8") + "baking,Baking,\n", "utf-8")
    changes = cli.json("programme", "apply", cli.file)["changes"]
    assert [change["path"] for change in changes] == ["facets.experiences.vocabulary"]
    assert "baking" in stored(cli).facets["experiences"].vocabulary.codes()  # type: ignore[attr-defined]


def test_another_id_is_no_change_of_this_programme(cli: Cli) -> None:
    cli.write(id="harbour")
    stderr = cli.run("programme", "apply", cli.file, code=1).stderr
    assert "harbour" in stderr
    assert "peermatch init" in stderr


def test_a_record_that_could_not_be_read_before_is_not_held_against_a_file(cli: Cli) -> None:
    before, bad = stored(cli), {**record("m-1"), "roles": ["pilot"]}
    found = comparison.effect([bad, record("m-2")], before, before, NOON)
    assert (found.total, found.refused) == (2, 0)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("found 'C50.9'; expected one of 'a', 'b'", "expected one of 'a', 'b'"),
        ("found ['x'] twice", "cannot be read"),
        ("unknown facet; expected one of channel", "unknown facet; expected one of channel"),
        ("missing; expected an age band", "missing; expected an age band"),
    ],
)
def test_a_reason_never_says_what_was_found(message: str, reason: str) -> None:
    assert comparison._reason(message) == reason
