"""Some of a list."""

from __future__ import annotations

import pytest

from tests.matcher.facets.bench import declared_wrongly, facet, forward, passes, refused, satisfied, says

WAYS = 'values = ["phone", "video", "text", "in_person"]'
HOBBIES = facet("tags", f"weight = 1\n{WAYS}")


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("", ("values: found nothing", "at least 1")),
        ("values = []", ("values: found []",)),
        ('values = ["a", "a"]', ("twice",)),
        ('values = ["a", "b"]\nmin_shared = 3', ("min_shared: found 3", "a whole number from 0 to 2")),
        ('values = ["a", "b"]\nmin_shared = -1', ("min_shared: found -1", "a whole number from 0 to 2")),
        ('values = ["a", "b"]\nmin_shared = "1"', ("min_shared: found '1'",)),
        ('values = ["a", "b"]\nmin_shared = true', ("min_shared: found True",)),
    ],
)
def test_declared_wrongly(body, parts):
    declared_wrongly("tags", body, *parts)


def test_parse():
    assert HOBBIES.parse([]) == ()
    assert HOBBIES.parse(["video", "phone"]) == ("phone", "video")
    assert HOBBIES.parse_asked(["text"]) == ("text",)


@pytest.mark.parametrize(
    ("raw", "at", "parts"),
    [
        ("phone", "", ("found 'phone'", "an array of strings")),
        (["phone", "fone"], "[1]", ("found 'fone'", "expected one of phone, video, text, in_person", "'phone'?")),
        (["video", "in person"], "[1]", ("did you mean 'in_person'?",)),
        (["phone", "phone"], "", ("found 'phone' twice",)),
        (["phone", None], "[1]", ("found None",)),
    ],
)
def test_parsed_wrongly(raw, at, parts):
    refused(HOBBIES.parse, raw, at, *parts)
    refused(HOBBIES.parse_asked, raw, at, *parts)


@pytest.mark.parametrize(
    ("mine", "prefer", "theirs", "expected"),
    [
        (["phone", "video"], None, ["phone"], 0.5),
        (["phone"], None, ["phone", "video"], 1.0),
        (["phone", "video", "text"], None, ["text", "video", "in_person"], 2 / 3),
        ([], None, ["phone"], 0.0),
        ([], None, [], 0.0),
        (["phone"], None, [], 0.0),
        (None, None, ["phone"], None),
        (["phone"], None, None, None),
        (["phone"], ["video", "text"], ["video"], 0.5),
        (None, ["video", "text"], ["text", "video"], 1.0),
        ([], ["video"], ["phone"], 0.0),
        ([], ["video"], [], 0.0),
        ([], ["video"], None, None),
    ],
)
def test_satisfy(mine, prefer, theirs, expected):
    asked = {} if prefer is None else {"prefer": prefer}
    assert satisfied(HOBBIES, says(HOBBIES, mine, **asked), says(HOBBIES, theirs)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mine", "prefer", "theirs", "expected"),
    [
        (["phone"], None, ["video"], True),
        ([], None, ["video"], False),
        (["phone"], None, [], False),
        ([], ["phone"], ["video"], True),
        (["phone"], ["phone"], [], False),
        (None, ["phone"], ["text"], True),
        (None, None, ["text"], False),
        (["phone"], None, None, False),
    ],
)
def test_informative_where_neither_is_an_empty_list(mine, prefer, theirs, expected):
    asked = {} if prefer is None else {"prefer": prefer}
    assert forward([HOBBIES], says(HOBBIES, mine, **asked), [says(HOBBIES, theirs)]).informative == [expected]


@pytest.mark.parametrize(
    ("needed", "mine", "theirs", "expected"),
    [
        (1, ["phone"], ["phone", "text"], True),
        (1, ["phone"], ["text"], False),
        (2, ["phone", "text"], ["text", "phone"], True),
        (2, ["phone", "text"], ["text", "video"], False),
        (1, [], ["text"], False),
        (1, [], [], False),
        (1, None, ["text"], False),
        (1, None, None, False),
    ],
)
def test_the_gate_both_ways(needed, mine, theirs, expected):
    channel = facet("tags", f"min_shared = {needed}\n{WAYS}")
    assert channel.gating
    assert passes("permit", [channel], says(channel, mine), says(channel, theirs)) is expected
    assert passes("permit", [channel], says(channel, theirs), says(channel, mine)) is expected


def test_without_min_shared_there_is_no_gate():
    for body in (WAYS, f"min_shared = 0\n{WAYS}"):
        channel = facet("tags", body)
        assert not channel.gating
        assert passes("permit", [channel], says(channel, ["phone"]), says(channel, ["text"])) is None
