"""Reading a vocabulary from a CSV file of ``code,label,parent``."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

from matcher.errors import VocabularyError, nearest, shown

COLUMNS = ("code", "label", "parent")
LONGEST_CODE = 128
LONGEST_LABEL = 1000
INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode categories of control and format characters, and of line and paragraph separators."""


class Concept(NamedTuple):
    """One row of a vocabulary."""

    code: str
    label: str
    parent: str
    """Empty for a root."""


def read_concepts(path: Path) -> list[Concept]:
    """Read the concepts of a CSV file, in its order.

    UTF-8 with or without a byte order mark, separated by commas or semicolons. Spaces around a cell and blank rows are
    dropped; other columns are ignored.

    Raises
    ------
    VocabularyError
        Naming file, line, what was found and what was expected: unreadable text, missing or double columns, empty
        codes or labels, duplicate codes, orphans (the parent is no code of the file) and cycles.
    """
    concepts: dict[str, Concept] = {}
    lines: dict[str, int] = {}
    for line, cells in _rows(path):
        concept = _concept(path, line, cells)
        if concept.code in lines:
            _fail(path, line, f"code {shown(concept.code)} again, as on line {lines[concept.code]}", "each code once")
        concepts[concept.code] = concept
        lines[concept.code] = line
    if not concepts:
        _fail(path, 1, "no concept", "at least one row of code,label,parent")
    for code, concept in concepts.items():
        if concept.parent and concept.parent not in concepts:
            expected = f"a code of this file, or nothing for a root{nearest(concept.parent, concepts)}"
            _fail(path, lines[code], f"parent {shown(concept.parent)}", expected)
    _refuse_cycles(path, concepts, lines)
    return list(concepts.values())


def _text(path: Path) -> str:
    """Return the file's text; refuse what is not UTF-8 (lone surrogates are not) and NUL."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise VocabularyError(f"{path}: cannot be read ({why}); expected a CSV file of code,label,parent") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        _fail(path, line, f"byte 0x{raw[error.start]:02x}", "UTF-8 text; save the file as 'CSV UTF-8'")
    if "\0" in text:
        _fail(path, text.count("\n", 0, text.index("\0")) + 1, "a NUL character", "text without it")
    return text


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line on which each row begins, and its cells by column."""
    text = _text(path)
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in first and "," not in first else ",", strict=True
    )
    header: list[str] | None = None
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if header is None:
                header = _header(path, cells)
            elif any(cells):
                if len(cells) != len(header):
                    hint = "; put a label that holds a comma in double quotes" if len(cells) > len(header) else ""
                    _fail(path, line, f"{len(cells)} cells", f"{len(header)}, as in the header{hint}")
                yield line, dict(zip(header, cells, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        _fail(path, line, f"a row that is not CSV ({error})", "every quotation mark closed, and doubled inside quotes")


def _header(path: Path, names: list[str]) -> list[str]:
    """Return the column names, having found each of ours once."""
    for column in COLUMNS:
        if names.count(column) != 1:
            found = f"column {column!r} twice" if column in names else f"columns {shown(', '.join(names))}"
            _fail(path, 1, found, f"a first line that names {', '.join(COLUMNS)} once each")
    return names


def _concept(path: Path, line: int, cells: Mapping[str, str]) -> Concept:
    """Return the concept of one row, whose code and label are present, visible and not too long."""
    concept = Concept(*(cells[column] for column in COLUMNS))
    for column, value, longest in (("code", concept.code, LONGEST_CODE), ("label", concept.label, LONGEST_LABEL)):
        if not value:
            _fail(path, line, f"an empty {column}", "every concept with a code and a label")
        if len(value.encode()) > longest:
            _fail(path, line, f"a {column} of {len(value.encode())} bytes", f"at most {longest}")
        odd = next((character for character in value if unicodedata.category(character) in INVISIBLE), "")
        # Scripts such as Persian need joiners in a label; in a code two that look the same would differ.
        if odd and (column == "code" or unicodedata.category(odd) != "Cf"):
            _fail(path, line, f"the invisible character U+{ord(odd):04X} in the {column}", "text that can be seen")
    return concept


def _refuse_cycles(path: Path, concepts: Mapping[str, Concept], lines: Mapping[str, int]) -> None:
    """Walk up from each concept once, over those not yet known to reach a root."""
    sound: set[str] = {""}
    for start in concepts:
        trail: dict[str, None] = {}
        code = start
        while code not in sound:
            if code in trail:
                parent = concepts[code].parent
                found = f"parent {shown(parent)} of {shown(code)}, which leads back to {shown(code)}"
                _fail(path, lines[code], found, "parents that end at a root, without cycles")
            trail[code] = None
            code = concepts[code].parent
        sound.update(trail)


def _fail(path: Path, line: int, found: str, expected: str) -> NoReturn:
    raise VocabularyError(f"{path.name}, line {line}: found {found}; expected {expected}")
