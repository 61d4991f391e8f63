"""Likeness of concept sets against scikit-learn, shares, holders."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from matcher.facets.base import EncodeContext, Information, Side
from matcher.facets.postings import Postings
from tests.matcher.lantern import LANTERN

CONDITIONS = LANTERN.facets["conditions"]
CODES = ["C50.9", "C50.1", "C34.9", "E11.9", "F32.9", "I10", "unknown-1", "G35"]


def columns(values, information):
    sides = {"conditions": [Side(value) for value in values]}
    column = CONDITIONS.encode(
        sides, [True] * len(values), EncodeContext({"conditions": information}, date(2026, 3, 2), LANTERN.facets)
    )
    column.link({"conditions": column})
    return column


def test_cosine_is_scikit_learns():
    rng = random.Random(3)
    values = [tuple(sorted(rng.sample(CODES, rng.randrange(1, 5)))) for _ in range(40)]
    information = Information(1000, {"C50": 40, "C50.9": 25, "I10": 300, "E11.9": 80}, k=10)
    vectors = DictVectorizer().fit_transform(
        [{concept: information(concept) for concept in CONDITIONS.up(value)} for value in values]
    )
    expected = cosine_similarity(vectors)
    column, rows = columns(values, information), np.arange(40)
    for at, value in enumerate(values):
        seeker = {"conditions": Side(value)}
        np.testing.assert_allclose(column.forward(seeker, rows).satisfy, expected[at], atol=1e-12)
        np.testing.assert_allclose(column.backward(seeker, rows).satisfy, expected[at], atol=1e-12)


def test_unknown_is_not_none_and_none_is_not_alike():
    column = columns([None, (), ("C50.9",)], Information())
    rows = np.arange(3)
    found = column.forward({"conditions": Side(())}, rows)
    assert np.isnan(found.satisfy).tolist() == [True, False, False]
    assert found.satisfy[1:].tolist() == [0.0, 0.0]
    assert not found.informative.any()
    assert np.isnan(column.forward({"conditions": Side(None)}, rows).satisfy).all()


def test_share_of_what_is_preferred_counts_descendants():
    column = columns([("C50.9",), ("C34.9",), ()], Information())
    found = column.forward({"conditions": Side(None, prefer=("C50", "E11.9"))}, np.arange(3))
    assert found.satisfy.tolist() == [0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    ("members", "holders", "weight"),
    [(0, 0, 1.0), (10, 10, 1.0), (100, 50, np.log(2)), (100, 3, np.log(10)), (100, 100, 0.01)],
)
def test_information_content(members, holders, weight):
    assert Information(members, {"c": holders}, k=10)("c") == pytest.approx(weight)


def test_postings_find_rows_by_concept():
    postings = Postings([("a", "b"), (), ("b",), ("a",)])
    assert postings["a"].tolist() == [0, 3]
    assert postings["nobody"].tolist() == []
    assert postings.any_of(["b", "nobody"]).tolist() == [True, False, True, False]
    assert postings.sums({"a": 1.0, "b": 0.5, "c": 9.0}).tolist() == [1.5, 0.0, 0.5, 1.0]
    assert sorted(postings) == ["a", "b"]
    assert not Postings([(), ()])
    assert Postings([]).sums({"a": 1.0}).tolist() == []
