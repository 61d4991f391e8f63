"""The OpenAPI description: the one checked in is the one served, and it says all that the service does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from service import problems
from service.access import OPEN_ENDPOINTS
from service.api import RESOURCES
from service.api.description import described_app, document, text_of, views
from service.console.blueprint import is_here
from service.security import SCOPES
from tests.conftest import ROOT
from tests.service.api.test_contract import operations
from tests.service.installation import Installation

APP = described_app(RESOURCES)
SPEC = document(APP)
NOT_DESCRIBED = {"/openapi.json", "/docs"}
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    found: Any = SPEC
    for step in value["$ref"].removeprefix("#/").split("/") if "$ref" in value else ():
        found = found[step]
    return found if "$ref" in value else value


def test_the_description_checked_in_is_the_one_served(made: Installation) -> None:
    reply = made.client.get("/openapi.json")
    assert reply.mimetype == "application/json"
    checked_in = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert reply.get_json() == json.loads(checked_in), "run `make openapi` and look at the difference"
    assert reply.get_data(as_text=True) == text_of(APP) == checked_in


def test_every_route_is_described_and_nothing_else(made: Installation) -> None:
    described = {(address, method) for method, address, _ in operations(SPEC)}
    routes = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method)
        for rule, method, _ in views(made.app)
        if rule.rule not in NOT_DESCRIBED and not is_here(rule.rule)
    }
    assert described == routes


def test_it_is_openapi_31() -> None:
    assert SPEC["openapi"].startswith("3.1")
    assert set(SPEC) == {"openapi", "info", "paths", "components", "tags"}
    for schema in SPEC["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref" and isinstance(inner, str):
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    used = set(references(SPEC))
    for one in used:
        assert resolved({"$ref": one})
    named = {f"#/components/{kind}/{name}" for kind, some in SPEC["components"].items() for name in some}
    assert named - used == {"#/components/securitySchemes/key"}


def test_operations_have_distinct_ids_and_a_summary() -> None:
    ids = [operation["operationId"] for _, _, operation in operations(SPEC)]
    assert len(ids) == len(set(ids))
    for _, address, operation in operations(SPEC):
        assert operation["summary"].endswith("."), address


def test_keys_and_scopes_are_named() -> None:
    keyed = {rule.rule for rule, _, _ in views(APP) if rule.endpoint not in OPEN_ENDPOINTS}
    for rule, method, view in views(APP):
        if rule.rule in NOT_DESCRIBED:
            continue
        operation = SPEC["paths"][re.sub(r"<([^<>]+)>", r"{\1}", rule.rule)][method]
        scopes = list(getattr(view, "scopes", ()))
        expected = [{"key": [scope]} for scope in scopes] or [{"key": []}]
        assert operation["security"] == (expected if rule.rule in keyed else []), rule.rule
        assert set(scopes) <= set(SCOPES)
        for scope in scopes:
            assert f"`{scope}`" in operation["description"]


@pytest.mark.parametrize(("status", "header"), [("401", "WWW-Authenticate"), ("405", "Allow"), ("503", "Retry-After")])
def test_headers_of_a_status_are_told(status: str, header: str) -> None:
    replies = [resolved(one["responses"][status]) for _, _, one in operations(SPEC) if status in one["responses"]]
    assert replies
    assert all(header in reply["headers"] for reply in replies)


def test_what_follows_from_keys_bodies_and_addresses_is_told_everywhere() -> None:
    for method, address, operation in operations(SPEC):
        expected = {"405", "500"}
        if operation["security"]:
            expected |= {"401", "503"}
        if any(way["key"] for way in operation["security"]):
            expected.add("403")
        if "requestBody" in operation:
            expected |= {"400", "408", "413", "415", "422"}
        if "{" in address:
            expected.add("404")
        assert expected <= set(operation["responses"]), (method, address)
        for status, reply in operation["responses"].items():
            told = resolved(reply)
            assert "X-Request-Id" in told["headers"], (method, address, status)
            problem = int(status) >= 400 and (address, status) != ("/__heartbeat__", "503")  # its report
            assert ("application/problem+json" in told.get("content", {})) == problem, (method, address, status)


def test_idempotency_and_preconditions_are_told() -> None:
    for method, address, operation in operations(SPEC):
        names = [resolved(parameter)["name"] for parameter in operation["parameters"]]
        assert len(names) == len(set(names))
        assert ("Idempotency-Key" in names) == (method == "post"), address
        kinds = {kind for kind in ("idempotency-in-progress", "idempotency-key-reused") if kind in str(operation)}
        assert len(kinds) == (2 if method == "post" and not address.endswith("/match") else 0), address
        assert ("412" in operation["responses"]) == ("If-Match" in names)
        if "304" in operation["responses"]:
            assert "If-None-Match" in names
    put = SPEC["paths"]["/v1/members/{member_id}"]["put"]
    assert "ETag" in put["responses"]["201"]["headers"]


def test_every_kind_of_problem_is_told_somewhere() -> None:
    text = json.dumps(SPEC)
    unused = {kind.name for kind in problems.KINDS if f'"{kind.type}"' not in text}
    assert unused == set()


def test_nothing_of_it_lies_elsewhere() -> None:
    text = text_of(APP).replace(JSON_SCHEMA, "")
    assert "http://" not in text
    assert "https://" not in text


def test_a_view_that_describes_too_little_for_its_example_is_told() -> None:
    from service.api.blueprint import Blueprint

    bare = Blueprint("bare", __name__)

    @bare.route("/bare")
    @bare.response(204)
    @bare.example("wrong", 200, {"a": 1})
    def view() -> str:
        """Nothing."""
        return ""

    with pytest.raises(ValueError, match="get /bare, example wrong: the view describes no '200' for it"):
        document(described_app((bare,)))


def test_two_examples_of_one_name_are_told() -> None:
    from service.api.blueprint import Blueprint

    twice = Blueprint("twice", __name__)

    @twice.route("/twice")
    @twice.response(204)
    @twice.example("same", 204)
    @twice.example("same", 204)
    def view() -> str:
        """Nothing."""
        return ""

    with pytest.raises(ValueError, match="two examples are called same"):
        document(described_app((twice,)))
