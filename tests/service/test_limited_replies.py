"""Limits as a partner sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from service import access
from service.access import OPEN_ENDPOINTS, Access
from service.api import RESOURCES
from service.api.description import described_app, document
from service.limits import Limits
from service.security import split_token
from service.state import EXTENSION, state
from service.store import Store
from service.store.tables import IdempotencyRow
from tests.service.api.test_members import problem
from tests.service.installation import Installation, record
from tests.service.routes import routes

FIELDS = ("RateLimit-Policy", "RateLimit", "Retry-After")
HOLD = {"kind": "pause"}


@dataclass(frozen=True)
class Limited(Access):
    per_minute: int | None = None


class Monotonic:
    """The machine's clock, which can be turned."""

    def __init__(self) -> None:
        self.now = 5_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000_000)


Limit = Callable[[str, int], None]


@pytest.fixture
def clock(made: Installation) -> Monotonic:
    clock = Monotonic()
    made.app.extensions[EXTENSION] = replace(state(made.app), limits=Limits(made.settings.run, clock))
    return clock


@pytest.fixture
def limit(clock: Monotonic, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Return what gives a key a limit; those of the others are off."""
    known: dict[str, int] = {}
    find = access.find_access

    def limited(store: Store, header: str, now: datetime, *more: Any) -> Access:
        found = find(store, header, now, *more)
        return Limited(found.key_id, found.programme_id, found.scopes, per_minute=known.get(found.key_id))

    def give(key: str, per_minute: int) -> None:
        known[key_id(key)] = per_minute

    monkeypatch.setattr(access, "find_access", limited)
    return give


def key_id(key: str) -> str:
    parts = split_token(key)
    assert parts is not None
    return parts[0]


def told(reply: Any) -> tuple[str | None, ...]:
    return tuple(reply.headers.get(name) for name in FIELDS)


def test_every_reply_says_what_is_left_and_when_there_is_more(
    made: Installation, limit: Limit, clock: Monotonic
) -> None:
    limit(made.key, 3)
    assert told(made.call("GET", "/v1/programme")) == ('"key";q=3;w=60', '"key";r=2;t=20', None)
    clock.turn(5)
    assert told(made.call("GET", "/v1/members/m-1")) == ('"key";q=3;w=60', '"key";r=1;t=15', None)
    assert told(made.call("PUT", "/v1/members/m-1", {})) == ('"key";q=3;w=60', '"key";r=0;t=15', None)
    clock.turn(4.5)
    reply = made.call("GET", "/v1/programme")
    assert told(reply) == ('"key";q=3;w=60', '"key";r=0;t=11', "11")
    body = problem(reply, 429, "rate-limited")
    assert body["title"] == "Too many requests with this key"
    assert "3 requests a minute" in body["detail"]
    clock.turn(11)
    assert made.call("GET", "/v1/programme").status_code == 200


def test_a_key_without_a_limit_is_told_nothing_and_needs_no_file(made: Installation, limit: Limit) -> None:
    for _ in range(20):
        assert told(made.call("GET", "/v1/programme")) == (None, None, None)
    assert not (made.settings.run / "limits").exists()
    limit(made.key, 5)
    made.call("GET", "/v1/programme")
    assert (made.settings.run / "limits").exists()


def test_each_key_has_its_own_minute(made: Installation, limit: Limit) -> None:
    other = made.new_key("members")
    limit(made.key, 1)
    limit(other, 2)
    assert made.call("GET", "/v1/programme").status_code == 200
    problem(made.call("GET", "/v1/programme"), 429, "rate-limited")
    assert told(made.call("GET", "/v1/programme", key=other))[1] == '"key";r=1;t=30'


def test_all_that_wants_a_key_is_limited_and_nothing_else(made: Installation, limit: Limit) -> None:
    limit(made.key, 1)
    made.call("GET", "/v1/programme")
    for route in routes(made.app):
        reply = made.call(route.method, route.path, {})
        if route.open:
            assert reply.status_code == 200, route.name
            assert told(reply) == (None, None, None), route.name
        else:
            problem(reply, 429, "rate-limited")
            assert told(reply) == ('"key";q=1;w=60', '"key";r=0;t=60', "60"), route.name


def test_what_no_key_opened_is_not_counted(made: Installation, limit: Limit) -> None:
    limit(made.key, 2)
    made.call("GET", "/v1/programme")
    wrong = made.new_key("members").rpartition("_")[2]
    bad = f"pm_{key_id(made.key)}_{wrong}"
    for _ in range(5):
        refused = made.call("GET", "/v1/programme", key=bad)
        problem(refused, 401, "key-invalid")
        nowhere = made.call("GET", "/nowhere")
        problem(nowhere, 404, "no-such-address")
        assert told(refused) == told(nowhere) == (None, None, None)
    assert told(made.call("GET", "/v1/programme"))[1] == '"key";r=0;t=30'


def test_what_is_refused_later_counts(made: Installation, limit: Limit) -> None:
    limit(key := made.new_key("audit"), 2)
    reply = made.call("GET", "/v1/members/m-1", key=key)
    problem(reply, 403, "scope-missing")
    assert told(reply)[1] == '"key";r=1;t=30'


def test_what_is_refused_is_not_done_and_leaves_its_idempotency_key_free(
    made: Installation, limit: Limit, clock: Monotonic
) -> None:
    made.add(record("m-1"))
    limit(made.key, 1)
    made.call("GET", "/v1/programme")
    again = {"Idempotency-Key": "k-1"}
    problem(made.call("POST", "/v1/members/m-1/holds", HOLD, headers=again), 429, "rate-limited")
    with made.store.reading() as session:
        assert session.scalars(select(IdempotencyRow.key).execution_options(every_programme=True)).all() == []
    clock.turn(60)
    reply = made.call("POST", "/v1/members/m-1/holds", HOLD, headers=again)
    assert reply.status_code == 201
    assert "Idempotency-Replayed" not in reply.headers
    clock.turn(60)
    reply = made.call("POST", "/v1/members/m-1/holds", HOLD, headers=again)
    assert reply.headers["Idempotency-Replayed"] == "true"
    assert told(reply)[1] == '"key";r=0;t=60', "told anew, not as it was kept"
    problem(made.call("POST", "/v1/members/m-1/holds", HOLD, headers=again), 429, "rate-limited")


def test_another_application_on_the_same_folder_counts_with_it(
    made: Installation, limit: Limit, clock: Monotonic
) -> None:
    limit(made.key, 2)
    made.call("GET", "/v1/programme")
    beside = Limits(made.settings.run, clock)
    counted = beside.take(key_id(made.key), 2)
    assert counted is not None
    assert counted.remaining == 0
    problem(made.call("GET", "/v1/programme"), 429, "rate-limited")


def test_the_application_counts_in_the_folder_of_the_settings(made: Installation) -> None:
    found = state(made.app).limits
    assert found.take("k" * 16, 1) is not None
    assert (made.settings.run / "limits").stat().st_mode & 0o777 == 0o600


def test_the_description_tells_of_it() -> None:
    app = described_app(RESOURCES)
    spec = document(app)
    replies = spec["components"]["responses"]
    for rule in app.url_map.iter_rules():
        path = spec["paths"].get(re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), {})
        for method in sorted({"get", "put", "post", "delete"} & set(path)):
            described = path[method]["responses"]
            assert ("429" in described) == (rule.endpoint not in OPEN_ENDPOINTS), rule.rule
            good = next(reply for status, reply in described.items() if status.startswith("2"))
            assert ("RateLimit" in good["headers"]) == ("429" in described), rule.rule
    assert set(replies["rate-limited"]["headers"]) == {"X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"}
