"""Idempotency-Key: what is sent twice is done once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from service import create_app
from service.api.description import views
from service.security import split_token
from service.store import StoreError, idempotency, keys
from service.store.tables import IdempotencyRow
from tests.service.api.test_members import problem
from tests.service.installation import NOON, Installation, record

PATH = "/v1/members/m-1/consents"
BODY = {"purpose": "train_model", "decision": "given"}


@pytest.fixture
def one(made: Installation) -> Installation:
    made.add(record("m-1", "seeker", "supporter"), record("m-2"))
    return made


def send(made: Installation, key: str | None = "k-1", body: Any = BODY, path: str = PATH, **more: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return made.call("POST", path, body, headers=headers, **more)


def events(made: Installation) -> int:
    return len(made.call("GET", PATH).get_json()["events"])


def kept(made: Installation) -> int:
    with made.store.reading() as session:
        return int(
            session.scalar(select(func.count()).select_from(IdempotencyRow).execution_options(every_programme=True))
            or 0
        )


def test_the_second_gets_the_reply_of_the_first_and_nothing_is_done(one: Installation) -> None:
    before = events(one)
    first, second = send(one), send(one)
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    assert (second.status_code, second.data) == (first.status_code, first.data)
    assert second.headers["Idempotency-Replayed"] == "true"
    for name in ("Content-Type", "ETag"):
        assert second.headers.get(name) == first.headers.get(name)
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert second.headers["X-Content-Type-Options"] == "nosniff"
    assert events(one) == before + 1


def test_without_the_header_all_is_as_ever_and_nothing_is_kept(one: Installation) -> None:
    before = events(one)
    assert send(one, None).status_code == send(one, None).status_code == 201
    assert events(one) == before + 2
    assert kept(one) == 0


def test_quotation_marks_are_not_of_the_key(one: Installation) -> None:
    send(one, "k-1")
    assert send(one, '"k-1"').headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("change", [{"body": {**BODY, "decision": "refused"}}, {"path": f"{PATH}?x=1"}])
def test_another_request_with_the_same_key_is_refused(one: Installation, change: Any) -> None:
    send(one)
    before = events(one)
    problem(send(one, **change), 422, "idempotency-key-reused")
    assert events(one) == before


def test_a_key_belongs_to_one_api_key(one: Installation) -> None:
    first, other = send(one), send(one)
    assert other.headers["Idempotency-Replayed"] == "true"
    another = one.call("POST", PATH, BODY, key=one.new_key("members", "consents"), headers={"Idempotency-Key": "k-1"})
    assert another.status_code == first.status_code
    assert "Idempotency-Replayed" not in another.headers


@pytest.mark.parametrize("key", ["", " ", "x" * 65, "a b", "é", "a/b", '"', '""', '"a', "a,b"])
def test_a_key_that_is_none_is_told(one: Installation, key: str) -> None:
    told = problem(send(one, key), 422, "invalid")
    assert "1 to 64 of A-Z" in told["errors"]["Idempotency-Key"]
    assert kept(one) == 0


def test_a_request_under_way_is_refused_until_it_is_given_up(one: Installation) -> None:
    row = _row(one)
    with one.store.transaction() as session:
        session.add(IdempotencyRow(**row))
    asked = send(one)
    problem(asked, 409, "idempotency-in-progress")
    assert asked.headers["Retry-After"] == "1"
    problem(send(one, body={**BODY, "decision": "refused"}), 422, "idempotency-key-reused")
    one.clock.turn(seconds=119)
    problem(send(one), 409, "idempotency-in-progress")
    one.clock.turn(seconds=1)
    done = send(one)
    assert done.status_code == 201
    assert "Idempotency-Replayed" not in done.headers


def _row(made: Installation) -> dict[str, Any]:
    """Return the row of `send` as it stands while the work is done: that which a first, finished one has left."""
    send(made)
    with made.store.transaction() as session:
        found = session.scalars(select(IdempotencyRow).execution_options(every_programme=True)).one()
        names = ("key_id", "key", "programme_id", "fingerprint", "started_at", "about")
        values = {name: getattr(found, name) for name in names}
        session.execute(delete(IdempotencyRow).where(IdempotencyRow.programme_id == found.programme_id))
    return values


def test_of_many_at_once_on_two_workers_one_is_done(one: Installation) -> None:
    before = events(one)
    other = create_app(one.settings, clock=one.clock)
    replies: list[Any] = []
    start = threading.Barrier(8)

    def ask(app: Flask) -> None:
        start.wait()
        headers = {"Authorization": f"Bearer {one.key}", "Idempotency-Key": "k-1"}
        replies.append(app.test_client().post(PATH, json=BODY, headers=headers))

    threads = [threading.Thread(target=ask, args=(app,)) for app in (one.app, other) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.extensions["peermatch"].store.close()
    assert events(one) == before + 1
    fresh = [reply for reply in replies if reply.status_code == 201 and "Idempotency-Replayed" not in reply.headers]
    assert len(fresh) == 1
    assert {reply.status_code for reply in replies} <= {201, 409}


def test_a_refusal_is_kept_too(one: Installation) -> None:
    wrong = {**BODY, "purpose": "everything"}
    first = send(one, body=wrong)
    assert first.status_code == 422
    assert send(one, body=wrong).headers["Idempotency-Replayed"] == "true"


def test_a_fault_of_ours_is_not_kept(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("service.api.consents.decided", _fail)
        assert send(one).status_code == 500
    assert kept(one) == 0
    assert send(one).status_code == 201


def test_a_database_that_is_away_for_a_moment_is_not_kept(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreError("away")

    with monkeypatch.context() as broken:
        broken.setattr("service.api.consents.decided", away)
        assert send(one).status_code == 503
    assert send(one).status_code == 201


def test_a_reply_that_cannot_be_kept_goes_out_all_the_same(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreError("away")

    with monkeypatch.context() as broken:
        broken.setattr("service.store.idempotency.keep", away)
        assert send(one).status_code == 201
    problem(send(one), 409, "idempotency-in-progress")


def test_after_a_day_it_is_forgotten(one: Installation) -> None:
    send(one)
    one.clock.turn(hours=23, minutes=59)
    assert send(one).headers["Idempotency-Replayed"] == "true"
    one.clock.turn(minutes=1)
    again = send(one)
    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again.headers
    assert kept(one) == 1


def test_a_key_that_is_revoked_takes_its_replies_along(one: Installation) -> None:
    text = one.new_key("consents", "members")
    one.call("POST", PATH, BODY, key=text, headers={"Idempotency-Key": "k-1"})
    assert kept(one) == 1
    with one.store.transaction() as session:
        keys.revoke(session, "lantern", (split_token(text) or ("",))[0])
    assert kept(one) == 0


def test_a_list_is_never_replayed(one: Installation) -> None:
    headers = {"Idempotency-Key": "k-1"}
    for path in ("/match", "/v1/match"):
        first = one.call("POST", path, {"member_id": "m-1"}, headers=headers)
        assert first.status_code == 200
        assert [match["rank"] for match in first.get_json()["matches"]] == [1]
    withdrawn = {"purpose": "be_shown_as_peer", "decision": "withdrawn"}
    assert one.call("POST", "/v1/members/m-2/consents", withdrawn).status_code == 201
    second = one.call("POST", "/match", {"member_id": "m-1"}, headers=headers)
    assert second.get_json()["matches"] == []
    assert "Idempotency-Replayed" not in second.headers
    assert kept(one) == 0
    problem(one.call("POST", "/match", {"member_id": "m-1"}, headers={"Idempotency-Key": "é"}), 422, "invalid")


def test_only_lists_run_again(made: Installation) -> None:
    again = {rule.rule for rule, method, view in views(made.app) if getattr(view, "runs_again", False)}
    assert again == {"/match", "/v1/match"}


def test_other_methods_and_addresses_heed_no_key(one: Installation) -> None:
    headers = {"Idempotency-Key": "é"}
    assert one.call("GET", "/v1/members/m-1", headers=headers).status_code == 200
    assert one.call("POST", "/nowhere", {}, headers=headers).status_code == 404
    assert one.call("POST", "/v1/members/m-1", {}, headers=headers).status_code == 405
    assert kept(one) == 0


def test_a_body_that_is_too_large_is_not_kept(one: Installation) -> None:
    problem(send(one, body={"purpose": "x" * 70_000}), 413, "too-large")
    assert kept(one) == 0


def test_whoever_is_erased_is_in_no_reply_that_is_kept(one: Installation) -> None:
    key_id, _ = split_token(one.key) or ("", "")
    for number, text in enumerate(('{"member_id":"m-1"}', '{"detail":"found \'m-1\'"}', '{"member_id":"m-10"}')):
        asked = idempotency.Request("lantern", key_id, f"k-{number}", "f" * 64)
        with one.store.transaction() as session:
            assert idempotency.claim(session, asked, now=NOON - timedelta(hours=1)) is None
            idempotency.keep(session, asked, 200, {}, text)
    with one.store.transaction() as session:
        idempotency.forget(session, "another", "m-1")
        idempotency.forget(session, "lantern", "m-1")
    with one.store.reading() as session:
        assert session.scalars(select(IdempotencyRow.key).execution_options(every_programme=True)).all() == ["k-2"]


def test_erasing_a_member_forgets_the_replies_that_name_them(one: Installation) -> None:
    body = {"a": "m-1", "b": "m-2"}
    reply = one.call("POST", "/v1/blocks", body, headers={"Idempotency-Key": "k-1"})
    assert b"m-1" in reply.data
    assert kept(one) == 1
    assert one.call("DELETE", "/v1/members/m-1").status_code == 200
    assert kept(one) == 0


def test_erasing_a_member_forgets_replies_that_do_not_name_them(one: Installation) -> None:
    consent = {"purpose": "train_model", "decision": "given"}
    for path, body in (("consents", consent), ("holds", {"kind": "crisis"})):
        reply = one.call("POST", f"/v1/members/m-1/{path}", body, headers={"Idempotency-Key": f"k-{path}"})
        assert reply.status_code == 201
    assert kept(one) == 2
    one.call("DELETE", "/v1/members/m-1")
    assert kept(one) == 0
    problem(
        one.call("POST", "/v1/members/m-1/holds", {"kind": "crisis"}, headers={"Idempotency-Key": "k-holds"}),
        404,
        "no-such-member",
    )


def test_a_reply_about_somebody_erased_meanwhile_is_not_kept(one: Installation) -> None:
    key_id, _ = split_token(one.key) or ("", "")
    for number, about in enumerate((("m-1",), ("m-1", "gone"), ())):
        asked = idempotency.Request("lantern", key_id, f"k-{number}", "f" * 64, about)
        with one.store.transaction() as session:
            assert idempotency.claim(session, asked, now=NOON) is None
            idempotency.keep(session, asked, 201, {}, "{}")
    with one.store.reading() as session:
        kept = select(IdempotencyRow.key).order_by(IdempotencyRow.key)
        assert session.scalars(kept.execution_options(every_programme=True)).all() == ["k-0", "k-2"]


def test_an_id_in_another_case_is_another(one: Installation) -> None:
    one.add(record("M-1"))
    one.call("POST", "/v1/blocks", {"a": "M-1", "b": "m-2"}, headers={"Idempotency-Key": "k-1"})
    one.call("DELETE", "/v1/members/m-1")
    assert kept(one) == 1


def _fail(*_: Any, **__: Any) -> None:
    raise ValueError("broken")
