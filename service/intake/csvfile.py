"""CSV as spreadsheets write it: separators, quotes that span lines, blank trailing rows; anything ragged is refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from matcher.errors import shown
from service.intake.errors import IntakeError
from service.intake.rows import MAX_ROW_BYTES, Row, refused

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}

Cells: TypeAlias = Mapping[str, str]
"""The cells of one row by column name, stripped of blanks at both ends."""

_DECLARED = re.compile(r"sep=(.)\r?\n")


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose header has been read."""

    name: str
    header: tuple[str, ...]
    separator: str
    text: str
    header_line: int

    def rows(self) -> Iterator[Row[Cells]]:
        """Yield the rows under the header; blank ones are left out, malformed ones carry the reason."""
        for record in _records(self.text, self.separator):
            if record.line <= self.header_line:
                continue
            if record.problem:
                yield refused(record.line, record.problem)
            elif any(cell.strip() for cell in record.cells):
                yield self._row(record)

    def _row(self, record: _Record) -> Row[Cells]:
        found, expected = len(record.cells), len(self.header)
        if found != expected:
            return refused(record.line, f"found {found} cells; expected {expected}, one a column{record.spans}")
        if sum(map(len, record.cells)) > MAX_ROW_BYTES:
            return refused(record.line, f"found more than {MAX_ROW_BYTES} characters; expected a shorter row")
        for column, cell in zip(self.header, record.cells, strict=True):
            if "\x00" in cell:
                return refused(record.line, f"column {column!r}: found the character U+0000; expected text without it")
        return Row(record.line, dict(zip(self.header, map(str.strip, record.cells), strict=True)))


def read_csv(text: str, name: str) -> CsvFile:
    """Return the CSV file whose text is `text`, its separator told from its header.

    Raises
    ------
    IntakeError
        If the header is malformed, or has an empty or a repeated column.
    """
    declared = _DECLARED.match(text)
    separator = declared[1] if declared else _sniff(text, name)
    if separator not in SEPARATORS:
        raise IntakeError(f"{name}, line 1: found the separator {separator!r}; expected {_one_of(SEPARATORS.values())}")
    for record in _records(text, separator):
        if record.line == 1 and declared:
            continue
        if record.problem:
            raise IntakeError(f"{name}, line {record.line}: {record.problem} (in the header)")
        if any(cell.strip() for cell in record.cells):
            return CsvFile(name, _header(record, name), separator, text, record.line)
    raise IntakeError(f"{name}: found no header; expected the names of the columns in the first line")


def _sniff(text: str, name: str) -> str:
    """Return the separator of the first line: the one that cuts it most often outside quotation marks."""
    # A quoted column name may hold any of them, and line ends too.
    quoteless = re.sub(r'"[^"]*"', "", text[:MAX_ROW_BYTES])
    header = re.split(r"[\r\n]", quoteless.lstrip("\r\n"), maxsplit=1)[0]
    counts = {separator: header.count(separator) for separator in SEPARATORS}
    best = max(counts.values())
    likely = [separator for separator, count in counts.items() if count == best]
    if best and len(likely) > 1:
        found = _one_of((SEPARATORS[separator] for separator in likely), "and")
        raise IntakeError(f"{name}, line 1: found {found} equally often in the header; expected one of them only")
    return likely[0]


def _header(record: _Record, name: str) -> tuple[str, ...]:
    header = tuple(cell.strip() for cell in record.cells)
    where = f"{name}, line {record.line}"
    for number, column in enumerate(header, start=1):
        if not column:
            raise IntakeError(f"{where}: found no name for column {number} of {len(header)}; expected one for each")
        if "\x00" in column:
            raise IntakeError(
                f"{where}: found the character U+0000; expected text (a file in UTF-16 needs its byte-order mark)"
            )
        first = header.index(column) + 1
        if first < number:
            raise IntakeError(
                f"{where}: found {shown(column)} as column {first} and as column {number}; expected each name once: "
                "rename or remove one of them"
            )
    return header


@dataclass(frozen=True, slots=True)
class _Record:
    """What the CSV reader took for one row."""

    line: int
    last: int
    cells: list[str]
    problem: str = ""

    @property
    def spans(self) -> str:
        """A hint for a row that runs over several lines without its fault being plain."""
        return f" (it runs to line {self.last}: is a quotation mark left open?)" if self.last > self.line else ""


def _records(text: str, separator: str) -> Iterator[_Record]:
    """Yield every record of the file; after a malformed one the reader goes on with the next line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Record(line, reader.line_num, [], _problem(str(error), line, reader.line_num))
        else:
            yield _Record(line, reader.line_num, cells)


def _problem(error: str, line: int, last: int) -> str:
    lost = f"; lines {line} to {last} were not read" if last > line else ""
    if "unexpected end of data" in error or "field larger" in error:
        return f"found a quoted cell that is not closed; expected a second quotation mark{lost}"
    return f"found a quotation mark in the middle of a cell ({error}); expected it doubled inside quotes{lost}"


def _one_of(names: Iterable[str], word: str = "or") -> str:
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last
