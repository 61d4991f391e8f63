"""Languages: BCP 47 tags, one in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.language_codes import shortest
from matcher.facets.languages import canonical, primary
from tests.matcher.facets.bench import columns, declared_wrongly, facet, forward, passes, refused, says

LANGUAGES = facet("languages")


def test_declared():
    assert LANGUAGES.label == "F"
    assert LANGUAGES.gating
    declared_wrongly("languages", "label = 3", "label: found 3", "expected text")
    declared_wrongly("languages", "show = true", "show: unknown key")


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ([], ()),
        (["en"], ("en",)),
        (["EN", "Pl"], ("en", "pl")),
        (["pl", "en"], ("en", "pl")),
        (["en-gb"], ("en-GB",)),
        (["PT-br"], ("pt-BR",)),
        (["SR-LATN"], ("sr-Latn",)),
        (["zh-hant-tw"], ("zh-Hant-TW",)),
        (["es-419"], ("es-419",)),
        (["de-ch-1996"], ("de-CH-1996",)),
        (["SL-ROZAJ-BISKE"], ("sl-rozaj-biske",)),
        (["haw"], ("haw",)),
        (["en-GB", "en-US", "en"], ("en", "en-GB", "en-US")),
        (["eng"], ("en",)),
        (["eng-gb", "en"], ("en", "en-GB")),
        (["deu", "ger-at"], ("de", "de-AT")),
        (["zho-hant-tw"], ("zh-Hant-TW",)),
        (["iw", "mol"], ("he", "ro")),
        (["cmn", "yue"], ("cmn", "yue")),  # languages of their own, without a code of two letters
    ],
)
def test_customary_case(raw, parsed):
    assert LANGUAGES.parse(raw) == parsed
    assert LANGUAGES.parse([tag.swapcase() for tag in raw]) == parsed


@pytest.mark.parametrize(
    ("raw", "at", "parts"),
    [
        ("en", "", ("found 'en'", "an array of strings")),
        (["english"], "[0]", ("found 'english'", "expected a BCP 47 tag such as en or pt-BR")),
        (["en", "en_GB"], "[1]", ("found 'en_GB'",)),
        (["zz", "e"], "[1]", ("found 'e'",)),  # the place is that of what was written, not of the sorted list
        (["en-"], "[0]", ("found 'en-'",)),
        (["-en"], "[0]", ()),
        (["en "], "[0]", ()),
        (["en\n"], "[0]", ()),
        (["en-GB-Latn"], "[0]", ()),
        (["x-private"], "[0]", ()),
        (["en-u-ca-buddhist"], "[0]", ()),
        (["i-klingon"], "[0]", ()),
        (["ён"], "[0]", ()),
        (["e\u0301n"], "[0]", ()),
        (["en", 5], "[1]", ("found 5", "a non-empty string")),
        (["en", ""], "[1]", ("found ''",)),
        (["en", "en"], "", ("found 'en' twice",)),
        (["en-gb", "en-GB"], "", ("found 'en-GB' twice",)),
        (["en", "eng"], "", ("found 'en' twice",)),
        ([f"{a}{b}{c}" for a in "abcde" for b in "abcde" for c in "abcde"], "", ("found 125 values", "at most 100")),
    ],
)
def test_parsed_wrongly(raw, at, parts):
    refused(LANGUAGES.parse, raw, at, *parts)


@given(tag=st.from_regex(r"[a-zA-Z]{2,3}(-[a-zA-Z]{4})?(-[a-zA-Z]{2})?", fullmatch=True))
def test_canonical_whatever_the_case(tag):
    assert canonical(tag) == canonical(tag.upper()) == canonical(tag.lower()) == canonical(canonical(tag))
    language, *rest = tag.lower().split("-")
    assert canonical(tag).lower().split("-") == [shortest(language), *rest]
    assert primary(canonical(tag)) == shortest(language)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (["en"], ["en"], True),
        (["en-GB"], ["en"], True),
        (["en-GB"], ["en-US"], True),
        (["eng"], ["en"], True),
        (["fre-CA"], ["fra"], True),
        (["sr-Latn"], ["sr-Cyrl"], True),
        (["en", "pl"], ["de", "pl-PL"], True),
        (["en"], ["pl"], False),
        (["pt-BR"], ["br"], False),
        (["en"], ["enm"], False),
        (["en"], [], False),
        ([], [], False),
        (["en"], None, False),
        (None, None, False),
    ],
)
def test_the_gate_both_ways(mine, theirs, expected):
    for one, two in ((mine, theirs), (theirs, mine)):
        assert passes("permit", [LANGUAGES], says(LANGUAGES, one), says(LANGUAGES, two)) is expected


def test_it_is_nothing_but_a_gate():
    assert forward([LANGUAGES], says(LANGUAGES, ["en"]), [says(LANGUAGES, ["en"])]) is None
    assert passes("musts", [LANGUAGES], says(LANGUAGES), says(LANGUAGES)) is None
    assert passes("avoids", [LANGUAGES], says(LANGUAGES), says(LANGUAGES)) is None


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 17])
def test_any_number_of_rows(size):
    raws = [["en"] if row % 3 else ["pl", "de"] for row in range(size)]
    column = columns([LANGUAGES], [says(LANGUAGES, raw) for raw in raws])["f"]
    assert column.permit(says(LANGUAGES, ["de-AT"])).tolist() == [row % 3 == 0 for row in range(size)]
    assert column.permit(says(LANGUAGES, ["en", "pl"])).tolist() == [True] * size
    assert column.permit(says(LANGUAGES, ["fr"])).tolist() == [False] * size
    assert column.nbytes > 0
