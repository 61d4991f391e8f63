"""No audit, no answer: what changes people's standing or tells of it is in the log, or it did not happen.

Every operation is named in `audited_operations`: with the entry that it leaves, or with the reason why it leaves none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from matcher.consent_events import PURPOSES
from service.security import split_token
from tests.service.api.audited_operations import AUDITED, SEEKER, WITHOUT
from tests.service.api.test_members import problem
from tests.service.databases import SQLITE
from tests.service.installation import Installation, consent, record
from tests.service.routes import routes
from tests.service.store.audited import everything, rows

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
