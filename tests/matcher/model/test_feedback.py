"""Feedback events: what a record may say, and every problem named at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.errors import RecordError
from matcher.model.feedback import EVENTS, Feedback
from tests.matcher.model.village import VILLAGE

SHOWN = {"seeker": "m-1", "candidate": "m-2", "event": "shown", "rank": 3, "at": "2026-02-03T11:00:00+01:00"}
ANSWER = {"seeker": "m-1", "candidate": "m-2", "event": "accepted", "at": "2026-02-03T10:00:00Z"}


def read(record):
    return Feedback.from_dict(record, VILLAGE)


def problems(record):
    with pytest.raises(RecordError) as caught:
        read(record)
    return caught.value.errors


class TestReading:
    def test_an_instant_is_read_with_its_offset(self):
        assert read(SHOWN).at == datetime(2026, 2, 3, 10, tzinfo=UTC)

    @pytest.mark.parametrize("event", EVENTS)
    def test_every_event_is_read(self, event):
        assert read({**SHOWN, "event": event}).event == event

    def test_a_decision_is_the_seekers_unless_it_says_otherwise(self):
        assert read(ANSWER).by == "seeker"
        assert read({**ANSWER, "by": "candidate"}).by == "candidate"

    @pytest.mark.parametrize(
        ("event", "decision"), [("accepted", True), ("declined", False), ("shown", None), ("ended", None)]
    )
    def test_only_two_events_decide(self, event, decision):
        assert read({**SHOWN, "event": event}).decision is decision

    @pytest.mark.parametrize(
        ("more", "chance"),
        [
            ({}, 1 / 3),
            ({"rank": 1}, 1.0),
            ({"propensity": 0.25}, 0.25),
            ({"propensity": 0}, 0.0),
            ({"propensity": 1}, 1.0),
        ],
    )
    def test_the_chance_of_being_looked_at_is_logged_or_one_over_the_rank(self, more, chance):
        assert read({**SHOWN, **more}).chance == chance

    def test_what_was_never_ranked_was_looked_at(self):
        assert read(ANSWER).chance == 1.0

    def test_a_rating_is_kept(self):
        assert [read({**ANSWER, "event": "rated", "rating": rating}).rating for rating in (0, 7)] == [0, 7]
        assert read({**ANSWER, "event": "rated"}).rating is None


class TestRoundTrip:
    @given(
        st.sampled_from(EVENTS),
        st.sampled_from(["seeker", "candidate"]),
        st.integers(1, 50),
        st.none() | st.floats(0, 1),
        st.datetimes(timezones=st.just(UTC)),
    )
    def test_written_and_read_again_it_is_equal(self, event, by, rank, propensity, at):
        made = Feedback("a", "b", event, at, by if event in ("accepted", "declined") else "seeker", rank, propensity)
        assert read(made.to_dict()) == made


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "path", "words"),
        [
            ({"seeker": None}, "seeker", "null"),
            ({"seeker": "a b"}, "seeker", "1 to 64"),
            ({"seeker": 5}, "seeker", "1 to 64"),
            ({"candidate": "é"}, "candidate", "1 to 64"),
            ({"candidate": "m-1"}, "candidate", "the seeker's own"),
            ({"event": "seen"}, "event", "expected one of shown, viewed"),
            ({"event": True}, "event", "expected one of shown"),
            ({"by": "seeker"}, "by", "the seeker's alone"),
            ({"by": "supporter"}, "by", "one of seeker, candidate"),
            ({"rank": 0}, "rank", "from 1"),
            ({"rank": True}, "rank", "whole number"),
            ({"rank": 1.0}, "rank", "whole number"),
            ({"rank": "1"}, "rank", "whole number"),
            ({"rank": 10**7}, "rank", "to 1000000"),
            ({"propensity": -0.1}, "propensity", "from 0 to 1"),
            ({"propensity": 1.1}, "propensity", "from 0 to 1"),
            ({"propensity": float("nan")}, "propensity", "found nan"),
            ({"propensity": float("inf")}, "propensity", "found inf"),
            ({"propensity": True}, "propensity", "from 0 to 1"),
            ({"propensity": "0.5"}, "propensity", "from 0 to 1"),
            ({"rating": 3}, "rating", "only rated"),
            ({"event": "rated", "rating": 8}, "rating", "0 to 7"),
            ({"event": "rated", "rating": 3.5}, "rating", "0 to 7"),
            ({"at": "2026-02-03T10:00:00"}, "at", "offset"),
            ({"at": "2026-02-30T10:00:00Z"}, "at", "RFC 3339"),
            ({"at": 5}, "at", "RFC 3339"),
            ({"seker": "m-1"}, "seker", "did you mean 'seeker'"),
        ],
    )
    def test_what_is_wrong_is_named_by_path(self, change, path, words):
        found = problems({**SHOWN, **change})
        assert words in found[path]

    @pytest.mark.parametrize("key", ["seeker", "candidate", "event", "at", "rank"])
    def test_what_is_missing_is_named(self, key):
        found = problems({name: value for name, value in SHOWN.items() if name != key})
        assert found.keys() == {key}
        assert "missing" in found[key]

    def test_all_problems_are_told_at_once(self):
        record = {"seeker": "a b", "event": "seen", "rank": 0, "propensity": 2, "at": "today", "colour": "red"}
        assert problems(record).keys() == {"seeker", "candidate", "event", "rank", "propensity", "at", "colour"}

    @pytest.mark.parametrize("record", [None, [], "x", 5, {"seeker": "\ud800"}, {"a": {"b": [{}] * 3}}])
    def test_anything_else_is_refused(self, record):
        assert problems(record)
