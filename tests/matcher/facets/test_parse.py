"""What each kind makes of a value, and what it says of a wrong one."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.base import ValueProblem
from matcher.facets.week import Week
from tests.matcher.lantern import LANTERN

FACETS = LANTERN.facets
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("facet", "raw", "value"),
    [
        ("conditions", ["C50.9", "C34"], ("C34", "C50.9")),
        ("conditions", [], ()),
        ("gender", "woman", "woman"),
        ("channel", ["video", "phone"], ("phone", "video")),
        ("journey", "long_term", "long_term"),
        ("languages", ["PL", "en-gb", "sr-latn", "es-419"], ("en-GB", "es-419", "pl", "sr-Latn")),
        ("statement", "  Happy to talk. ", "Happy to talk."),
        (
            "availability",
            {"tz": "Europe/London", "slots": ["sat 22:00-02:00", "mon 18:00-24:00"]},
            Week("Europe/London", ("mon 18:00-24:00", "sat 22:00-02:00")),
        ),
    ],
)
def test_accepted(facet, raw, value):
    assert FACETS[facet].parse(raw) == value


@pytest.mark.parametrize(
    ("facet", "raw", "at", "message"),
    [
        ("conditions", "C50", "", "expected an array of strings"),
        ("conditions", ["C50", 7], "[1]", "expected a non-empty string"),
        ("conditions", ["C50", " C34"], "[1]", "expected a code"),
        ("conditions", ["C50", "C50"], "", "twice"),
        ("conditions", ["x"] * 101, "", "at most 100"),
        ("conditions", ["x" * 65], "[0]", "at most 64 characters"),
        ("gender", "Woman", "", "did you mean 'woman'?"),
        ("gender", ["woman"], "", "expected one of woman, man, nonbinary"),
        ("channel", ["phone", "fax"], "[1]", "expected one of phone"),
        ("journey", 2, "", "expected one of newly_diagnosed"),
        ("languages", ["en", "english!"], "[1]", "BCP 47"),
        ("languages", ["en", "EN"], "", "twice"),
        ("availability", ["mon 18:00-20:00"], "", "Europe/London"),
        ("availability", {"tz": "Europe/Londn", "slots": []}, ".tz", "did you mean 'Europe/London'?"),
        ("availability", {"tz": "Europe/London", "slots": ["mon 18-20"]}, ".slots[0]", "mon 18:00-20:00"),
        ("availability", {"tz": "Europe/London", "slots": ["mon 18:00-18:00"]}, ".slots[0]", "differs from the start"),
        ("availability", {"tz": "Europe/London", "slots": ["mon 24:00-02:00"]}, ".slots[0]", "mon 18:00-20:00"),
        ("availability", {"tz": "Europe/London", "slots": "mon"}, ".slots", "array"),
        ("availability", {"tz": "Europe/London", "slots": [], "zone": "x"}, ".zone", "unknown field"),
        ("statement", 7, "", "expected text"),
        ("statement", "x" * 281, "", "found 281 characters; expected at most 280"),
        ("statement", "bell \x07", "", "control character"),
        ("statement", "two\u2028lines", "", "control character"),
        ("statement", "  ", "", "found no text"),
        ("availability", {"tz": "localtime", "slots": []}, ".tz", "IANA time zone"),
        ("availability", {"tz": "UTC", "slots": ["mon 1\u0661:00-12:00"]}, ".slots[0]", "mon 18:00-20:00"),
        ("languages", ["en-\u0661\u0662\u0663"], "[0]", "BCP 47"),
    ],
)
def test_refused(facet, raw, at, message):
    with pytest.raises(ValueProblem) as caught:
        FACETS[facet].parse(raw)
    assert caught.value.at == at
    assert message in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "2 children aged 7 and 9",
        "Since 2019-2020, and again on 12 03 2021",
        "I am at home most days, 10-12 or 14-16",
        "I'm here to help. Me too.",
        "It helps to talk; evenings, 18:00-20:00, or weekends",
        "I look at the dots and the birds",
        "Three operations in 2018, 2019 and 2021",
    ],
)
def test_harmless_statements(text):
    assert FACETS["statement"].parse(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "call me on 07700 900123",
        "+44 (0)20 7946 0958",
        "0207 2019 1234",
        "07700\u2013900\u2013123",
        "07700\u2011900\u2011123",
        "0\u200d7\u200d7\u200d0\u200d0\u200d9\u200d0\u200d0",
        "07700/900/123",
        "07700_900_123",
        "somebody at example dot org",
        "gmail: some.body",
        "example.ch/somebody",
        "me@example.org",
        "me [at] example org",
        "see www.example.org",
        "find me on Facebook",
        "I am @somebody",
        "\uff4d\uff45\uff20\uff58",
    ],
)
def test_statements_with_contact_details(text):
    with pytest.raises(ValueProblem, match="contact details"):
        FACETS["statement"].parse(text)


@pytest.mark.parametrize("facet", ["needs", "availability", "languages", "statement"])
def test_nothing_is_asked_of_kinds_that_cannot_answer(facet):
    with pytest.raises(ValueProblem):
        FACETS[facet].parse_asked(["driving_again"])


@pytest.mark.parametrize("facet", ["conditions", "gender", "channel", "journey"])
def test_asking_for_nothing_is_refused(facet):
    with pytest.raises(ValueProblem, match="at least one"):
        FACETS[facet].parse_asked([])


def test_a_code_that_the_vocabulary_lacks_is_kept_and_told():
    assert FACETS["conditions"].parse(["C50.99"]) == ("C50.99",)
    (warning,) = FACETS["conditions"].warnings(("C50.9", "C50.99"))
    assert "'C50.99' is not in the vocabulary icd10cm" in warning


@given(raw=JSON)
def test_any_json_is_a_value_or_a_problem(raw):
    for facet in FACETS.values():
        for parse in (facet.parse, facet.parse_asked):
            with contextlib.suppress(ValueProblem):
                hash(parse(raw))
