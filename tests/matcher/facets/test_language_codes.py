"""The codes of languages that have several."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from matcher.facets.language_codes import _BIBLIOGRAPHIC, _OUT_OF_USE, _SHORTEST, _TERMINOLOGY, shortest


@pytest.mark.parametrize(
    ("code", "short"),
    [
        # One of each kind, by the tables of the Library of Congress and the IANA registry.
        *(("eng", "en"), ("pol", "pl"), ("zul", "zu"), ("hbs", "sh")),
        *(("ger", "de"), ("deu", "de"), ("chi", "zh"), ("zho", "zh"), ("wel", "cy"), ("cym", "cy"), ("per", "fa")),
        *(("iw", "he"), ("in", "id"), ("ji", "yi"), ("jw", "jv"), ("mo", "ro"), ("scr", "hr")),
        # Those without another one stay: Hawaiian, Cantonese, Filipino, and what is no language.
        *(("en", "en"), ("haw", "haw"), ("yue", "yue"), ("fil", "fil"), ("und", "und"), ("zz", "zz"), ("zzz", "zzz")),
    ],
)
def test_one_code(code: str, short: str) -> None:
    assert shortest(code) == short


def test_the_tables_are_whole() -> None:
    terminology, bibliographic = _TERMINOLOGY.split(), _BIBLIOGRAPHIC.split()
    assert (len(terminology), len(bibliographic)) == (184, 20)
    for pair in (*terminology, *bibliographic):
        assert re.fullmatch(r"[a-z]{3}:[a-z]{2}", pair)
    # Each of the 184 has one code of three letters by 639-2/T, and the second ones are of such languages.
    assert set(Counter(pair[4:] for pair in terminology).values()) == {1}
    assert {pair[4:] for pair in bibliographic} < {pair[4:] for pair in terminology}
    assert len(_SHORTEST) == len(terminology) + len(bibliographic) + len(_OUT_OF_USE.split())


def test_what_a_code_becomes_stays() -> None:
    assert all(shortest(short) == short for short in _SHORTEST.values())
