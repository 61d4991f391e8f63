from __future__ import annotations

from typing import Any

from service.store import feedback, programmes
from tests.service.installation import Installation, another_programme


def event(kind: str, seeker: str = "m-1") -> dict[str, Any]:
    return {"seeker": seeker, "candidate": "m-2", "event": kind, "at": "2026-03-01T10:00:00Z"}


def test_the_same_event_twice_is_one(made: Installation) -> None:
    with made.store.transaction() as session:
        assert feedback.add(session, "lantern", [event("viewed"), event("viewed"), event("shown")]) == 2
        assert feedback.add(session, "lantern", [dict(reversed(event("viewed").items())), event("rated")]) == 1
        assert [one["event"] for one in feedback.all_feedback(session, "lantern")] == ["viewed", "shown", "rated"]


def test_only_answers_change_the_pool(made: Installation) -> None:
    with made.store.transaction() as session:
        before = programmes.pool_revision(session, "lantern")
        feedback.add(session, "lantern", [event("viewed")])
        assert programmes.pool_revision(session, "lantern") == before
        feedback.add(session, "lantern", [event("declined"), event("ended")])
        assert programmes.pool_revision(session, "lantern") == before + 1
        feedback.add(session, "lantern", [event("declined")])
        assert programmes.pool_revision(session, "lantern") == before + 1
        assert [one["event"] for one in feedback.decisions(session, "lantern")] == ["declined", "ended"]


def test_programmes_keep_their_own(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        assert feedback.add(session, "lantern", [event("viewed")]) == 1
        assert feedback.add(session, "beacon", [event("viewed")]) == 1
        assert len(list(feedback.all_feedback(session, "beacon"))) == 1
