"""No audit, no answer: what changes people's standing or tells of it is in the log, or it did not happen.

Every operation of the service is named here: with the entry that it leaves, or with the reason why it leaves none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from matcher.consent_events import PURPOSES
from service.security import split_token
from tests.service.api.test_members import problem
from tests.service.databases import SQLITE
from tests.service.installation import Installation, consent, record
from tests.service.routes import routes
from tests.service.store.audited import everything, rows

SEEKER = "m-000123"
Prepare = Callable[[Installation], Mapping[str, str]]


def nothing(_made: Installation) -> Mapping[str, str]:
    return {}


def held(made: Installation) -> Mapping[str, str]:
    hold = made.call("POST", f"/v1/members/{SEEKER}/holds", {"kind": "crisis"}).get_json()
    return {"hold_id": hold["id"]}


def blocked(made: Installation) -> Mapping[str, str]:
    made.call("POST", "/v1/blocks", {"a": SEEKER, "b": "m-2"})
    return {"a": "m-2", "b": SEEKER}


def decided(made: Installation) -> Mapping[str, str]:
    reply = made.call("POST", f"/v1/members/{SEEKER}/consents", {"purpose": "train_model", "decision": "given"})
    return {"consent_id": reply.get_json()["id"]}


class Audited(NamedTuple):
    """An operation, and the entry that it leaves."""

    action: str
    body: Any = None
    prepare: Prepare = nothing
    subject: bool = True
    """It is about one member, and the entry has a hash of who."""
    status: int = 200


GIVEN = {"purpose": "train_model", "decision": "given"}
NEW = [*record(SEEKER)["consents"], consent("train_model")]

AUDITED = {
    "GET /v1/members/<member_id>/consents": Audited("consents.read"),
    "POST /v1/members/<member_id>/consents": Audited("consent.recorded", GIVEN, status=201),
    "GET /v1/members/<member_id>/consents/<consent_id>/receipt": Audited("receipt.read", prepare=decided),
    "PUT /v1/members/<member_id>": Audited("consent.recorded", record(SEEKER, "seeker", consents=NEW)),
    "DELETE /v1/members/<member_id>": Audited("member.erased"),
    "GET /v1/members/<member_id>/export": Audited("member.exported"),
    "GET /v1/members/<member_id>/models": Audited("member.exported"),
    "POST /v1/members/<member_id>/holds": Audited("hold.placed", {"kind": "crisis"}, status=201),
    "DELETE /v1/members/<member_id>/holds/<hold_id>": Audited("hold.lifted", prepare=held, status=204),
    "POST /v1/blocks": Audited("block.made", {"a": SEEKER, "b": "m-2"}, subject=False, status=201),
    "DELETE /v1/blocks/<a>/<b>": Audited("block.lifted", prepare=blocked, subject=False, status=204),
    "GET /v1/audit-log": Audited("audit.read", subject=False),
}
WITHOUT = {
    "GET /v1/members/<member_id>": "a partner's everyday reading of what it stored itself",
    "GET /v1/members/<member_id>/holds": "a partner's everyday reading of what it stored itself",
    "GET /v1/groups/<group_id>": "a partner's everyday reading of what it stored itself",
    "PUT /v1/groups/<group_id>": "groups are the partner's own, and its everyday work",
    "DELETE /v1/groups/<group_id>": "groups are the partner's own, and its everyday work",
    "POST /match": "what was shown to whom is kept with the lists",
    "POST /v1/match": "what was shown to whom is kept with the lists",
    "POST /v1/feedback": "feedback is itself a record of what happened",
    "GET /v1/programme": "about nobody",
    "GET /v1/programme/vocabularies/<facet>": "about nobody",
    "GET /metrics": "counts, of nobody",
    "GET /__lbheartbeat__": "about nobody",
    "GET /__heartbeat__": "about nobody",
    "GET /__version__": "about nobody",
    "GET /openapi.json": "about nobody",
    "GET /docs": "about nobody",
}
"""Every other operation, and why there is no entry of it. Adding one is a decision, not an accident."""

EACH = pytest.mark.parametrize("name", sorted(AUDITED))


def test_every_operation_is_decided_on(made: Installation) -> None:
    names = {route.name for route in routes(made.app)}
    assert names <= AUDITED.keys() | WITHOUT.keys(), "name it in AUDITED, or in WITHOUT with the reason"
    assert names >= AUDITED.keys() | WITHOUT.keys()
    assert not AUDITED.keys() & WITHOUT.keys()


def call(made: Installation, name: str, values: Mapping[str, str]) -> Any:
    method, _, rule = name.partition(" ")
    for name_of, value in {"member_id": SEEKER, **values}.items():
        rule = rule.replace(f"<{name_of}>", value)
    assert "<" not in rule, rule
    return made.call(method, rule, AUDITED[name].body)


@pytest.fixture
def ready(made: Installation) -> Installation:
    made.add(record(SEEKER, "seeker", "supporter"), record("m-2"))
    return made


@EACH
def test_it_leaves_one_entry_which_names_nobody(ready: Installation, name: str) -> None:
    audited = AUDITED[name]
    values = audited.prepare(ready)
    before = len(rows(ready))
    reply = call(ready, name, values)
    assert reply.status_code == audited.status, reply.get_data(as_text=True)
    (entry,) = rows(ready)[before:]
    key_id, _ = split_token(ready.key) or ("", "")
    assert (entry.by, entry.action) == (key_id, audited.action)
    assert (entry.subject is not None) == audited.subject
    assert SEEKER not in entry.details
    assert "m-2" not in entry.details


@contextmanager
def no_more_entries(made: Installation) -> Iterator[None]:
    """Let the database refuse every new entry."""
    if made.database.name == SQLITE:
        on = ["CREATE TRIGGER full_up BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END"]
        off = ["DROP TRIGGER full_up"]
    else:
        on = [
            "CREATE FUNCTION full_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
            "CREATE TRIGGER full_up BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION full_up()",
        ]
        off = ["DROP TRIGGER full_up ON audit", "DROP FUNCTION full_up()"]
    _run(made, on)
    try:
        yield
    finally:
        _run(made, off)


def _run(made: Installation, statements: list[str]) -> None:
    connection: Any = made.store.engine.raw_connection()
    try:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        connection.commit()
    finally:
        connection.close()


@EACH
def test_what_cannot_be_recorded_does_not_happen(ready: Installation, name: str) -> None:
    values = AUDITED[name].prepare(ready)
    before = everything(ready)
    with no_more_entries(ready):
        reply = call(ready, name, values)
    body = problem(reply, 503, "not-ready")
    assert SEEKER not in reply.get_data(as_text=True)
    assert set(body) == {"type", "title", "status", "detail"}
    assert everything(ready) == before
    assert call(ready, name, values).status_code == AUDITED[name].status, "once there is room it is done"


@EACH
def test_without_the_secret_nothing_is_told(ready: Installation, name: str) -> None:
    """The key of the chain is derived from it: a worker that starts without it does not answer these."""
    values = AUDITED[name].prepare(ready)
    before = everything(ready)
    inside = ready.app.extensions["peermatch"].store
    inside.derived.__dict__.clear()  # as in a worker that has used none of its keys yet

    def away() -> bytes:
        raise FileNotFoundError

    inside.derived._secret = away
    assert call(ready, name, values).status_code in {500, 503}
    assert everything(ready) == before


def test_a_reading_that_is_not_allowed_leaves_no_entry(ready: Installation) -> None:
    key = ready.new_key("match:ids")
    for name, audited in AUDITED.items():
        method, _, rule = name.partition(" ")
        reply = ready.call(method, rule.replace("<", "").replace(">", ""), audited.body, key=key)
        assert reply.status_code == 403, name
    assert rows(ready) == []


def test_the_second_place_has_the_head_of_what_a_request_did(ready: Installation) -> None:
    ready.call("POST", f"/v1/members/{SEEKER}/holds", {"kind": "crisis"})
    (line,) = ready.store.heads.read()
    assert (line.head.programme, line.head.number, line.head.mac) == ("lantern", 1, rows(ready)[0].mac)
    assert Path(ready.settings.home / "audit.heads").exists()


VERSION = consent("train_model")["policy_version"]
OURS = sorted({*PURPOSES, "given", "refused", "withdrawn", VERSION, "models", "other"})


@pytest.mark.parametrize("word", OURS)
def test_a_member_whose_id_is_a_word_of_ours_is_served_like_others(made: Installation, word: str) -> None:
    path = f"/v1/members/{word}"
    given = [*record(word)["consents"], consent("train_model")]
    assert made.call("PUT", path, record(word, consents=given)).status_code == 201
    for body in (
        {"purpose": "train_model", "decision": "withdrawn"},
        *({"purpose": purpose, "decision": "given"} for purpose in PURPOSES),
        *({"purpose": purpose, "decision": "refused"} for purpose in PURPOSES),
        {"purpose": "match_serve", "decision": "given"},
        {"purpose": "all", "decision": "withdrawn"},
    ):
        assert made.call("POST", f"{path}/consents", body).status_code == 201, body
    for what in ("consents", "export", "models"):
        assert made.call("GET", f"{path}/{what}").status_code == 200, what
    assert made.call("DELETE", path).status_code == 200


def test_withdrawing_what_is_not_on_is_a_reading_of_what_is(ready: Installation) -> None:
    body = {"purpose": "all", "decision": "withdrawn"}
    assert ready.call("POST", f"/v1/members/{SEEKER}/consents", body).status_code == 201
    before = len(rows(ready))
    reply = ready.call("POST", f"/v1/members/{SEEKER}/consents", body)
    assert reply.status_code == 200
    assert reply.get_json()["state"]["match_serve"] is False
    (entry,) = rows(ready)[before:]
    assert (entry.action, entry.details) == ("consents.read", "{}")
    assert entry.subject is not None
