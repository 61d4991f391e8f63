"""The group record: what is read, what is refused with its path, what is told, and the way back."""

from __future__ import annotations

import json
import re

import pytest

from matcher.errors import RecordError
from matcher.facets.week import Week
from matcher.support_group import Group
from tests.matcher.lantern import LANTERN, programme
from tests.properties import pairs

RECORD = {
    "group_id": "g-01",
    "name": "Back to work",
    "facilitators": ["m-9", "m-1"],
    "topics": {"experiences": ["driving_again", "back_to_work"], "gender": "woman"},
    "slot": "tue 18:00-19:30",
    "tz": "Europe/London",
    "channel": "video",
    "languages": ["EN-gb", "pl"],
    "capacity": 10,
    "min_size": 4,
    "open": True,
    "minors": False,
    "members": ["m-3", "m-2"],
}
REMOVE = object()


def record(**changes):
    return {key: value for key, value in {**RECORD, **changes}.items() if value is not REMOVE}


def errors(of=LANTERN, **changes):
    with pytest.raises(RecordError) as caught:
        Group.from_dict(record(**changes), of)
    return caught.value.errors


def test_a_record_is_read():
    group = Group.from_dict(RECORD, LANTERN)
    assert (group.programme_id, group.group_id, group.name) == ("lantern", "g-01", "Back to work")
    assert group.topics == {"experiences": ("back_to_work", "driving_again"), "gender": "woman"}
    assert group.week == Week("Europe/London", ("tue 18:00-19:30",))
    assert (group.channel, group.languages) == ("video", ("en-GB", "pl"))
    assert (group.capacity, group.min_size, group.open, group.minors) == (10, 4, True, False)
    assert (group.facilitators, group.members) == (("m-1", "m-9"), ("m-2", "m-3"))


def test_the_way_back_gives_an_equal_group():
    for changes in ({}, {"languages": REMOVE, "topics": REMOVE, "members": REMOVE, "min_size": REMOVE}):
        group = Group.from_dict(record(**changes), LANTERN)
        written = json.loads(json.dumps(group.to_dict()))
        assert Group.from_dict(written, LANTERN) == group
        assert Group.from_dict(written, LANTERN).to_dict() == written


def test_what_is_absent_is_the_careful_reading():
    small = {key: RECORD[key] for key in ("group_id", "name", "slot", "tz", "channel", "capacity")}
    group = Group.from_dict(small, LANTERN)
    assert (group.open, group.minors, group.languages, group.min_size) == (False, False, None, 4)
    assert (group.facilitators, group.members, group.topics) == ((), (), {})
    assert Group.from_dict({**small, "capacity": 3}, LANTERN).min_size == 3


@pytest.mark.parametrize("key", ["group_id", "name", "slot", "tz", "channel", "capacity"])
def test_what_must_be_told(key):
    assert list(errors(**{key: REMOVE})) == [key]
    assert errors(**{key: REMOVE})[key].startswith("missing; expected")


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"group_id": "a b"}, "group_id", "1 to 64"),
        ({"group_id": ".."}, "group_id", "1 to 64"),
        ({"group_id": 7}, "group_id", "1 to 64"),
        ({"name": " "}, "name", "what the group is called"),
        ({"name": "x" * 121}, "name", "120 characters"),
        ({"name": "two\nlines"}, "name", "control character"),
        ({"topics": ["C50"]}, "topics", "expected an object"),
        ({"topics": {"conditions": []}}, "topics.conditions", "at least one topic"),
        ({"topics": {"conditions": ["C50.9", "C50.9"]}}, "topics.conditions", "twice"),
        ({"topics": {"gender": "woma"}}, "topics.gender", "did you mean 'woman'"),
        ({"topics": {"gender": ["woman"]}}, "topics.gender", "expected one of"),
        ({"topics": {"needs": ["driving_again"]}}, "topics.needs", "unknown topic"),
        ({"topics": {"boundaries": ["driving_again"]}}, "topics.boundaries", "unknown topic"),
        ({"topics": {"channel": ["phone"]}}, "topics.channel", "unknown topic"),
        ({"topics": {"journey": "in_treatment"}}, "topics.journey", "unknown topic"),
        ({"topics": {"experience": ["x"]}}, "topics.experience", "did you mean 'experiences'"),
        ({"slot": "tue 18-19"}, "slot", "mon 18:00-20:00"),
        ({"slot": ["tue 18:00-19:00"]}, "slot", "mon 18:00-20:00"),
        ({"slot": "tue 18:00-18:00"}, "slot", "end that differs"),
        ({"tz": "Europe/Londn"}, "tz", "did you mean 'Europe/London'"),
        ({"channel": "vidio"}, "channel", "did you mean 'video'"),
        ({"languages": []}, "languages", "at least one"),
        ({"languages": ["english!"]}, "languages[0]", "BCP 47"),
        ({"capacity": -1}, "capacity", "0 to 1000"),
        ({"capacity": True}, "capacity", "0 to 1000"),
        ({"capacity": 10.0}, "capacity", "0 to 1000"),
        ({"min_size": 11}, "min_size", "at most the capacity, 10"),
        ({"open": 1}, "open", "true or false"),
        ({"minors": True}, "minors", "matches no minors"),
        ({"members": "m-1"}, "members", "array"),
        ({"members": ["m-2", "m-2"]}, "members[1]", "each person once"),
        ({"members": ["m-2", "m 3"]}, "members[1]", "1 to 64"),
        ({"members": ["m-1"]}, "members", "in one of them"),
        ({"members": [f"m{n}" for n in range(1001)]}, "members", "at most 1000"),
        ({"facilitators": [f"m{n}" for n in range(21)]}, "facilitators", "at most 20"),
        ({"capacitty": 3}, "capacitty", "did you mean 'capacity'"),
        ({"channel": None}, "channel", "null"),
        ({"name": "half \ud800"}, "name", "surrogate"),
    ],
)
def test_what_is_refused_is_told_by_its_path(changes, path, says):
    found = errors(**changes)
    assert next(iter(found)) == path
    assert re.search(re.escape(says), found[path]), found[path]


def test_every_problem_is_told_at_once():
    found = errors(
        group_id="", topics={"conditions": ["C50.9", ""], "gender": "x"}, slot="x", tz="x", languages=["1", "en", "2"]
    )
    assert set(found) == {
        "group_id", "topics.conditions[1]", "topics.gender", "slot", "tz", "languages[0]", "languages[2]",
    }  # fmt: skip


@pytest.mark.parametrize("raw", [[], "x", None, 7, {"group_id": float("nan")}])
def test_what_is_no_record_is_refused(raw):
    with pytest.raises(RecordError):
        Group.from_dict(raw, LANTERN)


def test_no_message_repeats_a_member_id():
    found = errors(members=["m-secret", "m-secret", "m-1"])
    assert not any("m-secret" in message for message in found.values())


def test_what_is_worth_telling():
    assert Group.from_dict(RECORD, LANTERN).warnings == ()
    stranger = Group.from_dict(record(topics={"experiences": ["back_to_wrk"]}), LANTERN)
    assert "topics.experiences" in stranger.warnings[0]
    alone = Group.from_dict(record(facilitators=REMOVE), LANTERN)
    assert alone.warnings[0].startswith("facilitators:")
    crowded = Group.from_dict(record(capacity=1, min_size=1), LANTERN)
    assert crowded.warnings == ("members: there are more than the capacity, 1; nobody else is shown the group",)


def test_a_group_of_minors_needs_a_programme_that_matches_them():
    separate = programme(('minors_policy = "refuse"', 'minors_policy = "separate"'))
    assert Group.from_dict(record(minors=True), separate).minors


def bare(**facets):
    raw = {
        **pairs.PROGRAMME,
        "consent": {"policy_version": "1", "required": [name for name in facets if name == "channel"]},
        "facets": {"hobbies": pairs.PROGRAMME["facets"]["hobbies"], **facets},
    }
    return pairs.from_raw(raw, {})


def test_a_programme_without_weeks_and_channels_asks_for_neither():
    of = bare()
    small = {"group_id": "g", "name": "Walks", "capacity": 5}
    group = Group.from_dict(small, of)
    assert (group.week, group.channel) == (None, None)
    assert Group.from_dict(group.to_dict(), of) == group
    told = Group.from_dict({**small, "channel": "by the pond", "slot": "sun 14:00-16:00", "tz": "UTC"}, of)
    assert (told.channel, told.week) == ("by the pond", Week("UTC", ("sun 14:00-16:00",)))
    with pytest.raises(RecordError) as caught:
        Group.from_dict({**small, "slot": "sun 14:00-16:00"}, of)
    assert list(caught.value.errors) == ["tz"]


def test_a_facet_called_channel_that_is_a_choice_is_none():
    of = bare(channel={"kind": "choice", "values": ["news", "films"]})
    group = Group.from_dict({"group_id": "g", "name": "N", "capacity": 5, "topics": {"channel": "news"}}, of)
    assert group.topics == {"channel": "news"}
