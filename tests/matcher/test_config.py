"""Tables of a TOML file: getters, messages and places."""

from __future__ import annotations

import re

import pytest

from matcher.config import MISSING, REQUIRED, Table
from matcher.errors import ProgrammeError

TEXT = """\
# [not.a.header]
first = "text"

[programme]
id = "lantern"
number = 2.5
whole = 7
yes = true
list = ["b", "a"]

[facets.conditions]  # a comment
weight = 3.0

[facets."odd.name"]
kind = 'x'
"""


@pytest.fixture
def root() -> Table:
    return Table.from_text(TEXT, "programme.toml")


def table(body: str) -> Table:
    return Table.from_text(f"\n[t]\n{body}", "p.toml").table("t")


def fails(call, *parts: str) -> str:
    with pytest.raises(ProgrammeError) as caught:
        call()
    for part in parts:
        assert part in caught.value.message
    return caught.value.message


class TestGetters:
    def test_each_returns_its_type(self, root):
        programme = root.table("programme")
        assert programme.string("id") == "lantern"
        assert programme.number("number") == 2.5
        assert isinstance(programme.number("whole"), float)
        assert programme.integer("whole") == 7
        assert programme.boolean("yes") is True
        assert programme.strings("list") == ("b", "a")
        programme.finish()

    def test_each_returns_its_default(self, root):
        programme = root.table("programme")
        assert programme.string("a", default="x") == "x"
        assert programme.string("a", default=None) is None
        assert programme.number("b", default=1) == 1.0
        assert isinstance(programme.number("b", default=1), float)
        assert programme.number("b", default=None) is None
        assert programme.integer("c", default=0) == 0
        assert programme.integer("c", default=None) is None
        assert programme.boolean("d", default=False) is False
        assert programme.strings("e", default=["q"]) == ("q",)
        assert programme.strings("e", default=None) is None

    def test_in(self, root):
        assert "programme" in root
        assert "nothing" not in root

    @pytest.mark.parametrize(
        "call",
        [
            lambda t: t.string("k"),
            lambda t: t.number("k"),
            lambda t: t.integer("k"),
            lambda t: t.boolean("k"),
            lambda t: t.strings("k"),
            lambda t: t.table("k"),
        ],
    )
    def test_a_missing_key_is_told(self, call):
        fails(lambda: call(table("")), "p.toml, line 2, [t] k: found nothing; expected ")

    def test_a_missing_key_written_otherwise_is_found(self):
        message = fails(lambda: table("valeus = ['a']").strings("values"))
        assert message.endswith("; is it written as 'valeus'?")

    @pytest.mark.parametrize(
        ("body", "call", "found", "expected"),
        [
            ("k = 1", lambda t: t.string("k"), "1", "text that is not empty"),
            ("k = ' '", lambda t: t.string("k"), "' '", "text that is not empty"),
            ('k = "a\\u0000"', lambda t: t.string("k"), r"'a\x00'", "text without the character U+0000"),
            (
                "k = 'ab'",
                lambda t: t.string("k", choices=["abc", "x"]),
                "'ab'",
                "one of 'abc', 'x'; did you mean 'abc'?",
            ),
            ("k = 3", lambda t: t.string("k", choices=["abc"]), "3", "one of 'abc'"),
            ("k = 'B'", lambda t: t.string("k", pattern="[a-z]+"), "'B'", "text that matches [a-z]+"),
            ('k = "b\\n"', lambda t: t.string("k", pattern=re.compile("[a-z]+")), r"'b\n'", "text that matches [a-z]+"),
            ("k = 'heavy'", lambda t: t.number("k", minimum=0), "'heavy'", "a number ≥ 0"),
            ("k = true", lambda t: t.number("k"), "True", "a number"),
            ("k = 11", lambda t: t.number("k", minimum=0, maximum=10), "11", "a number from 0 to 10"),
            ("k = 11", lambda t: t.number("k", maximum=0.5), "11", "a number ≤ 0.5"),
            ("k = -0.5", lambda t: t.number("k", minimum=0), "-0.5", "a number ≥ 0"),
            ("k = nan", lambda t: t.number("k"), "nan", "a finite number"),
            ("k = -inf", lambda t: t.number("k"), "-inf", "a finite number"),
            ("k = [1, nan]", lambda t: t.strings("k"), "nan", "a finite number"),
            ("k = [{a = inf}]", lambda t: t.strings("k"), "inf", "a finite number"),
            ("k = 1.0", lambda t: t.integer("k"), "1.0", "a whole number"),
            ("k = false", lambda t: t.integer("k"), "False", "a whole number"),
            ("k = 0", lambda t: t.integer("k", minimum=1, maximum=3), "0", "a whole number from 1 to 3"),
            ("k = 1", lambda t: t.boolean("k"), "1", "true or false"),
            ("k = 'a'", lambda t: t.strings("k"), "'a'", "a list of distinct, non-empty texts"),
            ("k = []", lambda t: t.strings("k", minimum=1), "[]", "a list of distinct, non-empty texts, at least 1"),
            ("k = ['a', 1]", lambda t: t.strings("k"), "1", "a list of distinct, non-empty texts"),
            ("k = ['']", lambda t: t.strings("k"), "''", "a list of distinct, non-empty texts"),
            ("k = ['a', 'b', 'a']", lambda t: t.strings("k"), "'a'", "texts (it stands there twice)"),
            ("k = {a = 1}", lambda t: t.string("k"), "a table", "text that is not empty"),
            ("k = 1979-05-27", lambda t: t.string("k"), "datetime.date(1979, 5, 27)", "text that is not empty"),
            ("k = 1", lambda t: t.table("k"), "1", "a table, [t.k]"),
            (f"k = {2**63}", lambda t: t.integer("k"), "a number of more than 64 bits", "a number of at most 64 bits"),
            (f"k = 0x{'f' * 9000}", lambda t: t.number("k"), "a number of more than 64 bits", "at most 64 bits"),
            (f"k = {{a = 0x{'f' * 9000}}}", lambda t: t.number("k"), "a table", "a number"),
        ],
    )
    def test_a_wrong_value_is_told(self, body, call, found, expected):
        where = r"p.toml, line 2, \[t(\.k)?\] k: "
        message = fails(lambda: call(table(body)), f"found {found}; expected ", expected)
        assert re.match(where, message)

    def test_found_may_be_nothing(self, root):
        fails(lambda: root.table("programme").fail("x", MISSING, "more"), "[programme] x: found nothing; expected more")

    def test_required_is_one_object(self):
        assert REQUIRED is not MISSING


class TestPlaces:
    def test_the_line_is_the_headers(self, root):
        assert root.table("programme").line == 4
        facets = root.table("facets").tables()
        assert {name: (facet.header, facet.line) for name, facet in facets.items()} == {
            "conditions": ("facets.conditions", 11),
            "odd.name": ('facets."odd.name"', 14),
        }

    def test_a_table_without_header_has_no_line(self, root):
        assert root.table("facets").line is None
        assert root.table("facets").place() == "programme.toml, [facets]"

    def test_an_inline_table_has_its_parents_line(self):
        inner = table("k = {a = 1}").table("k")
        fails(lambda: inner.string("a"), "p.toml, line 2, [t.k] a: found 1")

    def test_a_key_above_all_headers(self, root):
        fails(lambda: root.integer("first"), "programme.toml, first: found 'text'")

    def test_a_section_that_is_missing(self, root):
        fails(lambda: root.table("ages"), "programme.toml, [ages]: found nothing; expected a table")

    def test_a_missing_section_may_be_optional(self, root):
        section = root.table("model", optional=True)
        assert section.number("x", default=2.0) == 2.0
        section.finish()


class TestFinish:
    def test_an_unknown_key(self):
        one = table("wieght = 1")
        one.number("weight", default=0.0)
        one.string("label", default=None)
        message = fails(one.finish)
        assert (
            message == "p.toml, line 2, [t] wieght: unknown key; expected one of weight, label; did you mean 'weight'?"
        )

    def test_an_unknown_section(self, root):
        root.string("first")
        root.table("programme")
        root.table("facet", optional=True)
        message = fails(root.finish)
        expected = "expected one of [first], [programme], [facet]; did you mean 'facet'?"
        assert message == f"programme.toml, [facets]: unknown section; {expected}"

    def test_an_unknown_section_has_its_line(self):
        root = Table.from_text("\n\n[modell]\n", "p.toml")
        root.table("model", optional=True)
        fails(root.finish, "p.toml, line 3, [modell]: unknown section")

    def test_an_unknown_sub_table_has_its_line(self):
        root = Table.from_text("[a]\n[a.b]\n", "p.toml").table("a")
        root.string("c", default=None)
        fails(root.finish, "p.toml, line 2, [a] b: unknown key")


class TestSyntax:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a = 1\nb =\n", "p.toml, line 2: not valid TOML: Invalid value"),
            ("a = 1\n[a]\n", "p.toml, line 2: not valid TOML: "),
            ("a = 1\n\nx = '''\n", "p.toml, line 4: not valid TOML: "),
            ("[a]\n[a]\n", "p.toml, line 2: not valid TOML: Cannot declare ('a',) twice"),
            ('a = "\\ud800"', "p.toml, line 1: not valid TOML: "),
            ("a = " + "[" * 5000, "p.toml: not valid TOML: nested too deeply"),
            ("a = " + "9" * 5000, "p.toml: not valid TOML: "),
        ],
    )
    def test_what_is_not_toml_is_told(self, text, message):
        fails(lambda: Table.from_text(text, "p.toml"), message)

    def test_line_ends_of_windows(self):
        assert Table.from_text(TEXT.replace("\n", "\r\n"), "p.toml").table("programme").line == 4
