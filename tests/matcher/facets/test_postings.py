"""Rows by concept, against a plain list of sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.bitmaps import unpack
from matcher.facets.postings import Postings, subset_sums

ROWS = [("a", "b"), (), ("b",), ("c", "b", "a")]
sets = st.lists(st.frozensets(st.sampled_from("abcdef")).map(lambda some: tuple(sorted(some))), max_size=12)


def test_rows_of_a_concept():
    postings = Postings(ROWS)
    assert postings["a"].tolist() == [0, 3]
    assert postings["b"].tolist() == [0, 2, 3]
    assert postings["unheard_of"].tolist() == []
    assert sorted(postings) == ["a", "b", "c"]
    assert postings.size == 4
    assert postings.nbytes > 0


def test_nobody_has_anything():
    for rows in ([], [(), ()]):
        postings = Postings(rows)
        assert not postings
        assert list(postings) == []
        assert postings["a"].size == 0
        assert postings.sums({"a": 1.0}).tolist() == [0.0] * len(rows)
        assert postings.any_of(["a"]).tolist() == [False] * len(rows)


def test_one_object_for_many_rows():
    shared = ("a", "b")
    postings = Postings([shared, ("b",), shared])
    assert postings["a"].tolist() == [0, 2]
    assert postings["b"].tolist() == [0, 1, 2]


@given(rows=sets, weights=st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 10)))
def test_sums_and_any_of(rows, weights):
    postings = Postings(rows)
    assert bool(postings) == any(rows)
    for concept in "abcdefgh":
        assert postings[concept].tolist() == [at for at, row in enumerate(rows) if concept in row]
    expected = []
    for row in rows:
        total = 0.0
        for concept in sorted(set(row) & weights.keys()):
            total += weights[concept]
        expected.append(total)
    np.testing.assert_allclose(postings.sums(weights), expected, rtol=1e-12)
    some = np.array([at for at in range(len(rows)) if at % 2], dtype=np.intp)
    assert postings.sums(weights, some).tolist() == postings.sums(weights)[some].tolist()
    assert unpack(postings.any_bits(weights), len(rows)).tolist() == postings.any_of(weights).tolist()
    assert postings.any_of(weights).tolist() == [bool(set(row) & weights.keys()) for row in rows]


def test_the_order_of_weights_changes_no_bit():
    rows = [tuple("abcdef")] * 3
    weights = {concept: 0.1 * 1.7**at for at, concept in enumerate("abcdef")}
    turned = dict(reversed(weights.items()))
    assert Postings(rows).sums(weights).tobytes() == Postings(rows).sums(turned).tobytes()


def many(common, count=200):
    """Return rows of which all have `common`, and few have others."""
    return [(common, f"c{at}") if at % 50 == 0 else (common,) for at in range(count)]


def test_common_and_rare_concepts_answer_alike():
    postings = Postings(many("all"))
    assert len(postings.dense) == 1
    assert postings.names == ["all", "c0", "c100", "c150", "c50"]
    assert postings["c50"].tolist() == [50]
    assert postings["all"].tolist() == list(range(200))
    rows = np.array([0, 50, 51])
    assert postings.table(["c50", "all", "none"], rows).tolist() == [[False, True, False], [True] * 3, [False] * 3]
    assert [postings.names[at] for at in postings.places(50)] == ["all", "c50"]
    assert (postings.place("all"), postings.place("none")) == (0, None)
    assert postings.sums({"all": 1.0, "c0": 0.25}).tolist() == [1.25] + [1.0] * 199
    assert np.flatnonzero(postings.any_of(["c0", "c50"])).tolist() == [0, 50]


def test_more_than_eight_concepts():
    rows = [tuple(f"k{at:02d}" for at in range(20) if at % (row + 1) == 0) for row in range(6)]
    weights = {f"k{at:02d}": 1.0 + at for at in range(20)}
    expected = [sum(1.0 + at for at in range(20) if at % (row + 1) == 0) for row in range(6)]
    assert Postings(rows).sums(weights).tolist() == expected


def test_the_same_sets_give_the_same_bits_whoever_else_is_there():
    weights = {f"k{at:02d}": 0.1 * 1.7**at for at in range(20)}
    row = tuple(f"k{at:02d}" for at in range(0, 20, 3))
    alone, among = Postings([row]), Postings([row, *([("k01", "k19")] * 300), ("k04",)])
    assert alone.sums(weights)[0] == among.sums(weights)[0]


def test_of_rows_takes_codes_from_several_sources():
    made = Postings.of_rows(3, (np.array([1, 0, 1]), [("a",), ("b", "c")]), (np.array([0, 0, 1]), [("c",), ("d",)]))
    assert {name: made[name].tolist() for name in made} == {"a": [1], "b": [0, 2], "c": [0, 1, 2], "d": [2]}
    again = Postings.restore(made.names, [getattr(made, name) for name in Postings.ARRAYS])
    assert {name: again[name].tolist() for name in again} == {name: made[name].tolist() for name in made}


def test_sums_of_all_subsets():
    assert subset_sums([]).tolist() == [0.0]
    assert subset_sums([1.0, 2.0, 4.0]).tolist() == [float(n) for n in range(8)]
