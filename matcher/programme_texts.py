"""The texts that members agree to, one file a language: the `[consent.texts]` table of a programme file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from matcher.config import Table, Words
from matcher.facets.languages import TAG, canonical

MOST_BYTES = 256 * 1024
"""How long a text may be."""

EXPECTED = f"a text in UTF-8 of at most {MOST_BYTES // 1024} KiB, beside the programme file"


def read_texts(table: Table, base: Path) -> Mapping[str, str]:
    """Return the SHA-256 of each text, in lower-case hex, by its locale in customary case, in the order of locales.

    Parameters
    ----------
    table : Table
        ``[consent.texts]``: locale to the name of a file.
    base : Path
        The folder in which the files lie.

    Raises
    ------
    ProgrammeError
        If a key is no language tag, or names a language that another names too; if a file is not in the folder,
        cannot be read, is empty, too long, or no text in UTF-8.
    """
    hashes: dict[str, str] = {}
    for key in table.values:
        locale = canonical(key)
        if not TAG.fullmatch(key):
            table.fail(key, Words("a name that is no language tag"), "a BCP 47 tag such as en or pt-BR")
        if locale in hashes:
            table.fail(key, Words(f"{locale} again"), "each language once, however it is written")
        hashes[locale] = hashlib.sha256(_content(table, key, base)).hexdigest()
    return dict(sorted(hashes.items()))


def beside(name: str) -> bool:
    """Whether a file of this name lies beside the programme file, or in a folder below it."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _content(table: Table, key: str, base: Path) -> bytes:
    """Return the bytes of the file that `key` names: text, and not empty."""
    name = table.string(key)
    if not beside(name):
        table.fail(key, name, "a file beside the programme file or in a folder below it")
    try:
        with (base / name).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        table.fail(key, Words(f"{name!r}, which cannot be read ({why})"), EXPECTED)
    fault = _fault(content)
    if fault:
        table.fail(key, Words(f"{name!r} with {fault}"), EXPECTED)
    return content


def _fault(content: bytes) -> str | None:
    """Return what a file has that no text to agree to may have; None: nothing."""
    if len(content) > MOST_BYTES:
        return f"more than {MOST_BYTES // 1024} KiB"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"bytes on line {line} that are not UTF-8"
    if "\0" in text:
        return "the character U+0000"
    return None if text.strip().strip("\ufeff") else "nothing in it"
