"""The member of DESIGN §4 matches under the programme of DESIGN §3; both are copied word for word into tests/data."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from matcher.facade import Matcher
from matcher.people import Member
from matcher.programme import Programme
from matcher.vocabulary import load_bundled
from tests.oracle import Oracle
from tests.properties.library import plain
from tests.properties.test_equivalence import agree

DATA = Path(__file__).resolve().parent.parent / "data"
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PURPOSES = ("match_serve", "be_shown_as_peer", "show_reasons", "train_model")
HISTORIES = (["driving_again", "lumpectomy"], ["mastectomy"], ["chemotherapy", "back_to_work"], ["driving_again"])
CONDITIONS = (["C50.9"], ["C50.919"], ["C50.9", "F41.1"], ["C50.911"])


@pytest.fixture(scope="module")
def programme() -> Programme:
    return Programme.from_toml(DATA / "lantern.toml")


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "lantern_member.json").read_text(encoding="utf-8"))
    return found


def supporters(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return sixteen supporters who have been where the member is, each a little different."""
    given = {"decision": "given", "policy_version": "2026-01", "at": "2026-02-01T09:00:00Z"}
    out = []
    for number in range(16):
        profile = {
            **record["profile"],
            "conditions": CONDITIONS[number % 4],
            "experiences": HISTORIES[number // 4],
            "journey": ("after_treatment", "long_term")[number % 2],
            "gender": ("woman", "man", "woman")[number % 3],
            "severity": ("low", "high")[number % 2],
            "region": ("north", "south")[number // 8],
        }
        profile.pop("needs")
        out.append(
            {
                "member_id": f"m-1{number:05}",
                "roles": ["supporter"],
                "age_band": ("25-34", "35-44", "65-74")[number % 3],
                "capacity": 2,
                "vetted": True,
                "agreements": ["agreement-2026-01"],
                "profile": profile,
                "consents": [{"purpose": purpose, **given} for purpose in PURPOSES],
            }
        )
    return out


def test_the_member_is_read_without_a_warning_and_written_back(programme: Programme, record: dict[str, Any]) -> None:
    member = Member.from_dict(record, programme)
    assert member.warnings == ()
    assert Member.from_dict(member.to_dict(), programme) == member


def test_the_member_matches(programme: Programme, record: dict[str, Any]) -> None:
    records = [record, *supporters(record)]
    members = [Member.from_dict(one, programme) for one in records]
    matcher = Matcher(programme, random_state=0).fit(members, feedback=None, at=AT)
    found = matcher.match("m-000123", limit=5)
    assert (found.outcome, found.reason, found.eligible, dict(found.excluded)) == ("matched", None, 16, {})
    assert [entry.rank for entry in found] == [1, 2, 3, 4, 5]
    best = next(iter(found))
    # The best has driven again, has the same diagnosis, and is a woman, as preferred.
    chosen = next(one for one in records if one["member_id"] == best.member_id)
    assert "driving_again" in chosen["profile"]["experiences"]
    assert chosen["profile"]["gender"] == "woman"
    assert best.strength == "strong"
    assert list(best.reasons) == []  # the member has not agreed to reasons


def test_the_member_gets_the_oracles_list(programme: Programme, record: dict[str, Any]) -> None:
    records = [record, *supporters(record)]
    members = [Member.from_dict(one, programme) for one in records]
    icd = load_bundled("icd10cm")
    above = {code: [code, *icd.ancestors(code)] for one in records for code in one["profile"]["conditions"]}
    parents = {"icd10cm": {c: p for chain in above.values() for c, p in zip(chain, [*chain[1:], ""], strict=True)}}
    rows = (DATA / "experiences.csv").read_text(encoding="utf-8").splitlines()[1:]
    parents["experiences.csv"] = {code: parent for code, _, parent in (row.split(",") for row in rows)}
    raw = tomllib.loads((DATA / "lantern.toml").read_text(encoding="utf-8"))
    expected = Oracle(raw, parents, records, AT).match("m-000123", 10)
    agree("lantern", expected, plain(Matcher(programme).fit(members, at=AT).match("m-000123", 10)), programme.facets)
    assert expected["outcome"] == "matched"
