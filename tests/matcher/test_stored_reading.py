"""What was stored comes back as it was, whoever wrote it and whatever was read before."""

from __future__ import annotations

import copy
import json
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.consent_events import ConsentEvent
from matcher.errors import RecordError
from matcher.frozen import maker
from matcher.memory import MOST
from matcher.people import Member
from matcher.programme import Programme
from matcher.stored_reading import stored_reader
from matcher.synthetic import experiences, generate_members, programme_text
from tests.cohorts import case
from tests.conftest import examples
from tests.matcher.lantern import LANTERN, RECORD, member, programme, record
from tests.matcher.test_people import LIKELY, MUTUAL, SOUND, WORDS


def comes_back(raw: Any, of: Programme) -> Member:
    """Check that a member comes back from the store; return it as it was read first."""
    read = Member.from_dict(raw, of)
    text = orjson.dumps(read.to_dict())
    assert json.loads(text) == orjson.loads(text)
    record = orjson.loads(text)
    back = Member.from_stored(record, of)
    assert back == replace(read, warnings=())
    assert record == orjson.loads(text)
    assert type(back) is Member
    assert [type(event) for event in back.consents] == [ConsentEvent] * len(back.consents)
    assert list(back.profile) == list(read.profile)
    assert back.to_dict() == read.to_dict()
    assert hash(back.consents) == hash(read.consents)
    return read


@settings(max_examples=examples(100, 3000))
@given(SOUND)
def test_sound_records(raw: dict[str, Any]) -> None:
    comes_back(raw, LANTERN)


@settings(max_examples=examples(150, 5000))
@given(st.fixed_dictionaries({"member_id": st.just("m"), "roles": st.just(["seeker"])}), st.dictionaries(WORDS, LIKELY))
def test_whatever_is_accepted(sound: dict[str, Any], changes: dict[str, Any]) -> None:
    for of in (LANTERN, MUTUAL):
        try:
            comes_back({**changes, **sound}, of)
        except RecordError:
            continue


@pytest.mark.parametrize("seed", range(examples(12, 200)))
def test_generated_programmes(seed: int, tmp_path: Path) -> None:
    drawn = case(seed)
    of = Programme.from_toml(drawn.write(tmp_path))
    for raw in (*drawn.records, *drawn.others):
        comes_back(raw, of)


def test_the_synthetic_cohort(tmp_path: Path) -> None:
    (tmp_path / "experiences.csv").write_text(experiences.to_csv(), encoding="utf-8")
    of = Programme.from_text(programme_text(), tmp_path)
    for raw in generate_members(examples(2000, 100_000), seed=1):
        comes_back(raw, of)


def test_every_field_of_a_member_and_of_an_event() -> None:
    raw = record(profile={"conditions": ["QQ1"], "channel": []})
    raw["consents"].append({**raw["consents"][0], "guardian": "form 12", "categories": sorted(LANTERN.required)})
    raw["consents"].append({**raw["consents"][0], "decision": "withdrawn", "at": "2026-02-03T10:00:00.25+01:00"})
    raw["consents"][-1].pop("valid_until")
    raw["consents"].append({**raw["consents"][0], "policy_version": "2019-05", "categories": ["a_facet_of_then"]})
    told = {"actor": "guardian", "method": "form 12", "locale": "en-GB", "policy_hash": "0" * 64}
    raw["consents"] += [
        {**raw["consents"][0], **told},
        {**raw["consents"][-1], "decision": "expired", "actor": "system"},
    ]
    read = comes_back(raw, LANTERN)
    assert read.warnings
    assert all(any(getattr(event, part.name) is not None for event in read.consents) for part in fields(ConsentEvent))
    blank = Member.from_dict({"member_id": "m", "roles": ["seeker"]}, LANTERN)
    same = [part.name for part in fields(Member) if getattr(read, part.name) == getattr(blank, part.name)]
    assert same == ["programme_id", "roles"]


def test_a_record_of_another_programme_is_read_by_that_one() -> None:
    """Nothing that one programme has read says anything about what another reads."""
    other = programme(('id = "lantern"', 'id = "beacon"'))
    assert stored_reader(other) is not stored_reader(LANTERN)
    for of in (LANTERN, other, LANTERN):
        back = Member.from_stored(RECORD, of)
        assert back == Member.from_dict(RECORD, of)
        assert back.programme_id == of.id


def test_programmes_that_say_the_same_share() -> None:
    assert stored_reader(programme()) is stored_reader(LANTERN)


def test_what_is_alike_is_shared_and_bounded() -> None:
    one, two = (Member.from_stored(copy.deepcopy(RECORD), LANTERN) for _ in range(2))
    assert one.profile["availability"] is two.profile["availability"]
    assert one.profile["languages"] is two.profile["languages"]
    assert one.wants["gender"] is two.wants["gender"]
    assert one.consents[0].at is two.consents[0].at
    reader = stored_reader(LANTERN)
    for number in range(MOST + 2):
        assert reader.profile({"conditions": [str(number)]}) == {"conditions": (str(number),)}
    assert len(reader._lists) <= MOST


def test_nothing_of_the_record_is_kept_that_could_be_changed() -> None:
    raw = copy.deepcopy(RECORD)
    back = Member.from_stored(raw, LANTERN)
    raw["strata"]["ethnicity"] = "b"
    raw["profile"]["channel"].append("text")
    raw["profile"]["gender"] = "man"
    raw["wants"].clear()
    raw["consents"][0]["decision"] = "withdrawn"
    assert back == member()


def test_a_fast_constructor_makes_the_same() -> None:
    event = member().consents[0]
    made = maker(ConsentEvent)(*(getattr(event, part.name) for part in fields(event)))
    assert made == event
    assert type(made) is ConsentEvent
    assert repr(made) == repr(event)
    with pytest.raises(FrozenInstanceError):
        made.purpose = "another"
