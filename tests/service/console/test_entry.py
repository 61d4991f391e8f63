"""Who may enter: every route of the console, without a session, with a key instead, and with a form of another page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from service import create_app
from service.console.entry import OPEN
from service.console.sessions import new_token
from service.security import SCOPES, split_token
from service.store import keys
from tests.service.api.test_members import problem
from tests.service.console.visiting import Visitor, is_sent_away, signed_in
from tests.service.installation import NOON, Installation
from tests.service.routes import Route, console_routes

WITHOUT_SESSION = {"GET /console/sign-in", "POST /console/sign-in", "GET /console/static/<name>"}
"""Everything of the console that answers without a session. Adding one is a decision, not an accident."""


def guarded(made: Installation) -> Iterator[Route]:
    return (route for route in console_routes(made.app) if route.name not in WITHOUT_SESSION)


def test_what_is_open_is_listed_twice(made: Installation) -> None:
    named = {route.name for route in console_routes(made.app)}
    assert named > WITHOUT_SESSION
    assert len(WITHOUT_SESSION) == len(OPEN)


def test_every_page_sends_whoever_has_no_session_to_sign_in(made: Installation) -> None:
    found = list(guarded(made))
    assert len(found) > 5
    for route in found:
        for cookie in ("", "peermatch_console", f"peermatch_console={new_token()}"):
            reply = made.app.test_client().open(route.path, method=route.method, headers={"Cookie": cookie})
            assert is_sent_away(reply), route.name


def test_an_api_key_in_the_header_opens_no_page(made: Installation) -> None:
    key = made.new_key(*SCOPES)
    for route in guarded(made):
        assert is_sent_away(made.call(route.method, route.path, {}, key=key)), route.name
        assert is_sent_away(made.call(route.method, route.path, {}, key=key, headers={"Idempotency-Key": "k-1"}))


def test_a_session_opens_nothing_of_the_api(made: Installation) -> None:
    visitor = signed_in(made)
    for path in ("/v1/programme", "/v1/members/m-1/holds", "/metrics"):
        assert visitor.client.get(path).status_code == 401


def test_every_form_wants_the_token_of_its_session(made: Installation) -> None:
    visitor, other = signed_in(made), signed_in(made)
    other.get("/members")
    visitor.get("/members")
    own = visitor.form_token
    for route in guarded(made):
        if route.method != "POST":
            continue
        path = route.path.removeprefix("/console")
        for wrong in ("", "x", own[:-1], own.upper(), other.form_token, "é"):
            visitor.form_token = wrong
            reply = visitor.post(path)
            assert reply.status_code == 403, (route.name, wrong)
            assert reply.mimetype == "text/html"
        visitor.form_token = own
        assert visitor.post(path, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert visitor.post(path, **{"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert visitor.get("/members").status_code == 200, "and the session goes on"


def test_a_form_from_here_is_taken(made: Installation) -> None:
    visitor = signed_in(made)
    visitor.get("/members")
    assert visitor.post("/sign-out", **{"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_a_session_ends_with_its_key(made: Installation) -> None:
    key = made.new_key("coordinator")
    visitor = Visitor(made)
    visitor.sign_in(key)
    assert visitor.get("/members").status_code == 200
    with made.store.transaction() as session:
        keys.revoke(session, "lantern", (split_token(key) or ("",))[0])
    assert is_sent_away(visitor.get("/members"))
    assert is_sent_away(visitor.post("/members/hold", {"member_id": "m-1", "kind": "crisis"}))


def test_a_session_ends_when_its_key_expires(made: Installation) -> None:
    visitor = signed_in(made, expires_at=NOON + timedelta(minutes=10))
    made.clock.turn(minutes=9, seconds=59)
    assert visitor.get("/members").status_code == 200
    made.clock.turn(seconds=1)
    assert is_sent_away(visitor.get("/members"))


def test_a_session_ends_after_half_an_hour_of_nothing_and_after_eight_hours(made: Installation) -> None:
    visitor, idle = signed_in(made), signed_in(made)
    made.clock.turn(minutes=30)
    assert is_sent_away(idle.get("/members"))
    visitor = signed_in(made)
    for _ in range(19):
        made.clock.turn(minutes=25)
        assert visitor.get("/members").status_code == 200
    made.clock.turn(minutes=5)
    assert is_sent_away(visitor.get("/members"))


def test_a_session_is_known_to_every_worker(made: Installation) -> None:
    visitor = signed_in(made)
    app = create_app(made.settings, clock=made.clock)
    client = app.test_client()
    client.set_cookie("peermatch_console", visitor.token)
    assert client.get("/console/members").status_code == 200
    visitor.get("/members")
    visitor.post("/sign-out")
    assert is_sent_away(client.get("/console/members"))
    app.extensions["peermatch"].store.close()


def test_a_stolen_token_is_worth_nothing_once_its_owner_has_signed_out(made: Installation) -> None:
    visitor = signed_in(made)
    thief = Visitor(made)
    thief.client.set_cookie("peermatch_console", visitor.token)
    assert thief.get("/members").status_code == 200, "the control: until then it is"
    visitor.get("/members")
    assert visitor.post("/sign-out").status_code == 303
    assert is_sent_away(thief.get("/members"))


def test_a_changed_token_is_no_token(made: Installation) -> None:
    visitor = signed_in(made)
    token = visitor.token
    for changed in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-1], token + "A", "A" * 43, '"', "é"):
        other = Visitor(made)
        other.client.set_cookie("peermatch_console", changed)
        assert is_sent_away(other.get("/members"))


def test_a_script_is_told_where_to_go(made: Installation) -> None:
    reply = Visitor(made).get("/loads", **{"HX-Request": "true"})
    assert (reply.status_code, reply.headers["HX-Redirect"]) == (204, "/console/sign-in")


def test_the_key_of_a_session_has_its_limit(made: Installation) -> None:
    visitor = signed_in(made, per_minute=2)
    found = [visitor.get("/members") for _ in range(3)]
    assert [reply.status_code for reply in found] == [200, 200, 429]
    assert found[2].mimetype == "text/html"
    assert int(found[2].headers["Retry-After"]) > 0


def test_without_the_console_there_is_nothing(made: Installation) -> None:
    app = create_app(replace(made.settings, console=False), clock=made.clock)
    assert list(console_routes(app)) == []
    for path in ("/console", "/console/sign-in", "/console/static/console.css"):
        problem(app.test_client().get(path), 404, "no-such-address")
    app.extensions["peermatch"].store.close()
