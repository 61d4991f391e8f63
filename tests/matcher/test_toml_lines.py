"""Lines of headers, and reading the text."""

from __future__ import annotations

import tomllib
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.errors import ProgrammeError
from matcher.toml_lines import header_lines, header_of, read_text


class TestHeaderLines:
    @pytest.mark.parametrize(
        ("text", "lines"),
        [
            ("", {}),
            ("[a]", {"a": 1}),
            ("\n  [ a . b ]  # x\n", {"a.b": 2}),
            ('["a b".c]\n', {'"a b".c': 1}),
            ("['a.b']\n", {'"a.b"': 1}),
            ("[[a]]\n[[a]]\n", {"a": 1}),
            ("# [a]\n[b]\n", {"b": 2}),
            ('x = """\n[a]\n"""\n[b]', {"b": 4}),
            ('x = """\n\\"""\n[a]\n"""\n[b]', {"b": 5}),
            ("x = '''\n[a]\n\\'''\n[b]", {"b": 4}),
            ('x = """a"""\n[b]', {"b": 2}),
            ('x = """""a"""""\n[b]', {"b": 2}),
            ("x = \"'''\"\n[b]", {"b": 2}),
            ("x = 1 # '''\n[b]", {"b": 2}),
            ("x = '#' # [\n[b]", {"b": 2}),
            ('x = [\n  ["a"],\n  [\n  "]"\n ]\n]\n[b]', {"b": 7}),
            ("x = {a = [1]}\n[b] # [\n[c]", {"b": 2, "c": 3}),
        ],
    )
    def test_table(self, text, lines):
        assert header_lines(text) == lines

    @given(st.text(alphabet="ab[]\"'\\\n#= .{},1", max_size=60))
    def test_anything_ends(self, text):
        header_lines(text)

    def test_every_mixture_is_found(self):
        """Whatever values stand above it, the header of a valid file is found, and no other."""
        values = [
            '"""\n[x]\n"""',
            "'''\n[x]'''",
            "[\n[1],\n[2]]",
            '"[x]"',
            "{ y = [1] }",
            '"\\""',
            "'\\'",
            '""',
            '""""""',
        ]
        for number, (one, two) in enumerate(product(values, values)):
            text = f"a = {one} # [c]\nb = {two}\n[real{number}]\n"
            assert set(tomllib.loads(text)) == {"a", "b", f"real{number}"}
            line = text[: text.index("[real")].count("\n") + 1
            assert header_lines(text) == {f"real{number}": line}


def test_header_of():
    assert header_of("facets", "a-b_1") == "facets.a-b_1"
    assert header_of("a b", "é") == '"a b"."\\xe9"'


class TestReadText:
    def test_reads(self, tmp_path):
        (tmp_path / "a.toml").write_bytes("é = 1".encode())
        assert read_text(tmp_path / "a.toml") == "é = 1"

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"\xef\xbb\xbfa = 1", "line 1: found a byte-order mark"),
            (b"\xff\xfea\x00", "line 1: found a byte-order mark"),
            (b"a = 1\nb = '\xe9'", "line 2: found bytes that are not UTF-8"),
            (b"a = 1\n\n\x00", "line 3: found the character U+0000"),
        ],
    )
    def test_what_is_refused(self, tmp_path, data, message):
        (tmp_path / "a.toml").write_bytes(data)
        with pytest.raises(ProgrammeError, match=r"a\.toml") as caught:
            read_text(tmp_path / "a.toml")
        assert message in caught.value.message

    @pytest.mark.parametrize("name", ["nothing.toml", ".", "\x00"])
    def test_what_is_no_file(self, tmp_path, name):
        with pytest.raises(ProgrammeError, match="expected a mapping file"):
            read_text(tmp_path / name, "a mapping file")
