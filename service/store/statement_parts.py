"""What SQLAlchemy knows of a statement before it is written out: the one file that asks it below its surface."""

# ruff: noqa: SLF001 - there is no other way to learn which FROMs a SELECT shares with those around it

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ClauseElement,
    Delete,
    FromClause,
    Insert,
    Select,
    SelectBase,
    TableClause,
    TextClause,
    Update,
    UpdateBase,
)
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.selectable import AliasedReturnsRows

from service.store.equalities import place
from service.store.table_base import Base

_DIALECT: Final = DefaultDialect()
_COMPILER: Final = _DIALECT.statement_compiler(_DIALECT, None)
_PROGRAMMES: Final = "programmes"
_HARMLESS: Final = re.compile(r"\*|\d+")


def resolved(
    select: Select[Any], around: Set[FromClause], near: Set[FromClause]
) -> tuple[Select[Any], list[FromClause]]:
    """Return a SELECT with its joins in their place, and those FROMs that are its own.

    Parameters
    ----------
    around, near : set of FromClause
        FROMs of the statements around it: those that it shares where it says so, and those that it shares by itself.
    """
    state: Any = select._compile_state_factory(select, _COMPILER)
    return state.statement, state._get_display_froms(around, near)


def columns(select: Select[Any], core: Select[Any]) -> list[Any]:
    """Return the columns that a SELECT finds, in their order; none where the order is not the one they are named in."""
    named, found = list(select.selected_columns), list(core.selected_columns)
    return named if [place(one) for one in named] == [place(one) for one in found] else []


def froms(one: Update | Delete) -> list[FromClause]:
    """Return the table that a statement changes, and every other FROM whose columns it names itself."""
    return list(dict.fromkeys([one.table, *_named_in(one)]))


def rows_of(one: FromClause) -> Any:
    """Return the statement whose rows a FROM is; None of any other."""
    inner = _chain(one)[-1]
    return None if inner is one or isinstance(inner, TableClause) else inner


def recursive(one: FromClause) -> bool:
    """Whether a FROM is made of itself."""
    return any(isinstance(inner, CTE) and inner.recursive for inner in _chain(one))


def table_of(one: FromClause) -> TableClause | None:
    """Return the table that a FROM is, whatever it is called there; None where it is something else."""
    inner = _chain(one)[-1]
    return inner if isinstance(inner, TableClause) else None


def programme_column(one: FromClause) -> str | None:
    """Return the column that tells whose the rows of a table are; None of what belongs to no programme."""
    table = table_of(one)
    if table is None:
        return None
    if table.name == _PROGRAMMES:
        return "id"
    known = Base.metadata.tables.get(table.name)
    return "programme_id" if "programme_id" in table.c or (known is not None and "programme_id" in known.c) else None


def names_of_programmes(text: str) -> Iterator[str]:
    """Yield the tables of programmes that a text of SQL names."""
    for word in dict.fromkeys(re.findall(r"\w+", text.lower())):
        if word in Base.metadata.tables and programme_column(Base.metadata.tables[word]) is not None:
            yield word


def texts_of(element: Any) -> list[str]:
    """Return what SQLAlchemy writes of a piece as it was given."""
    if isinstance(element, TextClause):
        return [element.text]
    if isinstance(element, ColumnClause) and element.is_literal and not _HARMLESS.fullmatch(element.name):
        return [element.name]
    beside = (*getattr(element, "_prefixes", ()), *getattr(element, "_suffixes", ()))
    hints = (*getattr(element, "_hints", {}).values(), *(hint[1] for hint in getattr(element, "_statement_hints", ())))
    return [str(one) for one, _ in beside] + list(hints)


def within(element: Any) -> Iterator[Any]:
    """Yield the clauses that a clause is made of."""
    yield from element.get_children()
    rows = [*getattr(element, "_multi_values", ()), *getattr(element, "_data", ())]
    for row in (row for some in rows for row in some):
        for value in row.values() if isinstance(row, Mapping) else row:
            if isinstance(value, ClauseElement):
                yield value


def written(statement: Insert | Update) -> list[Mapping[str, Any]]:
    """Return by column what a statement writes, once for each row that it names itself."""
    rows: list[Any] = [row for some in getattr(statement, "_multi_values", ()) for row in some]
    names = [column.key for column in statement.table.c]
    rows = rows or [dict(statement._values or {})]
    return [{_name(key): value for key, value in _named(row, names)} for row in rows]


def selected(statement: Insert) -> list[str] | None:
    """Return the columns of an INSERT that takes its rows from a SELECT; None of any other."""
    return None if statement.select is None else list(statement._select_names or ())


def upserted(statement: Insert | Update | Delete) -> tuple[list[str], Mapping[str, Any]] | None:
    """Return which columns tell that a row is there already, and what is then written over it."""
    clause: Any = getattr(statement, "_post_values_clause", None)
    values = getattr(clause, "update_values_to_set", None)
    if values is None:
        return None
    there = [_name(one) for one in clause.inferred_target_elements or ()]
    return there, {_name(key): value for key, value in dict(values).items()}


def _chain(one: Any) -> list[Any]:
    """Return a FROM, what it is another name of, and so on."""
    chain = [one]
    while isinstance(chain[-1], AliasedReturnsRows):
        chain.append(chain[-1].element)
    return chain


def _named_in(one: Any) -> Iterator[FromClause]:
    for part in one.get_children():
        if isinstance(part, ColumnClause):
            if part.table is not None:
                yield part.table
        elif not isinstance(part, FromClause | SelectBase | UpdateBase):
            yield from _named_in(part)


def _named(row: Any, names: list[str]) -> Any:
    return row.items() if isinstance(row, Mapping) else zip(names, row, strict=False)


def _name(key: Any) -> str:
    return str(getattr(key, "key", key))
