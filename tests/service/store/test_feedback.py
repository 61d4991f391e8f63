from __future__ import annotations

from typing import Any

from matcher.model.feedback import Feedback
from matcher.programme import Programme
from service.store import apart, feed, feedback
from tests.service.installation import Installation, another_programme, record


def event(kind: str, seeker: str = "m-1", by: str = "seeker") -> dict[str, Any]:
    told: dict[str, Any] = {"by": by} if kind in {"accepted", "declined"} else {"rank": 1} if kind == "shown" else {}
    return {"seeker": seeker, "candidate": "m-2", "event": kind, "at": "2026-03-01T10:00:00Z", **told}


def read(programme: Programme, *events: dict[str, Any]) -> list[Feedback]:
    return [Feedback.from_dict(one, programme) for one in events]


def test_the_same_event_twice_is_one(made: Installation) -> None:
    assert made.tell(event("viewed"), event("viewed"), event("shown")) == 2
    assert made.tell(dict(reversed(event("viewed").items())), {**event("rated"), "rating": 5}) == 1
    with made.store.reading() as session:
        assert [one["event"] for one in feedback.all_feedback(session, "lantern")] == ["viewed", "shown", "rated"]


def test_only_decisions_are_changes_to_members(made: Installation) -> None:
    made.add(record("m-1", "seeker"), record("m-2"))
    with made.store.transaction() as session:
        before = feed.latest(session, "lantern")
        feedback.add(session, made.programme, read(made.programme, event("viewed")))
        assert feed.latest(session, "lantern") == before
        feedback.add(session, made.programme, read(made.programme, event("declined"), event("ended")))
        assert feed.latest(session, "lantern")[0] == before[0] + 1
        feedback.add(session, made.programme, read(made.programme, event("declined")))
        assert feed.latest(session, "lantern")[0] == before[0] + 1
        told = feedback.decisions(session, made.programme, [("m-2", "m-1")])
        assert [one.event for one in told] == ["declined", "ended"]
        assert apart.around(session, "lantern", "m-2")["declined"] == {"m-1"}


def test_decisions_of_others_are_not_asked_for(made: Installation) -> None:
    made.tell(event("declined"), event("declined", "m-3"))
    with made.store.reading() as session:
        told = list(feedback.decisions(session, made.programme, [("m-3", "m-2")]))
    assert [one.seeker for one in told] == ["m-3"]


def test_what_is_told_of_a_list_counts_once_however_often(made: Installation) -> None:
    (viewed,) = read(made.programme, event("viewed"))
    (later,) = read(made.programme, {**event("viewed"), "at": "2026-03-02T10:00:00Z"})
    with made.store.transaction() as session:
        assert feedback.add_once(session, made.programme, viewed, "list-1")
        assert not feedback.add_once(session, made.programme, later, "list-1")
        assert feedback.add_once(session, made.programme, later, "list-2")
        assert len(list(feedback.all_feedback(session, "lantern"))) == 2


def test_programmes_keep_their_own(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        beacon = made.app.extensions["peermatch"].pools.programmes.get(session, "beacon")
        assert feedback.add(session, made.programme, read(made.programme, event("viewed"))) == 1
        assert feedback.add(session, beacon, read(beacon, event("viewed"))) == 1
        assert len(list(feedback.all_feedback(session, "beacon"))) == 1


def test_what_can_happen_once_of_a_list_is_stored_once_of_it(made: Installation) -> None:
    viewed, later = read(made.programme, event("viewed"), event("viewed") | {"at": "2026-03-02T10:00:00Z"})
    with made.store.transaction() as session:
        assert feedback.add_once(session, made.programme, viewed, "a list")
        assert not feedback.add_once(session, made.programme, later, "a list")
        assert feedback.add_once(session, made.programme, later, "another list")
        assert [one["at"][:10] for one in feedback.all_feedback(session, "lantern")] == ["2026-03-01", "2026-03-02"]
