"""A mapping that says something that cannot be: file, line, header, key, found, expected."""

from __future__ import annotations

import tomllib
import unittest.mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.errors import PeermatchError
from matcher.programme import Programme
from service.intake.csvfile import read_csv
from service.intake.errors import MappingError
from service.intake.mapping_file import mapping_from_text, read_mapping
from tests.service.intake.conftest import CONSENT, ID, NOW, ROLES, Intake, Write

WHOLE = ID + ROLES + CONSENT


def message(programme: Programme, text: str) -> str:
    """Return the message of a mapping that must be refused."""
    with pytest.raises(MappingError) as caught:
        mapping_from_text(text, "m.toml", programme, NOW)
    assert caught.value.message.startswith("m.toml")
    return caught.value.message


def test_a_mapping_may_not_invent_consent(programme: Programme) -> None:
    assert "may not invent consent" in message(programme, ID + ROLES)


@pytest.mark.parametrize("key", ["purposes", "policy_version", "at", "evidence"])
def test_no_part_of_consent_has_a_default(programme: Programme, key: str) -> None:
    without = "\n".join(line for line in CONSENT.splitlines() if not line.startswith(key))
    assert f"[consent] {key}: found nothing; expected" in message(programme, ID + ROLES + without)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"match_serve"', '"match_server"', "did you mean 'match_serve'?"),
        ('["match_serve", "be_shown_as_peer"]', "[]", "at least 1"),
        ('policy_version = "1"', 'policy_version = "0"', "found '0'; expected '1'"),
        ('policy_version = "1"', "policy_version = 1", "found 1; expected text"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "its zone"),
        ("2026-01-01T00:00:00Z", "2026-01-01", "its zone"),
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "in the future"),
        ("2026-01-01T00:00:00Z", '"soon"', "found 'soon'"),
        ("2026-01-01T00:00:00Z", '{ value = "2026" }', "its zone"),
        ('"sign-up sheet of January"', '" "', "not empty"),
        ("evidence", 'categories = ["mood"]\nevidence', "facets of the programme"),
        ("evidence", 'evidense = "x"\nevidence', "unknown key"),
        ("evidence", "when = {}\nevidence", "column: found nothing"),
        ("evidence", 'actor = "system"\nevidence', "found 'system'; expected one of 'self', 'guardian', 'staff'"),
    ],
)
def test_consent_must_be_exact(programme: Programme, old: str, new: str, words: str) -> None:
    assert old in CONSENT
    told = message(programme, WHOLE.replace(old, new))
    assert words in told
    assert "[consent" in told


def test_the_line_is_that_of_the_header(programme: Programme) -> None:
    text = '[member_id]\ncolumn = "id"\n\n[[roles]]\nvalue = ["seeker"]\n\n[[roles]]\nvalue = ["boss"]\n' + CONSENT
    assert message(programme, text) == (
        "m.toml, line 7, [roles.2] value: found ['boss']; expected a value of roles "
        "(found 'boss'; expected one of 'seeker', 'supporter')"
    )


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('[profile.gendre]\ncolumn = "g"', "did you mean 'gender'?"),
        ('[profile.age]\ncolumn = "g"', "found no facet of the programme"),
        ("[wants.availability]\nimportance = 2", "nobody can want anything"),
        ("[wants.gender]", "at least one of importance, prefer and avoid"),
        ("[wants.gender]\nimportance = 4", "from 0 to 3"),
        ('[wants.gender]\nprefer = ["human"]', "found ['human']"),
        ('[wants.gender]\nprefer = "man"', "expected"),
        ('[wants.needs]\nprefer = ["mood"]', "remove it here"),
        ('[strata.income]\ncolumn = "g"', "found no stratum of the programme; expected one of ethnicity"),
        ('[profile.gender]\ncolum = "g"', "is it written as 'colum'?"),
        ('[profile.gender]\ncolumn = "g"\nmapp = {}', "unknown key"),
        ('[profile.gender]\ncolumn = "g"\ncolumns = ["h"]', "not both"),
        ('[profile.gender]\ncolumn = "g"\nsplit = ","', "no such key: profile.gender is text"),
        ('[profile.gender]\ncolumn = "g"\nmap = { m = "men" }', "found 'men'; expected a value of profile.gender"),
        ('[profile.gender]\ncolumn = "g"\nmap = { m = ["man"] }', "one value"),
        ('[profile.gender]\ncolumn = "g"\nmap = { m = "man", M = "woman" }', "case and blanks"),
        ('[profile.gender]\ncolumn = "g"\nmap = {}', "texts of the file"),
        ('[profile.gender]\ncolumn = "g"\nmap = "sexes"', "the name of one in [maps]"),
        ('[profile.gender]\ncolumn = "g"\nunmapped = "drop"', "a map beside it"),
        ('[profile.gender]\ncolumn = "g"\nmap = { m = "man" }\nunmapped = "ignore"', "one of 'refuse', 'drop', 'keep'"),
        ('[profile.gender]\ncolumn = "g"\nmap = { m = "man" }\nminimum = 1', "not both"),
        ('[profile.gender]\ncolumn = "g"\nempty = "none"', "one of 'unknown', 'refuse'"),
        ('[profile.gender]\ncolumn = "g"\ndefault = "male"', "found 'male'"),
        ('[profile.gender]\nvalue = "male"', "found 'male'"),
        ('[profile.gender]\nvalue = "man"\ncolumn = "g"', "unknown key"),
        ('[profile.channel]\ncolumn = "g"\nsplit = ""', "stands between"),
        ('[profile.gender]\ncolumn = "g"\nwhen = { column = "h" }', "exactly one of equals"),
        ('[profile.gender]\ncolumn = "g"\nwhen = { column = "h", equals = "a", filled = true }', "exactly one of"),
        ('[profile.gender]\ncolumn = "g"\nwhen = { column = "h", equals = 1 }', "found 1"),
        ('[age_band]\ncolumn = "a"\nbin = { "18-25" = 18 }', "did you mean '18-24'?"),
        ('[age_band]\ncolumn = "a"\nbin = {}', "lowest number"),
        ('[age_band]\ncolumn = "a"\nbin = { "18-24" = 18, "25-34" = 18 }', "no other bin begins"),
        ('[age_band]\ncolumn = "a"\nbin = { "18-24" = "18" }', "expected a number"),
        ('[age_band]\ncolumn = "a"\nminimum = 10\nbin = { "18-24" = 18 }', "where the lowest bin begins"),
        ('[age_band]\ncolumn = "a"\nmaximum = 10\nbin = { "18-24" = 18 }', "where the highest bin begins"),
        ('[age_band]\ncolumn = "a"\nminimum = 10\nmaximum = 5', "expected a number ≥ 10"),
        ('[age_band]\ncolumn = "a"\noutside = "keep"', "one of 'refuse', 'drop'"),
        ('[profile.availability]\ntz = "Europe/London"', "slots: found nothing"),
        ('[profile.availability]\ntz = "Europe/Lonndon"\nslots = ["mon 10:00-12:00"]', "Lonndon"),
        ('[profile.availability]\ncolumn = "a"', "found nothing; expected a time zone and slots"),
        ("[defaults]\nconsents = []", "consent has no default"),
        ('[defaults]\nmember_id = "x"', "as the key"),
        ("[defaults]\nvetted = 1", "expected true or false"),
        ('[defaults.profile]\ngendre = "man"', "did you mean 'gender'?"),
        ('[defaults.profile]\ngender = "men"', "found 'men'"),
        ("[defaults.wants]\ngendre = {}", "did you mean 'gender'?"),
        ("[defaults.wants]\ngender = { importence = 1 }", "did you mean 'importance'?"),
        ('[defaults.strata]\nethnicity = "c"', "found 'c'"),
        ('[defaults.strata]\nincome = "c"', "ethnicity"),
        ("[dropped]\ncolumns = []", "at least 1"),
        ('[dropped]\ncolumns = ["id"]', "[dropped] does not name as well"),
        ("[dropped]", "found nothing"),
        ('[columns]\nage = "x"', "unknown section"),
        ("[maps.unused]\na = 1", "no rule uses this map"),
        ("maps = 3", "found no tables"),
        ("profile = 3", "expected a table"),
    ],
)
def test_everything_else_must_be_exact_too(programme: Programme, section: str, words: str) -> None:
    text = section + "\n" + WHOLE if "[" not in section.split("\n", maxsplit=1)[0] else WHOLE + section + "\n"
    assert words in message(programme, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[member_id]",
        '[member_id]\ncolumns = ["one"]',
        '[member_id]\ncolumn = "a"\ncolumns = ["a", "b"]',
        '[member_id]\ncolumns = ["a", "b"]\njoin = "@"',
        '[member_id]\ncolumn = "a"\ndefault = "x"',
        'member_id = "id"',
        "[member_id",
        "x" * 100,
        "a = " + "[" * 3000,
    ],
)
def test_malformed_files_are_refused(programme: Programme, text: str) -> None:
    message(programme, text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\xef\xbb\xbf[member_id]", b"a = '\xfc'", b"a = '\x00'"])
def test_a_mapping_is_plain_utf8(programme: Programme, write: Write, data: bytes) -> None:
    with pytest.raises(MappingError):
        read_mapping(write("m.toml", data), programme, NOW)


def test_a_missing_mapping_is_told(programme: Programme, write: Write) -> None:
    with pytest.raises(MappingError, match="expected a mapping"):
        read_mapping(write("m.toml", "").parent / "other.toml", programme, NOW)


def test_every_column_is_used_or_dropped_and_every_fault_told(intake: Intake) -> None:
    with pytest.raises(MappingError) as caught:
        intake.mapped(
            "id,note,Gender\nm-1,x,man\n", '[profile.gender]\ncolumn = "gender"', '[dropped]\ncolumns = ["nota"]'
        )
    assert caught.value.errors == {
        "gender": "mapping.toml, line 7, [profile.gender]: file.csv has no such column; did you mean 'Gender'?",
        "nota": "mapping.toml, [dropped]: file.csv has no such column; did you mean 'note'?",
        "note": "mapping.toml says nothing about it; use it, or name it in [dropped]",
        "Gender": "mapping.toml says nothing about it; use it, or name it in [dropped]",
    }


def test_columns_of_conditions_count_as_used_and_must_be_there(intake: Intake) -> None:
    rule = '[profile.gender]\nvalue = "man"\nwhen = { column = "g", equals = "m" }'
    assert intake.one("id,g\nm-1,m\n", rule)["profile"] == {"gender": "man"}
    with pytest.raises(MappingError, match="no such column"):
        intake.mapped("id\nm-1\n", rule)


def test_a_mapping_is_for_csv(intake: Intake) -> None:
    with pytest.raises(PeermatchError, match=r"for a \.csv file only"):
        intake('{"member_id": "m-1"}\n', WHOLE, name="file.jsonl")


SECTIONS = ["member_id", "roles", "profile", "wants", "strata", "consent", "defaults", "dropped", "maps", "gender"]
RULES = [
    "column",
    "columns",
    "value",
    "map",
    "split",
    "when",
    "equals",
    "filled",
    "bin",
    "minimum",
    "default",
    "purposes",
]
KEYS = st.sampled_from(
    [*SECTIONS, *RULES, "conditions", "availability", "tz", "slots", "importance", "prefer", "at", "1", "2"]
)
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=5), KEYS, st.datetimes(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_no_mapping_ends_in_anything_but_our_own_error(programme: Programme, changes: dict[str, object]) -> None:
    base = tomllib.loads(WHOLE)
    for key, value in changes.items():
        old = base.get(key)
        base[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    with unittest.mock.patch("matcher.config.tomllib.loads", return_value=base):
        try:
            mapping = mapping_from_text("", "m.toml", programme, NOW)
            mapping.fit(read_csv("id\nm-1\n", "f.csv"))
        except MappingError:
            return
    mapping.draft({"id": "m-1"}, NOW)
