"""Likeness of concept sets against scikit-learn, shares, holders."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from matcher.errors import ProgrammeError
from matcher.facets.base import EncodeContext, Information, Side
from matcher.facets.postings import Postings
from tests.matcher.facets.bench import declared_wrongly, facet, refused
from tests.matcher.lantern import LANTERN, programme

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
        np.testing.assert_allclose(column.forward(seeker, rows).by_row(), expected[at], atol=1e-12)
        np.testing.assert_allclose(column.backward(seeker, rows).by_row(), expected[at], atol=1e-12)


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


BODY = 'vocabulary = "tree.csv"'
PLAIN, NEED = facet("concepts", BODY), facet("concepts", f'{BODY}\nagainst = "had"')
LIMIT = facet("concepts", f'{BODY}\nexcludes = "need"')


class TestDeclared:
    @pytest.mark.parametrize(
        ("body", "parts"),
        [
            ("", ("vocabulary: found nothing", "expected text")),
            ("vocabulary = 5", ("vocabulary: found 5",)),
            (f'{BODY}\nagainst = "a"\nexcludes = "b"', ("excludes: found 'b'", "either against or excludes, not both")),
            (f'{BODY}\nexcludes = "b"\nweight = 0.5', ("weight: found 0.5", "no weight beside excludes")),
            (f"{BODY}\nagainst = 1", ("against: found 1",)),
            (f'{BODY}\nexcludes = ""', ("excludes: found ''",)),
            (f'{BODY}\nvalues = ["a"]', ("values: unknown key",)),
        ],
    )
    def test_wrongly(self, body, parts):
        declared_wrongly("concepts", body, *parts)

    @pytest.mark.parametrize(
        ("body", "parts"),
        [
            ('vocabulary = "icd10"', ("vocabulary: found 'icd10'", "a bundled vocabulary (icd10cm)", "'icd10cm'?")),
            ('vocabulary = "nowhere.csv"', ("nowhere.csv",)),
            (
                'vocabulary = "experiences.csv"\nagainst = "history"',
                ("against: found 'history'", "expected the name of another facet"),
            ),
        ],
    )
    def test_in_a_programme(self, body, parts):
        with pytest.raises(ProgrammeError) as caught:
            programme(('vocabulary = "icd10cm"', body))
        for part in ("[facets.conditions]", *parts):
            assert part in caught.value.message

    def test_what_they_are(self):
        assert [of.gating for of in (PLAIN, NEED, LIMIT)] == [False, False, True]
        assert [of.wantable for of in (PLAIN, NEED, LIMIT)] == [True, True, False]
        assert [of.target for of in (PLAIN, NEED, LIMIT)] == ["f", "had", "f"]


class TestParse:
    def test_codes_are_sorted_and_kept(self):
        assert PLAIN.parse(["surgery", "grief", "unheard of"]) == ("grief", "surgery", "unheard of")
        assert PLAIN.parse([]) == ()
        assert PLAIN.parse(["x" * 64, "é"]) == ("x" * 64, "é")

    @pytest.mark.parametrize(
        ("raw", "at", "parts"),
        [
            ("grief", "", ("found 'grief'", "an array of strings")),
            (None, "", ("found None",)),
            (["grief", 3], "[1]", ("found 3", "a non-empty string")),
            (["grief", ""], "[1]", ("found ''",)),
            (["grief", "x" * 65], "[1]", ("a code of at most 64 characters",)),
            (["z", " grief"], "[1]", ("found ' grief'",)),
            (["z", "grief "], "[1]", ()),
            (["z", "a\nb"], "[1]", ()),
            (["z", "a\u202eb"], "[1]", ()),
            (["grief", "grief"], "", ("found 'grief' twice",)),
            ([f"c{n}" for n in range(101)], "", ("found 101 values", "at most 100")),
        ],
    )
    def test_refused(self, raw, at, parts):
        refused(PLAIN.parse, raw, at, *parts)
        refused(PLAIN.parse_asked, raw, at, *parts)

    def test_asked(self):
        assert PLAIN.parse_asked(["surgery", "grief"]) == ("grief", "surgery")
        refused(PLAIN.parse_asked, [], "", "found an empty array")
        for raw in (["grief"], [], None):
            refused(NEED.parse_asked, raw, "", "what is asked of a peer's had is told in profile.f; remove it here")

    def test_unknown_codes_are_told_with_the_nearest(self):
        assert PLAIN.warnings(("grief", "surgery")) == ()
        known, unknown = PLAIN.warnings(("Surgery", "zzz"))
        assert known.startswith("'Surgery' is not in the vocabulary tree.csv: kept, and matches only itself")
        assert known.endswith("; did you mean 'surgery'?")
        assert unknown.endswith("matches only itself")


def test_up():
    assert PLAIN.up(("lumpectomy", "unheard_of")) == ("lumpectomy", "surgery", "treatment", "unheard_of")
    assert PLAIN.up(()) == PLAIN.up(None) == ()


def test_as_a_person_reads_it():
    assert PLAIN.phrase("driving_again") == "F in common: Driving Again"
    assert PLAIN.phrase("unheard_of") == "F in common: unheard_of"
    assert NEED.phrase("driving_again") == "Has been through what you asked about: Driving Again"
