"""JSON Lines: one strict JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matcher.errors import RecordError
from matcher.json_reading import parse_json
from service.intake.rows import MAX_ROW_BYTES, Row, refused


def read_jsonl(text: str) -> Iterator[Row[Mapping[str, object]]]:
    """Yield the objects of a JSON Lines text; blank lines are left out, malformed ones carry the reason.

    Only a line feed ends a line: JSON allows U+2028 and its like inside a string.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _row(number, line)


def _row(number: int, line: str) -> Row[Mapping[str, object]]:
    if len(line) > MAX_ROW_BYTES or len(line.encode("utf-8", "surrogatepass")) > MAX_ROW_BYTES:
        return refused(number, f"found a line of more than {MAX_ROW_BYTES} bytes; expected a shorter record")
    try:
        value = parse_json(line)
    except RecordError as error:
        return Row(number, None, error.errors) if error.errors else refused(number, error.message)
    if not isinstance(value, dict):
        return refused(number, f"found a JSON {_NAMES.get(type(value), 'value')}; expected an object, one a line")
    return Row(number, value)


_NAMES: Mapping[type, str] = {list: "array", str: "string", int: "number", float: "number", bool: "boolean"}
