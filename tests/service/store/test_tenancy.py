from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, String, bindparam, create_engine, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from matcher.errors import PeermatchError
from service.store import statement_reading, tenancy
from service.store.hot import Statement
from service.store.live_tables import LiveRow
from service.store.tables import ApiKeyRow
from service.store.tenancy import TenancyError, guard
from tests.service.installation import Installation, record

ALL = {"every_programme": True}


class Shape(DeclarativeBase):
    pass


class Note(Shape):
    """Belongs to a programme, and its key tells which."""

    __tablename__ = "notes"
    programme_id: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[int]


class Mark(Shape):
    """Belongs to a programme, and its key does not tell which."""

    __tablename__ = "marks"
    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[str]
    number: Mapped[int]


NOTE, MARK = Note.__table__, Mark.__table__


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A guarded database with a row of each of two programmes in each table."""
    made = create_engine("sqlite://")
    guard(made)
    Shape.metadata.create_all(made)
    for one in "ab":
        with Session(made) as session, session.begin():
            session.add_all([Note(programme_id=one, name="x", number=0), Mark(programme_id=one, number=0)])
    yield made
    made.dispose()


def whole(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect().execution_options(**ALL) as connection:
        return [tuple(row) for table in (NOTE, MARK) for row in connection.execute(select(table))]


REFUSED = {
    "select": lambda session: session.execute(select(Note.name)),
    "rows": lambda session: session.scalars(select(Note)).all(),
    "count": lambda session: session.scalar(select(func.count()).select_from(Mark)),
    "the old way": lambda session: session.query(Note).filter(Note.name == "x").all(),
    "get by a key without the programme": lambda session: session.get(Mark, 1),
    "update": lambda session: session.execute(update(Note).values(number=1)),
    "update by key": lambda session: session.execute(update(Mark), [{"id": 1, "number": 1}]),
    "update by another column": lambda session: session.execute(
        update(MARK).where(MARK.c.id == bindparam("row")), [{"row": 1, "number": 1}, {"row": 2, "number": 2}]
    ),
    "update of rows of two programmes": lambda session: session.execute(
        update(Note), [{"programme_id": one, "name": "x", "number": 1} for one in "ab"]
    ),
    "update to another programme": lambda session: session.execute(
        update(Note).where(Note.programme_id == "a").values(programme_id="c")
    ),
    "update to another programme, by parameter": lambda session: session.connection().execute(
        update(MARK).where(MARK.c.programme_id == bindparam("mine")), {"mine": "a", "programme_id": "c"}
    ),
    "delete": lambda session: session.execute(delete(Note)),
    "insert without a programme": lambda session: session.execute(insert(Mark), [{"number": 1}]),
    "insert without a programme in one row": lambda session: session.execute(
        insert(Mark), [{"programme_id": "a", "number": 1}, {"programme_id": "b", "number": 1}]
    ),
    "insert in the statement without a programme": lambda session: session.execute(insert(Mark).values(number=1)),
    "insert of several in the statement": lambda session: session.execute(
        insert(Mark).values([{"programme_id": one, "number": 1} for one in "ab"])
    ),
    "two programmes": lambda session: session.execute(
        select(Note.name).where(Note.number == Mark.number, Note.programme_id == "a", Mark.programme_id == "b")
    ),
    "past the session": lambda session: session.connection().execute(select(NOTE)),
    "text": lambda session: session.execute(text("SELECT name FROM live")),
    "the driver's": lambda session: session.connection().exec_driver_sql("SELECT name FROM live"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_session_runs_a_statement_of_any_programme(engine: Engine, name: str) -> None:
    before = whole(engine)
    with Session(engine) as session, session.begin(), pytest.raises(TenancyError):
        REFUSED[name](session)
    assert whole(engine) == before


RUN = {
    "select": lambda session: session.scalars(select(Mark.id).where(Mark.programme_id == "a")).all() == [1],
    "a parameter": lambda session: (
        session.scalar(select(Mark.id).where(Mark.programme_id == bindparam("programme")), {"programme": "b"}) == 2
    ),
    "get": lambda session: session.get(Note, ("a", "x")).number == 0,
    "get, said to be of any": lambda session: session.get(Mark, 2, execution_options=ALL).programme_id == "b",
    "said to be of all": lambda session: len(session.scalars(select(Mark.id).execution_options(**ALL)).all()) == 2,
    "said beside the statement": lambda session: (
        len(session.execute(select(Mark.id), execution_options=ALL).all()) == 2
    ),
    "update by key": lambda session: session.execute(
        update(Note), [{"programme_id": "a", "name": "x", "number": number} for number in (1, 2)]
    ),
    "update of many": lambda session: session.execute(
        update(MARK).where(MARK.c.programme_id == "a", MARK.c.id == bindparam("row")),
        [{"row": row, "number": 1} for row in (1, 2)],
    ),
    "insert of many": lambda session: session.execute(
        insert(Mark), [{"programme_id": "a", "number": number} for number in range(3)]
    ),
    "insert of several in the statement": lambda session: session.execute(
        insert(Mark).values([{"programme_id": "a", "number": number} for number in range(3)])
    ),
    "no table of ours": lambda session: session.scalar(select(func.abs(-1))) == 1,
    "a savepoint": lambda session: session.begin_nested().commit() is None,
    "the driver's": lambda session: session.connection().exec_driver_sql("PRAGMA table_info(notes)").all(),
}


@pytest.mark.parametrize("name", RUN)
def test_what_is_bound_or_says_why_not_runs(engine: Engine, name: str) -> None:
    with Session(engine) as session:
        assert RUN[name](session)


def test_a_flush_keeps_to_the_programme_that_the_key_tells(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.get_one(Note, ("a", "x")).number = 5
    assert [row[2] for row in whole(engine)] == [5, 0, 0, 0]
    with Session(engine) as session:
        session.get_one(Mark, 1, execution_options=ALL).number = 5
        with pytest.raises(TenancyError):  # by its number alone
            session.flush()
    with Session(engine) as session:
        session.get_one(Note, ("a", "x")).programme_id = "c"
        with pytest.raises(TenancyError, match="no row changes its programme"):
            session.flush()
    with Session(engine) as session:
        session.add(Mark(number=1))
        with pytest.raises((TenancyError, IntegrityError)):
            session.flush()
    assert [row[2] for row in whole(engine)] == [5, 0, 0, 0]


def test_values_are_looked_at_every_time_and_a_statement_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []

    class Counted(statement_reading.Reading):
        def __init__(self, statement: Any) -> None:
            read.append(statement)
            super().__init__(statement)

    monkeypatch.setattr(tenancy, "Reading", Counted)

    def both(one: str, other: str) -> Any:
        same = Note.number == Mark.number
        return select(Note.name, Mark.id).where(same, Note.programme_id == one, Mark.programme_id == other)

    with Session(engine) as session:
        for programme in ("a", "b", "a"):
            assert len(session.execute(both(programme, programme)).all()) == 1
        with pytest.raises(TenancyError, match="found 2 programmes"):
            session.execute(both("a", "b"))
        assert len(read) == 1


def test_many_rows_in_several_batches_are_one_statement(engine: Engine) -> None:
    rows = [{"programme_id": "a", "number": number} for number in range(2500)]
    with engine.begin() as connection:
        made = connection.execute(insert(MARK).returning(MARK.c.id, sort_by_parameter_order=True), rows)
        assert len(made.all()) == 2500
    with engine.begin() as connection, pytest.raises(TenancyError):  # the control: the last of them is another's
        connection.execute(insert(MARK).returning(MARK.c.id), [*rows, {"programme_id": "b", "number": 0}])


def test_an_engine_with_options_is_guarded_too(engine: Engine) -> None:
    with engine.execution_options(other=1).connect() as connection, pytest.raises(TenancyError):
        connection.execute(select(NOTE))
    with engine.execution_options(**ALL).connect() as connection:
        assert len(connection.execute(select(NOTE)).all()) == 2


def test_an_engine_without_a_guard_runs_anything(engine: Engine) -> None:
    bare = create_engine("sqlite://")
    Shape.metadata.create_all(bare)
    with bare.connect() as connection:  # the control: it is the guard that refuses
        assert connection.execute(select(NOTE)).all() == []
    bare.dispose()


def test_the_store_is_guarded(made: Installation) -> None:
    made.add(record("m-1"))
    for opened in (made.store.transaction, made.store.reading):
        with opened() as session, pytest.raises(TenancyError):
            session.scalars(select(LiveRow.member_id))
        with opened() as session:
            assert session.scalars(select(LiveRow.member_id).where(LiveRow.programme_id == "lantern")).all() == ["m-1"]


def test_no_statement_of_every_request_can_be_made_without_a_programme() -> None:
    with pytest.raises(TenancyError, match="'live'"):
        Statement(select(LiveRow.id).where(LiveRow.member_id == bindparam("member")))
    with pytest.raises(TenancyError, match="several parameters"):
        Statement(
            select(LiveRow.id, ApiKeyRow.id).where(
                LiveRow.programme_id == bindparam("programme"), ApiKeyRow.programme_id == bindparam("other")
            )
        )


def test_a_refusal_is_a_fault_of_ours(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    assert issubclass(TenancyError, PeermatchError)

    def leaky(session: Session, programme_id: str, member_id: str) -> Any:
        return session.scalar(select(LiveRow.id).where(LiveRow.member_id == member_id))

    monkeypatch.setattr("service.store.members.get", leaky)
    reply = made.call("GET", "/v1/members/m-1")
    assert (reply.status_code, reply.get_json()["type"]) == (500, "urn:peermatch:problem:internal")


ON_PURPOSE = {
    "backup": "a copy is of the whole database",
    "store/alone.py": "a migration changes every table whole, and nobody else is connected",
    "store/data_keys.py": "one ring of data keys seals the rows of all programmes: when it was last changed",
    "store/erasure.py": "the ledger of erasures beside the database is one file for all programmes",
    "store/idempotency.py": "what is older than a day is forgotten, whosever it is: those who send nothing more, too",
    "store/keys.py": "it is the key that tells the programme",
    "store/programmes.py": "which programmes there are",
    "store/resealing.py": "how many rows another key than the current one sealed, before it may be thrown away",
    "store/scrubbing.py": "files are written anew whole, and no row is read",
}
"""By module or package of the service, why it runs statements about all programmes. One more is a decision."""


def test_only_those_named_here_ask_for_all_programmes(root: Path) -> None:
    found = {
        path.relative_to(root / "service").as_posix()
        for path in (root / "service").rglob("*.py")
        if re.search(r"every_programme\b|EVERY_PROGRAMME\b", path.read_text("utf-8"))
    } - {"store/tenancy.py", "store/statement_reading.py"}
    assert {name if name in ON_PURPOSE else name.partition("/")[0] for name in found} == set(ON_PURPOSE)
