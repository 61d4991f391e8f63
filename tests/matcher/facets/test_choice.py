"""One of a list of equals."""

from __future__ import annotations

import pytest

from tests.matcher.facets.bench import declared_wrongly, facet, passes, refused, satisfied, says

GENDER = facet("choice", 'weight = 1\nvalues = ["woman", "man", "nonbinary"]')


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("", ("values: found nothing", "at least 1")),
        ("values = []", ("values: found []", "at least 1")),
        ('values = "woman"', ("values: found 'woman'", "a list of distinct, non-empty texts")),
        ('values = ["a", 1]', ("values: found 1",)),
        ('values = ["a", ""]', ("values: found ''",)),
        ('values = ["a", "a"]', ("values: found 'a'", "twice")),
        ('values = ["a"]\nmin_shared = 1', ("min_shared: unknown key",)),
        ('values = ["a"]\nlevels = ["b"]', ("levels: unknown key",)),
    ],
)
def test_declared_wrongly(body, parts):
    declared_wrongly("choice", body, *parts)


def test_it_is_no_gate():
    assert not GENDER.gating
    assert passes("permit", [GENDER], says(GENDER), says(GENDER, "man")) is None


def test_parse():
    assert GENDER.parse("man") == "man"
    assert GENDER.parse_asked(["woman", "man"]) == ("man", "woman")


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("Woman", ("found 'Woman'", "expected one of woman, man, nonbinary", "did you mean 'woman'?")),
        ("", ("found ''", "expected one of")),
        (["man"], ("found ['man']",)),
        (0, ("found 0",)),
        (None, ("found None",)),
    ],
)
def test_parsed_wrongly(raw, parts):
    refused(GENDER.parse, raw, "", *parts)


@pytest.mark.parametrize(
    ("raw", "at", "parts"),
    [
        ("man", "", ("found 'man'", "an array of strings")),
        (["man", "wman"], "[1]", ("found 'wman'", "did you mean 'woman'?")),
        (["man", "man"], "", ("twice",)),
        ([1], "[0]", ("found 1",)),
    ],
)
def test_asked_wrongly(raw, at, parts):
    refused(GENDER.parse_asked, raw, at, *parts)


@pytest.mark.parametrize(
    ("mine", "prefer", "theirs", "expected"),
    [
        ("woman", None, "woman", 1.0),
        ("woman", None, "man", 0.0),
        (None, None, "man", None),
        ("woman", None, None, None),
        (None, None, None, None),
        ("woman", ["man"], "woman", 0.0),
        ("woman", ["man", "nonbinary"], "man", 1.0),
        (None, ["man"], "man", 1.0),
        ("man", ["man"], None, None),
    ],
)
def test_satisfy(mine, prefer, theirs, expected):
    asked = {} if prefer is None else {"prefer": prefer}
    assert satisfied(GENDER, says(GENDER, mine, **asked), says(GENDER, theirs)) == expected


def test_more_than_a_word_of_values():
    values = [f"v{n}" for n in range(130)]
    many = facet("choice", f"weight = 1\nvalues = {values}")
    for n in (0, 63, 64, 65, 127, 128, 129):
        assert satisfied(many, says(many, f"v{n}"), says(many, f"v{n}")) == 1.0
        assert satisfied(many, says(many, f"v{n}"), says(many, f"v{(n + 64) % 130}")) == 0.0
        assert passes("avoids", [many], says(many, avoid=[f"v{n}"]), says(many, f"v{n}")) is False


def test_as_a_person_reads_it():
    assert GENDER.phrase("nonbinary") == "F: nonbinary"
    assert facet("choice", 'label = "Lives in"\nvalues = ["far_north"]').phrase("far_north") == "Lives in: far north"
