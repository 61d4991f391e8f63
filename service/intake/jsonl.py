"""JSON Lines: one strict JSON object a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from matcher.errors import RecordError
from matcher.json_reading import parse_json
from service.intake.rows import MAX_ROW_BYTES, Row, refused


def read_jsonl(text: str) -> Iterator[Row[Mapping[str, object]]]:
    """Yield the objects of a JSON Lines text; blank lines are left out, malformed ones carry the reason.

    Only a line feed ends a line: JSON allows U+2028 and its like inside a string.
    """
    start = 0
    for number in itertools.count(1):
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        if line and not line.isspace():
            yield _row(number, line)
        if end < 0:
            return
        start = end + 1


def _row(number: int, line: str) -> Row[Mapping[str, object]]:
    # A character takes at most four bytes.
    if len(line) > MAX_ROW_BYTES // 4 and len(line.encode("utf-8", "surrogatepass")) > MAX_ROW_BYTES:
        return refused(number, f"found a line of more than {MAX_ROW_BYTES} bytes; expected a shorter record")
    try:
        value = parse_json(line)
    except RecordError as error:
        return Row(number, None, error.errors) if error.errors else refused(number, error.message)
    if not isinstance(value, dict):
        return refused(number, f"found a JSON {_NAMES.get(type(value), 'value')}; expected an object, one a line")
    return Row(number, value)


_NAMES: Mapping[type, str] = {list: "array", str: "string", int: "number", float: "number", bool: "boolean"}
