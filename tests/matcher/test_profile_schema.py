"""The JSON Schema of a record says what `Member.from_dict` says: neither more nor less, but for what is listed."""

from __future__ import annotations

import copy
import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from matcher.consent_words import ACTORS, ALL_DECISIONS, PURPOSES, SYSTEM_DECISIONS
from matcher.errors import RecordError
from matcher.people import Member
from matcher.profile_schema import NOT_SAID, SAID_STRICTER, record_schema
from matcher.programme import Programme
from tests.cohorts import programme as random_programme
from tests.cohorts import to_toml, trees
from tests.cohorts.members import Chances, person
from tests.conftest import ROOT, examples
from tests.matcher.lantern import HASHES, HERE, TEXTS, with_texts
from tests.matcher.test_programme import MINIMAL

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
LANTERN = Programme.from_toml(ROOT / "tests" / "data" / "lantern.toml")
MEMBER: dict[str, Any] = json.loads((ROOT / "tests" / "data" / "lantern_member.json").read_text())
REFUSALS = {
    "contact details": "contact details are exchanged",
    "invisible characters": "found a control character|expected a code of at most",
    "length": "characters; expected at most 280",
    "same language": r"found '[\w-]+' twice",
    "whole numbers": r"found -?\d+\.0; expected a whole number",
    "calendar": r"found '[^']*'; expected a date and time",
    "valid_until": "expected an instant after at",
    "locale": "the hash of the programme's text of this version",
    "prefer and avoid": "which prefer has too",
    "surrogates": "half of a surrogate pair",
}
"""How `Member.from_dict` tells what the schema cannot."""


def problems(record: Any, programme: Programme = LANTERN) -> dict[str, str]:
    """Return what is wrong with a record, by path."""
    try:
        Member.from_dict(record, programme)
    except RecordError as error:
        return dict(error.errors)
    return {}


def fits(record: Any, programme: Programme = LANTERN) -> bool:
    return bool(validator(programme).is_valid(record))


def validator(programme: Programme) -> jsonschema.Draft202012Validator:
    schema = record_schema(programme)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def disagreement(record: Any, programme: Programme, checks: jsonschema.Draft202012Validator) -> str:
    """Return how schema and reader differ on a record, but for what is listed; an empty string where they agree."""
    found = problems(record, programme)
    errors = list(checks.iter_errors(record))
    if found and not errors:
        other = {path: text for path, text in found.items() if not re.search("|".join(REFUSALS.values()), text)}
        return f"refused only by the reader: {other}" if other else ""
    if errors and not found:
        other = [
            error.message for error in errors if "is too long" not in error.message or "statement" not in error.path
        ]
        return f"refused only by the schema: {other}" if other else ""
    return ""


# --- what the schema cannot say --------------------------------------------------------------------------------------

AN_EVENT = MEMBER["consents"][0]
A_NOTE = {**AN_EVENT, "decision": "expired", "actor": "system"}
TEXTED = with_texts("en", "pl")
"""The programme of the design, and two texts that its members agree to."""
BEYOND: dict[str, list[dict[str, Any]]] = {
    "contact details": [{"profile": {"statement": "Write to me at m@example.org"}}],
    "invisible characters": [
        {"profile": {"statement": "a\u202eb"}},
        {"profile": {"experiences": ["a\u200bb"]}},
    ],
    "length": [{"profile": {"statement": "\u0958" * 200}}],
    "same language": [{"profile": {"languages": ["en-GB", "EN-gb"]}}],
    "whole numbers": [{"capacity": 1.0}, {"wants": {"gender": {"importance": 2.0}}}],
    "calendar": [
        {"consents": [{**AN_EVENT, "at": "2026-02-30T10:00:00Z"}]},
        {"consents": [{**AN_EVENT, "at": "0001-01-01T00:00:00+14:00"}]},
    ],
    "valid_until": [{"consents": [{**AN_EVENT, "valid_until": AN_EVENT["at"]}]}],
    "locale": [{"consents": [{**AN_EVENT, "locale": "EN", "policy_hash": "0" * 64}]}],
    "prefer and avoid": [{"wants": {"gender": {"prefer": ["woman"], "avoid": ["woman"]}}}],
    "surrogates": [{"profile": {"experiences": ["\ud800"]}}],
}


def test_what_the_schema_cannot_say_is_listed_once_and_has_a_case() -> None:
    assert list(BEYOND) == list(NOT_SAID) == list(REFUSALS)


@pytest.mark.parametrize(("name", "change"), [(name, change) for name in BEYOND for change in BEYOND[name]])
def test_it_is_refused_by_the_reader_alone(name: str, change: dict[str, Any]) -> None:
    record = {**MEMBER, **change}
    assert fits(record, TEXTED)
    assert [text for text in problems(record, TEXTED).values() if re.search(REFUSALS[name], text)]


@pytest.mark.parametrize("text", ["x" * 280 + "\n", " " + "x" * 280, "e\u0301" * 200])
def test_a_statement_longer_by_what_is_taken_off_is_refused_by_the_schema_alone(text: str) -> None:
    assert list(SAID_STRICTER) == ["length"]
    record = {**MEMBER, "profile": {"statement": text}}
    assert problems(record) == {}
    assert not fits(record)
    assert fits(Member.from_dict(record, LANTERN).to_dict())


# --- what it says ----------------------------------------------------------------------------------------------------


def test_the_record_of_the_design_fits() -> None:
    assert fits(MEMBER)
    assert problems(MEMBER) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"member_id": ".."},
        {"member_id": "m-1\n"},
        {"member_id": "a/b"},
        {"member_id": None},
        {"roles": []},
        {"roles": ["seeker", "seeker"]},
        {"age_band": "36-44"},
        {"capacity": -1},
        {"capacity": True},
        {"capacity": 1001},
        {"vetted": 1},
        {"agreements": [" "]},
        {"agreements": ["a\u0000"]},
        {"agreements": ["x" * 101]},
        {"profile": {"age": "35-44"}},
        {"profile": {"conditions": [" C50.9"]}},
        {"profile": {"conditions": ["C50.9\n"]}},
        {"profile": {"conditions": ["C50.9", "C50.9"]}},
        {"profile": {"conditions": ["x" * 65]}},
        {"profile": {"conditions": [str(number) for number in range(101)]}},
        {"profile": {"journey": "in-treatment"}},
        {"profile": {"languages": ["english"]}},
        {"profile": {"languages": ["en\n"]}},
        {"profile": {"languages": ["e\u0661"]}},
        {"profile": {"availability": {"tz": "Europe/London"}}},
        {"profile": {"availability": {"tz": "Europe/Londn", "slots": []}}},
        {"profile": {"availability": {"tz": "UTC", "slots": ["mon 18:00-18:00"]}}},
        {"profile": {"availability": {"tz": "UTC", "slots": ["mon 24:00-25:00"]}}},
        {"profile": {"availability": {"tz": "UTC", "slots": ["mon 18:00-20:00\n"]}}},
        {"profile": {"availability": {"tz": "UTC", "slots": [], "note": ""}}},
        {"profile": {"statement": " \n"}},
        {"profile": {"statement": "x" * 281}},
        {"wants": {"needs": {"prefer": ["lumpectomy"]}}},
        {"wants": {"boundaries": {"importance": 1}}},
        {"wants": {"gender": {}}},
        {"wants": {"gender": {"prefer": []}}},
        {"wants": {"gender": {"importance": 4}}},
        {"strata": {"ethnicity": "z"}},
        {"strata": {"income": "a"}},
        {"consents": [{**AN_EVENT, "purpose": "everything"}]},
        {"consents": [{**AN_EVENT, "at": "2026-02-03T10:00:00"}]},
        {"consents": [{**AN_EVENT, "at": "2026-02-03 10:00:00z\n"}]},
        {"consents": [{**AN_EVENT, "at": "2026-02-03T24:00:00Z"}]},
        {"consents": [{**AN_EVENT, "categories": ["languages"]}]},
        {"consents": [{**AN_EVENT, "purpose": "train_model", "categories": ["nothing"]}]},
        {"consents": [{**AN_EVENT, "guardian": ""}]},
        {"consents": [{**AN_EVENT, "decision": "ended"}]},
        {"consents": [{**AN_EVENT, "decision": "expired"}]},
        {"consents": [{**AN_EVENT, "decision": "superseded", "actor": "staff"}]},
        {"consents": [{**AN_EVENT, "actor": "system"}]},
        {"consents": [{**AN_EVENT, "decision": "withdrawn", "actor": "system"}]},
        {"consents": [{**AN_EVENT, "actor": "me"}]},
        {"consents": [{**A_NOTE, "decision": "yes"}]},
        {"consents": [{key: value for key, value in A_NOTE.items() if key != "decision"}]},
        {"consents": [{**AN_EVENT, "method": " "}]},
        {"consents": [{**AN_EVENT, "method": "x" * 201}]},
        {"consents": [{**AN_EVENT, "locale": "english"}]},
        {"consents": [{**AN_EVENT, "locale": "en\n"}]},
        {"consents": [{**AN_EVENT, "locale": "en-" + "-".join(["abcde"] * 34)}]},
        {"consents": [{**AN_EVENT, "policy_hash": "0" * 63}]},
        {"consents": [{**AN_EVENT, "policy_hash": "A" * 64}]},
        {"consents": [{**AN_EVENT, "policy_hash": HASHES["en"] + "\n"}]},
        {"consents": [{**AN_EVENT, "locale": "en", "policy_hash": HASHES["pl"]}]},
        {"unknown": 1},
    ],
)
def test_what_is_wrong_is_refused_by_both(change: dict[str, Any]) -> None:
    record = {**MEMBER, **change}
    assert problems(record, TEXTED)
    assert not fits(record, TEXTED)


@pytest.mark.parametrize(
    "change",
    [
        {"wants": {"age": {"prefer": ["35-44"]}, "needs": {"importance": 3}}},
        {"profile": {"conditions": ["not in the vocabulary"], "languages": [], "experiences": []}},
        {
            "profile": {
                "availability": {"tz": "UTC", "slots": ["mon 22:00-02:00", "mon 22:00-02:00", "tue 23:00-24:00"]}
            }
        },
        {"consents": [{**AN_EVENT, "at": "2026-02-03t10:00:00.123456789+14:00"}]},
        {"consents": [{**AN_EVENT, "policy_version": "2025", "categories": ["a facet of that time"]}]},
        {"consents": [{**AN_EVENT, "decision": "withdrawn", "categories": ["languages"]}]},
        {"consents": [{**AN_EVENT, "actor": "self", "method": "form 7", "locale": "en", "policy_hash": HASHES["en"]}]},
        {"consents": [{**AN_EVENT, "locale": "PL"}, {**AN_EVENT, "locale": "sr-Latn-RS", "policy_hash": "0" * 64}]},
        {"consents": [{**AN_EVENT, "locale": "en", "policy_hash": "0" * 64, "policy_version": "2025"}]},
        {"consents": [{**AN_EVENT, "policy_hash": "0" * 64}]},
        {"consents": [{**A_NOTE, "locale": "pl", "policy_hash": "0" * 64}]},
        {"consents": [{**AN_EVENT, "decision": "withdrawn", "locale": "en", "policy_hash": HASHES["pl"]}]},
        {"consents": [A_NOTE, {**A_NOTE, "decision": "superseded", "policy_version": "2027-01"}]},
        {"consents": [{**A_NOTE, "categories": ["languages"]}]},
    ],
)
def test_what_is_right_is_taken_by_both(change: dict[str, Any]) -> None:
    record = {**MEMBER, **change}
    assert problems(record, TEXTED) == {}
    assert fits(record, TEXTED)


def test_in_a_mutual_programme_the_roles_are_both_or_left_out(tmp_path: Path) -> None:
    text = (ROOT / "tests" / "data" / "lantern.toml").read_text().replace('pairing = "mentor"', 'pairing = "mutual"')
    text = text.replace('direction = "ahead"', "").replace("by = 1", "")
    mutual = Programme.from_text(text, ROOT / "tests" / "data")
    without = {key: value for key, value in MEMBER.items() if key != "roles"}
    for record, right in (
        (without, True),
        ({**without, "roles": ["supporter", "seeker"]}, True),
        ({**without, "roles": ["seeker"]}, False),
        ({**without, "roles": []}, False),
    ):
        assert fits(record, mutual) is right
        assert (problems(record, mutual) == {}) is right


def test_a_programme_that_requires_no_facet_takes_any_categories() -> None:
    tiny = Programme.from_text(MINIMAL, HERE)
    for categories in ([], ["colour"]):
        event = {**AN_EVENT, "policy_version": "1", "categories": categories}
        record = {"member_id": "m", "consents": [event]}
        assert problems(record, tiny) == {}
        assert fits(record, tiny)


# --- whatever is sent ------------------------------------------------------------------------------------------------

JUNK: list[Any] = [
    None, True, False, 0, 1, 2, 3, 4, -1, 1.0, 2.5, 10**30, "", " ", "x", "\n", "x\n", "a\u0000", "\ud800", "x" * 300,
    [], {}, [""], ["x"], ["x", "x"], [1], [None], [[]], {"x": 1}, "woman", ["woman"], "en", ["en", "EN"], ["en-GB"],
    {"importance": 3}, {"importance": 1.0}, {"prefer": ["woman"]}, {"prefer": ["x"], "avoid": ["x"]},
    {"tz": "UTC", "slots": []}, {"tz": "UTC", "slots": ["mon 18:00-18:00", "sun 23:00-24:00"]}, "2026-02-03T10:00:00Z",
    "2026-02-30T10:00:00Z", "2026-02-03T10:00Z", "given", "withdrawn", "2026-01", "2025-01",
    "me@example.org", "a\u200bb", [str(number) for number in range(101)],
    "expired", "superseded", "self", "system", "PL", HASHES["en"], HASHES["pl"], HASHES["en"].upper(),
]  # fmt: skip
NAMES = [
    *("member_id", "purpose", "prefer", "statement", "tz", "conditions", "age", "x", "x\u0000"),
    *("actor", "method", "locale", "policy_hash"),
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container of a record with every key or place in it."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in items] + [place for _, inner in items for place in places(inner)]


def spoil(record: Any, rng: random.Random) -> Any:
    """Return a record with one to three changes anywhere."""
    spoilt = copy.deepcopy(record)
    for _ in range(rng.randint(1, 3)):
        container, key = rng.choice(places(spoilt))
        kind = rng.random()
        if kind < 0.15:
            del container[key]
        elif kind < 0.3 and isinstance(container, dict):
            container[rng.choice([*NAMES, *container])] = copy.deepcopy(rng.choice(JUNK))
        elif kind < 0.4 and isinstance(container, list):
            container.append(copy.deepcopy(rng.choice([*container, *JUNK])))
        elif kind < 0.5 and isinstance(container[key], str):
            container[key] += rng.choice(["\n", " ", "x", "\u0000", "\u0301", "\u0661"])
        else:
            container[key] = copy.deepcopy(
                rng.choice([*JUNK, *container.values()] if isinstance(container, dict) else JUNK)
            )
        if not places(spoilt):
            break
    return spoilt


def histories(rng: random.Random, raw: dict[str, Any]) -> list[dict[str, Any]]:
    """Return events of all five decisions with every kind of evidence, most of them sound."""
    return [event_of(rng, raw) for _ in range(rng.randint(0, 3))]


def event_of(rng: random.Random, raw: dict[str, Any]) -> dict[str, Any]:
    decision = rng.choice(ALL_DECISIONS)
    event: dict[str, Any] = {
        "purpose": rng.choice(PURPOSES),
        "decision": decision,
        "policy_version": rng.choice([raw["consent"]["policy_version"], "2019"]),
        "at": "2026-02-03T10:00:00Z",
    }
    if decision in SYSTEM_DECISIONS or rng.random() < 0.5:
        fit = ["system"] if decision in SYSTEM_DECISIONS else ["self", "guardian", "staff"]
        event["actor"] = rng.choice(fit if rng.random() < 0.9 else ACTORS)
    if rng.random() < 0.5:
        event["method"] = rng.choice(["form 7", "the app, screen 3", "x" * 200])
    if rng.random() < 0.6:
        event["locale"] = rng.choice(["en", "en", "pl", "PL", "pol", "en-GB", "zh-Hant-TW", "de-1996"])
        own = HASHES.get(event["locale"], HASHES["pl"])
        event["policy_hash"] = own if rng.random() < 0.8 else rng.choice([HASHES["en"], "0" * 64])
    if rng.random() < 0.2:
        event["policy_hash"] = "0" * 64
    return event


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programmes")


@hypothesis_settings(max_examples=examples(25, 1500))
@given(seed=st.integers(0, 2**32))
def test_schema_and_reader_agree_on_anything(somewhere: Path, seed: int) -> None:
    rng = random.Random(seed)
    parents = trees(rng)
    raw = random_programme(rng, parents, rng.random())
    for name, tree in parents.items():
        rows = "".join(f"{code},{code.title()},{parent}\n" for code, parent in tree.items())
        (somewhere / name).write_text("code,label,parent\n" + rows)
    toml = to_toml(raw)
    if rng.random() < 0.7:
        (somewhere / "texts").mkdir(exist_ok=True)
        for name in TEXTS.values():
            (somewhere / name).write_bytes((HERE / name).read_bytes())
        toml += "[consent.texts]\n" + "".join(f'{locale} = "{name}"\n' for locale, name in TEXTS.items())
    programme = Programme.from_text(toml, somewhere)
    checks = validator(programme)
    for number in range(4):
        record = person(rng, raw, parents, Chances.draw(rng, rng.random()), AT, number)
        assert problems(record, programme) == {}
        record["consents"] += histories(rng, raw)
        read = problems(record, programme)
        assert disagreement(record, programme, checks) == ""
        if not read:
            assert checks.is_valid(Member.from_dict(record, programme).to_dict())
        for _ in range(6):
            spoilt = spoil(record, rng)
            assert disagreement(spoilt, programme, checks) == "", spoilt


@pytest.mark.slow
def test_every_synthetic_member_fits() -> None:
    folder = ROOT / "data" / "synthetic"
    programme = Programme.from_toml(folder / "programme.toml")
    checks = validator(programme)
    lines = (folder / "members.jsonl").read_text(encoding="utf-8").splitlines()
    rng = random.Random(7)
    for line in rng.sample(lines, examples(150, len(lines))):
        record = json.loads(line)
        assert disagreement(record, programme, checks) == ""
        assert checks.is_valid(record)
        assert disagreement(spoil(record, rng), programme, checks) == ""


@pytest.mark.parametrize(
    ("keyword", "record"),
    [
        ("additionalProperties", {**MEMBER, "unknown": 1}),
        ("required", {key: value for key, value in MEMBER.items() if key != "roles"}),
    ],
)
def test_a_schema_that_says_less_is_caught(keyword: str, record: Any) -> None:
    schema = record_schema(LANTERN)
    schema.pop(keyword)
    checks = jsonschema.Draft202012Validator(schema)
    assert disagreement(record, LANTERN, checks).startswith("refused only by the reader")


@pytest.mark.parametrize("rule", range(3))
def test_a_schema_that_knows_nothing_of_evidence_is_caught(rule: int) -> None:
    """What the service notes and people decide; and of each text its hash."""
    schema = record_schema(TEXTED)
    schema["properties"]["consents"]["items"]["allOf"].pop(1 + rule)
    checks = jsonschema.Draft202012Validator(schema)
    wrong = [{"actor": "system"}, *({"locale": locale, "policy_hash": "0" * 64} for locale in HASHES)][rule]
    record = {**MEMBER, "consents": [{**AN_EVENT, **wrong}]}
    assert problems(record, TEXTED)
    assert checks.is_valid(record)
    assert not fits(record, TEXTED)


def test_a_schema_that_says_more_is_caught() -> None:
    schema = record_schema(LANTERN)
    schema["properties"]["capacity"]["maximum"] = 1
    checks = jsonschema.Draft202012Validator(schema)
    assert disagreement(MEMBER, LANTERN, checks).startswith("refused only by the schema")
