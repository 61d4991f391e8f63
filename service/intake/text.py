"""From the bytes of a file to its text: byte-order marks, UTF-8 and UTF-16, and nothing that would be a guess."""

from __future__ import annotations

import codecs
from pathlib import Path

from service.intake.errors import IntakeError

_WAY_OUT = "save it as UTF-8 (in a spreadsheet: “CSV UTF-8”) and import that"


def read_text(path: Path) -> str:
    """Return the text of a file without its byte-order mark, line ends as they are.

    Raises
    ------
    IntakeError
        If the file cannot be read, is empty, or is neither UTF-8 nor UTF-16 with a byte-order mark. The encodings of
        old spreadsheets cannot be told apart, and a wrong guess would garble what people wrote: they are refused.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise IntakeError(f"{path}: found no readable file ({reason}); expected a .jsonl or .csv file") from None
    except ValueError:
        raise IntakeError(f"{str(path)!r}: found a path no file can have; expected a .jsonl or .csv file") from None
    text = _decode(data, path.name)
    if not text.strip():
        raise IntakeError(f"{path.name}: found an empty file; expected at least one row")
    return text


def _decode(data: bytes, name: str) -> str:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise IntakeError(f"{name}: found UTF-32; expected UTF-8: {_WAY_OUT}")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise IntakeError(f"{name}: found damaged UTF-16; expected UTF-8: {_WAY_OUT}") from None
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start + len(data) - len(data.removeprefix(codecs.BOM_UTF8))) + 1
        raise IntakeError(
            f"{name}, line {line}: found the byte 0x{error.object[error.start]:02x}, which is not UTF-8 "
            f"(an older encoding such as Windows-1252?); expected UTF-8: {_WAY_OUT}"
        ) from None
