"""What is remembered is what would be read again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.consent_events import read_event, usual_event
from matcher.errors import RecordError
from matcher.memory import LONGEST, MOST, Memory, Shared
from matcher.people import Member
from matcher.profile_reading import _readers
from matcher.records import Problems
from tests.conftest import examples
from tests.matcher.lantern import LANTERN, RECORD, record
from tests.matcher.test_people import LIKELY, WORDS

EQUAL = [True, 1, 1.0]
"""Values that are equal, and not the same in a record."""


class TestMemory:
    @pytest.mark.parametrize("raw", ["a", [], ["a", "b"], {}, {"a": 1}, {"a": ["b"], "c": True}, {"a": {}, "b": 1}])
    def test_it_gives_back_what_was_kept(self, raw: Any) -> None:
        memory: Memory[str] = Memory()
        assert memory.recall(raw) is None
        assert memory.keep(raw, "made") == "made"
        assert memory.recall(raw) == (None if raw == {"a": {}, "b": 1} else "made")

    @pytest.mark.parametrize("first", EQUAL)
    @pytest.mark.parametrize("second", EQUAL)
    @pytest.mark.parametrize("put", [lambda v: {"a": v}, lambda v: [v], lambda v: {"a": [v]}, lambda v: {"a": (v,)}])
    def test_what_is_only_equal_is_not_the_same(self, first: Any, second: Any, put: Any) -> None:
        memory: Memory[str] = Memory()
        memory.keep(put(first), "made")
        assert memory.recall(put(second)) in ({None, "made"} if type(first) is type(second) else {None})

    def test_an_array_is_no_object(self) -> None:
        memory: Memory[str] = Memory()
        memory.keep({"a": ["b"]}, "made")
        for raw in ([("a", ("b",))], [dict, ("a", ("b",))], ["a", "b"], {"a": ("b",)}, {"a": "b"}, "a", None, 1):
            assert memory.recall(raw) is None

    @pytest.mark.parametrize("raw", [[["a"]], [{}], {"a": {"b": 1}}, {"a": [[]]}, None, 3, ("a",), {"a": None}])
    def test_what_is_of_no_such_kind_is_not_kept(self, raw: Any) -> None:
        memory: Memory[str] = Memory()
        memory.keep(raw, "made")
        assert memory.recall(raw) is None

    def test_long_arrays_are_not_kept(self) -> None:
        memory: Memory[str] = Memory()
        for raw in (["a"] * (LONGEST + 1), {"a": ["b"] * (LONGEST + 1)}):
            memory.keep(raw, "made")
            assert memory.recall(raw) is None

    def test_it_is_bounded(self) -> None:
        memory: Memory[int] = Memory()
        shared: Shared[int, str] = Shared(str)
        for number in range(MOST + 1):
            memory.keep([str(number)], number)
            assert shared[number] == str(number)
        assert memory.recall([str(MOST)]) == MOST
        assert memory.recall(["0"]) is None
        assert list(shared) == [MOST]


def told(raw: Any) -> Member | dict[str, str]:
    try:
        return Member.from_dict(raw, LANTERN)
    except RecordError as error:
        return error.errors


@settings(max_examples=examples(150, 5000))
@given(st.dictionaries(WORDS, LIKELY), st.dictionaries(WORDS, LIKELY))
def test_reading_a_second_time_tells_the_same(profile: Any, wants: Any) -> None:
    raw = record(profile={**RECORD["profile"], **profile}, wants={**RECORD["wants"], **wants})
    warm = [told(raw), told(raw)]
    _readers.cache_clear()
    assert warm == [told(raw), told(raw)]


@pytest.mark.parametrize("importance", EQUAL)
def test_an_importance_that_is_only_equal_is_refused_before_and_after(importance: Any) -> None:
    for value in (importance, 1, importance):
        found = told(record(wants={"gender": {"importance": value}}))
        assert isinstance(found, Member) == (type(value) is int)


def test_wrong_values_and_own_words_are_not_remembered() -> None:
    _readers.cache_clear()
    told(record(profile={"conditions": ["\t"], "statement": "Some words of mine."}, wants={"gender": {"avoid": []}}))
    assert not any(reader._values._made or reader._wants._made for reader in _readers(LANTERN).values())


@settings(max_examples=examples(200, 5000))
@given(
    st.dictionaries(
        st.sampled_from(["purpose", "decision", "policy_version", "at", "valid_until"]),
        LIKELY | st.just("2025-01-01T00:00:00Z"),
        max_size=3,
    ),
    st.sets(st.sampled_from(sorted(RECORD["consents"][0]))),
)
def test_an_event_read_at_once_is_the_one_read_field_by_field(changes: dict[str, Any], without: set[str]) -> None:
    raw = {key: value for key, value in (RECORD["consents"][0] | changes).items() if key not in without}
    problems: Problems = {}
    slow = read_event(raw, LANTERN, problems)
    assert usual_event(raw, LANTERN) in (None, slow)
    assert (slow is None) == bool(problems)


def test_most_events_are_read_at_once() -> None:
    event = RECORD["consents"][0]
    short = {key: value for key, value in event.items() if key != "valid_until"}
    for raw in (event, short, short | {"decision": "withdrawn"}):
        assert usual_event(raw, LANTERN) == read_event(raw, LANTERN, {}) is not None
    for raw in (short | {"guardian": "form 12"}, short | {"policy_version": "1"}, event | {"valid_until": None}):
        assert usual_event(raw, LANTERN) is None
