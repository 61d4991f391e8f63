"""JSON as the tables keep it."""

from __future__ import annotations

import hashlib
import json
import math
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store import text

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(WORDS, VALUES, max_size=4)


@given(OBJECTS)
def test_what_is_written_is_read(value: dict[str, Any]) -> None:
    written = text.write(value)
    assert repr(text.read(written)) == repr(value) == repr(json.loads(written))
    assert "\n" not in written


@given(OBJECTS)
def test_what_was_written_before_is_read_and_hashed_as_it_was(value: dict[str, Any]) -> None:
    """By the writer and the digest of the first release."""
    before = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    assert repr(text.read(before)) == repr(value)
    turned = dict(reversed(value.items()))
    assert text.digest(turned) == text.digest(value)


def test_the_digest_of_an_event_stays() -> None:
    event = {"seeker": "s", "candidate": "m-1", "event": "shown", "rank": 1, "propensity": 1e-05, "at": "2026-02-01"}
    said = '{"at":"2026-02-01","candidate":"m-1","event":"shown","propensity":1e-05,"rank":1,"seeker":"s"}'
    assert text.digest(event) == hashlib.sha256(said.encode()).hexdigest()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    for place in ({"a": value}, {"a": [None, value]}, {"null": value}):
        with pytest.raises(ValueError, match="not JSON compliant"):
            text.write(place)
        with pytest.raises(ValueError, match="not JSON compliant"):
            text.digest(place)


def test_null_and_large_numbers_are_written() -> None:
    assert text.write({"a": None, "b": "null"}) == '{"a":null,"b":"null"}'
    assert text.write({"a": 2**64}) == '{"a":18446744073709551616}'
    with pytest.raises(TypeError):
        text.write({"a": MappingProxyType({})})
