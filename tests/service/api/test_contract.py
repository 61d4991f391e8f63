"""Every operation has an example, and every example is true: it is run, and its reply has the shape that is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from service.api import RESOURCES
from service.api.description import METHODS, described_app, document
from tests.service.api.prepared import MORE, PREPARATIONS, people
from tests.service.databases import Database
from tests.service.installation import Installation, close, copied, install

SPEC = document(described_app(RESOURCES))
TYPES = ((bool, "boolean"), ((int, float), "number"), (str, "text"), (list, "array"), (dict, "object"))


def operations(spec: Mapping[str, Any] = SPEC) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, address and description of every operation."""
    for address, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, address, item[method]


def without_example(spec: Mapping[str, Any] = SPEC) -> list[str]:
    """Return which operations have no example of a reply that went well."""
    return [
        f"{method.upper()} {address}"
        for method, address, operation in operations(spec)
        if not any(example["reply"]["status"] < 400 for example in operation["x-examples"].values())
    ]


EXAMPLES = [
    pytest.param(operation, name, id=f"{operation['operationId']}-{name}")
    for _, _, operation in operations()
    for name in operation["x-examples"]
]


@pytest.fixture(scope="module")
def populated(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = install(tmp_path_factory.mktemp("populated"), database=database, more=MORE)
    people(made)
    close(made)
    return made


@pytest.fixture
def prepared(populated: Installation, tmp_path: Path) -> Iterator[Installation]:
    """An installation with the people of `tests.service.api.prepared`."""
    made = copied(populated, tmp_path)
    yield made
    close(made)


def test_every_operation_has_an_example() -> None:
    assert without_example() == [], "name one with @blueprint.example(…); see service/api/examples.py"


def test_an_operation_without_one_is_caught() -> None:
    bad = {"reply": {"status": 404}}
    spec = {"paths": {"/a": {"get": {"x-examples": {}}, "put": {"x-examples": {"lost": bad}}}}}
    assert without_example(spec) == ["GET /a", "PUT /a"]


def test_every_preparation_is_for_an_example_there_is() -> None:
    named = {(operation["operationId"], name) for _, _, operation in operations() for name in operation["x-examples"]}
    assert set(PREPARATIONS) <= named


@pytest.mark.parametrize(("operation", "name"), EXAMPLES)
def test_an_example_gets_the_reply_it_tells(prepared: Installation, operation: dict[str, Any], name: str) -> None:
    example = operation["x-examples"][name]
    prepare = PREPARATIONS.get((operation["operationId"], name))
    request = with_values(example["request"], prepare(prepared) if prepare else {})
    key = prepared.new_key(*request["scopes"]) if "scopes" in request else prepared.key
    headers = request.get("headers", {})
    reply = prepared.call(request["method"], request["address"], request.get("body"), key=key, headers=headers)
    told = example["reply"]
    assert reply.status_code == told["status"], reply.get_data(as_text=True)
    if "body" not in told:
        assert reply.data == b"" or reply.mimetype != "application/json"
        return
    body = reply.get_json() if reply.mimetype.endswith("json") else reply.get_data(as_text=True)
    assert differences(told["body"], body) == []
    if operation["operationId"].partition(".")[0] in EXACT:
        assert other_words(told["body"], body) == []
    check_schema(operation, reply.status_code, reply.mimetype, told["body"])
    check_schema(operation, reply.status_code, reply.mimetype, body)


def with_values(request: Any, values: Mapping[str, str]) -> Any:
    """Return a request with some texts replaced, wherever they stand."""
    text = json.dumps(request)
    for told, true in values.items():
        assert told in text, f"the example does not have {told}"
        text = text.replace(told, true)
    return json.loads(text)


def check_schema(operation: Mapping[str, Any], status: int, media: str, body: Any) -> None:
    """Check a body against the schema of its status."""
    reply = operation["responses"][str(status)]
    if "$ref" in reply:
        reply = SPEC["components"]["responses"][reply["$ref"].rpartition("/")[2]]
    content = {name.partition(";")[0]: told for name, told in reply["content"].items()}
    schema = {**content[media]["schema"], "components": SPEC["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


def kind_of(value: Any) -> str:
    return next((name for kinds, name in TYPES if isinstance(value, kinds)), "null")


def differences(told: Any, found: Any, path: str = "") -> list[str]:
    """Return where `found` has another shape than `told`: other keys or types. An empty object is any object."""
    if kind_of(told) != kind_of(found):
        return [f"{path}: {kind_of(told)} is told, {kind_of(found)} is found"]
    if isinstance(told, dict) and told:
        here = [f"{path}.{key}: only told" for key in told.keys() - found.keys()]
        here += [f"{path}.{key}: not told" for key in found.keys() - told.keys()]
        inside = (differences(told[key], found[key], f"{path}.{key}") for key in told.keys() & found.keys())
        return sorted(here) + [line for lines in inside for line in lines]
    if isinstance(told, list):
        if bool(told) != bool(found):
            return [f"{path}: {len(told)} items are told, {len(found)} found"]
        return [
            f"{path}[{at}]: like none that is told: {min((differences(one, item) for one in told), key=len)}"
            for at, item in enumerate(found)
            if all(differences(one, item) for one in told)
        ]
    return []


EXACT = {"introductions", "review", "events"}
"""Resources of which an example must tell the right words too, and not just the right keys."""
WORDS = {
    "act", "allowed", "by", "from", "kind", "number", "proposed_by", "reason", "side", "state", "suspended", "to",
    "yes",
}  # fmt: skip
"""What they tell in words of ours."""


def other_words(told: Any, found: Any, path: str = "") -> list[str]:
    """Return where `found`, which has the same keys, says another word than `told`."""
    if isinstance(told, dict):
        inside = (other_words(told[key], found[key], f"{path}.{key}") for key in told)
        here = [f"{path}.{key}" for key in sorted(WORDS & told.keys()) if told[key] != found[key]]
        return here + [line for lines in inside for line in lines]
    if isinstance(told, list):
        pairs = enumerate(zip(told, found, strict=False))
        return [line for at, (one, other) in pairs for line in other_words(one, other, f"{path}[{at}]")]
    return []


def test_another_word_is_caught() -> None:
    told = {"a": [{"state": "offered", "since": "x"}, {"state": "ended"}]}
    assert other_words(told, {"a": [{"state": "offered", "since": "y"}, {"state": "closed"}]}) == [".a[1].state"]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"a": 1}, {}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": None}, {"a": 1}),
        ({"a": [1]}, {"a": []}),
        ({"a": []}, {"a": [1]}),
        ([{"a": 1}], [{"a": 2}, {"b": 1}]),
    ],
)
def test_another_shape_is_caught(told: Any, found: Any) -> None:
    assert differences(told, found)


@pytest.mark.parametrize(
    ("told", "found"), [({"a": 1}, {"a": 2.5}), ({}, {"a": 1}), ([1, "a"], ["b", 2, 3]), (None, None)]
)
def test_the_same_shape_is_not(told: Any, found: Any) -> None:
    assert not differences(told, found)
