"""What all kinds share: their registry, common keys, lists of strings, and what no input may bring about."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.facets import KINDS
from matcher.facets.base import Facet, Side, ValueProblem, strings
from tests.matcher.facets.bench import backward, columns, declared_wrongly, facet, forward, refused

BODIES = {
    "concepts": 'vocabulary = "tree.csv"',
    "tags": 'values = ["a", "b", "c"]',
    "choice": 'values = ["a", "b", "c"]',
    "ordinal": 'levels = ["a", "b", "c"]',
    "week": "",
    "languages": "",
    "statement": "",
}
SCORABLE = ("concepts", "tags", "choice", "ordinal")
EVERY = [facet(kind, body) for kind, body in BODIES.items()]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["a", "b", "surgery", "en", "pt-BR", "mon 18:00-20:00", "UTC", "tz", "slots"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(["tz", "slots"]), inner),
    max_leaves=8,
)


def test_the_kinds_are_those_of_the_design():
    assert sorted(KINDS) == sorted(BODIES)
    assert all(KINDS[kind].kind == kind for kind in KINDS)
    assert [kind for kind in KINDS if KINDS[kind].scorable] == list(SCORABLE)


def test_an_abstract_facet_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Facet(name="f", label="F")  # type: ignore[abstract]


class TestCommonKeys:
    @pytest.mark.parametrize("kind", SCORABLE)
    def test_defaults(self, kind):
        made = facet(kind, BODIES[kind], name="first_language")
        assert (made.name, made.label) == ("first_language", "First language")
        assert (made.weight, made.importance, made.show, made.source) == (0.0, 1, False, None)
        assert (made.is_feature, made.backward_feature, made.wantable) == (False, False, True)

    @pytest.mark.parametrize("kind", SCORABLE)
    def test_given(self, kind):
        made = facet(kind, f'label = "Ways"\nweight = 2\nimportance = 0\nshow = true\n{BODIES[kind]}')
        assert (made.label, made.weight, made.importance, made.show) == ("Ways", 2.0, 0, True)
        assert (made.is_feature, made.backward_feature) == (True, True)

    @pytest.mark.parametrize("kind", SCORABLE)
    @pytest.mark.parametrize(
        ("line", "found", "expected"),
        [
            ("weight = -0.5", "-0.5", "a number from 0 to 1000"),
            ("weight = 1001", "1001", "a number from 0 to 1000"),
            ('weight = "3"', "'3'", "a number from 0 to 1000"),
            ("weight = true", "True", "a number from 0 to 1000"),
            ("weight = nan", "nan", "a finite number"),
            ("weight = inf", "inf", "a finite number"),
            ("importance = 4", "4", "a whole number from 0 to 3"),
            ("importance = -1", "-1", "a whole number from 0 to 3"),
            ("importance = 1.0", "1.0", "a whole number from 0 to 3"),
            ("importance = false", "False", "a whole number from 0 to 3"),
            ('show = "yes"', "'yes'", "true or false"),
            ("show = 1", "1", "true or false"),
            ("label = 5", "5", "text"),
            ('label = " "', "' '", "text that is not empty"),
        ],
    )
    def test_refused(self, kind, line, found, expected):
        declared_wrongly(kind, f"{BODIES[kind]}\n{line}", line.split()[0], f"found {found}", f"expected {expected}")

    @pytest.mark.parametrize("kind", BODIES)
    def test_unknown_keys_are_refused_with_the_nearest(self, kind):
        declared_wrongly(kind, f"{BODIES[kind]}\nlabl = 'x'", "labl: unknown key", "did you mean 'label'?")

    @pytest.mark.parametrize("kind", [kind for kind in BODIES if kind not in SCORABLE])
    @pytest.mark.parametrize("line", ["weight = 1.0", "importance = 3", 'source = "age_band"'])
    def test_what_is_never_scored_has_no_weight(self, kind, line):
        declared_wrongly(kind, line, f"{line.split()[0]}: unknown key")


class TestStrings:
    @pytest.mark.parametrize(
        ("raw", "parsed"),
        [([], ()), (["b", "a"], ("a", "b")), (("a",), ("a",)), (["é", "z", "Z"], ("Z", "z", "é"))],
    )
    def test_sorted(self, raw, parsed):
        assert strings(raw) == parsed

    @pytest.mark.parametrize(
        ("raw", "at", "parts"),
        [
            ("a", "", ("found 'a'", "expected an array of strings")),
            (None, "", ("found None", "expected an array of strings")),
            ({"a": 1}, "", ("expected an array of strings",)),
            ({"a"}, "", ("expected an array of strings",)),
            (["a", 1], "[1]", ("found 1", "expected a non-empty string")),
            (["a", ""], "[1]", ("found ''", "expected a non-empty string")),
            ([["a"]], "[0]", ("found ['a']", "expected a non-empty string")),
            ([None], "[0]", ("found None",)),
            ([True], "[0]", ("found True",)),
            (["b", "a", "b"], "", ("found 'b' twice", "expected each value once")),
            ([f"{n}" for n in range(101)], "", ("found 101 values", "expected at most 100")),
        ],
    )
    def test_refused(self, raw, at, parts):
        refused(strings, raw, at, *parts)

    def test_a_hundred_are_not_too_many(self):
        assert len(strings([f"{n}" for n in range(100)])) == 100

    def test_empty_only_where_allowed(self):
        refused(lambda raw: strings(raw, allow_empty=False), [], "", "found an empty array", "leave the key out")

    def test_values_are_shown_short(self):
        with pytest.raises(ValueProblem) as caught:
            strings("x" * 10_000)
        assert len(caught.value.message) < 120


class TestAnyInput:
    @pytest.mark.parametrize("of", EVERY, ids=BODIES)
    @given(raw=json_values)
    def test_parse_raises_nothing_but_a_problem(self, of, raw):
        for parse in (of.parse, of.parse_asked):
            try:
                value = parse(raw)
            except ValueProblem as problem:
                told = problem.message
            else:
                told = "nothing"
                assert value is not None
                hash(value)
            assert told.isprintable()
            assert 0 < len(told) < 400

    @pytest.mark.parametrize("of", [of for of in EVERY if of.kind != "week"], ids=[k for k in BODIES if k != "week"])
    @given(raw=json_values | st.lists(st.sampled_from(["a", "b", "c", "EN", "pt-br"]), unique=True))
    def test_parse_is_idempotent(self, of, raw):
        try:
            value = of.parse(raw)
        except ValueProblem:
            return
        assert of.parse(value) == value
        for line in of.warnings(value):
            assert line.isprintable()

    @pytest.mark.parametrize("of", EVERY, ids=BODIES)
    @pytest.mark.parametrize(
        "raw",
        ["\ud800", "\x00", ["\ud800"], ["a\x00"], 10**5000, float("nan"), b"a", object()],
        ids=["surrogate", "NUL", "surrogate in a list", "NUL in a list", "digits", "NaN", "bytes", "object"],
    )
    def test_what_json_never_holds_is_a_problem_too(self, of, raw):
        listed = isinstance(raw, list) and of.kind in ("concepts", "tags", "languages")
        refused(of.parse, raw, "[0]" if listed else "")

    @pytest.mark.parametrize("of", [of for of in EVERY if not of.scorable], ids=["week", "languages", "statement"])
    def test_nobody_prefers_what_is_never_scored(self, of):
        assert not of.wantable
        assert not of.is_feature
        refused(of.parse_asked, ["en"], "", f"a facet of kind {of.kind} takes no such list", "remove it")

    @pytest.mark.parametrize("kind", SCORABLE)
    def test_an_empty_wish_is_refused(self, kind):
        refused(facet(kind, BODIES[kind]).parse_asked, [], "", "found an empty array")


@st.composite
def people(draw, of):
    """A person who says and asks anything in the facet."""
    options = (
        ["surgery", "lumpectomy", "treatment", "grief", "unheard_of"] if of.kind == "concepts" else ["a", "b", "c"]
    )
    sets = st.lists(st.sampled_from(options), unique=True, max_size=3).map(lambda codes: tuple(sorted(codes)))
    values = st.sampled_from(options) if of.kind in ("choice", "ordinal") else sets
    asked = st.none() | sets.filter(bool)
    side = Side(draw(st.none() | values), draw(st.integers(0, 3)), draw(asked), draw(asked))
    return {of.name: side}


SCORED = [facet(kind, f"weight = 1\n{BODIES[kind]}") for kind in SCORABLE]
SCORED += [facet("ordinal", f'weight = 1\ndirection = "{way}"\n{BODIES["ordinal"]}') for way in ("ahead", "more")]


@pytest.mark.parametrize("of", SCORED, ids=[f"{of.kind}-{getattr(of, 'direction', '')}" for of in SCORED])
@given(data=st.data())
def test_satisfy_is_in_the_unit_interval_or_unknown(of, data):
    seeker = data.draw(people(of))
    rows = data.draw(st.lists(people(of), max_size=4))
    for seen in (forward([of], seeker, rows), backward([of], seeker, rows)):
        if seen is None:
            continue
        for satisfy, informative in zip(seen.satisfy, seen.informative, strict=True):
            assert satisfy is None or (math.isfinite(satisfy) and 0 <= satisfy <= 1)
            if informative:
                assert satisfy is not None
    forward_seen = forward([of], seeker, rows)
    assert forward_seen.importance == [seeker["f"].importance] * len(rows)
    if (backward_seen := backward([of], seeker, rows)) is not None:
        assert backward_seen.importance == [row["f"].importance for row in rows]


@pytest.mark.parametrize("of", SCORED, ids=[f"{of.kind}-{getattr(of, 'direction', '')}" for of in SCORED])
def test_rows_may_be_chosen_and_repeated(of):
    raws = [Side(("a",), 2), Side(None, 1), Side(("b",), 0)]
    if of.kind in ("choice", "ordinal"):
        raws = [Side(side.value and side.value[0], side.importance) for side in raws]
    column = columns([of], [{"f": side} for side in raws])["f"]
    seeker = {"f": raws[0]}
    every = column.forward(seeker, np.arange(3)).by_row()
    some = column.forward(seeker, np.arange(3)[[2, 0]]).by_row()
    assert [repr(value) for value in some] == [repr(every[2]), repr(every[0])]
    assert column.nbytes > 0


@pytest.mark.parametrize("of", EVERY, ids=BODIES)
def test_a_pool_of_nobody(of):
    column = columns([of], [])["f"]
    assert column.nbytes >= 0
    seeker = {"f": Side()}
    assert column.forward(seeker, np.arange(0)) is None
    for rule in (column.permit, column.musts, column.avoids):
        mask = rule(seeker)
        assert mask is None or mask.shape == (0,)
