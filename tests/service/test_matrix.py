"""Every operation × no key, each missing scope, and the key of another programme.

The same requests go to two installations that differ in one thing: in one of them the programme `lantern` has members,
holds, blocks, groups, lists and consents, in the other it never had any. A key of the programme `beacon` must be told
the same in both, byte for byte, whatever it asks for, and what `lantern` has must stay as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, current_app, jsonify
from sqlalchemy import delete, select

from service import access
from service.access import needs
from service.problems import NO_MEMBER, Problem
from service.security import SCOPES
from service.state import state
from service.store.live_tables import ApartRow
from service.store.tables import MemberRow
from tests.service.databases import Database
from tests.service.installation import close
from tests.service.operations import OPEN, OPERATIONS, Ask, Operation, operation
from tests.service.routes import routes
from tests.service.two_worlds import Worlds, built, rows, sent

EACH = pytest.mark.parametrize("name", OPERATIONS)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Worlds]:
    made = built(tmp_path_factory.mktemp(f"matrix-{database}"), database)
    yield made
    for one in made.both():
        close(one)


# The checks. The controls below run them on applications with a fault in them.


def not_in_the_table(app: Flask) -> set[str]:
    return {route.name for route in routes(app) if route.rule not in OPEN} ^ set(OPERATIONS)


def check_keys(worlds: Worlds, name: str, one: Operation) -> None:
    """Without a valid key there is one reply, whatever is asked for and whatever is wrong with the key."""
    replies = [
        sent(made, name, ask._replace(told=bytes), worlds.names, key)
        for made in worlds.both()
        for ask in one.asks
        for key in worlds.broken.values()
    ]
    assert {reply[0] for reply in replies} == {401}, name
    assert all(reply == replies[0] for reply in replies), name


def check_scopes(worlds: Worlds, name: str, one: Operation) -> None:
    """A key opens an operation by one of its scopes; without any it learns nothing, not even what was wrong."""
    for scopes, key in worlds.keys.items():
        enough = not one.scopes or bool(scopes & one.scopes)
        asks = (
            one.asks[:1]
            if enough
            else [*one.asks, *(ask._replace(body=ask.body and {}, headers={}) for ask in one.asks)]
        )
        replies = [sent(made, name, ask, worlds.names, f"Bearer {key}") for made in worlds.both() for ask in asks]
        if enough:
            assert not {reply[0] for reply in replies} & {401, 403}, (name, sorted(scopes))
        else:
            assert {reply[0] for reply in replies} == {403}, (name, sorted(scopes))
            bodies = {
                sent(worlds.full, name, ask._replace(told=bytes), worlds.names, f"Bearer {key}")[2] for ask in asks
            }
            assert len(bodies) == 1, name
            assert b":scope-missing" in bodies.pop()


def check_foreign(worlds: Worlds, name: str, one: Operation) -> None:
    """A key of another programme is told of nothing that it has, and changes nothing of it."""
    before = rows(worlds.full, "lantern")
    assert before["members"]
    for ask in one.asks:
        here, there = (sent(made, name, ask, worlds.names, worlds.whole) for made in worlds.both())
        assert here[0] == there[0] == ask.status, (name, ask.path, here, there)
        assert here == there, (name, ask.path)
    assert rows(worlds.full, "lantern") == before, name


def test_every_operation_is_in_the_table(worlds: Worlds) -> None:
    assert not_in_the_table(worlds.full.app) == set()
    for route in routes(worlds.full.app):
        if route.rule not in OPEN:
            assert OPERATIONS[route.name].scopes == set(route.scopes), route.name
            assert OPERATIONS[route.name].asks


@EACH
def test_no_operation_opens_without_a_key(worlds: Worlds, name: str) -> None:
    check_keys(worlds, name, OPERATIONS[name])


@EACH
def test_no_operation_opens_without_its_scope(worlds: Worlds, name: str) -> None:
    check_scopes(worlds, name, OPERATIONS[name])


@EACH
def test_nothing_of_another_programme_is_told_or_changed(worlds: Worlds, name: str) -> None:
    check_foreign(worlds, name, OPERATIONS[name])


def test_what_was_asked_for_is_there_for_its_own_programme(worlds: Worlds) -> None:
    """The control of the table: with a key of `lantern` none of its requests for something is answered with 404."""
    for name, one in OPERATIONS.items():
        ask = one.asks[0]
        if ask.status == 404 and not name.startswith("DELETE"):
            assert sent(worlds.full, name, ask, worlds.names, f"Bearer {worlds.full.key}")[0] < 300, name
            assert sent(worlds.empty, name, ask, worlds.names, f"Bearer {worlds.full.key}")[0] == 404, name


def test_a_list_of_its_own_has_nobody_of_another_programme(worlds: Worlds) -> None:
    replies = [
        made.call("POST", "/v1/match", {"member_id": "b-0"}, key=worlds.keys[frozenset(SCOPES)]).get_json()
        for made in worlds.both()
    ]
    here, there = ([(one["member_id"], one["strength"]) for one in reply["matches"]] for reply in replies)
    assert here == there


def found(member_id: str) -> Any:
    """Return whoever has an id, in whatever programme: the fault."""
    query = select(MemberRow.member_id).where(MemberRow.member_id == member_id)
    with state(current_app).store.reading() as session:
        return session.scalar(query.execution_options(every_programme=True))


@needs("members")
def tells_all(member_id: str) -> Response:
    if (name := found(member_id)) is None:
        raise Problem(NO_MEMBER, "None.")
    return jsonify(member_id=name)


@needs("members")
def tells_in_other_words(member_id: str) -> Response:
    raise Problem(NO_MEMBER, "None." if found(member_id) is None else "None of yours.")


@needs("members")
def tells_by_a_header(member_id: str) -> Response:
    raise Problem(NO_MEMBER, "None.", headers={} if found(member_id) is None else {"Retry-After": "1"})


@needs("members")
def changes(member_id: str) -> Response:
    with state(current_app).store.transaction() as session:
        session.execute(delete(ApartRow).where(ApartRow.member_id == member_id).execution_options(every_programme=True))
    raise Problem(NO_MEMBER, "None.")


def needs_nothing(member_id: str) -> Response:
    raise Problem(NO_MEMBER, "None.")


@needs("members", "feedback")
def needs_another(member_id: str) -> Response:
    raise Problem(NO_MEMBER, "None.")


FAULTS = {
    tells_all: check_foreign,
    tells_in_other_words: check_foreign,
    tells_by_a_header: check_foreign,
    changes: check_foreign,
    needs_nothing: check_scopes,
    needs_another: check_scopes,
}
"""By a route with a fault in it, the check that must find it."""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Worlds]:
    """Return worlds whose applications have every one of the faulty routes."""

    def add(app: Flask) -> None:
        for view in FAULTS:
            app.add_url_rule(f"/v1/{view.__name__}/<member_id>", view.__name__, view)

    made = built(tmp_path_factory.mktemp(f"faulty-{database}"), database, add)
    yield made
    for one in made.both():
        close(one)


@pytest.mark.parametrize("view", FAULTS, ids=lambda view: view.__name__)
def test_a_fault_in_a_route_is_found(faulty: Worlds, view: Any) -> None:
    name = f"GET /v1/{view.__name__}/<member_id>"
    one = operation("members", Ask(f"/v1/{view.__name__}/{{member}}", 404))
    assert name in not_in_the_table(faulty.full.app)
    for check in (check_foreign, check_scopes, check_keys):
        if check is FAULTS[view]:
            with pytest.raises(AssertionError):
                check(faulty, name, one)
        else:
            check(faulty, name, one)


def test_a_route_that_opens_without_a_key_is_found(faulty: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "OPEN_ENDPOINTS", access.OPEN_ENDPOINTS | {"api-docs.openapi_json", "members.member"})
    with pytest.raises(AssertionError):
        check_keys(faulty, "GET /v1/members/<member_id>", OPERATIONS["GET /v1/members/<member_id>"])
