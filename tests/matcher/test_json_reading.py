"""Strict JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from matcher.errors import RecordError
from matcher.json_reading import _exact, _plain, parse_json
from matcher.records import ABSENT
from tests.conftest import examples

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=1)), inner)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_what_json_writes_is_read(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.text(max_size=40) | st.binary(max_size=40))
def test_anything_else_is_refused(text):
    try:
        parse_json(text)
    except RecordError as error:
        error.message.encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON at line 1, column 1: expecting value"),
        ("{", "not valid JSON at line 1, column 2: expecting property name"),
        ('{"a": 1,\n}', "not valid JSON at line "),
        ("1 2", "not valid JSON at line 1, column 3: extra data"),
        (b"\xff", "not valid JSON: byte 0 is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not valid JSON: byte 7 is not UTF-8"),
        ("{}".encode("utf-16"), "not valid JSON: byte 0 is not UTF-8"),
        (b"\xef\xbb\xbf{}", "not valid JSON: it begins with a byte-order mark"),
        ("\ufeff{}", "not valid JSON: it begins with a byte-order mark"),
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "found the key 'c' twice in one object; expected it once"),
        ('{"a": 1, "\\u0061": 1}', "found the key 'a' twice"),
        ("[NaN]", "found NaN; expected a finite number"),
        ("-Infinity", "found -Infinity; expected a finite number"),
        ("1e999", "found a number beyond the range of a double"),
        ("-1e999", "found a number beyond the range of a double"),
        ("9" * 5000, "found a whole number of more than 64 bits"),
        ('{"a": [9223372036854775808]}', "a[0]: found a number of more than 64 bits"),
        ('{"a": "\\ud800"}', "a: found half of a surrogate pair"),
        ('{"\\udc00": 1}', "found half of a surrogate pair"),
        ('["x\\u0000"]', "[0]: found the character U+0000"),
        ('"\x01"', "not valid JSON at line 1, column 2: invalid control character"),
        ("[" * 100 + "]" * 100, "nested deeper than 16"),
        ("[" * 100_000, "not valid JSON: arrays or objects are nested too deeply"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(RecordError) as caught:
        parse_json(text)
    assert message in caught.value.message


PIECES = st.sampled_from(
    [
        *'{}[],:"\\ 0123456789-+.eE',
        *('"a":', '"a":1,', '"b":"\\"",', '"\\u0022\\u0022"', "\\u0000", "\\ud800", "\\ud83d\\ude00", "null", "true"),
        *("NaN", "-0", "1e999", "1e-999", "9" * 15, "9" * 16, "9223372036854775808", "é", "\ufeff", "\x00", "\n"),
        *(
            '{"a":',
            "[" * 8,
            "]" * 8,
            "}",
            '"a"',
            '{"a":1,"a":2}',
            '{"a":"\\u0022\\u0022","a":1}',
            '{"\\u0061":1,"a":1}',
        ),
    ]
)


def same(one: object, two: object) -> bool:
    """Tell whether two values are equal, in their types and the signs of zeros too."""
    return repr(one) == repr(two)


@settings(max_examples=examples(1000, 50_000))
@given(st.lists(PIECES, max_size=12).map("".join) | PLAIN.map(json.dumps))
@example('{"a":1,"a":"\\u0022\\u0022"}')
@example('{"a":1,"a":1}')
@example("[" * 17 + "]" * 17)
@example("9" * 20)
@example("-0")
def test_what_is_read_at_once_is_what_is_read_with_care(text):
    quick = _plain(text)
    if quick is not ABSENT:
        assert same(quick, _exact(text))
        assert same(quick, _plain(text.encode()))


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2.5, "x\\n\\"é"], "b": {"a": null}}', '"\\ud83d\\ude00"', "[" * 16 + "]" * 16, " 1 ", "9" * 15]
)
def test_most_is_read_at_once(text):
    assert same(_plain(text), _exact(text))


def test_the_slow_reader_is_asked_about_everything_else():
    for text in ("{", '{"a":1,"a":1}', "NaN", '"\\u0000"', "9" * 16, "[" * 17 + "]" * 17, "\ud800", b"\xff"):
        assert _plain(text) is ABSENT
