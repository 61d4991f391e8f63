"""How concept sets are compared: by hand, and with scikit-learn as the oracle of likeness."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from matcher.facets.base import Information, Side
from tests.matcher.facets.bench import TREE, backward, columns, facet, forward, passes, satisfied, says, whole

HAD = facet("concepts", 'weight = 1\nvocabulary = "tree.csv"', name="had")
NEED = facet("concepts", 'weight = 1\nvocabulary = "tree.csv"\nagainst = "had"', name="need")
LIMIT = facet("concepts", 'vocabulary = "tree.csv"\nexcludes = "need"', name="limit")
ALL = [HAD, NEED, LIMIT]
LEARNED = Information(100, {"treatment": 80, "surgery": 40, "lumpectomy": 20, "grief": 5, "daily_life": 100}, 10)
WEIGHT = {concept: LEARNED(concept) for concept in TREE.codes()}
CODES = [*TREE.codes(), "unheard_of", "C99"]


def test_the_weights_by_hand():
    assert WEIGHT["treatment"] == pytest.approx(math.log(1.25))
    assert WEIGHT["surgery"] == pytest.approx(math.log(2.5))
    assert WEIGHT["lumpectomy"] == pytest.approx(math.log(5))
    assert WEIGHT["grief"] == WEIGHT["mastectomy"] == pytest.approx(math.log(10))
    assert WEIGHT["daily_life"] == 0.01


T, S, L, M = (WEIGHT[code] ** 2 for code in ("treatment", "surgery", "lumpectomy", "mastectomy"))


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (["lumpectomy"], ["lumpectomy"], 1.0),
        (["lumpectomy"], ["mastectomy"], (T + S) / math.sqrt((T + S + L) * (T + S + M))),
        (["lumpectomy"], ["surgery"], (T + S) / math.sqrt((T + S + L) * (T + S))),
        (["surgery"], ["treatment"], T / math.sqrt((T + S) * T)),
        (["lumpectomy"], ["surgery", "lumpectomy"], 1.0),  # a code stands for its ancestors, said or not
        (["lumpectomy"], ["grief"], 0.0),
        (["lumpectomy"], ["unheard_of"], 0.0),
        (["unheard_of"], ["unheard_of"], 1.0),
        (["lumpectomy"], [], 0.0),
        ([], [], 0.0),
        ([], None, None),
        (["lumpectomy"], None, None),
        (None, None, None),
    ],
)
def test_likeness_by_hand(mine, theirs, expected):
    for a, b in ((mine, theirs), (theirs, mine)):
        found = satisfied(HAD, says(HAD, a), says(HAD, b), information=LEARNED)
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_where_nothing_is_learned_every_concept_weighs_the_same():
    assert satisfied(HAD, says(HAD, ["lumpectomy"]), says(HAD, ["mastectomy"])) == pytest.approx(2 / 3)


concepts = st.lists(st.sampled_from(CODES), unique=True, max_size=5).map(lambda codes: tuple(sorted(codes)))


@given(
    mine=concepts,
    others=st.lists(concepts, min_size=1, max_size=8),
    counts=st.dictionaries(st.sampled_from(CODES), st.integers(0, 60)),
    members=st.sampled_from([3, 60, 1000]),
)
def test_likeness_is_that_of_scikit_learn(mine, others, counts, members):
    information = Information(members, counts, 5)

    def vector(codes):
        return [information(code) if code in TREE.up(codes) else 0.0 for code in CODES]

    expected = cosine_similarity([vector(mine)], [vector(codes) for codes in others])[0]
    rows = [{"had": Side(codes)} for codes in others]
    for seen in (forward, backward):
        found = seen([HAD], {"had": Side(mine)}, rows, information=information)
        np.testing.assert_allclose(found.satisfy, expected, atol=1e-12)
        assert found.informative == [bool(mine and codes) for codes in others]


@pytest.mark.parametrize(
    ("prefer", "theirs", "expected"),
    [
        (["lumpectomy"], ["lumpectomy"], 1.0),
        (["surgery"], ["lumpectomy"], 1.0),  # held through a descendant
        (["lumpectomy"], ["surgery"], 0.0),
        (["grief", "lumpectomy"], ["lumpectomy"], math.log(5) / (math.log(5) + math.log(10))),
        (["grief", "lumpectomy"], ["grief", "lumpectomy", "daily_life"], 1.0),
        (["surgery", "lumpectomy"], ["mastectomy"], math.log(2.5) / (math.log(2.5) + math.log(5))),
        (["unheard_of"], ["unheard_of"], 1.0),
        (["unheard_of", "grief"], ["grief"], 0.5),  # nobody holds it: as rare as k
        (["grief"], [], 0.0),
        (["grief"], None, None),
    ],
)
def test_the_share_of_what_is_preferred(prefer, theirs, expected):
    for own in (None, [], ["driving_again"]):
        found = satisfied(HAD, says(HAD, own, prefer=prefer), says(HAD, theirs), information=LEARNED)
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))


@pytest.mark.parametrize(
    ("need", "history", "expected", "informative"),
    [
        (["surgery"], ["lumpectomy"], 1.0, True),
        (["lumpectomy"], ["surgery"], 0.0, True),
        (["grief", "lumpectomy"], ["grief"], math.log(10) / (math.log(5) + math.log(10)), True),
        ([], ["grief"], 0.0, False),
        (["grief"], [], 0.0, False),
        ([], [], 0.0, False),
        (None, ["grief"], None, False),
        (["grief"], None, None, False),
    ],
)
def test_a_need_is_met_by_the_history_of_the_other(need, history, expected, informative):
    asker = {**says(NEED, need), **says(HAD, ["driving_again"])}
    other = {**says(NEED, ["back_to_work"]), **says(HAD, history)}
    one = forward(ALL, asker, [other], "need", information=LEARNED)
    two = backward(ALL, other, [asker], "need", information=LEARNED)
    for seen in (one, two):
        assert seen.satisfy == [None if expected is None else pytest.approx(expected, abs=1e-12)]
        assert seen.informative == [informative]


def test_a_feature_without_weight_is_none():
    idle = facet("concepts", 'vocabulary = "tree.csv"')
    assert forward([idle], says(idle, ["grief"]), [says(idle, ["grief"])]) is None
    assert backward([idle], says(idle, ["grief"]), [says(idle, ["grief"])]) is None


def test_rows_of_all_sorts_in_one_pool():
    rows = [
        says(HAD, ["grief"]),
        says(HAD, ["grief"], importance=0),
        says(HAD, ["lumpectomy"], prefer=["grief", "surgery"]),
        says(HAD, [], prefer=["driving_again"]),
        says(HAD),
        says(HAD, [], importance=3),
    ]
    seeker = says(HAD, ["grief"], importance=2)
    found = forward([HAD], seeker, rows)
    assert (found.satisfy, found.importance) == ([1, 1, 0, 0, None, 0], [2] * 6)
    assert found.informative == [True, True, True, False, False, False]
    found = backward([HAD], seeker, rows)
    assert (found.satisfy, found.importance) == ([1, 1, 0.5, 0, None, 0], [1, 0, 1, 1, 1, 3])
    assert found.informative == [True, True, True, True, False, False]
    found = backward([HAD], says(HAD, []), rows)
    assert (found.satisfy, found.informative) == ([0, 0, 0, 0, None, 0], [False] * 6)
    assert backward([HAD], says(HAD), rows).satisfy == [None] * 6


def test_one_pool_for_many_seekers_and_rows():
    rows = [says(HAD, [code]) for code in ("grief", "lumpectomy", "surgery")]
    column = columns([HAD], rows, information=LEARNED)["had"]
    every = np.arange(3)
    for codes in (["grief"], ["lumpectomy"], ["surgery"], ["grief"]):
        seeker = says(HAD, codes)
        expected = forward([HAD], seeker, rows, information=LEARNED).satisfy
        assert column.forward(seeker, every).by_row().tolist() == expected
        assert column.backward(seeker, every).by_row().tolist() == expected
        assert column.forward(seeker, every[[2]]).by_row().tolist() == expected[2:]
        assert column.backward(seeker, every[[1, 0]]).by_row().tolist() == [expected[1], expected[0]]
    assert column.nbytes > 0


@pytest.mark.parametrize(
    ("mine", "asked", "theirs", "expected"),
    [
        (["lumpectomy"], {}, ["lumpectomy"], True),
        (["surgery"], {}, ["lumpectomy"], True),
        (["lumpectomy"], {}, ["surgery"], False),  # as written: the descendant is asked for
        (["lumpectomy"], {}, ["mastectomy"], False),  # a common ancestor is not enough
        (["grief", "lumpectomy"], {}, ["grief"], True),
        ([], {}, ["grief"], False),
        (["grief"], {}, [], False),
        (None, {}, ["grief"], False),
        (["grief"], {}, None, False),
        (["grief"], {"prefer": ["surgery"]}, ["mastectomy"], True),
        (["grief"], {"prefer": ["surgery"]}, ["grief"], False),
        (None, {"prefer": ["surgery"]}, ["surgery"], True),
        (["grief"], {"prefer": ["grief"]}, None, False),
        (["unheard_of"], {}, ["unheard_of"], True),
    ],
)
def test_a_must_of_either_side(mine, asked, theirs, expected):
    asker, other = says(HAD, mine, importance=3, **asked), says(HAD, theirs)
    assert passes("musts", [HAD], asker, other) is expected
    assert passes("musts", [HAD], other, asker) is expected
    assert passes("musts", [HAD], says(HAD, mine, importance=2, **asked), other) is None


@pytest.mark.parametrize(
    ("need", "history", "expected"),
    [
        (["surgery"], ["lumpectomy"], True),
        (["lumpectomy"], ["surgery"], False),
        ([], ["grief"], False),
        (None, ["grief"], False),
        (["grief"], [], False),
        (["grief"], None, False),
    ],
)
def test_a_must_on_a_need(need, history, expected):
    asker, other = says(NEED, need, importance=3), {**says(HAD, history), **says(NEED, ["grief"])}
    assert passes("musts", ALL, asker, other, "need") is expected
    assert passes("musts", ALL, other, asker, "need") is expected


@pytest.mark.parametrize(
    ("avoid", "theirs", "expected"),
    [
        (["surgery"], ["lumpectomy"], False),
        (["lumpectomy"], ["surgery"], True),
        (["lumpectomy", "grief"], ["grief"], False),
        (["lumpectomy"], ["grief"], True),
        (["lumpectomy"], [], True),
        (["lumpectomy"], None, False),
        (["unheard_of"], ["unheard_of"], False),
    ],
)
def test_an_avoid_of_either_side(avoid, theirs, expected):
    asker, other = says(HAD, avoid=avoid, importance=0), says(HAD, theirs)
    assert passes("avoids", [HAD], asker, other) is expected
    assert passes("avoids", [HAD], other, asker) is expected


def test_without_an_avoid_there_is_no_rule():
    assert passes("avoids", [HAD], says(HAD, ["grief"]), says(HAD)) is None


class TestBoundaries:
    @pytest.mark.parametrize(
        ("limit", "other", "expected"),
        [
            (["surgery"], says(NEED, ["surgery"]), False),
            (["surgery"], says(NEED, ["lumpectomy"]), False),
            (["lumpectomy"], says(NEED, ["surgery"]), True),
            (["surgery"], says(HAD, prefer=["lumpectomy"]), False),
            (["surgery"], says(HAD, ["lumpectomy"]), True),  # never the other's history
            (["surgery"], says(NEED, ["grief"]), True),
            (["surgery"], {**says(NEED, ["grief"]), **says(HAD, prefer=["surgery"])}, False),
            (["surgery"], {**says(NEED), **says(HAD, avoid=["surgery"])}, True),
            (["surgery"], {}, True),
            (["surgery"], says(NEED, []), True),
            ([], says(NEED, ["surgery"]), True),
            (None, says(NEED, ["surgery"]), True),
            (None, {}, True),
            (["unheard_of"], says(NEED, ["unheard_of"]), False),
        ],
    )
    def test_both_ways(self, limit, other, expected):
        for a, b in ((says(LIMIT, limit), other), (other, says(LIMIT, limit))):
            assert passes("permit", ALL, a, b, "limit") is expected

    def test_nothing_else_of_them(self):
        column = columns(ALL, [says(LIMIT, ["grief"])], shows=[True])["limit"]
        seeker = whole(ALL, says(LIMIT, ["grief"]))
        for look in (column.forward, column.backward):
            assert look(seeker, np.arange(1)) is None
        assert column.musts(seeker) is None
        assert column.avoids(seeker) is None
        assert list(column.shared(seeker, 0)) == []
        assert column.shows.tolist() == [False]
        assert column.nbytes > 0


class TestShared:
    def shared(self, seeker, rows, name="had", row=0, **more):
        found = columns(ALL, rows, information=LEARNED, **more)[name]
        return [(value, found.holders(value)) for value in found.shared(whole(ALL, seeker), row)]

    def test_the_most_telling_first(self):
        rows = [says(HAD, ["lumpectomy", "grief"]), says(HAD, ["surgery"]), says(HAD)]
        expected = [("grief", 1), ("lumpectomy", 1), ("surgery", 2), ("treatment", 2)]
        assert self.shared(says(HAD, ["grief", "lumpectomy"]), rows) == expected
        assert self.shared(says(HAD, ["mastectomy"]), rows) == [("surgery", 2), ("treatment", 2)]
        assert self.shared(says(HAD, ["mastectomy"]), rows, row=1) == [("surgery", 2), ("treatment", 2)]
        assert self.shared(says(HAD, ["mastectomy"]), rows, row=2) == []
        assert self.shared(says(HAD), rows) == self.shared(says(HAD, []), rows) == []

    def test_of_equally_telling_ones_the_deepest_and_then_by_code(self):
        column = columns([HAD], [says(HAD, ["mastectomy", "lumpectomy", "grief"])])["had"]  # nothing learned
        found = list(column.shared(says(HAD, ["mastectomy", "lumpectomy", "grief"]), 0))
        assert found == ["lumpectomy", "mastectomy", "surgery", "grief", "treatment"]

    def test_of_what_is_asked_only_that(self):
        rows = [{**says(HAD, ["lumpectomy", "grief"]), **says(NEED, ["driving_again"])}]
        assert self.shared(says(HAD, ["grief"], prefer=["surgery"]), rows) == [("surgery", 1)]
        assert self.shared(says(NEED, ["surgery", "driving_again"]), rows, "need") == [("surgery", 1)]
        assert self.shared(says(NEED), rows, "need") == []

    def test_holders_are_those_who_let_it_be_a_reason(self):
        rows = [says(HAD, ["grief"]) for _ in range(4)]
        assert self.shared(says(HAD, ["grief"]), rows, shows=[False, True, True, False]) == [("grief", 2)]
        assert self.shared(says(NEED, ["grief"]), rows, "need", shows=[False, True, True, False]) == [("grief", 2)]
