"""Rows by concept, against a plain list of sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.postings import Postings

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
    assert postings.sums(weights).tolist() == expected
    assert postings.any_of(weights).tolist() == [bool(set(row) & weights.keys()) for row in rows]


def test_the_order_of_weights_changes_no_bit():
    rows = [tuple("abcdef")] * 3
    weights = {concept: 0.1 * 1.7**at for at, concept in enumerate("abcdef")}
    turned = dict(reversed(weights.items()))
    assert Postings(rows).sums(weights).tobytes() == Postings(rows).sums(turned).tobytes()
