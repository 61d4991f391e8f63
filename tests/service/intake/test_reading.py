"""Files as spreadsheets and scripts write them, and as they should not be."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.errors import PeermatchError
from service.intake.csvfile import CsvFile, read_csv
from service.intake.errors import IntakeError
from service.intake.jsonl import read_jsonl
from service.intake.reading import open_file
from service.intake.rows import MAX_ROW_BYTES
from tests.conftest import examples
from tests.service.intake.conftest import Write

PLAIN = "id,note\nm-1,a\nm-2,ü\n"


def rows(text: str) -> list[tuple[int, Any]]:
    """Return line and cells (or errors) of every row."""
    return [
        (row.line, row.content if row.content is not None else row.errors) for row in read_csv(text, "f.csv").rows()
    ]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        b"sep=;\r\n" + PLAIN.replace(",", ";").encode(),
        (PLAIN + ",\n\n  ,  \n").encode(),
        PLAIN.rstrip("\n").encode(),
        PLAIN.replace("id", '"id"').replace("m-1", ' "m-1"'.strip()).encode(),
    ],
    ids=[
        "plain",
        "bom",
        "utf-16",
        "utf-16-be",
        "crlf",
        "cr",
        "semicolon",
        "tab",
        "sep",
        "blank-rows",
        "no-end",
        "quotes",
    ],
)
def test_whatever_a_spreadsheet_writes_is_the_same_file(write: Write, data: bytes) -> None:
    file = open_file(write("f.csv", data))
    assert isinstance(file, CsvFile)
    assert file.header == ("id", "note")
    assert [row.content for row in file.rows()] == [{"id": "m-1", "note": "a"}, {"id": "m-2", "note": "ü"}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (codecs.BOM_UTF8 + b"\r\n \r\n", "empty file"),
        (b"id,note\nm-1,\xfc\n", "line 2: found the byte 0xfc"),
        (codecs.BOM_UTF8 + b"id,note\nm-1,a\nm-2,\xfc\n", "line 3: found the byte 0xfc"),
        (codecs.BOM_UTF16_LE + b"i\x00d\x00\n", "damaged UTF-16"),
        (PLAIN.encode("utf-32"), "UTF-32"),
        ("id,note\nm-1,a\n".encode("utf-16-le"), "byte-order mark"),
        (b"id,note,id\n", "'id' as column 1 and as column 3"),
        (b"id, id \n", "'id' as column 1 and as column 2"),
        (b"id,,note\n", "no name for column 2 of 3"),
        (b"id;a,b;c,d\n", "a comma and a semicolon equally often"),
        (b"sep=|\nid|note\n", "found the separator '|'"),
        (b",,,\n\n,,\n", "no header"),
        (b'id,"note\nm-1,a\n', "line 1: found a quoted cell that is not closed"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(write: Write, data: bytes, message: str) -> None:
    with pytest.raises(IntakeError, match=r"f\.csv") as caught:
        open_file(write("f.csv", data))
    assert message in caught.value.message


def test_the_way_out_of_an_old_encoding_is_named(write: Write) -> None:
    with pytest.raises(IntakeError, match="CSV UTF-8"):
        open_file(write("f.csv", "id\nM\u00fcller\n".encode("cp1252")))


@pytest.mark.parametrize("name", ["f.json", "f.xlsx", "f", "f.jsonl.gz"])
def test_another_suffix_is_refused(write: Write, name: str) -> None:
    with pytest.raises(IntakeError, match=r"expected \.jsonl or \.csv"):
        open_file(write(name, PLAIN))


def test_what_is_no_file_is_refused(write: Write) -> None:
    folder = write("f.csv", PLAIN).parent
    for path in (folder / "missing.csv", folder / "nul\x00.csv"):
        with pytest.raises(IntakeError, match=r"expected a \.jsonl or \.csv file"):
            open_file(path)
    (folder / "folder.csv").mkdir()
    with pytest.raises(IntakeError, match="no readable file"):
        open_file(folder / "folder.csv")


def test_lines_are_those_of_the_file_after_cells_that_span_some() -> None:
    text = 'sep=,\nid,note\nm-1,"two\r\nlines"\nm-2,b\n\nm-3,"three\n\nlines"\n\nm-4,\n'
    assert [line for line, _ in rows(text)] == [3, 5, 7, 11]
    assert rows(text)[0][1] == {"id": "m-1", "note": "two\r\nlines"}


def test_ragged_and_malformed_rows_are_refused_and_the_others_read() -> None:
    text = 'id,note\nm-1\nm-2,b,c\n"m-3" x,y\nm-4,d\nm-5,"e\nm-6,"f"\nm-7,g\x00\nm-8,h\n'
    found = rows(text)
    assert [line for line, _ in found] == [2, 3, 4, 5, 6, 8, 9]
    assert found[0][1] == {"(record)": "found 1 cells; expected 2, one a column"}
    assert found[1][1] == {"(record)": "found 3 cells; expected 2, one a column"}
    assert "quotation mark" in found[2][1]["(record)"]
    assert found[3][1] == {"id": "m-4", "note": "d"}
    assert "lines 6 to 7 were not read" in found[4][1]["(record)"]
    assert "U+0000" in found[5][1]["(record)"]
    assert found[6][1] == {"id": "m-8", "note": "h"}


def test_a_quoted_cell_without_end_loses_no_row_silently() -> None:
    found = rows('id,note\nm-1,a\nm-2,"b\nm-3,c\n')
    assert found[0] == (2, {"id": "m-1", "note": "a"})
    assert found[1][0] == 3
    assert "lines 3 to 4 were not read" in found[1][1]["(record)"]
    found = rows('id,note\nm-1,a\nm-2,"b\nm-3,"c",d\n')
    assert found[1][0] == 3
    assert "lines 3 to 4" in found[1][1]["(record)"]


def test_a_row_that_is_too_long_is_refused() -> None:
    for length in (MAX_ROW_BYTES + 1, 200_000):
        found = rows(f"id,note\nm-1,{'x' * length}\nm-2,b\n")
        assert list(found[0][1]) == ["(record)"]
        assert found[1] == (3, {"id": "m-2", "note": "b"})


def test_json_lines_are_read_strictly() -> None:
    lines = [
        '{"a": 1}',
        "",
        '{"a": "x\u2028y"}\r',
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        '{"a": "\\u0000"}',
        "[1]",
        '"x"',
        "null",
        "{",
        '{"a": "' + "x" * MAX_ROW_BYTES + '"}',
        "[" * 5000,
    ]
    found = list(read_jsonl("\n".join(lines)))
    assert [row.line for row in found] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    assert [row.content for row in found[:2]] == [{"a": 1}, {"a": "x\u2028y"}]
    assert all(row.content is None and row.errors for row in found[2:])
    assert "a" in found[4].errors
    assert found[6].errors == {"(record)": "found a JSON array; expected an object, one a line"}


def test_the_byte_order_mark_does_not_eat_the_first_record(write: Write) -> None:
    file = open_file(write("f.jsonl", codecs.BOM_UTF8 + b'{"a": 1}\n'))
    assert not isinstance(file, CsvFile)
    assert [row.content for row in file] == [{"a": 1}]


@given(st.one_of(st.binary(max_size=60), st.text('ab,;"\n\r\x00\ufeff=sep', max_size=60).map(str.encode)))
def test_no_file_ends_in_anything_but_our_own_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name in ("any.csv", "any.jsonl"):
        (folder / name).write_bytes(data)
        try:
            file = open_file(folder / name)
        except PeermatchError:
            continue
        for row in file.rows() if isinstance(file, CsvFile) else file:
            assert (row.content is None) == bool(row.errors)
            json.dumps(row.errors)


CELL = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)


@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=examples(6, 20)),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_the_standard_writer_writes_comes_back(
    table: list[tuple[str, str, str]], separator: str, end: str
) -> None:
    import csv
    import io

    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(("one", "two", "three"))
    writer.writerows(table)
    file = read_csv(stream.getvalue(), "f.csv")
    kept = [tuple(cell.strip() for cell in row) for row in table if any(cell.strip() for cell in row)]
    assert [tuple((row.content or {}).values()) for row in file.rows()] == kept
