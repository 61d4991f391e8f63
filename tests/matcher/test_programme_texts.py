"""The texts that members agree to: found beside the programme file, and told by the hash of exactly their bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from matcher.errors import ProgrammeError
from matcher.programme import Programme
from matcher.programme_texts import MOST_BYTES, beside
from tests.matcher.lantern import HASHES, HERE, LANTERN, with_texts
from tests.matcher.test_programme import MINIMAL, line_of

TEXT = "You may stop at any time.\n"


def text(table: str) -> str:
    return MINIMAL.replace("[ages]", f"[consent.texts]\n{table}\n[ages]")


def made(folder: Path, content: bytes | str = TEXT, table: str = 'en = "en.txt"') -> Programme:
    (folder / "en.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    return Programme.from_text(text(table), folder)


def refused(folder: Path, content: bytes | str = TEXT, table: str = 'en = "en.txt"') -> str:
    with pytest.raises(ProgrammeError) as caught:
        made(folder, content, table)
    message = caught.value.message
    start = f"programme.toml, line {line_of(text(table), '[consent.texts]')}, [consent.texts] "
    assert message.startswith(start)
    return message.removeprefix(start)


class TestRead:
    def test_the_hash_is_of_exactly_the_bytes(self, tmp_path):
        for content in (TEXT, TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT, TEXT + " ", "Zażółć"):
            expected = hashlib.sha256(content.encode()).hexdigest()
            assert made(tmp_path, content).policy_texts == {"en": expected}

    def test_each_language_has_its_own_in_the_order_of_locales(self):
        both = with_texts("pl", "en")
        assert dict(both.policy_texts) == HASHES
        assert list(both.policy_texts) == ["en", "pl"]

    def test_without_any(self):
        assert LANTERN.policy_texts == {}
        assert Programme.from_text(text(""), HERE).policy_texts == {}

    def test_they_do_not_change(self):
        with pytest.raises(TypeError):
            with_texts("en").policy_texts["pl"] = "0" * 64  # type: ignore[index]

    def test_a_locale_is_kept_in_customary_case(self, tmp_path):
        assert list(made(tmp_path, table='eng-gb = "en.txt"').policy_texts) == ["en-GB"]

    def test_a_folder_below_and_an_inline_table(self, tmp_path):
        (tmp_path / "texts").mkdir()
        (tmp_path / "texts" / "en.txt").write_text(TEXT)
        inline = MINIMAL.replace("[ages]", 'texts = {en = "texts/en.txt"}\n[ages]')
        assert list(Programme.from_text(inline, tmp_path).policy_texts) == ["en"]

    def test_one_file_may_serve_two_languages(self, tmp_path):
        hashes = made(tmp_path, table='en = "en.txt"\nsco = "en.txt"').policy_texts
        assert hashes["en"] == hashes["sco"]

    def test_as_long_as_may_be(self, tmp_path):
        assert made(tmp_path, "x" * MOST_BYTES).policy_texts
        assert "with more than 256 KiB; expected" in refused(tmp_path, "x" * (MOST_BYTES + 1))


class TestRefused:
    @pytest.mark.parametrize(
        ("key", "message"),
        [
            ("english", "english: found a name that is no language tag; expected a BCP 47 tag such as en or pt-BR"),
            ("en_GB", "en_GB: found a name that is no language tag"),
            ('""', '"": found a name that is no language tag'),
            ('"en\\n"', "found a name that is no language tag"),
        ],
    )
    def test_what_is_no_language(self, tmp_path, key, message):
        assert message in refused(tmp_path, table=f'{key} = "en.txt"')

    @pytest.mark.parametrize("keys", [("en", "eng"), ("en-GB", "en-gb")])
    def test_one_language_twice(self, tmp_path, keys):
        table = "\n".join(f'{key} = "en.txt"' for key in keys)
        message = refused(tmp_path, table=table)
        assert message == f"{keys[1]}: found {keys[0]} again; expected each language once, however it is written"

    @pytest.mark.parametrize("name", ["../en.txt", "/en.txt", "texts/../../en.txt", "texts\\\\en.txt"])
    def test_a_file_elsewhere(self, tmp_path, name):
        folder = tmp_path / "programme"
        folder.mkdir()
        (tmp_path / "en.txt").write_text(TEXT)
        message = refused(folder, table=f'en = "{name}"')
        assert "expected a file beside the programme file or in a folder below it" in message

    @pytest.mark.parametrize(("name", "why"), [("no.txt", "No such file"), (".", "Is a directory")])
    def test_a_file_that_cannot_be_read(self, tmp_path, name, why):
        message = refused(tmp_path, table=f'en = "{name}"')
        assert message.startswith(f"en: found {name!r}, which cannot be read ({why}")
        assert message.endswith("; expected a text in UTF-8 of at most 256 KiB, beside the programme file")

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"a\nb\xff", "bytes on line 2 that are not UTF-8"),
            (TEXT.encode("utf-16"), "bytes on line 1 that are not UTF-8"),
            (b"\xed\xa0\x80", "bytes on line 1 that are not UTF-8"),
            (b"a\x00b", "the character U+0000"),
            (b"", "nothing in it"),
            (b" \r\n\t\n", "nothing in it"),
            ("\ufeff\n".encode(), "nothing in it"),
        ],
    )
    def test_what_is_no_text(self, tmp_path, content, fault):
        expected = "expected a text in UTF-8 of at most 256 KiB, beside the programme file"
        assert refused(tmp_path, content) == f"en: found 'en.txt' with {fault}; {expected}"

    @pytest.mark.parametrize("value", ["3", '["en.txt"]', "{name = 'en.txt'}", '""'])
    def test_what_is_no_name(self, tmp_path, value):
        assert refused(tmp_path, table=f"en = {value}").startswith("en: found ")


class TestDigest:
    def test_the_text_counts(self, tmp_path):
        digests = {made(tmp_path, content).digest for content in (TEXT, TEXT + "\n", "\ufeff" + TEXT)}
        assert len(digests) == 3
        assert made(tmp_path).digest == made(tmp_path).digest
        assert made(tmp_path) == made(tmp_path)

    def test_the_language_counts(self, tmp_path):
        assert made(tmp_path).digest != made(tmp_path, table='pl = "en.txt"').digest
        assert with_texts("en").digest not in {with_texts("en", "pl").digest, LANTERN.digest}

    def test_the_order_does_not(self):
        assert with_texts("en", "pl") == with_texts("pl", "en")


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("a.txt", True),
        ("a/b.txt", True),
        ("a..b", True),
        ("..", False),
        ("a/../b", False),
        ("/a", False),
        ("a\\b", False),
    ],
)
def test_beside(name: str, right: bool) -> None:
    assert beside(name) is right
