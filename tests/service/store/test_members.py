from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store import deletion, feed, feedback, lists, live, members, names, scene
from service.store.live_tables import GoneRow, ListRow, LiveRow
from service.store.moments import FOREVER, micros
from tests.service.databases import SQLITE, only
from tests.service.installation import NOON, Installation, another_programme, consent, record

TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)
HOUR = timedelta(hours=1)


class Members:
    """Puts members into one open transaction."""

    def __init__(self, made: Installation, session: Session) -> None:
        self.made, self.session = made, session

    def put(self, one: dict[str, Any], visible_from: date = TODAY, now: datetime = NOON) -> tuple[members.Stored, bool]:
        member = self.made.member(one)
        return members.upsert(self.session, self.made.programme, member, now=now, visible_from=visible_from)

    def row(self, member_id: str) -> LiveRow:
        theirs = (LiveRow.programme_id == "lantern", LiveRow.member_id == member_id)
        return self.session.scalars(select(LiveRow).where(*theirs)).one()


def test_a_member_is_stored_replaced_and_erased(made: Installation) -> None:
    with made.store.transaction() as session:
        here = Members(made, session)
        assert members.get(session, "lantern", "m-1") is None
        first, new = here.put(record("m-1"))
        assert new
        second, new = here.put(record("m-1", capacity=4))
        assert not new
        assert second.revision > first.revision
        assert second.id == first.id
    with made.store.transaction() as session:
        here = Members(made, session)
        assert members.get(session, "lantern", "m-1") == second
        assert members.count(session, "lantern") == 1
        assert deletion.delete(session, "lantern", "m-1", now=NOON)
        assert not deletion.delete(session, "lantern", "m-1", now=NOON)
        assert members.get(session, "lantern", "m-1") is None
        third, new = here.put(record("m-1"))
        assert new
        assert third.revision > second.revision  # an ETag of before the deletion is never right again
        assert third.id > second.id  # and the number means nobody any more


def test_a_number_is_never_given_twice(made: Installation) -> None:
    given = set()
    for _ in range(5):
        with made.store.transaction() as session:
            stored, _ = Members(made, session).put(record("m-1"))
            given.add(stored.id)
        with made.store.transaction() as session:
            deletion.delete(session, "lantern", "m-1", now=NOON)
    assert len(given) == 5
    with made.store.reading() as session:
        assert set(session.scalars(select(GoneRow.live_id).where(GoneRow.programme_id == "lantern"))) == given


def test_every_change_has_a_number_and_the_same_again_is_none(made: Installation) -> None:
    with made.store.transaction() as session:
        here = Members(made, session)
        before = feed.latest(session, "lantern")[0]
        first, _ = here.put(record("m-1"))
        assert feed.latest(session, "lantern")[0] == before + 1
        assert here.put(record("m-1")) == (first, False)
        assert feed.latest(session, "lantern")[0] == before + 1
        second, _ = here.put(record("m-1", capacity=2))
        assert (second.revision, feed.latest(session, "lantern")[0]) == (before + 2, before + 2)
        deletion.delete(session, "lantern", "m-1", now=NOON)
        assert feed.latest(session, "lantern") == (before + 3, before + 3)
        numbers = select(GoneRow.number).where(GoneRow.programme_id == "lantern")
        assert session.scalars(numbers).all() == [before + 3]


def test_only_who_may_be_seen_today_counts_as_an_addition(made: Installation) -> None:
    with made.store.transaction() as session:
        here = Members(made, session)
        additions = feed.latest(session, "lantern")[1]
        here.put(record("later"), TOMORROW)
        here.put(record("later", capacity=2), TOMORROW)
        assert feed.latest(session, "lantern")[1] == additions
        here.put(record("now"))
        number, additions = feed.latest(session, "lantern")
        assert number == additions


def test_the_live_row_follows_from_the_record(made: Installation) -> None:
    ends, begins = NOON + HOUR, NOON + 2 * HOUR
    events = [
        consent("be_shown_as_peer", valid_until=f"{ends:%Y-%m-%dT%H:%M:%SZ}"),
        consent("show_reasons", at=begins),
    ]
    with made.store.transaction() as session:
        here = Members(made, session)
        here.put(record("m-1", capacity=3, consents=events))
        row = here.row("m-1")
        assert (row.accepted, row.shown, row.capacity, row.free, row.held_until) == (1, 1, 3, 3, 0)
        assert row.edge == micros(ends)
    with made.store.transaction() as session:
        here = Members(made, session)
        here.put(record("m-1", capacity=2, consents=events), now=ends)
        row = here.row("m-1")
        assert (row.shown, row.free, row.edge) == (0, 2, micros(begins))
    with made.store.transaction() as session:
        here = Members(made, session)
        here.put(record("m-1", capacity=1, consents=events), now=begins)
        assert here.row("m-1").edge == FOREVER


def test_an_edit_keeps_what_stands_beside_the_record(made: Installation) -> None:
    made.add(record("m-1", "seeker"), record("m-2", capacity=3))
    both = [
        {"seeker": "m-1", "candidate": "m-2", "event": "accepted", "by": by, "at": "2026-03-01T10:00:00Z"}
        for by in ("seeker", "candidate")
    ]
    made.tell(*both)
    with made.store.transaction() as session:
        live.touch(session, "lantern", "m-2", adds=False, held_until=FOREVER)
        here = Members(made, session)
        here.put(record("m-2", capacity=5), TOMORROW)
        row = here.row("m-2")
        assert (row.free, row.held_until, row.visible_from) == (4, FOREVER, TODAY.toordinal())
    made.add(record("m-2", capacity=1))
    with made.store.reading() as session:
        row = Members(made, session).row("m-2")
        assert (row.free, row.held_until) == (0, FOREVER)


def test_who_is_visible_stays_so_when_replaced(made: Installation) -> None:
    with made.store.transaction() as session:
        here = Members(made, session)
        here.put(record("m-1"))
        stored, _ = here.put(record("m-1", capacity=2), TOMORROW)
        assert stored.visible_from == TODAY


def test_who_waits_is_seen_at_once_when_imported(made: Installation) -> None:
    with made.store.transaction() as session:
        here = Members(made, session)
        here.put(record("m-1"), TOMORROW)
        here.put(record("m-2"), TODAY)
        people = [made.member(record("m-1")), made.member(record("m-2"))]
        members.upsert_many(session, made.programme, people, now=NOON, visible_from=TODAY)
        assert here.row("m-1").visible_from == TODAY.toordinal()
        members.upsert_many(session, made.programme, people, now=NOON, visible_from=TOMORROW)
        assert here.row("m-2").visible_from == TODAY.toordinal()


def test_visible_members_are_those_of_the_day_by_id(made: Installation) -> None:
    with made.store.transaction() as session:
        here = Members(made, session)
        here.put(record("b"))
        here.put(record("a"))
        here.put(record("c"), TOMORROW)
        assert [stored.member_id for stored in members.visible_members(session, "lantern", TODAY)] == ["a", "b"]
        assert [stored.member_id for stored in members.visible_members(session, "lantern", TOMORROW)] == ["a", "b", "c"]
        assert [stored.member_id for stored in members.all_members(session, "lantern")] == ["a", "b", "c"]
        before = feed.latest(session, "lantern")[0]
        assert members.show_all(session, "lantern", TODAY) == 1
        assert members.show_all(session, "lantern", TODAY) == 0
        assert feed.latest(session, "lantern") == (before + 1, before + 1)
        assert len(list(members.visible_members(session, "lantern", TODAY))) == 3
    with made.store.hot.reading() as reader:
        assert [row.member_id for row in scene.changed(reader, "lantern", before, 10)] == ["c"]


def test_many_are_stored_in_one_go(made: Installation) -> None:
    many = [made.member(record(f"m-{number:04}")) for number in range(1200)]
    with made.store.transaction() as session:
        Members(made, session).put(record("m-0007"), TOMORROW)
        before = feed.latest(session, "lantern")[0]
        assert members.upsert_many(session, made.programme, many, now=NOON, visible_from=TODAY) == (1199, 1)
        assert feed.latest(session, "lantern") == (before + 1200, before + 1200)
        assert members.upsert_many(session, made.programme, [], now=NOON, visible_from=TODAY) == (0, 0)
        assert members.count(session, "lantern") == 1200
        found = list(members.visible_members(session, "lantern", TODAY))
        assert len({stored.revision for stored in found}) == 1200
        assert len({stored.id for stored in found}) == 1200
        assert len(members.revisions(session, "lantern", ["m-0001", "m-0002", "none"])) == 2
    with made.store.hot.reading() as reader:
        assert len(scene.changed(reader, "lantern", before, 2000)) == 1200


def test_of_two_of_one_id_the_later_stands(made: Installation) -> None:
    twice = [made.member(record("m-1", capacity=capacity)) for capacity in (2, 7)]
    with made.store.transaction() as session:
        assert members.upsert_many(session, made.programme, twice, now=NOON, visible_from=TODAY) == (1, 0)
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        assert stored.record["capacity"] == 7


def test_members_of_another_programme_are_not_there(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        stored, _ = Members(made, session).put(record("m-1"))
        assert members.get(session, "beacon", "m-1") is None
        assert names.of(session, "beacon", "buddy", stored.id) is None
        assert names.of(session, "lantern", "buddy", stored.id) == "m-1"
        assert list(members.all_members(session, "beacon")) == []
        assert members.revisions(session, "beacon", ["m-1"]) == {}
        assert not deletion.delete(session, "beacon", "m-1", now=NOON)
        assert members.count(session, "lantern") == 1


def test_erasure_takes_the_feedback_along(made: Installation) -> None:
    made.add(record("m-1"))
    events = [
        {"seeker": "m-1", "candidate": "m-2", "event": "viewed", "at": "2026-03-01T10:00:00Z"},
        {"seeker": "m-3", "candidate": "m-1", "event": "viewed", "at": "2026-03-01T10:00:00Z"},
        {"seeker": "m-3", "candidate": "m-2", "event": "viewed", "at": "2026-03-01T10:00:00Z"},
    ]
    assert made.tell(*events) == 3
    with made.store.transaction() as session:
        deletion.delete(session, "lantern", "m-1", now=NOON)
        kept = [(one["seeker"], one["candidate"]) for one in feedback.all_feedback(session, "lantern")]
        assert kept == [("m-3", "m-2")]


def test_erasure_takes_the_lists_along_and_leaves_a_number_in_those_of_others(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("s-2", "seeker"), *(record(f"p-{number:02}") for number in range(12)))
    for seeker in ("s-1", "s-2"):
        assert made.match(seeker)["outcome"] == "matched"
    with made.store.transaction() as session:
        gone = members.get(session, "lantern", "p-03")
        assert gone is not None
        for member_id in ("s-1", "p-03"):
            assert deletion.delete(session, "lantern", member_id, now=NOON)
        (row,) = session.scalars(select(ListRow).execution_options(every_programme=True))
        assert names.of(session, "lantern", "buddy", row.seeker_id) == "s-2"
        assert b"p-03" not in row.entries + row.shown
        assert names.of(session, "lantern", "buddy", gone.id) is None
    with made.store.hot.reading() as reader:
        kept = lists.by_match_id(reader, "lantern", row.match_id)
    assert kept is not None
    assert gone.id in {entry.id for entry in kept.entries}


@only(SQLITE, "The files of PostgreSQL are looked into in test_postgresql.py.")
def test_an_erased_record_is_gone_from_the_file(made: Installation) -> None:
    made.add(record("s-1", "seeker"))
    with made.store.transaction() as session:
        planted = record("canary-id", profile={"channel": ["phone"], "experiences": ["surgery", "lumpectomy"]})
        planted["profile"]["statement"] = "canary-word"
        Members(made, session).put(planted)
    assert made.match("s-1")["outcome"] == "matched"
    with made.store.transaction() as session:
        deletion.delete(session, "lantern", "canary-id", now=NOON)
    made.store.close()  # the last connection folds the write-ahead log into the file
    made.app.extensions["peermatch"].store.close()
    for path in made.settings.home.glob("peermatch.db*"):
        assert b"canary-word" not in path.read_bytes()
        assert b"canary-id" not in path.read_bytes()
