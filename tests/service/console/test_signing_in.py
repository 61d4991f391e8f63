from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from service.console import signing_in
from service.security import SCOPES, new_token, split_token
from service.store import keys
from tests.service.console.visiting import Visitor, is_sent_away, signed_in, words
from tests.service.installation import NOON, Installation, another_programme
from tests.service.store.audited import rows


def test_a_coordinators_key_opens_the_console(made: Installation) -> None:
    visitor = Visitor(made)
    reply = visitor.sign_in(made.new_key("coordinator"))
    assert (reply.status_code, reply.headers["Location"]) == (303, "/console")
    assert visitor.get().headers["Location"] == "/console/review"
    assert "A programme of the tests" in words(visitor.get("/members"))
    assert visitor.get("/sign-in").headers["Location"] == "/console"


def test_it_is_written_down(made: Installation) -> None:
    key = made.new_key("coordinator")
    Visitor(made).sign_in(key)
    (entry,) = [one for one in rows(made) if one.action == "console.entered"]
    assert entry.by == (split_token(key) or ("",))[0]


def test_every_key_that_does_not_open_it_is_told_the_same(made: Installation) -> None:
    revoked = made.new_key("coordinator")
    with made.store.transaction() as session:
        keys.revoke(session, "lantern", (split_token(revoked) or ("",))[0])
    right = made.new_key("coordinator")
    wrong = [
        "",
        "nonsense",
        "é",
        "<script>",
        new_token().text,
        right[:-1],
        f"{right[:20]}_{'x' * 43}",
        revoked,
        made.new_key(*(set(SCOPES) - {"coordinator"})),
        made.new_key("coordinator", expires_at=NOON + timedelta(seconds=1)),
    ]
    made.clock.turn(seconds=1)
    said = set()
    for key in wrong:
        visitor = Visitor(made)
        reply = visitor.sign_in(key)
        assert reply.status_code == 403, key
        assert is_sent_away(visitor.get("/members"))
        assert not key or key not in reply.get_data(as_text=True)
        said.add(words(reply))
    assert len(said) == 1
    assert signing_in.WRONG in said.pop()


def test_signing_in_gives_another_token_than_the_form_had(made: Installation) -> None:
    visitor = Visitor(made)
    visitor.get("/sign-in")
    before = visitor.token
    visitor.post("/sign-in", {"key": made.new_key("coordinator")})
    assert visitor.token != before
    other = Visitor(made)
    other.client.set_cookie("peermatch_console", before)
    assert is_sent_away(other.get("/members"))


def test_the_form_wants_its_own_token(made: Installation) -> None:
    key = made.new_key("coordinator")
    bare = Visitor(made)
    assert bare.post("/sign-in", {"key": key}).status_code == 403, "no page was ever asked for"
    first, second = Visitor(made), Visitor(made)
    first.get("/sign-in")
    second.get("/sign-in")
    second.form_token = first.form_token
    assert second.post("/sign-in", {"key": key}).status_code == 403
    assert first.post("/sign-in", {"key": key}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert first.post("/sign-in", {"key": key}).status_code == 303


def test_two_sign_in_pages_at_once_both_work(made: Installation) -> None:
    visitor = Visitor(made)
    visitor.get("/sign-in")
    first = visitor.form_token
    visitor.get("/sign-in")
    visitor.form_token = first
    assert visitor.post("/sign-in", {"key": made.new_key("coordinator")}).status_code == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(made: Installation) -> None:
    cookie = Visitor(made).get("/sign-in").headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert "Max-Age" not in cookie, "it goes when the browser is closed"


@pytest.mark.parametrize("told", ["https", "HTTPS", "https, http"])
def test_over_https_it_is_secure_and_nobody_elses(made: Installation, told: str) -> None:
    visitor = Visitor(made, **{"X-Forwarded-Proto": told})
    cookie = visitor.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-peermatch_console=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_failures_are_limited_and_keep_nobody_out_who_has_a_key(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = made.new_key("coordinator")
    wrong = f"{key[:20]}{'x' * 43}"
    visitor = Visitor(made)
    monkeypatch.setattr(signing_in, "FAILURES_PER_MINUTE", 4)
    tried = [visitor.sign_in(text).status_code for text in (wrong, "nonsense", wrong, "nonsense", wrong, "nonsense")]
    assert tried == [403, 403, 403, 403, 429, 429], "a key that there is and one that there is not are told alike"
    assert visitor.sign_in(key).status_code == 303


def test_signing_out_ends_it_and_says_so_once(made: Installation) -> None:
    visitor = signed_in(made)
    visitor.get("/members")
    reply = visitor.post("/sign-out")
    assert is_sent_away(reply)
    assert is_sent_away(visitor.get("/members"))
    assert "You are signed out." in words(visitor.get("/sign-in"))
    assert "You are signed out." not in words(visitor.get("/sign-in"))


def test_a_key_of_another_programme_opens_that_one(made: Installation) -> None:
    another_programme(made, "beacon")
    visitor = Visitor(made)
    visitor.sign_in(made.new_key("coordinator", programme_id="beacon"))
    (entry,) = [one for one in rows(made, "beacon") if one.action == "console.entered"]
    assert entry
    assert visitor.get("/members").status_code == 200


def test_no_key_is_written_anywhere(made: Installation, caplog: pytest.LogCaptureFixture) -> None:
    key = made.new_key("coordinator")
    _, secret = split_token(key) or ("", "")
    visitor = Visitor(made)
    with caplog.at_level(logging.DEBUG):
        visitor.sign_in(key[:-1])
        reply = visitor.sign_in(key)
        page = visitor.get("/members")
    assert "console/sign-in" in caplog.text, "the control: there are lines"
    assert secret[:12] not in caplog.text
    assert visitor.token not in caplog.text
    for told in (reply, page):
        assert secret[:12] not in f"{told.headers} {told.get_data(as_text=True)}"
    for path in made.folder.rglob("*"):
        if path.is_file():
            assert secret[:12].encode() not in path.read_bytes(), path.name
            assert visitor.token.encode() not in path.read_bytes(), path.name
