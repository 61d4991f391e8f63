"""The reading against what a database answers: a statement that passes finds and changes the same with and without the
rows of other programmes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    bindparam,
    create_engine,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from service.store.statement_reading import Reading, TenancyError
from tests.conftest import examples

MINE, OTHER = "a", "b"
GIVEN = {"programme": MINE, "other": OTHER}
SHAPE = MetaData()
TABLES = [
    Table(
        name,
        SHAPE,
        Column("id", Integer, primary_key=True),
        Column("programme_id", String, nullable=False),
        Column("name", String, nullable=False),
        Column("number", Integer, nullable=False),
    )
    for name in ("one", "two")
]
ROWS = [
    {"id": at, "programme_id": programme, "name": name, "number": number}
    for at, (programme, name, number) in enumerate(
        ((programme, name, number) for number in (0, 1) for name in "ab" for programme in "ab"), 1
    )
]
"""Names are names of programmes too, and both programmes have the same: what takes one for the other is seen."""


def database(*programmes: str) -> Engine:
    engine = create_engine("sqlite://", enable_from_linting=False)
    SHAPE.create_all(engine)
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(insert(table), [row for row in ROWS if row["programme_id"] in programmes])
    return engine


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Connection, Connection]]:
    """A database of two programmes, and one of the first alone."""
    engines = database(MINE, OTHER), database(MINE)
    with engines[0].connect() as whole, engines[1].connect() as alone:
        yield whole, alone
    for engine in engines:
        engine.dispose()


def column(froms: list[Any], *names: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([one.c[name] for one in froms for name in names])


Draw = Callable[[Any], Any]
MINE_BY_NAME, OTHER_BY_NAME = bindparam("programme"), bindparam("other")
SIMPLE: dict[str, Callable[[Draw, list[Any]], Any]] = {
    "1": lambda draw, froms: draw(column(froms, "programme_id")) == MINE_BY_NAME,
    "2": lambda draw, froms: draw(column(froms, "programme_id")) == draw(column(froms, "programme_id")),
    "3": lambda draw, froms: draw(column(froms, "programme_id", "name")) == draw(column(froms, "programme_id", "name")),
    "4": lambda draw, froms: draw(column(froms, "name")) == MINE_BY_NAME,
    "5": lambda draw, froms: draw(column(froms, "programme_id", "name")) == OTHER_BY_NAME,
    "6": lambda draw, froms: draw(column(froms, "programme_id")).in_(draw(st.lists(st.sampled_from("ab"), max_size=2))),
    "7": lambda draw, froms: draw(column(froms, "programme_id")) != OTHER_BY_NAME,
    "8": lambda draw, froms: draw(column(froms, "number")) == draw(column(froms, "number")),
    "9": lambda draw, froms: func.coalesce(draw(column(froms, "programme_id")), "") == MINE_BY_NAME,
}
MADE_OF_OTHERS: dict[str, Callable[[Draw, list[Any], int], Any]] = {
    "A": lambda draw, froms, depth: and_(draw(conditions(froms, depth)), draw(conditions(froms, depth))),
    "O": lambda draw, froms, depth: or_(draw(conditions(froms, depth)), draw(conditions(froms, depth))),
    "N": lambda draw, froms, depth: not_(draw(conditions(froms, depth))),
    "X": lambda draw, froms, depth: exists(draw(selects(depth, froms))),
    "S": lambda draw, froms, depth: draw(column(froms, "programme_id")).in_(
        draw(selects(depth, froms, ("programme_id",)))
    ),
    "K": lambda draw, froms, depth: draw(column(froms, "id")).in_(draw(selects(depth, froms, ("id",)))),
}


@st.composite
def conditions(draw: st.DrawFn, froms: list[Any], depth: int) -> Any:
    """Return a condition on some FROMs; it binds them to a programme in a right way or in a wrong one."""
    kind = draw(st.sampled_from("11112233456789" + "AAAOONXXSK" * (depth > 0)))
    return SIMPLE[kind](draw, froms) if kind in SIMPLE else MADE_OF_OTHERS[kind](draw, froms, depth - 1)


@st.composite
def sources(draw: st.DrawFn, depth: int) -> tuple[Any, list[Any]]:
    """Return a FROM, and those whose columns it has."""
    kind = draw(st.sampled_from("tttt" + "jjolf" * (depth > -2) + "qqu" * (depth > 0)))
    if kind == "t":
        table = draw(st.sampled_from(TABLES))
        one = draw(st.sampled_from([table, table.alias()]))
        return one, [one]
    if kind == "q":
        one = draw(selects(depth - 1)).subquery()
        return one, [one]
    if kind == "u":
        one = union_all(draw(selects(depth - 1)), draw(selects(depth - 1))).subquery()
        return one, [one]
    left, lefts = draw(sources(depth - 1))
    right, rights = draw(sources(depth - 1))
    condition = and_(*draw(st.lists(conditions(lefts + rights, 0), min_size=1, max_size=2)))
    return left.join(right, condition, isouter=kind in "ol", full=kind == "f"), lefts + rights


@st.composite
def selects(
    draw: st.DrawFn, depth: int, around: Any = (), names: tuple[str, ...] = ("id", "programme_id", "name", "number")
) -> Any:
    """Return a SELECT of columns of some names, most of them what their names say."""
    made, froms = draw(sources(depth))
    some = draw(st.lists(conditions([*froms, *around], depth), max_size=3))
    wrong = draw(st.integers(0, 9)) == 0
    found = [draw(column(froms, "name" if wrong and name == "programme_id" else name)).label(name) for name in names]
    return select(*found).select_from(made).where(*some)


@st.composite
def statements(draw: st.DrawFn) -> Any:
    kind, table = draw(st.sampled_from("sssscnuwd")), draw(st.sampled_from(TABLES))
    if kind in "wd":
        some = draw(st.lists(conditions([table], 1), max_size=2))
        return (update(table).values(number=9) if kind == "w" else delete(table)).where(*some)
    if kind == "u":
        return union_all(draw(selects(1)), draw(selects(1)))
    made = draw(selects(2))
    if kind == "c":
        return select(func.count()).select_from(made.subquery())
    return made.add_columns(draw(selects(0, (), ("number",))).limit(1).scalar_subquery()) if kind == "n" else made


def outcome(connection: Connection, statement: Any) -> Any:
    """Return what a statement finds, or what of the first programme is there after it and how much of the other."""
    try:
        result = connection.execute(statement, GIVEN)
        if result.returns_rows:
            return Counter(tuple(row) for row in result)
        rows = [row for table in TABLES for row in connection.execute(select(table).order_by(table.c.id))]
        return [row for row in rows if row.programme_id == MINE], sum(row.programme_id == OTHER for row in rows) in (
            0,
            8,
        )
    finally:
        connection.rollback()


def bound_to(statement: Any) -> set[str] | None:
    """Return by which names a statement that passes is bound; None if it is refused."""
    try:
        return set(Reading(statement).given)
    except TenancyError:
        return None


CASES = examples(300, 2_000)


def test_what_passes_is_the_same_without_the_rows_of_others(both: tuple[Connection, Connection]) -> None:
    seen: Counter[tuple[str, bool]] = Counter()

    @settings(max_examples=CASES)
    @given(statements())
    def one(statement: Any) -> None:
        try:
            names = bound_to(statement)
            assume(names in (None, {"programme"}))
            same = outcome(both[0], statement) == outcome(both[1], statement)
        except SQLAlchemyError:  # the generator wrote what is no statement
            assume(False)
        assert same or names is None, str(statement)
        seen["refused" if names is None else "passes", same] += 1
        seen["names the programme", same] += "programme_id = :programme" in str(statement)

    one()
    assert seen["passes", True] > CASES / 20
    # The control: statements that tell a programme from another by their text alone do leak.
    assert seen["refused", False] > CASES / 4
    assert seen["names the programme", False] > CASES / 8
