"""What choice, ordinal and tags share: bit sets, musts, avoids, importance, what is shared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.coded import bits, count, overlap
from tests.matcher.facets.bench import backward, columns, facet, forward, passes, says, whole

CHOICE = facet("choice", 'weight = 1\nvalues = ["a", "b", "c"]')
TAGS = facet("tags", 'weight = 1\nvalues = ["c", "a", "b"]')
ORDINAL = facet("ordinal", 'weight = 1\nlevels = ["a", "b", "c"]')
OPTIONS = {f"v{n}": n for n in range(130)}


@given(left=st.sets(st.sampled_from(list(OPTIONS))), right=st.sets(st.sampled_from(list(OPTIONS))))
def test_bit_sets_are_sets(left, right):
    one, two = bits(sorted(left), OPTIONS), bits(sorted(right), OPTIONS)
    assert one.shape == (3,)
    assert overlap(one, two).tolist() == [bool(left & right)]
    assert count((one & two).reshape(1, -1)).tolist() == [len(left & right)]


def test_no_set_and_no_options():
    assert bits(None, OPTIONS).tolist() == [0, 0, 0]
    assert bits((), {}).tolist() == [0]


@pytest.mark.parametrize(
    ("of", "mine", "asked", "theirs", "expected"),
    [
        (CHOICE, "a", {}, "a", True),
        (CHOICE, "a", {}, "b", False),
        (CHOICE, "a", {}, None, False),
        (CHOICE, None, {}, "a", False),
        (CHOICE, "a", {"prefer": ["b", "c"]}, "b", True),
        (CHOICE, "a", {"prefer": ["b", "c"]}, "a", False),
        (CHOICE, None, {"prefer": ["b"]}, "b", True),
        (CHOICE, "a", {"prefer": ["b"]}, None, False),
        (TAGS, ["a", "b"], {}, ["b", "c"], True),
        (TAGS, ["a", "b"], {}, ["c"], False),
        (TAGS, [], {}, ["c"], False),
        (TAGS, ["a"], {}, [], False),
        (TAGS, ["a"], {"prefer": ["b", "c"]}, ["c"], True),
        (TAGS, ["a"], {"prefer": ["b", "c"]}, ["a"], False),
        (TAGS, None, {"prefer": ["b"]}, ["b"], True),
        (TAGS, [], {"prefer": ["b"]}, [], False),
        (TAGS, ["a"], {}, None, False),
        (TAGS, None, {}, ["a"], False),
        (ORDINAL, "a", {}, "a", True),
        (ORDINAL, "a", {}, "b", False),
        (ORDINAL, "a", {"prefer": ["b"]}, "b", True),
        (ORDINAL, None, {"prefer": ["b"]}, "b", True),
        (ORDINAL, None, {}, "b", False),
        (ORDINAL, "b", {}, None, False),
    ],
)
def test_a_must_of_either_side(of, mine, asked, theirs, expected):
    asker, other = says(of, mine, importance=3, **asked), says(of, theirs)
    assert passes("musts", [of], asker, other) is expected
    assert passes("musts", [of], other, asker) is expected


@pytest.mark.parametrize("importance", [0, 1, 2])
def test_less_than_a_must_excludes_nobody(importance):
    assert passes("musts", [CHOICE], says(CHOICE, "a", importance=importance), says(CHOICE, "b")) is None


def test_a_default_importance_may_be_a_must():
    always = facet("choice", 'importance = 3\nvalues = ["a", "b"]')
    assert passes("musts", [always], says(always, "a"), says(always, "a")) is True
    assert passes("musts", [always], says(always, "a"), says(always, "b")) is False
    assert passes("musts", [always], says(always), says(always)) is False


def test_musts_of_both():
    one, two = says(CHOICE, "a", importance=3, prefer=["b"]), says(CHOICE, "b", importance=3, prefer=["a"])
    assert passes("musts", [CHOICE], one, two) is True
    assert passes("musts", [CHOICE], one, says(CHOICE, "b", importance=3, prefer=["c"])) is False
    assert passes("musts", [CHOICE], one, says(CHOICE, "c", importance=3, prefer=["a"])) is False


@pytest.mark.parametrize(
    ("of", "avoid", "theirs", "expected"),
    [
        (CHOICE, ["b", "c"], "a", True),
        (CHOICE, ["b", "c"], "c", False),
        (CHOICE, ["b"], None, False),
        (TAGS, ["b", "c"], ["a"], True),
        (TAGS, ["b", "c"], ["a", "b"], False),
        (TAGS, ["b"], [], True),
        (TAGS, ["b"], None, False),
        (ORDINAL, ["a"], "b", True),
        (ORDINAL, ["a"], "a", False),
        (ORDINAL, ["a"], None, False),
    ],
)
def test_an_avoid_of_either_side(of, avoid, theirs, expected):
    for importance in (0, 3):
        asker, other = says(of, importance=importance, avoid=avoid), says(of, theirs)
        assert passes("avoids", [of], asker, other) is expected
        assert passes("avoids", [of], other, asker) is expected


def test_without_an_avoid_there_is_no_rule():
    assert passes("avoids", [TAGS], says(TAGS, ["a"]), says(TAGS)) is None


def test_rows_of_all_sorts_in_one_pool():
    rows = [
        says(CHOICE, "a"),
        says(CHOICE, "b", importance=0),
        says(CHOICE),
        says(CHOICE, "b", importance=3, prefer=["a"]),
        says(CHOICE, "a", avoid=["b"]),
        says(CHOICE, "a"),
    ]
    seeker = says(CHOICE, "b", importance=2)
    assert forward([CHOICE], seeker, rows).satisfy == [0, 1, None, 1, 0, 0]
    assert forward([CHOICE], seeker, rows).importance == [2] * 6
    found = backward([CHOICE], seeker, rows)
    assert found.satisfy == [0, 1, None, 0, 0, 0]
    assert found.importance == [1, 0, 1, 3, 1, 1]
    assert found.informative == [True, True, False, True, True, True]
    column = columns([CHOICE], rows)["f"]
    assert column.musts(seeker).tolist() == [True, True, True, False, True, True]
    assert column.avoids(seeker).tolist() == [True, True, True, True, False, True]
    assert column.importance.tolist() == [1, 0, 1, 3, 1, 1]


def test_the_same_answer_when_asked_again():
    rows = [says(TAGS, ["a"]), says(TAGS, ["b", "c"], importance=3), says(TAGS)]
    column = columns([TAGS], rows)["f"]
    for seeker in (says(TAGS, ["b"]), says(TAGS, ["a", "b"]), says(TAGS), says(TAGS, ["b"])):
        fresh = columns([TAGS], rows)["f"]
        for rule in ("permit", "musts", "avoids"):
            again, first = getattr(column, rule)(seeker), getattr(fresh, rule)(seeker)
            assert again is first is None or again.tolist() == first.tolist()
        assert forward([TAGS], seeker, rows) == forward([TAGS], seeker, rows)


def test_thousands_of_different_seekers():
    many = facet("tags", f"weight = 1\nmin_shared = 1\nvalues = {[f'v{n}' for n in range(15)]}")
    column = columns([many], [says(many, ["v0"]), says(many, ["v14", "v3"])])["f"]
    for number in range(1, 2**13):
        held = [f"v{n}" for n in range(15) if number >> n & 1]
        assert column.permit(says(many, held)).tolist() == ["v0" in held, "v3" in held or "v14" in held]


class TestShared:
    def shared(self, of, seeker, row, **more):
        found = columns([of], [row, says(of, row["f"].value), says(of)], **more)["f"]
        return [(value, found.holders(value)) for value in found.shared(whole([of], seeker), 0)][:1]

    @pytest.mark.parametrize(
        ("of", "seeker", "row", "expected"),
        [
            (CHOICE, says(CHOICE, "a"), says(CHOICE, "a"), [("a", 2)]),
            (CHOICE, says(CHOICE, "a"), says(CHOICE, "b"), []),
            (CHOICE, says(CHOICE, "a", prefer=["b"]), says(CHOICE, "b"), [("b", 2)]),
            (CHOICE, says(CHOICE, "a", prefer=["b"]), says(CHOICE, "a"), []),
            (CHOICE, says(CHOICE), says(CHOICE, "a"), []),
            (TAGS, says(TAGS, ["a", "b", "c"]), says(TAGS, ["c", "b"]), [("b", 2)]),  # the first in the alphabet
            (TAGS, says(TAGS, ["a"], prefer=["c"]), says(TAGS, ["c", "a"]), [("c", 2)]),
            (TAGS, says(TAGS, []), says(TAGS, ["c"]), []),
            (ORDINAL, says(ORDINAL, "c"), says(ORDINAL, "c"), [("c", 2)]),
            (ORDINAL, says(ORDINAL, "b"), says(ORDINAL, "c"), []),
        ],
    )
    def test_what_both_have_or_one_prefers(self, of, seeker, row, expected):
        assert self.shared(of, seeker, row) == expected

    def test_holders_are_those_who_let_it_be_a_reason(self):
        for shows, holders in (([True, True, True], 2), ([True, False, True], 1), ([False, False, True], 0)):
            assert self.shared(TAGS, says(TAGS, ["b"]), says(TAGS, ["b"]), shows=shows) == [("b", holders)]
