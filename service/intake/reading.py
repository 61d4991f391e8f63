"""An import file, whichever of the formats it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from matcher.errors import shown
from service.intake.csvfile import CsvFile, read_csv
from service.intake.errors import IntakeError
from service.intake.jsonl import read_jsonl
from service.intake.rows import Row
from service.intake.text import read_text

Records: TypeAlias = Iterator[Row[Mapping[str, object]]]

JSONL = (".jsonl", ".ndjson")
CSV = (".csv", ".tsv")


def open_file(path: Path) -> CsvFile | Records:
    """Return the rows of a JSON Lines file, or a CSV file with its header read; the suffix tells which.

    Raises
    ------
    IntakeError
        If the suffix is another, or the file cannot be read as a whole.
    """
    suffix = path.suffix.lower()
    if suffix in CSV:
        return read_csv(read_text(path), path.name)
    if suffix in JSONL:
        return read_jsonl(read_text(path))
    way_out = " (a JSON array becomes JSON Lines by writing one object a line)" if suffix == ".json" else ""
    raise IntakeError(f"{path.name}: found the suffix {shown(suffix)}; expected .jsonl or .csv{way_out}")
