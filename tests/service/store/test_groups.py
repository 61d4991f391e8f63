"""Groups in the store: records, who is in them, and who was when the week began."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher.support_group import Group
from service.store import deletion, feed, group_scene, groups, names
from service.store.live_tables import GroupPersonRow, GroupWeekRow
from tests.service.group_records import group
from tests.service.installation import NOON, Installation, another_programme, record

WEDNESDAY = NOON
MONDAY = datetime(2026, 3, 9, tzinfo=NOON.tzinfo)
PEOPLE = ("f-1", "f-2", "m-1", "m-2", "m-3")


@pytest.fixture
def people(made: Installation) -> Installation:
    made.add(*(record(name) for name in PEOPLE))
    return made


def put(made: Installation, session: Session, now: datetime = NOON, **changes: Any) -> tuple[groups.Stored, bool]:
    read = Group.from_dict(group(**changes), made.programme)
    return groups.upsert(session, made.programme, read, now=now)


def roster(made: Installation, now: datetime) -> set[str]:
    """Return the roster of the one group in the week of `now`, as a request reads it."""
    with made.store.hot.reading() as reader:
        (one,) = group_scene.groups(reader, "lantern")
        content = group_scene.contents(reader, "lantern", [one.id])[one.id]
    return set(content.frozen if content.week >= groups.week(now) else content.members)


def rows(made: Installation, table: Any) -> int:
    query = select(func.count()).select_from(table)
    with made.store.reading() as session:
        return session.scalar(query.execution_options(every_programme=True)) or 0


@pytest.mark.parametrize("days", range(21))
def test_a_week_begins_on_monday(days: int) -> None:
    day = WEDNESDAY + timedelta(days=days)
    monday = day - timedelta(days=day.weekday())
    assert groups.week(day) == monday.toordinal()
    assert groups.week(MONDAY - timedelta(microseconds=1)) == groups.week(WEDNESDAY) == groups.week(MONDAY) - 7


def test_a_group_is_stored_replaced_and_deleted(people: Installation) -> None:
    with people.store.transaction() as session:
        assert groups.get(session, "lantern", "g-1") is None
        first, new = put(people, session, members=["m-2", "m-1"])
        assert new
        assert first.record == Group.from_dict(group(members=["m-1", "m-2"]), people.programme).to_dict()
        assert list(first.record) == list(Group.from_dict(group(), people.programme).to_dict())
        second, new = put(people, session, name="Another")
        assert not new
        assert second.revision > first.revision
        assert second.id == first.id
        assert second.record["members"] == []
    with people.store.transaction() as session:
        assert groups.get(session, "lantern", "g-1") == second
        assert names.of(session, "lantern", "group", second.id) == "g-1"
        assert names.of(session, "beacon", "group", second.id) is None
        assert groups.delete(session, "lantern", "g-1")
        assert not groups.delete(session, "lantern", "g-1")
        assert groups.get(session, "lantern", "g-1") is None
        third, new = put(people, session)
        assert new
        assert third.revision > second.revision  # an ETag of before is never right again
        assert third.id > second.id  # and the number in lists names nothing any more
        assert names.of(session, "lantern", "group", second.id) is None


def test_what_is_stored_already_changes_nothing(people: Installation) -> None:
    with people.store.transaction() as session:
        stored, _ = put(people, session, members=["m-1"])
        before = feed.latest(session, "lantern")
        assert put(people, session, NOON + timedelta(days=9), members=["m-1"]) == (stored, False)
        assert feed.latest(session, "lantern") == before


def test_a_change_may_let_somebody_into_lists_and_says_what_it_is_of(people: Installation) -> None:
    """Who only came or went changes nothing that was said of the group."""
    with people.store.transaction() as session:
        put(people, session)
    seen = []
    for changes in ({"members": ["m-1"]}, {"members": ["m-1"], "name": "Another"}):
        with people.store.transaction() as session:
            put(people, session, **changes)
            latest = feed.latest(session, "lantern")
            assert latest[0] == latest[1]
        with people.store.hot.reading() as reader:
            (now,) = group_scene.groups(reader, "lantern")
            assert group_scene.some_groups(reader, "lantern", [now.id, 10**6]) == [now]
            assert now.number == latest[0]
            seen.append((now.revision, now.number))
    assert seen[0][0] < seen[0][1]
    assert seen[1][0] == seen[1][1]


def test_groups_of_another_programme_are_none(people: Installation) -> None:
    another_programme(people, "beacon")
    with people.store.transaction() as session:
        stored, _ = put(people, session)
        assert groups.get(session, "beacon", "g-1") is None
        assert not groups.delete(session, "beacon", "g-1")
        groups.leave_all(session, "beacon", "f-1", 1)
    with people.store.hot.reading() as reader:
        assert group_scene.groups(reader, "beacon") == []
        assert group_scene.some_groups(reader, "beacon", [stored.id]) == []
        assert group_scene.contents(reader, "beacon", [stored.id]) == {}
        assert group_scene.people(reader, "beacon", [stored.id], after=0) == []
        assert group_scene.changed(reader, "beacon", now=2**62, after=0) == []
        assert group_scene.unsure(reader, "beacon", [stored.id], now=2**62, day=0, after=0) == []
    with people.store.reading() as session:
        assert groups.get(session, "lantern", "g-1") == stored


def test_the_roster_of_a_week_is_who_was_there_when_it_began(people: Installation) -> None:
    with people.store.transaction() as session:
        put(people, session, members=["m-1", "m-2"])  # a new group: those it was made with
    assert roster(people, WEDNESDAY) == {"m-1", "m-2"}
    for who in (["m-1", "m-2", "m-3"], ["m-3"], []):
        with people.store.transaction() as session:
            put(people, session, members=who)
        assert roster(people, WEDNESDAY) == {"m-1", "m-2"}
    with people.store.transaction() as session:
        put(people, session, members=["m-2"])
    assert roster(people, MONDAY - timedelta(microseconds=1)) == {"m-1", "m-2"}
    assert roster(people, MONDAY) == {"m-2"}
    with people.store.transaction() as session:
        put(people, session, MONDAY, members=["m-3"])
    assert roster(people, MONDAY) == {"m-2"}
    assert roster(people, MONDAY + timedelta(days=7)) == {"m-3"}
    assert roster(people, MONDAY - timedelta(microseconds=1)) == {"m-2"}, "a request that began before midnight"


def test_who_runs_a_group_is_not_in_its_roster_and_changes_none(people: Installation) -> None:
    with people.store.transaction() as session:
        put(people, session, members=["m-1"])
        put(people, session, members=["m-1"], facilitators=["f-2", "f-1"])
    assert rows(people, GroupWeekRow) == 0
    assert roster(people, WEDNESDAY) == {"m-1"}


def test_rosters_of_weeks_that_are_over_are_deleted(people: Installation) -> None:
    with people.store.transaction() as session:
        put(people, session, members=["m-1", "m-2"])
        put(people, session, members=["m-1"])
        groups.forget_weeks(session, "lantern", MONDAY - timedelta(microseconds=1))
    assert rows(people, GroupWeekRow) == 2
    with people.store.transaction() as session:
        groups.forget_weeks(session, "beacon", MONDAY)
        put(people, session, MONDAY, group_id="g-2")  # any change of any group will do
    assert rows(people, GroupWeekRow) == 0


def test_whoever_is_erased_leaves_every_group_and_every_roster(people: Installation) -> None:
    with people.store.transaction() as session:
        put(people, session, members=["m-1", "m-2"])
        put(people, session, members=["m-2"])  # m-1 is in the roster alone
        put(people, session, group_id="g-2", members=["m-3"], facilitators=["f-1", "f-2"])
        before = {name: groups.get(session, "lantern", name) for name in ("g-1", "g-2")}
    for name, touched in (("m-1", ["g-1"]), ("f-1", ["g-1", "g-2"]), ("m-3", ["g-2"])):
        with people.store.transaction() as session:
            assert deletion.delete(session, "lantern", name, now=NOON)
        with people.store.reading() as session:
            after = {group_id: groups.get(session, "lantern", group_id) for group_id in before}
            changed = [key for key in before if after[key].revision != before[key].revision]  # type: ignore[union-attr]
            assert changed == touched
            for table in (GroupPersonRow, GroupWeekRow):
                theirs = (table.programme_id == "lantern", table.member_id == name)
                assert session.scalar(select(func.count()).where(*theirs)) == 0
        before = after
    assert before["g-1"].record["facilitators"] == []  # type: ignore[union-attr]
    assert before["g-2"].record["members"] == []  # type: ignore[union-attr]


def test_a_group_of_more_people_and_more_groups_than_one_statement_looks_up(people: Installation) -> None:
    crowd = [f"c-{number:03}" for number in range(90)]
    people.add(*(record(name) for name in crowd))
    with people.store.transaction() as session:
        ids = [
            put(people, session, group_id=f"g-{number:02}", members=crowd, capacity=100)[0].id for number in range(40)
        ]
    with people.store.hot.reading() as reader:
        assert [row.id for row in group_scene.groups(reader, "lantern")] == ids
        found = group_scene.contents(reader, "lantern", ids)
        assert {number: set(content.members) for number, content in found.items()} == {one: set(crowd) for one in ids}
        everybody = group_scene.people(reader, "lantern", ids, after=0)
        assert sorted(live.member_id for live, _ in everybody) == [*crowd, "f-1"]
        assert [live.member_id for live, _ in group_scene.people(reader, "lantern", ids, after=10**9)] == ["f-1"]


def test_a_name_that_no_database_can_look_for_is_none(people: Installation) -> None:
    with people.store.reading() as session:
        assert groups.get(session, "lantern", "g\x00") is None
