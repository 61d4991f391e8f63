from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from service.store import feedback, members, programmes
from tests.service.installation import NOON, Installation, another_programme, record

TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)


def pool(session: Session) -> int:
    return programmes.pool_revision(session, "lantern")


def put(session: Session, one: dict[str, Any], visible_from: date = TODAY) -> tuple[members.Stored, bool]:
    return members.upsert(session, "lantern", one, now=NOON, visible_from=visible_from)


def test_a_member_is_stored_replaced_and_erased(made: Installation) -> None:
    with made.store.transaction() as session:
        assert members.get(session, "lantern", "m-1") is None
        first, new = put(session, record("m-1"))
        assert new
        second, new = put(session, record("m-1", capacity=4))
        assert not new
        assert second.revision > first.revision
    with made.store.transaction() as session:
        assert members.get(session, "lantern", "m-1") == second
        assert members.count(session, "lantern") == 1
        assert members.delete(session, "lantern", "m-1", now=NOON)
        assert not members.delete(session, "lantern", "m-1", now=NOON)
        assert members.get(session, "lantern", "m-1") is None
        third, new = put(session, record("m-1"))
        assert new
        assert third.revision > second.revision  # an ETag of before the deletion is never right again


def test_only_what_changes_todays_pool_bumps_it(made: Installation) -> None:
    with made.store.transaction() as session:
        before = pool(session)
        put(session, record("later"), TOMORROW)
        put(session, record("later", capacity=2), TOMORROW)
        members.delete(session, "lantern", "later", now=NOON)
        assert pool(session) == before
        put(session, record("now"))
        put(session, record("now", capacity=2))
        members.delete(session, "lantern", "now", now=NOON)
        assert pool(session) == before + 3


def test_who_is_visible_stays_so_when_replaced(made: Installation) -> None:
    with made.store.transaction() as session:
        put(session, record("m-1"))
        stored, _ = put(session, record("m-1", capacity=2), TOMORROW)
        assert stored.visible_from == TODAY


def test_visible_members_are_those_of_the_day_by_id(made: Installation) -> None:
    with made.store.transaction() as session:
        put(session, record("b"))
        put(session, record("a"))
        put(session, record("c"), TOMORROW)
        assert [stored.member_id for stored in members.visible_members(session, "lantern", TODAY)] == ["a", "b"]
        assert [stored.member_id for stored in members.visible_members(session, "lantern", TOMORROW)] == ["a", "b", "c"]
        assert [stored.member_id for stored in members.all_members(session, "lantern")] == ["a", "b", "c"]
        assert members.show_all(session, "lantern", TODAY) == 1
        assert members.show_all(session, "lantern", TODAY) == 0
        assert len(list(members.visible_members(session, "lantern", TODAY))) == 3


def test_many_are_stored_in_one_go(made: Installation) -> None:
    many = [record(f"m-{number:04}") for number in range(1200)]
    with made.store.transaction() as session:
        put(session, record("m-0007"), TOMORROW)
        before = pool(session)
        assert members.upsert_many(session, "lantern", many, now=NOON, visible_from=TODAY) == (1199, 1)
        assert pool(session) == before + 1
        assert members.upsert_many(session, "lantern", [], now=NOON, visible_from=TODAY) == (0, 0)
        assert members.count(session, "lantern") == 1200
        found = list(members.visible_members(session, "lantern", TODAY))
        assert len({stored.revision for stored in found}) == 1200
        assert len(members.revisions(session, "lantern", ["m-0001", "m-0002", "none"])) == 2


def test_members_of_another_programme_are_not_there(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        put(session, record("m-1"))
        assert members.get(session, "beacon", "m-1") is None
        assert list(members.all_members(session, "beacon")) == []
        assert members.revisions(session, "beacon", ["m-1"]) == {}
        assert not members.delete(session, "beacon", "m-1", now=NOON)
        assert members.count(session, "lantern") == 1


def test_erasure_takes_the_feedback_along(made: Installation) -> None:
    with made.store.transaction() as session:
        put(session, record("m-1"))
        events = [
            {"seeker": "m-1", "candidate": "m-2", "event": "viewed"},
            {"seeker": "m-3", "candidate": "m-1", "event": "viewed"},
            {"seeker": "m-3", "candidate": "m-2", "event": "viewed"},
        ]
        assert feedback.add(session, "lantern", events) == 3
        members.delete(session, "lantern", "m-1", now=NOON)
        assert list(feedback.all_feedback(session, "lantern")) == events[2:]


def test_an_erased_record_is_gone_from_the_file(made: Installation) -> None:
    with made.store.transaction() as session:
        put(session, record("m-1", profile={"statement": "canary-word"}))
    with made.store.transaction() as session:
        members.delete(session, "lantern", "m-1", now=NOON)
    made.store.close()  # the last connection folds the write-ahead log into the file
    made.app.extensions["peermatch"].store.close()
    for path in made.settings.home.glob("peermatch.db*"):
        assert b"canary-word" not in path.read_bytes()
