from __future__ import annotations

import time
import unicodedata
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.vocabulary import Vocabulary, load_bundled
from matcher.vocabulary_csv import Concept
from matcher.vocabulary_search import MOST, VocabularySearch, folded, search_of

ROWS = [
    ("C50", "Malignant neoplasm of breast"),
    ("C50.9", "Breast, unspecified"),
    ("H81.0", "Ménière's disease"),
    ("N60", "Benign dysplasia of the breast"),
    ("Z80.3", "Family history: subbreast  c50 tissue"),
    ("Ä1", "Straße"),
]


def vocabulary(rows: list[tuple[str, str]] = ROWS) -> Vocabulary:
    return Vocabulary.from_concepts("test.csv", [Concept(code, label, "") for code, label in rows])


def codes(text: str, limit: int = MOST) -> list[str]:
    return [code for code, _ in VocabularySearch(vocabulary()).find(text, limit)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("c50", ["C50", "C50.9", "Z80.3"]),
        ("breast", ["C50.9", "C50", "N60", "Z80.3"]),
        ("BREAST", ["C50.9", "C50", "N60", "Z80.3"]),
        ("meniere", ["H81.0"]),
        ("Ménière", ["H81.0"]),
        ("Me\u0301nie\u0300re", ["H81.0"]),
        ("strasse", ["Ä1"]),
        ("a1", ["Ä1"]),
        ("subbreast c50", ["Z80.3"]),
        ("  of   the ", ["N60"]),
        ("0.9", ["C50.9"]),
        ("", []),
        (" \n ", []),
        ("nothing like it", []),
        ("breast\nC50", ["Z80.3"]),
        ("\x00", []),
    ],
)
def test_found(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_no_more_than_asked_for() -> None:
    assert codes("breast", 2) == ["C50.9", "C50"]
    assert len(VocabularySearch(load_bundled("icd10cm")).find("e")) == MOST


def test_labels_are_told_as_they_are() -> None:
    assert VocabularySearch(vocabulary()).find("z80") == [("Z80.3", "Family history: subbreast  c50 tissue")]


def rank(code: str, label: str, asked: str) -> int | None:
    code, label = folded(code), folded(label)
    tests = (code.startswith(asked), label.startswith(asked), f" {asked}" in label, asked in label, asked in code)
    return next((place for place, true in enumerate(tests) if true), None)


@pytest.mark.parametrize("few", [0, 2, 5, 500])
@given(
    labels=st.lists(st.text("abA é ", min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=12),
    text=st.text("abé 0", max_size=3),
)
def test_the_same_as_looking_at_each(few: int, labels: list[str], text: str) -> None:
    rows = [(f"a{number}", label) for number, label in enumerate(labels)]
    asked = folded(text)
    ranks = {code: rank(code, label, asked) for code, label in rows}
    expected = sorted((place, code.encode()) for code, place in ranks.items() if asked and place is not None)
    with mock.patch("matcher.vocabulary_search.FEW", few):
        found = VocabularySearch(vocabulary(rows)).find(text)
    assert [code for code, _ in found] == [code.decode() for _, code in expected]


def test_a_search_box_over_icd10cm_does_not_wait() -> None:
    search = search_of(load_bundled("icd10cm"))
    assert search is search_of(load_bundled("icd10cm"))
    for text in ("c50.9", "breast", "a", "of", "ménière", "zzzz", "initial encounter for closed fracture"):
        took = []
        for _ in range(5):
            start = time.thread_time()
            search.find(text)
            took.append(time.thread_time() - start)
        assert min(took) < 0.02, text


def test_folding_needs_no_second_time() -> None:
    assert folded(folded("ÀẞI\u0307")) == folded("ÀẞI\u0307")
    assert unicodedata.is_normalized("NFC", folded("Ménière"))
