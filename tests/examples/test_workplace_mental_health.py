"""A real survey, imported through the command line: what lands, what is refused, and whom it lets find whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matcher.facade import Matcher
from matcher.programme import Programme
from service.intake.mapping_file import read_mapping
from service.intake.members import read_members
from tests.examples.conftest import NOW, Example

EXAMPLE = "workplace-mental-health"
SURVEY = "osmi/osmi_2016.csv"
ROWS = 1433
HIGHEST = "often"


def test_programme_mapping_and_vocabulary_fit_each_other(example: Example) -> None:
    programme = Programme.from_toml(example.folder / "programme.toml")
    mapping = read_mapping(example.folder / "mapping.toml", programme, NOW)
    assert programme.mutual
    vocabulary = programme.facets["conditions"].vocabulary  # type: ignore[attr-defined]
    rules = [rule for field in mapping.fields for rule in field.rules if field.target.path == "profile.conditions"]
    codes = {code for rule in rules for values in (rule.map or {}).values() for code in values}
    assert codes <= set(vocabulary.codes())


def test_without_the_file_a_row_like_its_own_is_a_member(example: Example, tmp_path: Path) -> None:
    programme = Programme.from_toml(example.folder / "programme.toml")
    mapping = read_mapping(example.folder / "mapping.toml", programme, NOW)
    columns = dict.fromkeys([column for _, column in mapping.uses()] + list(mapping.dropped), "")
    cells = columns | {
        "respondent": "r1",
        "age": "34",
        "gender": "F",
        "country": "Sweden",
        "remote": "Always",
        "sought_treatment": "1",
        "interferes_treated": "Rarely",
        "observed_bad_response": "No",
        "share_with_friends_family": "Very open",
        "diagnosed_conditions": '"Mood Disorder (Depression, Bipolar Disorder, etc)|Burn out"',
    }
    path = tmp_path / "one.csv"
    path.write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n", encoding="utf-8")
    batch = read_members(path, programme, example.folder / "mapping.toml", NOW)
    assert batch.outcome.refused == []
    member = batch.members["r1"]
    assert (member.age_band, member.vetted, member.capacity) == ("25-34", True, 2)
    assert dict(member.profile) == {
        "conditions": ("burnout", "mood"),
        "treatment": "yes",
        "workplace": (),
        "openness": "very_open",
        "interference": "rarely",
        "remote": "always",
        "gender": "woman",
        "region": "europe",
    }


@pytest.fixture
def commands(example: Example, shared_data: Callable[[str], Path]) -> list[list[str]]:
    """The commands of the README, where the survey is here."""
    shared_data(SURVEY)
    return example.commands()


def test_the_readme_runs_and_its_figures_are_true(example: Example, commands: list[list[str]]) -> None:
    init, load, match = commands
    example.run(init)
    document = example.json(load, code=1)
    assert document["accepted"] == 1428
    assert document["accepted"] + len(document["refused"]) == ROWS
    found = {row["id"]: row["errors"] for row in document["refused"]}
    assert {errors["age_band"].split("'")[3] for errors in found.values()} == {"3", "15", "17", "99", "323"}
    counts = [warning.partition(" ×")[0] for warning in document["warnings"]]
    assert counts == ["profile.gender: 25", "profile.conditions: 13", "profile.suspected: 5"]
    document = example.json(match)
    assert document["outcome"] == "matched"
    assert len(document["matches"]) == 5
    # Importing it a second time changes nobody.
    before = example.stored()[1]
    example.run(load, code=1)
    assert example.stored()[1] == before


def test_real_people_get_lists_that_make_sense(example: Example, commands: list[list[str]]) -> None:
    example.run(commands[0])
    example.run(commands[1], code=1)
    programme, members = example.stored()
    matcher = Matcher(programme).fit(members.values(), at=NOW)
    diagnosed = [member for member in members.values() if member.profile.get("conditions")]
    assert len(diagnosed) == 768
    alike = 0
    for seeker in diagnosed:
        shortlist = matcher.match(seeker.member_id)
        assert shortlist.outcome == "matched"
        entries = list(shortlist)
        assert len(entries) == programme.limit
        for entry in entries:
            other = members[entry.member_id]
            assert entry.member_id != seeker.member_id
            assert other.age_band is not None
            assert entry.score >= programme.quality_floor
            assert not seeker.profile["interference"] == other.profile["interference"] == HIGHEST
        first = members[entries[0].member_id]
        alike += bool(set(first.profile.get("conditions", ())) & set(seeker.profile["conditions"]))  # type: ignore[call-overload]
    assert alike >= 0.95 * len(diagnosed)
    others = [member for member in members.values() if not member.profile.get("conditions")]
    listed = sum(matcher.match(member.member_id).outcome == "matched" for member in others[::10])
    assert listed >= 0.9 * len(others[::10])


def test_whoever_has_no_known_age_is_stored_and_never_shown(
    example: Example, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    programme = Programme.from_toml(example.folder / "programme.toml")
    text = (example.folder / "mapping.toml").read_text(encoding="utf-8")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(text.replace('outside = "refuse"', 'outside = "drop"'), encoding="utf-8")
    batch = read_members(shared_data(SURVEY), programme, mapping, NOW)
    assert (batch.outcome.accepted, batch.outcome.refused) == (ROWS, [])
    unknown = {member.member_id for member in batch.members.values() if member.age_band is None}
    assert len(unknown) == 5
    matcher = Matcher(programme).fit(batch.members.values(), at=NOW)
    for member_id in unknown:
        assert matcher.match(member_id).reason == "no_eligible"
    for member_id in list(batch.members)[::25]:
        shortlist = matcher.match(member_id)
        assert not {entry.member_id for entry in shortlist} & unknown
        assert shortlist.excluded["age"] >= len(unknown - {member_id})
