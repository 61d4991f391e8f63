"""schemathesis: every operation as its description says, alone and in sequences, against the application itself.

All its checks run. What cannot hold, and why, is listed in `EXCEPT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from service.api.description import document
from service.security import SCOPES, new_token
from service.store.tables import ApiKeyRow
from tests.conftest import examples
from tests.service.api.prepared import MORE, people
from tests.service.databases import Database, sampled
from tests.service.installation import NOON, Installation, close, copied, install
from tests.service.routes import APP

pytestmark = sampled("What is asked of the application in random ways asks the database in the same few.")
TOKEN = new_token()
EXCEPT: dict[str, tuple[str, Any]] = {
    "PUT /v1/members/{member_id}": (
        "What a record may say is the programme's: tests/matcher/test_profile_schema.py tests that schema.",
        {"roles": ["seeker"], "profile": {"no": "such facet"}},
    ),
    "POST /v1/members/{member_id}/consents": (
        "Which facets there are, and which a grant must cover, is the programme's.",
        {"purpose": "match_serve", "decision": "given", "categories": ["no such facet"]},
    ),
    "POST /v1/members/{member_id}/holds": (
        "`until` must be yet to come, and no schema knows the time.",
        {"kind": "pause", "until": "2001-01-01T00:00:00Z"},
    ),
    "POST /v1/blocks": ("The two must differ.", {"a": "m-000123", "b": "m-000123"}),
    "PUT /v1/groups/{group_id}": (
        "What a record may say, and who may be in a group, is the programme's.",
        {"name": "A group", "members": ["no-such-member"]},
    ),
    "POST /v1/review": ("The two must differ.", {"seeker": "m-000123", "candidate": "m-000123"}),
    "POST /v1/feedback": (
        "`rated` needs a rating, and nothing else takes one; who is meant is named in one of two ways.",
        {"match_id": "H1MlGc43H0DYffccsb2uJw", "handle": "LNbcI3oIxhYyamOwyQILZg", "event": "rated"},
    ),
}
"""Where a body that fits its schema may be refused all the same: the check `positive_data_acceptance` is off. Why, and
such a body."""
CONFIG: dict[str, Any] = {
    "seed": 20260304,
    "auth": {"openapi": {"key": {"bearer": TOKEN.text}}},
    "cache": {"enabled": False},
    "generation": {"database": "none", "deterministic": True},
    # Nothing is made up from earlier replies or from words in the source: a run would depend on those before it.
    "analysis": {"constants": {"enabled": False}},
    "phases": {
        "examples": {"extra-data-sources": {"responses": False}},
        "coverage": {"extra-data-sources": {"responses": False}},
        "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
        "stateful": {"link-calibration": False},
    },
    "checks": {
        "max_response_time": 10,
        # 403: consent is missing. 412: an If-Match that was made up names another state.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", 403, 404, 409, 412]},
        "negative_data_rejection": {"expected-statuses": [400, 401, 404, 409, 412, 415, 422]},
    },
    "operations": [
        {"include-name": name, "checks": {"positive_data_acceptance": {"enabled": False}}} for name in EXCEPT
    ],
}


class Asked:
    """The application under test: the operations are named before there is an installation."""

    def __init__(self) -> None:
        self.app = APP
        self.template: Installation | None = None
        self.made: Installation | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app.wsgi_app(environ, start_response)

    def anew(self) -> Installation:
        """Begin with a fresh copy of the installation, so that no test depends on those before it."""
        assert self.template is not None
        self.close()
        self.made = copied(self.template, Path(mkdtemp(dir=self.template.folder.parent)))
        self.app = self.made.app
        return self.made

    def close(self) -> None:
        if self.made is not None:
            close(self.made)
            self.made = None


asked = Asked()
schema = schemathesis.openapi.from_wsgi("/openapi.json", asked, config=SchemathesisConfig.from_dict(CONFIG))
KEY = re.compile(r"[A-Za-z0-9._~-]{1,64}")
numbers = count()


def prepare(case: Any) -> None:
    """Take two things out of what is made up, for which no schema has a word.

    An Idempotency-Key is made up twice, and then refused: every request gets one of its own. And 1.0 is a whole number
    to JSON Schema, but not here: see `matcher.profile_schema.NOT_SAID`.
    """
    key = (case.headers or {}).get("Idempotency-Key", "")
    if KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = f"{key[:50]}-{next(numbers)}"
    if isinstance(case.body, dict):
        case.body = {name: whole(value) for name, value in case.body.items()}


def whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


FEW = settings(
    max_examples=examples(50, 1000),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", autouse=True)
def template(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The installation of which each test gets a copy."""
    made = install(tmp_path_factory.mktemp("schemathesis") / "template", database=database, more=MORE)
    people(made)
    with made.store.transaction() as session:
        row = ApiKeyRow(id=TOKEN.key_id, programme_id="lantern", digest=TOKEN.digest, created_at=NOON)
        row.scopes = " ".join(SCOPES)
        session.add(row)
    close(made)
    asked.template = made
    yield
    asked.close()


@pytest.fixture(autouse=True)
def made(template: None) -> Installation:
    return asked.anew()


@pytest.mark.parametrize("name", EXCEPT)
def test_what_is_excepted_needs_it(made: Installation, name: str) -> None:
    method, address = name.split()
    reason, body = EXCEPT[name]
    assert reason.endswith(".")
    content = document(APP)["paths"][address][method.lower()]["requestBody"]["content"]["application/json"]
    whole = {**content["schema"], "components": document(APP)["components"]}
    jsonschema.Draft202012Validator(whole).validate(body)
    reply = made.call(method, address.format(member_id="m-000123", group_id="g-1"), body)
    assert reply.status_code == 422, reply.get_data(as_text=True)


@schema.parametrize()
@FEW
def test_every_operation_does_what_it_says(case: Any) -> None:
    prepare(case)
    case.call_and_validate()


class Sequences(schema.as_state_machine()):  # type: ignore[misc]
    """Operations one after the other, fed with what came back from those before."""

    def setup(self) -> None:
        asked.anew()

    def before_call(self, case: Any) -> None:
        prepare(case)


def test_sequences_of_operations_too() -> None:
    Sequences.run(
        settings=settings(FEW, max_examples=examples(30, 300), stateful_step_count=10, phases=[Phase.generate])
    )
