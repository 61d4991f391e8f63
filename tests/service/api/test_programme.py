"""``GET /v1/programme`` and the search in vocabularies: what a partner's form is built from."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from matcher.consent_events import DECISIONS, PURPOSES
from matcher.facets import KINDS
from matcher.people import ROLES
from matcher.profile_schema import record_schema
from matcher.programme import Programme
from service.api import RESOURCES, words
from service.api.description import described_app, document, schema_of
from service.api.programme import description
from service.store import programmes
from tests.conftest import ROOT
from tests.service.api.test_members import problem
from tests.service.installation import NOON, Installation, another_programme, record, write_programme

SCHEMA = json.loads((ROOT / "docs" / "schemas" / "programme.schema.json").read_text())
LANTERN = Programme.from_toml(ROOT / "tests" / "data" / "lantern.toml")
SEARCH = "/v1/programme/vocabularies/experiences"


def test_the_schema_checked_in_is_that_of_the_description() -> None:
    assert schema_of(described_app(RESOURCES), "Programme") == SCHEMA, "run `make openapi`"


@pytest.mark.parametrize("which", ["small", "design"])
def test_the_reply_fits_its_schema(made: Installation, which: str) -> None:
    reply = made.call("GET", "/v1/programme").get_json() if which == "small" else description(LANTERN)
    jsonschema.Draft202012Validator(SCHEMA).validate(reply)
    assert [facet["name"] for facet in reply["facets"]] == list(
        (made.programme if which == "small" else LANTERN).facets
    )


def test_a_form_made_from_it_sends_a_record_that_is_taken(made: Installation) -> None:
    reply: Any = made.call("GET", "/v1/programme").get_json()
    assert reply["record_schema"] == record_schema(made.programme)
    profile = {}
    for facet in reply["facets"]:
        if facet["vocabulary"]:
            found = made.call("GET", f"/v1/programme/vocabularies/{facet['name']}?q=s").get_json()["concepts"]
            profile[facet["name"]] = [found[0]["code"]]
        elif facet["values"]:
            one = facet["values"][0]["value"]
            profile[facet["name"]] = [one] if facet["kind"] == "tags" else one
    sent = {"member_id": "m-1", "roles": ["seeker"], "age_band": reply["age_bands"][1], "profile": profile}
    sent["consents"] = [
        {
            "purpose": purpose["name"],
            "decision": "given",
            "policy_version": reply["policy_version"],
            "at": "2026-03-01T12:00:00Z",
            "categories": purpose["required_facets"],
        }
        for purpose in reply["purposes"]
    ]
    jsonschema.Draft202012Validator(reply["record_schema"]).validate(sent)
    assert made.call("PUT", "/v1/members/m-1", sent).status_code == 201


def test_any_valid_key_may_ask_and_sees_its_own_programme_only(made: Installation) -> None:
    assert made.call("GET", "/v1/programme", key=made.new_key("audit")).status_code == 200
    problem(made.client.get("/v1/programme"), 401, "key-invalid")
    other = another_programme(made, "beacon")
    assert made.call("GET", "/v1/programme", key=other).get_json()["id"] == "beacon"
    assert made.call("GET", "/v1/programme?id=beacon").get_json()["id"] == "lantern"


def test_the_etag_is_that_of_the_programme(made: Installation) -> None:
    first = made.call("GET", "/v1/programme")
    assert first.headers["ETag"].startswith(f'"{made.programme.digest}')
    for etag in (first.headers["ETag"], f"W/{first.headers['ETag']}", f'"x", {first.headers["ETag"]}', "*"):
        again = made.call("GET", "/v1/programme", headers={"If-None-Match": etag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    changed = write_programme(made.folder / "changed", more='[strata]\nethnicity = ["a", "b"]')
    with made.store.transaction() as session:
        programmes.save(session, changed, made.folder / "changed", now=NOON)
    then = made.call("GET", "/v1/programme", headers={"If-None-Match": first.headers["ETag"]})
    assert then.status_code == 200
    assert then.get_json()["strata"][0]["values"] == [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]


def test_what_is_large_is_searched_and_not_sent() -> None:
    reply = description(LANTERN)
    conditions = next(facet for facet in reply["facets"] if facet["name"] == "conditions")
    assert conditions["vocabulary"]["size"] > 90_000
    assert len(json.dumps(reply)) < 64 * 1024


def test_every_facet_says_in_words_what_it_does() -> None:
    told = {facet["name"]: facet for facet in description(LANTERN)["facets"]}
    assert {facet["kind"] for facet in told.values()} == set(KINDS)
    assert all(facet["description"].endswith(".") and facet["label"] for facet in told.values())
    assert "experiences" in told["needs"]["description"]
    assert "needs" in told["boundaries"]["description"]
    assert "ahead" in told["journey"]["description"]
    assert "60 minutes" in told["availability"]["description"]
    assert "kept apart" in told["severity"]["description"]
    assert told["age"]["source"] == "age_band"
    assert (told["needs"]["wantable"], told["needs"]["preferable"]) == (True, False)
    assert (told["languages"]["wantable"], told["languages"]["importance"]) == (False, None)
    assert [facet["name"] for facet in told.values() if facet["gating"]] == [
        "journey", "availability", "languages", "channel", "severity", "boundaries",
    ]  # fmt: skip


def test_what_the_api_names_has_a_label() -> None:
    spec = document(described_app(RESOURCES))["components"]["schemas"]
    assert tuple(words.PURPOSES) == PURPOSES
    assert set(words.LABELS["roles"]) == set(ROLES)
    assert set(words.LABELS["decisions"]) == set(DECISIONS)
    assert set(words.LABELS["fields"]) == set(record_schema(LANTERN)["properties"])
    reasons = {reason for reason in spec["MatchResponse"]["properties"]["reason"]["enum"] if reason is not None}
    assert reasons <= set(words.LABELS["reason"])
    assert set(spec["Match"]["properties"]["strength"]["enum"]) == set(words.LABELS["strength"])


def test_a_search_finds_codes_and_labels(made: Installation) -> None:
    def found(query: str) -> list[str]:
        reply = made.call("GET", f"{SEARCH}?{query}", key=made.new_key("audit"))
        assert reply.status_code == 200
        return [concept["code"] for concept in reply.get_json()["concepts"]]

    assert found("q=LUMP") == ["lumpectomy"]
    assert found("q=e") == ["lumpectomy", "surgery", "travel"]
    assert found("q=e&limit=1") == ["lumpectomy"]
    assert found("q=%20") == found("q=nothing") == []


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "q"),
        ("q=", "q"),
        (f"q={'x' * 101}", "q"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=51", "limit"),
        ("q=a&limit=five", "limit"),
        ("q=a&limit=NaN", "limit"),
        ("q=a&query=b", "query"),
    ],
)
def test_a_search_that_is_not_one_says_why(made: Installation, query: str, path: str) -> None:
    told = problem(made.call("GET", f"{SEARCH}?{query}"), 422, "invalid")
    assert list(told["errors"]) == [path]
    assert "query" in told["detail"]


@pytest.mark.parametrize("facet", ["channel", "nothing", "statement", "%20", "é"])
def test_a_facet_without_a_vocabulary_has_none_to_search(made: Installation, facet: str) -> None:
    problem(made.call("GET", f"/v1/programme/vocabularies/{facet}?q=a"), 404, "no-such-vocabulary")


def test_a_search_among_98_000_codes_does_not_wait(made: Installation) -> None:
    folder: Path = made.folder / "large"
    text = write_programme(folder).source.replace('"lists/experiences.csv"', '"icd10cm"')
    with made.store.transaction() as session:
        programmes.save(session, Programme.from_text(text, folder), folder, now=NOON)
    made.call("GET", f"{SEARCH}?q=breast")  # reads the vocabulary and makes it ready
    took = []
    for _ in range(5):
        start = time.thread_time()
        reply = made.call("GET", f"{SEARCH}?q=breast&limit=50")
        took.append(time.thread_time() - start)
    assert len(reply.get_json()["concepts"]) == 50
    assert min(took) < 0.03, "20 ms for the search, and the rest of a request"


def test_a_record_of_the_tests_fits_the_schema(made: Installation) -> None:
    jsonschema.Draft202012Validator(record_schema(made.programme)).validate(record("m-1"))
