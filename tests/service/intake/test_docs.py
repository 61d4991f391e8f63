"""The pages about importing say what is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from matcher.programme import Programme
from service.intake.mapping_file import mapping_from_text
from service.intake.members import read_members
from tests.service.intake.conftest import CONSENT, ID, NOW, Write

PROGRAMME = """
[programme]
id = "lantern"
name = "The programme of the how-to"
pairing = "mutual"
[consent]
policy_version = "2026-01"
[ages]
bands = ["18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+"]
[facets.conditions]
kind = "concepts"
vocabulary = "conditions.csv"
weight = 1.0
"""
SURVEY = """respondent,age,diagnoses,signed on,"may we match you?",name,e-mail
p1,34,Depression|anxiety,2026-02-01T09:00:00Z,Yes,-,-
p2,323,,2026-02-01T09:00:00Z,no,-,-
p8,50,Burnout,2026-02-01T09:00:00Z,yes,-,-
"""
KEYS = re.compile(r'(?:section|table)\.(?:raw|string|strings|number|boolean|section)\("([a-z_]+)"')


def test_the_mapping_of_the_how_to_works(root: Path, write: Write) -> None:
    page = (root / "docs/how-to/import-a-survey.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    write("conditions.csv", "code,label,parent\ndepression,Depression,\nanxiety,Anxiety,\n")
    programme = Programme.from_toml(write("programme.toml", PROGRAMME))
    batch = read_members(write("survey.csv", SURVEY), programme, write("mapping.toml", text), NOW)
    assert list(batch.members) == ["p1"]
    told = [(refusal.id, dict(refusal.errors)) for refusal in batch.outcome.refused]
    assert [member_id for member_id, _ in told] == ["p2", "p8"]
    for _, errors in told:
        for path, message in errors.items():
            assert path in page
            assert message in page


def test_every_key_of_the_language_is_in_the_reference(root: Path) -> None:
    page = (root / "docs/reference/mapping.md").read_text(encoding="utf-8")
    keys = {key for path in (root / "service/intake").glob("*.py") for key in KEYS.findall(path.read_text("utf-8"))}
    assert {"column", "split", "unmapped", "outside", "when", "evidence", "policy_version"} <= keys
    assert [key for key in sorted(keys) if not re.search(rf"`\[{{0,2}}{key}\b", page)] == []


def test_the_weeks_of_the_reference_work(root: Path, programme: Programme) -> None:
    page = (root / "docs/reference/mapping.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    head = ID + CONSENT.replace(', "be_shown_as_peer"', "")
    for block in blocks:
        mapping_from_text(head + block, "m.toml", programme, NOW)


@pytest.mark.parametrize("page", ["docs/how-to/import-a-survey.md", "docs/reference/mapping.md"])
def test_links_lead_somewhere(root: Path, page: str) -> None:
    text = (root / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (root / page).parent.joinpath(target).exists(), target
