"""What a mapping makes of a row: every key of the language."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.intake.conftest import CONSENT, ID, ROLES, Intake


def test_the_least_mapping_gives_a_member_with_consent(intake: Intake) -> None:
    record = intake.one("id\nm-1\n")
    assert record["member_id"] == "m-1"
    assert record["roles"] == ["seeker"]
    assert [(event["purpose"], event["decision"], event["at"]) for event in record["consents"]] == [
        ("match_serve", "given", "2026-01-01T00:00:00Z"),
        ("be_shown_as_peer", "given", "2026-01-01T00:00:00Z"),
    ]


CONDITIONS = '[profile.conditions]\ncolumn = "c"\nsplit = "|"\n'


@pytest.mark.parametrize(
    ("cell", "rules", "value"),
    [
        ("mood", "", ["mood"]),
        ("mood|anxiety| mood ||", "", ["anxiety", "mood"]),
        ("", "", None),
        ("", 'empty = "none"', []),
        ("", 'default = ["mood"]', ["mood"]),
        ("n/a", 'missing = ["N/A"]', None),
        ("n/a|mood", 'missing = ["N/A"]', ["mood"]),
        ("n/a", 'missing = ["N/A"]\nempty = "none"', []),
        ("Low  Mood|ANXIETY", 'map = { "low mood" = "depression", "anxiety" = "anxiety" }', ["anxiety", "depression"]),
        ("both", 'map = { both = ["mood", "anxiety"] }', ["anxiety", "mood"]),
        ("no", "map = { no = [] }", []),
        ("no|mood", 'map = { no = [], mood = "mood" }', ["mood"]),
        ("x|mood", 'map = { mood = "mood" }\nunmapped = "drop"', ["mood"]),
        ("x", 'map = { mood = "mood" }\nunmapped = "drop"', None),
        ("x", 'map = { mood = "mood" }\nunmapped = "drop"\nempty = "none"', None),
        ("x|low", 'map = { low = "mood" }\nunmapped = "keep"', ["mood", "x"]),
    ],
)
def test_cells_become_lists(intake: Intake, cell: str, rules: str, value: list[str] | None) -> None:
    record = intake.one(f"id,c\nm-1,{cell}\n", CONDITIONS + rules)
    assert record["profile"].get("conditions") == value


def test_several_columns_make_one_list(intake: Intake) -> None:
    rules = '[profile.conditions]\ncolumns = ["c", "d"]\nsplit = "|"\n'
    assert intake.one("id,c,d\nm-1,mood,anxiety|mood\n", rules)["profile"]["conditions"] == ["anxiety", "mood"]
    assert intake.one("id,c,d\nm-1,,anxiety\n", rules)["profile"]["conditions"] == ["anxiety"]


def test_several_rules_add_up_for_a_list_and_the_first_counts_for_anything_else(intake: Intake) -> None:
    rules = """
[[profile.channel]]
value = ["phone"]
when = { column = "p", equals = "yes" }
[[profile.channel]]
value = ["video"]
when = { column = "v", equals = ["yes", "maybe"] }
[[profile.gender]]
column = "g"
[[profile.gender]]
value = "nonbinary"
when = { column = "v", filled = true }
"""
    assert intake.one("id,p,v,g\nm-1,YES,Maybe,man\n", rules)["profile"] == {
        "channel": ["phone", "video"],
        "gender": "man",
    }
    assert intake.one("id,p,v,g\nm-1,no,yes,\n", rules)["profile"] == {"channel": ["video"], "gender": "nonbinary"}
    assert intake.one("id,p,v,g\nm-1,no,,\n", rules)["profile"] == {}


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ('equals = "Yes"', [True, False, False]),
        ('equals = ["yes", "no"]', [True, True, False]),
        ('not_equals = "yes"', [False, True, True]),
        ("filled = true", [True, True, False]),
        ("filled = false", [False, False, True]),
    ],
)
def test_conditions(intake: Intake, when: str, holds: list[bool]) -> None:
    rules = f'[profile.gender]\nvalue = "man"\nwhen = {{ column = "c", {when} }}\n'
    found = [intake.one(f"id,c\nm-1,{cell}\n", rules)["profile"].get("gender") == "man" for cell in ("yes", "no", "")]
    assert found == holds


def test_text_may_be_joined_and_a_blank_part_makes_it_unknown(intake: Intake) -> None:
    rules = '[profile.statement]\ncolumns = ["a", "b"]\njoin = ": "\n'
    assert intake.one("id,a,b\nm-1,Hello,there\n", rules)["profile"]["statement"] == "Hello: there"
    assert "statement" not in intake.one("id,a,b\nm-1,Hello,\n", rules)["profile"]


def test_fields_of_every_shape(intake: Intake) -> None:
    rules = """
[capacity]
column = "n"
[vetted]
column = "v"
[agreements]
value = ["house-rules"]
[age_band]
value = "35+"
[profile.stage]
column = "s"
map = { "1" = "new", "2" = "later" }
[profile.languages]
column = "l"
split = "/"
[profile.availability]
tz = "Europe/London"
slots = { column = "w", split = "|" }
[strata.ethnicity]
column = "e"
map = { x = "a", y = "b" }
"""
    record = intake.one("id,n,v,s,l,w,e\nm-1,3,Yes,2,en/pl,mon 18:00-20:00|sat 09:00-12:00,y\n", rules)
    assert record["capacity"] == 3
    assert record["vetted"] is True
    assert record["agreements"] == ["house-rules"]
    assert record["age_band"] == "35+"
    assert record["profile"]["stage"] == "later"
    assert record["profile"]["languages"] == ["en", "pl"]
    assert record["profile"]["availability"] == {"tz": "Europe/London", "slots": ["mon 18:00-20:00", "sat 09:00-12:00"]}
    assert record["strata"] == {"ethnicity": "b"}


AGE = '[age_band]\ncolumn = "age"\n{}\nbin = {{ "25-34" = 25, "18-24" = 18, "35+" = 35 }}\n'


@pytest.mark.parametrize(
    ("age", "band"),
    [("18", "18-24"), ("24.9", "18-24"), ("25", "25-34"), ("34", "25-34"), ("35.0", "35+"), ("99", "35+"), ("", None)],
)
def test_numbers_fall_into_bins(intake: Intake, age: str, band: str | None) -> None:
    assert intake.one(f"id,age\nm-1,{age}\n", AGE.format("maximum = 99")).get("age_band") == band


@pytest.mark.parametrize("age", ["17", "-3", "3", "100", "323", "1e1", "nan", "inf", "forty", "3O", "9" * 40, "٣٠"])
def test_an_absurd_number_refuses_its_row_or_leaves_the_field_unknown(intake: Intake, age: str) -> None:
    (message,) = intake.errors(f"id,age\nm-1,{age}\n", AGE.format("maximum = 99")).values()
    assert message.startswith("column 'age': found ")
    assert message.endswith("; expected a number from 18 to 99")
    batch = intake.mapped(f"id,age\nm-1,{age}\n", AGE.format('maximum = 99\noutside = "drop"'))
    assert batch.members["m-1"].age_band is None
    assert any("1 × not a number from 18 to 99, left out" in warning for warning in batch.outcome.warnings)
    assert any("never matched" in warning for warning in batch.outcome.warnings)


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ('[capacity]\ncolumn = "c"', "capacity"),
        ('[vetted]\ncolumn = "c"', "vetted"),
        ('[profile.gender]\ncolumn = "c"', "profile.gender"),
        ('[profile.gender]\ncolumn = "c"\nmap = { m = "man" }', "profile.gender"),
        ('[profile.channel]\ncolumn = "c"', "profile.channel[0]"),
        ('[strata.ethnicity]\ncolumn = "c"', "strata.ethnicity"),
        ('[profile.availability]\ntz = { column = "c" }\nslots = ["mon 10:00-12:00"]', "profile.availability.tz"),
    ],
)
def test_a_cell_that_fits_no_field_refuses_the_row(intake: Intake, rules: str, path: str) -> None:
    errors = intake.errors("id,c\nm-1,elsewhere\n", rules)
    assert list(errors) == [path]
    assert "elsewhere" in errors[path]
    assert "expected" in errors[path]


def test_a_row_without_an_answer_can_be_refused(intake: Intake) -> None:
    errors = intake.errors("id,g\nm-1,\n", '[profile.gender]\ncolumn = "g"\nempty = "refuse"')
    # A blank row would be left out; this one has an id.
    assert errors == {"profile.gender": "column 'g': found nothing; expected an answer"}


def test_every_problem_of_a_row_is_told_at_once(intake: Intake) -> None:
    rules = '[capacity]\ncolumn = "n"\n[profile.gender]\ncolumn = "g"\n' + AGE.format("maximum = 99")
    errors = intake.errors("id,n,g,age\nm 1,many,none,3\n", rules)
    assert sorted(errors) == ["age_band", "capacity", "member_id", "profile.gender"]
    assert "1 to 64" in errors["member_id"]


WANT = """
[wants.gender]
when = { column = "same", equals = "yes" }
importance = 3
prefer = { column = "g", split = "/" }
"""


def test_a_want_holds_only_for_who_asks(intake: Intake) -> None:
    assert intake.one("id,same,g\nm-1,yes,woman/nonbinary\n", WANT)["wants"] == {
        "gender": {"importance": 3, "prefer": ["nonbinary", "woman"]}
    }
    assert intake.one("id,same,g\nm-1,no,woman\n", WANT)["wants"] == {}


def test_a_want_that_names_nothing_is_left_out_and_told(intake: Intake) -> None:
    batch = intake.mapped("id,same,g\nm-1,yes,\nm-2,yes,\n", WANT)
    assert [member.wants for member in batch.members.values()] == [{}, {}]
    assert "wants.gender: 2 × asked for without a value to prefer, left out (first on line 2)" in batch.outcome.warnings
    errors = intake.errors("id,same,g\nm-1,yes,\n", WANT.replace('split = "/"', 'empty = "refuse"'))
    assert errors == {"wants.gender.prefer": "column 'g': found nothing; expected an answer"}


def test_wants_by_columns_and_constants(intake: Intake) -> None:
    rules = """
[wants.conditions]
importance = { column = "i", map = { must = 3, nice = 1 } }
[wants.channel]
avoid = ["video"]
[wants.gender]
prefer = ["woman"]
"""
    wants = intake.one("id,i\nm-1,must\n", rules)["wants"]
    assert wants == {"conditions": {"importance": 3}, "channel": {"avoid": ["video"]}, "gender": {"prefer": ["woman"]}}
    assert "conditions" not in intake.one("id,i\nm-1,\n", rules)["wants"]


def test_defaults_fill_what_a_row_leaves_open(intake: Intake) -> None:
    rules = """
[profile.gender]
column = "g"
[defaults]
vetted = true
capacity = 4
age_band = "35+"
[defaults.profile]
gender = "nonbinary"
languages = ["en"]
availability = { tz = "Europe/London", slots = ["mon 10:00-12:00"] }
[defaults.wants]
gender = { importance = 1 }
[defaults.strata]
ethnicity = "a"
"""
    record = intake.one("id,g\nm-1,man\n", rules)
    assert (record["vetted"], record["capacity"], record["age_band"]) == (True, 4, "35+")
    assert record["profile"]["gender"] == "man"
    assert record["profile"]["languages"] == ["en"]
    assert record["profile"]["availability"]["tz"] == "Europe/London"
    assert record["wants"] == {"gender": {"importance": 1}}
    assert record["strata"] == {"ethnicity": "a"}
    assert intake.one("id,g\nm-1,\n", rules)["profile"]["gender"] == "nonbinary"


def test_a_default_does_not_cover_a_fault(intake: Intake) -> None:
    rules = '[capacity]\ncolumn = "n"\n[defaults]\ncapacity = 1\n'
    assert list(intake.errors("id,n\nm-1,many\n", rules)) == ["capacity"]


def test_a_map_can_be_shared(intake: Intake) -> None:
    rules = """
[profile.conditions]
column = "c"
map = "conditions"
[[profile.needs]]
column = "n"
map = "conditions"
[maps.conditions]
Low = "mood"
"""
    assert intake.one("id,c,n\nm-1,low,LOW\n", rules)["profile"] == {"conditions": ["mood"], "needs": ["mood"]}


def test_ids_are_joined_and_slugged(intake: Intake) -> None:
    mapping = '[member_id]\ncolumns = ["a", "b"]\n' + ROLES + CONSENT
    batch = intake("a,b\nmentee,000\nZoë  Ann,O'Neil\nx,x y\nx-x,y\n,001\nq,@\n", mapping)
    assert list(batch.members) == ["mentee-000", "Zoe-Ann-O-Neil", "x-x-y"]
    errors = [dict(refusal.errors) for refusal in batch.outcome.refused]
    assert errors[0] == {"member_id": "found the id of line 4 again; expected each member once"}
    assert errors[1] == {"member_id": "column 'a': found nothing; expected a part of the member_id in every row"}
    assert "e-mail" in errors[2]["member_id"]


@pytest.mark.parametrize("value", ["ann.b@example.org", "a b", "ä", "x" * 65, "..", "a/b"])
def test_one_column_is_taken_as_it_is_or_refused(intake: Intake, value: str) -> None:
    assert list(intake.errors(f"id\n{value}\n")) == ["member_id"]


def test_a_slug_is_asked_for(intake: Intake) -> None:
    mapping = '[member_id]\ncolumn = "id"\nslug = true\n' + ROLES + CONSENT
    assert list(intake("id\nno 7 (b)\n", mapping).members) == ["no-7-b"]
    assert intake("id\n???\n", mapping).members == {}


def test_consent_can_come_from_columns(intake: Intake) -> None:
    consent = """
[[consent]]
purposes = ["match_serve", "be_shown_as_peer"]
policy_version = "1"
at = { column = "signed" }
valid_until = { column = "until" }
evidence = "the form"
[[consent]]
purposes = ["train_model"]
policy_version = "1"
at = "2026-01-02T10:00:00+01:00"
evidence = "the form, second box"
categories = ["availability", "languages", "conditions"]
guardian = { column = "guardian" }
when = { column = "research", equals = "yes" }
"""
    mapping = ID + ROLES + consent
    header = "id,signed,until,guardian,research\n"
    batch = intake(header + "m-1,2026-02-03T10:00:00Z,2028-02-03T10:00:00Z,parent form 7,yes\n", mapping)
    events: Any = batch.members["m-1"].to_dict()["consents"]
    assert [event["purpose"] for event in events] == ["match_serve", "be_shown_as_peer", "train_model"]
    assert events[0]["at"] == "2026-02-03T10:00:00Z"
    assert events[0]["valid_until"] == "2028-02-03T10:00:00Z"
    assert events[2]["at"] == "2026-01-02T09:00:00Z"
    assert events[2]["categories"] == ["availability", "conditions", "languages"]
    assert events[2]["guardian"] == "parent form 7"
    assert [event["method"] for event in events] == ["the form", "the form", "the form, second box"]
    assert {event["actor"] for event in events} == {"staff"}
    batch = intake(header + "m-1,2026-02-03T10:00:00Z,2028-02-03T10:00:00Z,,no\n", mapping)
    assert [event.purpose for event in batch.members["m-1"].consents] == ["match_serve", "be_shown_as_peer"]


@pytest.mark.parametrize("actor", ["self", "guardian", "staff"])
def test_the_mapping_says_who_told_it(intake: Intake, actor: str) -> None:
    batch = intake("id\nm-1\n", f'{ID}{ROLES}{CONSENT}actor = "{actor}"\n')
    assert {event.actor for event in batch.members["m-1"].consents} == {actor}


@pytest.mark.parametrize(
    ("evidence", "method"),
    [
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        (" the form ", "the form"),
        ("ab " * 100, ("ab " * 67)[:198] + "a…"),
    ],
)
def test_evidence_is_kept_as_far_as_an_event_has_room(intake: Intake, evidence: str, method: str) -> None:
    mapping = ID + ROLES + CONSENT.replace("sign-up sheet of January", evidence)
    batch = intake("id\nm-1\n", mapping)
    assert {event.method for event in batch.members["m-1"].consents} == {method}


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        ("", "found nothing"),
        ("yes", "found 'yes'"),
        ("2026-02-03", "its zone"),
        ("2026-02-03 10:00", "its zone"),
        ("2027-01-01T00:00:00Z", "in the future"),
        ("0001-01-01T00:00:00+23:59", "expected"),
    ],
)
def test_a_consent_without_a_true_moment_refuses_the_row(intake: Intake, signed: str, words: str) -> None:
    mapping = ID + ROLES + CONSENT.replace("2026-01-01T00:00:00Z", '{ column = "signed" }')
    batch = intake(f"id,signed\nm-1,{signed}\n", mapping)
    assert batch.members == {}
    assert words in batch.outcome.refused[0].errors["consents.at"]


def test_nobody_without_the_tick_has_consented_and_the_import_says_so(intake: Intake) -> None:
    mapping = ID + ROLES + CONSENT + 'when = { column = "tick", equals = "yes" }\n'
    batch = intake("id,tick\nm-1,yes\nm-2,no\nm-3,\n", mapping)
    assert [len(member.consents) for member in batch.members.values()] == [2, 0, 0]
    assert any(warning.startswith("consents: 2 × without a consent that is on") for warning in batch.outcome.warnings)


def test_warnings_count_and_name_examples(intake: Intake) -> None:
    rules = '[profile.conditions]\ncolumn = "c"\nsplit = "|"\nmap = { mood = "mood" }\nunmapped = "drop"\n'
    cells = ["x", "x|y", "mood|x", "a", "b", "c", "d"]
    batch = intake.mapped("id,c\n" + "".join(f"m-{n},{cell}\n" for n, cell in enumerate(cells)), rules)
    assert batch.outcome.warnings[0] == (
        "profile.conditions: 8 × not in the map, left out: 'x' (3), 'a' (1), 'b' (1), 'c' (1), 'd' (1) and 1 more "
        "(first on line 2)"
    )


def test_codes_that_the_vocabulary_lacks_are_told_once(intake: Intake) -> None:
    batch = intake.mapped("id,c\nm-1,bad\nm-2,bad\n", '[profile.conditions]\ncolumn = "c"\n')
    told = [warning for warning in batch.outcome.warnings if "vocabulary" in warning]
    assert len(told) == 1
    assert told[0].startswith("profile.conditions: 2 × 'bad' is not in the vocabulary")
