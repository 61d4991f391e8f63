"""One of a list in order."""

from __future__ import annotations

import pytest

from tests.matcher.facets.bench import backward, declared_wrongly, facet, forward, passes, refused, satisfied, says

LEVELS = 'levels = ["none", "low", "middle", "high", "top"]'


def scale(*lines, **more):
    return facet("ordinal", "\n".join(["weight = 1", LEVELS, *lines]), **more)


SAME, MORE = scale(), scale('direction = "more"')
AHEAD, AHEAD_BY_2 = scale('direction = "ahead"'), scale('direction = "ahead"', "by = 2")


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("", ("levels: found nothing", "at least 2")),
        ('levels = ["one"]', ("levels: found ['one']", "at least 2")),
        ('levels = ["a", "a"]', ("levels: found 'a'", "twice")),
        ('levels = "a"', ("levels: found 'a'",)),
        (f'{LEVELS}\ndirection = "up"', ("direction: found 'up'", "one of 'same', 'ahead', 'more'")),
        (f'{LEVELS}\ndirection = "ahed"', ("did you mean 'ahead'?",)),
        (f'{LEVELS}\ndirection = "ahead"\nby = 0', ("by: found 0", "a whole number from 1 to 4")),
        (f'{LEVELS}\ndirection = "ahead"\nby = 5', ("by: found 5", "a whole number from 1 to 4")),
        (f'{LEVELS}\ndirection = "ahead"\nby = 1.5', ("by: found 1.5",)),
        (f"{LEVELS}\nby = 1", ("by: found 1", 'no such key without direction = "ahead"')),
        (f'{LEVELS}\ndirection = "more"\nby = 1', ("by: found 1", 'without direction = "ahead"')),
        (f'{LEVELS}\nguard = "not_both"', ("guard: found 'not_both'", "one of 'not_both_highest'", "did you mean")),
        (f'{LEVELS}\nsource = "age"', ("source: found 'age'", "one of 'age_band'")),
        (f'{LEVELS}\nsource = "age_band"', ("levels: found ['none', ", "no such key beside source")),
        ('levels = []\nsource = "age_band"', ("levels: found []", "no such key beside source")),
    ],
)
def test_declared_wrongly(body, parts):
    declared_wrongly("ordinal", body, *parts)


def test_nobody_is_ahead_of_both():
    declared_wrongly(
        "ordinal", f'{LEVELS}\ndirection = "ahead"', "direction: found 'ahead'", "'same' or 'more'", mutual=True
    )
    assert scale('direction = "more"', mutual=True).direction == "more"


def test_one_age_band_is_no_order():
    declared_wrongly(
        "ordinal", 'source = "age_band"', "source: found 'age_band'", "at least two [ages] bands", bands=["18+"]
    )


def test_an_age_band_is_in_the_order_of_the_programme():
    age = facet("ordinal", 'weight = 1\nsource = "age_band"')
    assert age.values == ("16-17", "18-24", "25-34")
    assert satisfied(age, says(age, "16-17"), says(age, "18-24")) == 0.5


@pytest.mark.parametrize("raw", ["medium", "LOW", 1, None, ["low"], True, ""])
def test_parsed_wrongly(raw):
    refused(SAME.parse, raw, "", "expected one of none, low, middle, high, top")
    assert SAME.parse("low") == "low"


def test_asked():
    assert SAME.parse_asked(["top", "low"]) == ("low", "top")
    refused(SAME.parse_asked, ["low", "hgh"], "[1]", "found 'hgh'", "did you mean 'high'?")


@pytest.mark.parametrize(
    ("of", "mine", "prefer", "theirs", "expected"),
    [
        (SAME, "low", None, "low", 1.0),
        (SAME, "low", None, "middle", 0.75),
        (SAME, "none", None, "top", 0.0),
        (SAME, "top", None, "low", 0.25),
        (SAME, None, None, "low", None),
        (SAME, "low", None, None, None),
        (SAME, "low", ["middle", "top"], "middle", 1.0),
        (SAME, "low", ["middle", "top"], "low", 0.0),
        (SAME, None, ["middle"], "middle", 1.0),
        (SAME, "low", ["middle"], None, None),
        (MORE, "low", None, "none", 0.0),
        (MORE, "low", None, "middle", 0.5),
        (MORE, None, None, "top", 1.0),
        (MORE, None, None, None, None),
        (MORE, "top", ["none"], "none", 1.0),
        (AHEAD, "low", None, "middle", 1.0),
        (AHEAD, "low", None, "top", 1.0),
        (AHEAD, "low", None, "low", 0.75),
        (AHEAD, "low", None, "none", 0.5),
        (AHEAD, "top", None, "top", 1.0),
        (AHEAD, "top", None, "none", 0.0),
        (AHEAD, None, None, "top", None),
        (AHEAD, None, ["top"], "top", 1.0),
        (AHEAD_BY_2, "low", None, "middle", 0.75),
        (AHEAD_BY_2, "low", None, "high", 1.0),
        (AHEAD_BY_2, "high", None, "top", 1.0),
        (AHEAD_BY_2, "high", None, "high", 0.75),
    ],
)
def test_satisfy(of, mine, prefer, theirs, expected):
    asked = {} if prefer is None else {"prefer": prefer}
    assert satisfied(of, says(of, mine, **asked), says(of, theirs)) == expected


def test_ahead_is_a_feature_forward_only():
    assert AHEAD.is_feature
    assert not AHEAD.backward_feature
    assert forward([AHEAD], says(AHEAD, "low"), [says(AHEAD, "low")]) is not None
    assert backward([AHEAD], says(AHEAD, "low"), [says(AHEAD, "low")]) is None


def test_more_asks_for_something_even_of_who_said_nothing():
    assert forward([MORE], says(MORE), [says(MORE, "low"), says(MORE)]).informative == [True, False]
    assert backward([MORE], says(MORE, "low"), [says(MORE), says(MORE, "top")]).satisfy == [0.25, 0.25]
    assert backward([MORE], says(MORE), [says(MORE, "low")]).satisfy == [None]


@pytest.mark.parametrize(
    ("of", "a", "b", "expected"),
    [
        (AHEAD_BY_2, "none", "middle", True),
        (AHEAD_BY_2, "none", "low", False),
        (AHEAD_BY_2, "high", "top", True),
        (AHEAD_BY_2, "high", "high", False),
        (AHEAD_BY_2, "top", "top", True),
        (AHEAD_BY_2, "top", "high", False),
        (AHEAD_BY_2, None, "top", False),
        (AHEAD_BY_2, "none", None, False),
        (AHEAD, "top", "none", None),
        (SAME, "low", "top", None),
    ],
)
def test_by_is_a_gate_from_seeker_to_supporter(of, a, b, expected):
    assert passes("permit", [of], says(of, a), says(of, b)) is expected
    assert of.gating is (expected is not None)


GUARDED = scale('guard = "not_both_highest"')
BOTH = scale('guard = "not_both_highest"', 'direction = "ahead"', "by = 1")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("top", "top", False), ("top", "high", True), ("none", "none", True), (None, "low", False), (None, None, False)],
)
def test_the_guard_both_ways(a, b, expected):
    for one, two in ((a, b), (b, a)):
        assert passes("permit", [GUARDED], says(GUARDED, one), says(GUARDED, two)) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"), [("top", "top", False), ("high", "top", True), ("high", "high", False)]
)
def test_a_guard_beside_by(a, b, expected):
    assert passes("permit", [BOTH], says(BOTH, a), says(BOTH, b)) is expected


@pytest.mark.parametrize(
    ("of", "a", "b", "a_asks", "b_asks"),
    [
        (SAME, "low", "low", True, True),
        (SAME, "low", "middle", False, False),
        (MORE, "low", "middle", True, False),
        (MORE, "middle", "low", False, True),
        (MORE, "low", "low", True, True),
        (MORE, None, "top", False, False),
        (AHEAD, "low", "middle", True, True),  # b supports whoever asks
        (AHEAD, "middle", "low", False, False),
        (AHEAD, "top", "top", True, True),
        (AHEAD, "low", None, False, False),
    ],
)
def test_a_must(of, a, b, a_asks, b_asks):
    must = {"importance": 3}
    assert passes("musts", [of], says(of, a, **must), says(of, b)) is a_asks
    assert passes("musts", [of], says(of, a), says(of, b, **must)) is b_asks
    assert passes("musts", [of], says(of, a), says(of, b)) is None
