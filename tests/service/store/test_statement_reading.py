from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import (
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    lateral,
    literal_column,
    not_,
    or_,
    select,
    text,
    true,
    tuple_,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from service.store.live_tables import ApartRow, GroupPersonRow, GroupRow, GroupWeekRow, HoldRow, LiveRow
from service.store.tables import ActiveModelRow, ApiKeyRow, InstallationRow, MemberRow, PoolRow, ProgrammeRow
from service.store.tenancy import TenancyError, check

MINE = bindparam("programme")
OTHER = bindparam("other")
LIVE = LiveRow.__table__
HERE = LiveRow.programme_id == MINE
SAME = and_(MemberRow.programme_id == LiveRow.programme_id, MemberRow.member_id == LiveRow.member_id)
NAME = LiveRow.member_id == bindparam("name")
FIRST, SECOND = aliased(LiveRow, name="first"), aliased(LiveRow, name="second")
BOUND = select(LiveRow.id, LiveRow.programme_id, LiveRow.member_id).where(HERE)
UNBOUND = select(LiveRow.id, LiveRow.programme_id, LiveRow.member_id)
MY_KEY = select(ApiKeyRow.programme_id).where(ApiKeyRow.programme_id == MINE, ApiKeyRow.id == bindparam("key"))
HELD = select(HoldRow.id).where(HoldRow.member_id == LiveRow.member_id)
A_GROUP = insert(GroupWeekRow).from_select(
    ["programme_id", "group_number", "member_id"],
    select(GroupPersonRow.programme_id, GroupPersonRow.group_number, GroupPersonRow.member_id).where(
        GroupPersonRow.programme_id == MINE
    ),
)
A_GROUP_OF_ANY = insert(GroupWeekRow).from_select(
    ["group_number", "programme_id", "member_id"],
    select(GroupPersonRow.group_number, GroupPersonRow.member_id, GroupPersonRow.programme_id).where(
        GroupPersonRow.programme_id == MINE
    ),
)
THESE = BOUND.cte("these", recursive=True)
NEXT = select(HoldRow.id, HoldRow.member_id.label("programme_id"), HoldRow.kind)
NEW = {"member_id": bindparam("name"), "number": 1}


def upsert(made: Any, *there: str, **values: Any) -> Any:
    return made(PoolRow).values(programme_id=MINE).on_conflict_do_update(index_elements=there, set_=values)


BOUND_STATEMENTS = {
    "a table": select(LiveRow.id).where(HERE),
    "a row": select(LiveRow).where(HERE, NAME),
    "a value in the statement": select(LiveRow.id).where(LiveRow.programme_id == "lantern"),
    "the other way round": select(LiveRow.id).where(LiveRow.programme_id == MINE),
    "through coalesce": select(LiveRow.id).where(func.coalesce(LiveRow.programme_id, "") == MINE),
    "an and of ands": select(LiveRow.id).where(and_(NAME, and_(LiveRow.shown == 1, HERE))),
    "an or beside it": select(LiveRow.id).where(HERE, or_(NAME, LiveRow.shown == 1)),
    "a count": select(func.count()).select_from(LiveRow).where(HERE),
    "a join": select(LiveRow.id, MemberRow.record).join(MemberRow, SAME).where(HERE),
    "a join, bound from its other end": select(LiveRow.id).join(MemberRow, SAME).where(MemberRow.programme_id == MINE),
    "a join of three": select(LiveRow.id)
    .join(MemberRow, SAME)
    .join(ApartRow, ApartRow.programme_id == MemberRow.programme_id)
    .where(HERE),
    "a join, bound in its condition": select(LiveRow.id).join(MemberRow, and_(SAME, HERE)),
    "a join written as a condition": select(LiveRow.id, MemberRow.record).where(SAME, HERE),
    "an outer join": select(LiveRow.id).outerjoin(MemberRow, SAME).where(HERE),
    "an outer join of the same parameter": select(LiveRow.id)
    .outerjoin(MemberRow, MemberRow.programme_id == MINE)
    .where(HERE),
    "a full join, both bound": select(LiveRow.id)
    .join(MemberRow, SAME, full=True)
    .where(HERE, MemberRow.programme_id == MINE),
    "the programme itself": select(ProgrammeRow.digest).where(ProgrammeRow.id == MINE),
    "a join with the programme": select(PoolRow.number, ActiveModelRow.version)
    .join(ProgrammeRow, PoolRow.programme_id == ProgrammeRow.id)
    .outerjoin(ActiveModelRow, ActiveModelRow.programme_id == ProgrammeRow.id)
    .where(ProgrammeRow.id == MINE),
    "a table twice": select(FIRST.id, SECOND.id).where(
        FIRST.programme_id == MINE, SECOND.programme_id == FIRST.programme_id
    ),
    "a union": union_all(
        BOUND, select(HoldRow.id, HoldRow.programme_id, HoldRow.id).where(HoldRow.programme_id == MINE)
    ),
    "of a bound union": select(union(BOUND, BOUND).subquery().c.id),
    "of a bound subquery": select(BOUND.subquery().c.member_id),
    "joined to a bound subquery": select(HoldRow.id).join(
        bound := BOUND.subquery(), HoldRow.programme_id == bound.c.programme_id
    ),
    "a WITH": select(HoldRow.id).join(cte := BOUND.cte("these"), HoldRow.programme_id == cte.c.programme_id),
    "a recursive WITH": select(
        THESE.union_all(NEXT.where(HoldRow.programme_id == MINE, HoldRow.id == THESE.c.id)).c.id
    ),
    "a subquery that is correlated": select(LiveRow.id).where(
        HERE, exists(HELD.where(HoldRow.programme_id == LiveRow.programme_id))
    ),
    "a subquery that is bound by itself": select(LiveRow.id).where(
        HERE, exists(HELD.where(HoldRow.programme_id == MINE))
    ),
    "a subquery among what is selected": select(
        LiveRow.id, HELD.where(HoldRow.programme_id == LiveRow.programme_id).scalar_subquery()
    ).where(HERE),
    "a subquery in the order": select(LiveRow.id)
    .where(HERE)
    .order_by(HELD.where(HoldRow.programme_id == LiveRow.programme_id).scalar_subquery()),
    "the programme, looked up": select(LiveRow.id).where(LiveRow.programme_id == MY_KEY.scalar_subquery()),
    "the programme, one of those looked up": select(LiveRow.id).where(LiveRow.programme_id.in_(MY_KEY)),
    "rows of the same table, looked up": select(LiveRow.member_id).where(
        LiveRow.id.in_(BOUND.with_only_columns(LiveRow.id))
    ),
    "beside a subquery that shares its table": select(LiveRow.id).where(
        HERE, exists(select(HoldRow.id).where(HoldRow.programme_id == LiveRow.programme_id, HoldRow.until > 0))
    ),
    "lateral": select(LiveRow.id)
    .join(lateral(select(HoldRow.id).where(HoldRow.programme_id == LiveRow.programme_id)), true())
    .where(HERE),
    "update": update(LiveRow).where(HERE, NAME).values(free=1),
    "update of a table": update(LIVE).where(LIVE.c.programme_id == MINE, LIVE.c.id == bindparam("row")).values(free=1),
    "update by what a subquery finds": update(LiveRow)
    .where(HERE)
    .values(free=select(PoolRow.number).where(PoolRow.programme_id == LiveRow.programme_id).scalar_subquery()),
    "update with another table": update(LiveRow).where(HERE, SAME).values(free=1),
    "delete": delete(LiveRow).where(HERE),
    "delete with another table": delete(LiveRow).where(HERE, SAME),
    "delete of what a subquery finds": delete(GroupWeekRow).where(
        GroupWeekRow.programme_id == MINE,
        GroupWeekRow.group_number.in_(select(GroupRow.id).where(GroupRow.programme_id == MINE)),
    ),
    "insert": insert(LiveRow).values(programme_id=MINE, **NEW),
    "insert of a value": insert(LiveRow).values(programme_id="lantern", **NEW),
    "insert of rows that come later": insert(LiveRow),
    "insert of what is selected": A_GROUP,
    "insert unless there": sqlite.insert(PoolRow).values(programme_id=MINE).on_conflict_do_nothing(),
    "insert or update": upsert(sqlite.insert, "programme_id", number=1),
    "insert or update, in PostgreSQL": upsert(postgresql.insert, "programme_id", number=1),
    "a table of nobody's": select(InstallationRow.id),
    "no table": select(func.now()),
    "text that names no table of ours": text("PRAGMA quick_check(1)"),
}
"""Statements that read and write one programme, whatever the tables hold."""

LEAKS = {
    "no condition": select(LiveRow.id),
    "no programme": select(LiveRow).where(NAME),
    "a count": select(func.count()).select_from(LiveRow),
    "all programmes": select(ProgrammeRow.id),
    "one side of a join": select(LiveRow.id).join(MemberRow, MemberRow.member_id == LiveRow.member_id).where(HERE),
    "the other side of a join": select(LiveRow.id, MemberRow.record).join(MemberRow, MemberRow.programme_id == MINE),
    "two tables and no join": select(LiveRow.id, MemberRow.record).where(HERE),
    "a join of three, one loose": select(LiveRow.id)
    .join(MemberRow, SAME)
    .join(ApartRow, ApartRow.member_id == MemberRow.member_id)
    .where(HERE),
    "an or": select(LiveRow.id).where(or_(HERE, NAME)),
    "an or deep within": select(LiveRow.id).where(and_(LiveRow.shown == 1, or_(NAME, and_(HERE, LiveRow.free > 0)))),
    "an or of a join": select(LiveRow.id).join(MemberRow, or_(SAME, MemberRow.record.is_(None))).where(HERE),
    "several programmes": select(LiveRow.id).where(LiveRow.programme_id.in_(["lantern", "beacon"])),
    "several parameters": select(LiveRow.id).where(LiveRow.programme_id.in_([MINE, OTHER])),
    "two programmes": select(LiveRow.id).where(or_(HERE, LiveRow.programme_id == OTHER)),
    "another parameter on one side": select(LiveRow.id, MemberRow.record).where(HERE, MemberRow.programme_id == OTHER),
    "any but one": select(LiveRow.id).where(LiveRow.programme_id != MINE),
    "not one": select(LiveRow.id).where(not_(HERE)),
    "not one and": select(LiveRow.id).where(not_(and_(HERE, NAME))),
    "greater": select(LiveRow.id).where(LiveRow.programme_id >= MINE),
    "like": select(LiveRow.id).where(LiveRow.programme_id.like(MINE)),
    "itself": select(LiveRow.id).where(LiveRow.programme_id == LiveRow.programme_id),
    "is not null": select(LiveRow.id).where(LiveRow.programme_id.is_not(None)),
    "a function of it": select(LiveRow.id).where(func.lower(LiveRow.programme_id) == MINE),
    "coalesce of another column": select(LiveRow.id).where(
        func.coalesce(LiveRow.programme_id, LiveRow.member_id) == MINE
    ),
    "another column": select(LiveRow.id).where(LiveRow.member_id == MINE),
    "another table's column": select(LiveRow.id).where(MemberRow.programme_id == MINE),
    "a pair": select(LiveRow.id).where(tuple_(LiveRow.programme_id, LiveRow.member_id).in_([("a", "b"), ("c", "d")])),
    "a condition on what an outer join keeps": select(LiveRow.id).outerjoin(MemberRow, and_(SAME, HERE)),
    "bound by what an outer join may leave empty": select(LiveRow.id).outerjoin(
        MemberRow, and_(SAME, MemberRow.programme_id == MINE)
    ),
    "a full join": select(LiveRow.id, MemberRow.record).join(MemberRow, SAME, full=True).where(HERE),
    "having": select(LiveRow.programme_id).group_by(LiveRow.programme_id).having(HERE),
    "a table twice, bound once": select(FIRST.id, SECOND.id).where(FIRST.programme_id == MINE),
    "a union, one part loose": union_all(BOUND, UNBOUND),
    "a union of two programmes": union_all(BOUND, UNBOUND.where(LiveRow.programme_id == OTHER)),
    "of a loose subquery": select(UNBOUND.subquery().c.id),
    "of a loose subquery, bound from outside": select((loose := UNBOUND.subquery()).c.id).where(
        loose.c.programme_id == MINE
    ),
    "joined to another column of a bound subquery": select(HoldRow.id).join(
        named := BOUND.subquery(), HoldRow.programme_id == named.c.member_id
    ),
    "joined to a union in another order": select(HoldRow.id).join(
        mixed := union_all(
            BOUND.with_only_columns(LiveRow.programme_id, LiveRow.member_id),
            BOUND.with_only_columns(LiveRow.member_id, LiveRow.programme_id),
        ).subquery(),
        HoldRow.programme_id == mixed.c.programme_id,
    ),
    "a loose WITH": select(UNBOUND.cte("these").c.id),
    "a WITH that nobody reads": BOUND.add_cte(UNBOUND.cte("these")),
    "a recursive WITH whose next round may be another's": select(
        THESE.union_all(NEXT.where(HoldRow.programme_id == THESE.c.programme_id)).c.id
    ),
    "a loose subquery": select(LiveRow.id).where(HERE, exists(HELD)),
    "a loose subquery in an or": select(LiveRow.id).where(HERE, or_(NAME, LiveRow.id.in_(select(ApartRow.takes)))),
    "a loose subquery among what is selected": select(LiveRow.id, HELD.scalar_subquery()).where(HERE),
    "a loose subquery in the order": select(LiveRow.id).where(HERE).order_by(HELD.scalar_subquery()),
    "a loose subquery in a join": select(LiveRow.id).join(MemberRow, and_(SAME, exists(HELD))).where(HERE),
    "a subquery that is not correlated": select(LiveRow.id).where(
        HERE, exists(HELD.where(HoldRow.programme_id == LiveRow.programme_id).correlate(None))
    ),
    "a subquery among the FROMs of one that is": select(LiveRow.id).where(
        HERE, exists(select(HELD.where(HoldRow.programme_id == LiveRow.programme_id).subquery().c.id))
    ),
    "a subquery of its own table alone": select(LiveRow.id).where(HERE, exists(select(LiveRow.id).where(NAME))),
    "correlated to what is loose": select(LiveRow.id).where(
        exists(HELD.where(HoldRow.programme_id == LiveRow.programme_id))
    ),
    "bound within a subquery alone": select(LiveRow.id).where(exists(HELD.where(HERE, HoldRow.programme_id == MINE))),
    "the programme, looked up anywhere": select(LiveRow.id).where(
        LiveRow.programme_id == select(ApiKeyRow.programme_id).where(ApiKeyRow.id == bindparam("key")).scalar_subquery()
    ),
    "another column, looked up": select(LiveRow.id).where(
        LiveRow.programme_id.in_(select(ApiKeyRow.label).where(ApiKeyRow.programme_id == MINE))
    ),
    "not among those looked up": select(LiveRow.id).where(LiveRow.programme_id.not_in(MY_KEY)),
    "rows of another table, looked up": select(GroupPersonRow.member_id).where(
        GroupPersonRow.group_number.in_(select(GroupRow.id).where(GroupRow.programme_id == MINE))
    ),
    "rows by what is no key, looked up": select(LiveRow.id).where(
        LiveRow.member_id.in_(BOUND.with_only_columns(LiveRow.member_id))
    ),
    "lateral": select(LiveRow.id).join(lateral(select(HoldRow.id)), true()).where(HERE),
    "update": update(LiveRow).values(free=1),
    "update by another column": update(LiveRow).where(LiveRow.id == bindparam("row")).values(free=1),
    "update by a loose subquery": update(LiveRow).where(HERE).values(free=select(PoolRow.number).scalar_subquery()),
    "update with a loose table": update(LiveRow).where(HERE, LiveRow.member_id == MemberRow.member_id).values(free=1),
    "update bound by another table": update(LiveRow).where(MemberRow.programme_id == MINE).values(free=1),
    "update to another programme": update(LiveRow).where(HERE).values(programme_id=OTHER),
    "delete": delete(LiveRow),
    "delete with a loose table": delete(LiveRow).where(HERE, LiveRow.member_id == MemberRow.member_id),
    "delete of what a loose subquery finds": delete(LiveRow).where(HERE, LiveRow.id.in_(select(ApartRow.takes))),
    "insert of what is selected loosely": insert(LiveRow).from_select(["programme_id", "id"], UNBOUND),
    "insert of what is selected in another order": A_GROUP_OF_ANY,
    "insert without a programme": insert(LiveRow).values([{"member_id": "a"}, {"member_id": "b"}]),
    "insert of several programmes": insert(LiveRow).values([{"programme_id": MINE}, {"programme_id": OTHER}]),
    "insert or update of another row": upsert(sqlite.insert, "number", additions=1),
    "insert or update to another programme": upsert(postgresql.insert, "programme_id", programme_id=OTHER),
    "insert or replace": insert(PoolRow).values(programme_id=MINE).prefix_with("OR REPLACE"),
    "text": text("SELECT id FROM live WHERE programme_id = :programme"),
    "text in a condition": select(LiveRow.id).where(HERE, text("1 = 1 OR 1 = 1")),
    "text among what is selected": select(LiveRow.id, literal_column("(SELECT count(*) FROM holds)")).where(HERE),
}
"""Statements that may read or write more than one programme; the store must run none of them."""


@pytest.mark.parametrize("name", BOUND_STATEMENTS)
def test_a_statement_of_one_programme_passes(name: str) -> None:
    check(BOUND_STATEMENTS[name])


@pytest.mark.parametrize("name", LEAKS)
def test_a_statement_that_may_reach_another_is_refused(name: str) -> None:
    with pytest.raises(TenancyError) as refused:
        check(LEAKS[name])
    assert "every_programme" in refused.value.message or "changes its programme" in refused.value.message


@pytest.mark.parametrize("name", LEAKS)
def test_what_is_about_all_programmes_on_purpose_passes(name: str) -> None:
    check(LEAKS[name].execution_options(every_programme=True))
