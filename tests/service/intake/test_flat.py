"""CSV without a mapping: columns named for fields, and no way to state consent."""

from __future__ import annotations

import pytest

from service.intake.errors import IntakeError
from tests.service.intake.conftest import Intake


def test_columns_are_paths_of_the_record(intake: Intake) -> None:
    batch = intake(
        "member_id,roles,age_band,capacity,vetted,profile.conditions,profile.availability.tz,profile.availability.slots,"
        "wants.gender.importance,wants.gender.prefer,strata.ethnicity\n"
        "m-1,seeker|supporter,35+,2,true,mood|anxiety,Europe/London,mon 18:00-20:00|sat 09:00-10:00,3,woman|man,a\n"
        "m-2,seeker,,,,,,,,,\n"
    )
    assert batch.outcome.refused == []
    first, second = (member.to_dict() for member in batch.members.values())
    assert first == {
        "member_id": "m-1",
        "roles": ["seeker", "supporter"],
        "age_band": "35+",
        "capacity": 2,
        "vetted": True,
        "agreements": [],
        "profile": {
            "conditions": ["anxiety", "mood"],
            "availability": {"tz": "Europe/London", "slots": ["mon 18:00-20:00", "sat 09:00-10:00"]},
        },
        "wants": {"gender": {"importance": 3, "prefer": ["man", "woman"]}},
        "strata": {"ethnicity": "a"},
        "consents": [],
    }
    assert second["profile"] == {}
    assert any("without a consent" in warning for warning in batch.outcome.warnings)


def test_bad_cells_are_refused_by_their_path(intake: Intake) -> None:
    (refusal,) = intake("member_id,roles,capacity,profile.gender\nm-1,boss,many,man\n").outcome.refused
    assert sorted(refusal.errors) == ["capacity", "roles[0]"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("member_id,consents", "--mapping"),
        ("member_id,consent.match_serve", "--mapping"),
        ("member_id,profile.gendre", "did you mean 'profile.gender'?"),
        ("member_id,gender", "--mapping file"),
        ("member_id,profile.age", "expected one of"),
        ("roles,age_band", "no column 'member_id'"),
        ("member_id,profile.availability.tz", "expected both"),
    ],
)
def test_a_column_that_is_no_field_is_refused(intake: Intake, header: str, words: str) -> None:
    with pytest.raises(IntakeError, match=r"file\.csv, line 1") as caught:
        intake(header + "\nm-1,x\n")
    assert words in caught.value.message
