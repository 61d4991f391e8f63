"""Feedback by handle: good for one list of one seeker, and for nothing else."""

from __future__ import annotations

import base64
import random
from datetime import timedelta
from typing import Any

import pytest

from service.live import handles
from service.store import feedback
from tests.conftest import examples
from tests.service.api.replies import problem, told_apart
from tests.service.installation import Installation, another_programme, record

HELD = timedelta(days=14)


@pytest.fixture
def peopled(made: Installation) -> Installation:
    made.add(record("s-1", "seeker"), record("s-2", "seeker"), record("m-1"), record("m-2"))
    return made


def shown(made: Installation, seeker: str = "s-1", **more: Any) -> dict[str, dict[str, str]]:
    """Return by member what names them to a seeker: `match_id` and `handle`."""
    key = made.new_key("match", "match:ids")
    found = made.match(seeker, key=key, **more)
    return {one["member_id"]: {"match_id": found["match_id"], "handle": one["handle"]} for one in found["matches"]}


def tell(made: Installation, status: int = 202, /, **body: Any) -> Any:
    reply = made.call("POST", "/v1/feedback", body)
    assert reply.status_code == status, reply.get_data(as_text=True)
    return reply.get_json()


def stored(made: Installation, programme_id: str = "lantern") -> list[dict[str, Any]]:
    """Return the events that somebody told."""
    with made.store.reading() as session:
        return [one for one in feedback.all_feedback(session, programme_id) if one["event"] != "shown"]


@pytest.mark.parametrize("event", ["viewed", "session", "ended", "reported"])
def test_an_event_is_stored_with_its_pair_rank_and_moment(peopled: Installation, event: str) -> None:
    names = shown(peopled)
    second = list(names)[1]
    peopled.clock.turn(minutes=2)
    assert tell(peopled, **names[second], event=event) == {"event": event}
    assert stored(peopled) == [
        {"seeker": "s-1", "candidate": second, "event": event, "rank": 2, "at": "2026-03-04T12:02:00Z"}
    ]


def test_a_rating_is_stored(peopled: Installation) -> None:
    tell(peopled, **shown(peopled)["m-1"], event="rated", rating=0)
    assert [(one["event"], one["rating"]) for one in stored(peopled)] == [("rated", 0)]


def test_viewed_counts_once_a_list_and_sessions_each_time(peopled: Installation) -> None:
    today = shown(peopled)["m-1"]
    for _ in range(3):
        tell(peopled, **today, event="viewed")
        tell(peopled, **today, event="session")
        peopled.clock.turn(minutes=1)
    assert [one["event"] for one in stored(peopled)] == ["viewed", "session", "session", "session"]
    peopled.clock.turn(days=1)
    tomorrow = shown(peopled)["m-1"]
    assert tomorrow != today
    tell(peopled, **tomorrow, event="viewed")
    tell(peopled, **today, event="viewed")
    tell(peopled, **tomorrow, event="viewed")
    assert [one["at"][:10] for one in stored(peopled) if one["event"] == "viewed"] == ["2026-03-04", "2026-03-05"]
    tell(peopled, **shown(peopled)["m-2"], event="viewed")
    tell(peopled, **shown(peopled, "s-2")["m-1"], event="viewed")
    assert len([one for one in stored(peopled) if one["event"] == "viewed"]) == 4


def test_a_handle_is_good_for_fourteen_days(peopled: Installation) -> None:
    names = shown(peopled)["m-1"]
    peopled.clock.turn(seconds=HELD.total_seconds() - 1)
    tell(peopled, **names, event="session")
    peopled.clock.turn(seconds=1)
    problem(peopled.call("POST", "/v1/feedback", {**names, "event": "session"}), 404, "no-such-handle")
    assert len(stored(peopled)) == 1


@pytest.mark.parametrize("gone", ["s-1", "m-1"])
def test_of_somebody_erased_nothing_is_stored(peopled: Installation, gone: str) -> None:
    names = shown(peopled)["m-1"]
    assert peopled.call("DELETE", f"/v1/members/{gone}").status_code == 200
    peopled.add(record(gone, "seeker" if gone == "s-1" else "supporter"))
    problem(peopled.call("POST", "/v1/feedback", {**names, "event": "viewed"}), 404, "no-such-handle")
    assert stored(peopled) == []


def test_somebody_erased_while_a_handle_is_read_stays_erased(
    peopled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.api import feedback as resource

    names, real = shown(peopled)["m-1"], handles.resolve

    def erased_meanwhile(*arguments: Any) -> Any:
        found = real(*arguments)
        peopled.call("DELETE", "/v1/members/m-1")
        return found

    monkeypatch.setattr(resource, "resolve", erased_meanwhile)
    problem(peopled.call("POST", "/v1/feedback", {**names, "event": "reported"}), 404, "no-such-handle")
    assert stored(peopled) == []


def test_a_handle_of_a_group_is_told_to_be_one(peopled: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.api import feedback as resource

    monkeypatch.setattr(resource, "resolve", lambda *_: handles.Named("group", "s-1", "g-1", 1, "x"))
    body = {"match_id": "x", "handle": "y", "event": "viewed"}
    assert list(problem(peopled.call("POST", "/v1/feedback", body), 422, "invalid")["errors"]) == ["handle"]
    assert stored(peopled) == []


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"match_id", "handle", "event"}),
        ({"match_id": 1, "handle": None, "event": "liked", "stars": 5}, {"match_id", "handle", "event", "stars"}),
        ({"match_id": "x", "handle": "y", "event": "shown"}, {"event"}),
        ({"match_id": "x", "handle": "y", "event": "accepted"}, {"event"}),
        ({"match_id": "x", "handle": "y", "event": "rated"}, {"rating"}),
        ({"match_id": "x", "event": "rated"}, {"handle", "rating"}),
        ({"match_id": "x", "handle": "y", "event": "rated", "rating": 8}, {"rating"}),
        ({"match_id": "x", "handle": "y", "event": "rated", "rating": True}, {"rating"}),
        ({"match_id": "x", "handle": "y", "event": "rated", "rating": 3.0}, {"rating"}),
        ({"match_id": "x", "handle": "y", "event": "rated", "rating": None}, {"rating"}),
        ({"match_id": "x", "handle": "y", "event": "viewed", "rating": 3}, {"rating"}),
    ],
)
def test_what_is_no_feedback_is_refused_whatever_the_handle(
    peopled: Installation, body: dict[str, Any], paths: set[str]
) -> None:
    assert set(problem(peopled.call("POST", "/v1/feedback", body), 422, "invalid")["errors"]) == paths
    true = shown(peopled)["m-1"]
    known = {key: true.get(key, value) for key, value in body.items() if not (key in true and value in (1, None))}
    again = problem(peopled.call("POST", "/v1/feedback", known), 422, "invalid")
    assert paths - set(true) <= set(again["errors"])
    assert stored(peopled) == []


def test_the_scope_is_feedback_and_no_other(peopled: Installation) -> None:
    body = {**shown(peopled)["m-1"], "event": "viewed"}
    other = peopled.new_key("members", "consents", "match", "match:ids", "groups", "coordinator", "admin", "audit")
    problem(peopled.call("POST", "/v1/feedback", body, key=other), 403, "scope-missing")
    assert peopled.call("POST", "/v1/feedback", body, key=peopled.new_key("feedback")).status_code == 202


def test_guessed_and_foreign_handles_resolve_to_nobody_and_cannot_be_told_apart(peopled: Installation) -> None:
    foreign = another_programme(peopled, "beacon")
    for name, role in (("s-1", "seeker"), ("m-1", "supporter")):
        peopled.call("PUT", f"/v1/members/{name}", record(name, role), key=foreign)
    old = shown(peopled)["m-1"]
    peopled.clock.turn(days=14)
    mine, others = shown(peopled), shown(peopled, "s-2")
    key = peopled.new_key("match", "match:ids", programme_id="beacon")
    found = peopled.match("s-1", key=key)
    abroad = {"match_id": found["match_id"], "handle": found["matches"][0]["handle"]}
    real = [old, *mine.values(), *others.values(), abroad]
    guesses = [
        *(  # what is true of one list is not true with any part of another
            {"match_id": one["match_id"], "handle": other["handle"]}
            for one in real
            for other in real
            if one["match_id"] != other["match_id"]
        ),
        old,
        abroad,
        *({"match_id": one["handle"], "handle": one["match_id"]} for one in real),
        *({**one, key: change(one[key])} for one in real for key in one for change in CHANGES),
    ]
    source = random.Random(20260304)
    while len(guesses) < examples(500, 10_000):
        one = source.choice(list(mine.values()))
        guesses.append(one | {"handle": guess(source)})
        guesses.append({"match_id": guess(source), "handle": source.choice([one["handle"], guess(source)])})
    replies = [peopled.call("POST", "/v1/feedback", {**body, "event": "reported"}) for body in guesses]
    assert {reply.status_code for reply in replies} == {404}
    problem(replies[0], 404, "no-such-handle")
    assert told_apart(replies) == 1
    assert stored(peopled) == stored(peopled, "beacon") == []
    for body in (*mine.values(), *others.values()):  # the true ones do resolve
        tell(peopled, **body, event="reported")
    assert len(stored(peopled)) == 4


CHANGES = (
    str.swapcase,
    lambda text: text[:-1],
    lambda text: text + "=",
    lambda text: text + " ",
    lambda text: "",
    lambda text: text * 400,
    lambda text: text[:-1] + "é",
    lambda text: "%" + text,
)


def guess(source: random.Random) -> str:
    return base64.urlsafe_b64encode(source.randbytes(16)).rstrip(b"=").decode()
