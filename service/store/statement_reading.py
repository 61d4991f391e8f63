"""Reads a statement from the outermost SELECT to the innermost: is every row that it touches of one programme?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Delete,
    FromClause,
    Insert,
    Join,
    Lateral,
    Select,
    SelectBase,
    Update,
)

from matcher.errors import PeermatchError
from service.store import statement_parts
from service.store.equalities import Equalities, Lookup, Place, parts, place, unwrapped
from service.store.statement_parts import programme_column, rows_of, table_of, within

WAY_OUT: Final = "; what is about all programmes on purpose says so: `.execution_options(every_programme=True)`"


class TenancyError(PeermatchError):
    """A statement would reach rows of more than one programme: a fault of ours. It was not run."""

    title = "A statement is not bound to one programme"


class _Scope(NamedTuple):
    """What stands around a statement."""

    around: frozenset[FromClause] = frozenset()
    near: frozenset[FromClause] = frozenset()
    """Those of `around` that belong to the statement which encloses it at once."""
    bound: frozenset[Place] = frozenset()
    """Columns of `around` that hold the programme."""


class _Result(NamedTuple):
    """What is known of one column that a SELECT finds."""

    bound: bool = False
    """It holds the programme."""
    key: tuple[str, str] | None = None
    """Table and column, where each value is the whole primary key of a row of that table."""


class Reading:
    """What was learned of one statement.

    Raises
    ------
    TenancyError
        If it touches a table of programmes that is not bound to one.
    """

    def __init__(self, statement: Any) -> None:
        self.given: dict[str, BindParameter[Any] | None] = {}
        """By name the parameters that hold the programme; None for what names a column of rows to insert."""
        self._touches = False
        self._texts: list[str] = []
        self._statement(statement, _Scope())
        for text in self._texts:
            if self._touches or any(statement_parts.names_of_programmes(text)):
                raise TenancyError(f"statement: found SQL as text; expected clauses, which can be read{WAY_OUT}")

    def _statement(self, one: Any, scope: _Scope, *, beside: bool = False) -> Sequence[_Result]:
        """Read a statement; `beside`: it is among the FROMs of the one that encloses it."""
        one = unwrapped(one)
        self._texts += statement_parts.texts_of(one)
        if isinstance(one, Select):
            return self._select(one, scope, beside=beside)
        if isinstance(one, CompoundSelect):
            columns = zip(*(self._statement(some, scope, beside=beside) for some in one.selects), strict=False)
            self._walk((part for part in within(one) if not isinstance(part, SelectBase)), scope)
            return [_Result(all(result.bound for result in column)) for column in columns]
        if isinstance(one, Update | Delete):
            self._change(one)
        elif isinstance(one, Insert):
            self._insert(one)
        else:
            self._walk([one], scope)
        return ()

    def _select(self, select: Select[Any], scope: _Scope, *, beside: bool) -> Sequence[_Result]:
        around, near = (scope.around - scope.near, frozenset[FromClause]()) if beside else (scope.around, scope.near)
        core, froms = statement_parts.resolved(select, around, near)
        inner = self._bound(froms, core.whereclause, scope)
        self._walk(within(core), inner)
        return [_result(column, inner) for column in statement_parts.columns(select, core)]

    def _change(self, one: Update | Delete) -> None:
        inner = self._bound(statement_parts.froms(one), one.whereclause, _Scope())
        column = programme_column(one.table)
        if column is not None and isinstance(one, Update) and column in statement_parts.written(one)[0]:
            raise TenancyError(f"statement: found an UPDATE that writes {column!r}; no row changes its programme")
        self._walk(within(one), inner)

    def _insert(self, one: Insert) -> None:
        column = programme_column(one.table)
        results = () if one.select is None else self._statement(one.select, _Scope())
        own = frozenset({one.table})
        self._walk((part for part in within(one) if part is not one.select), _Scope(own, own))
        if column is None:
            return
        self._touches = True
        names = statement_parts.selected(one)
        if names is None:
            self._values(one, column)
        elif not any(name == column and found.bound for name, found in zip(names, results, strict=False)):
            raise TenancyError(f"statement: found an INSERT of rows whose {column!r} may be any; expected one{WAY_OUT}")
        there, over = statement_parts.upserted(one) or ([column], {})
        if column not in there or column in over:
            raise TenancyError(f"statement: found an INSERT that may write over a row of another programme{WAY_OUT}")
        self._walk(over.values(), _Scope(own, own))

    def _values(self, one: Insert, column: str) -> None:
        rows = statement_parts.written(one)
        for at, row in enumerate(rows):
            value = row.get(column)
            if isinstance(value, BindParameter) and not value.unique:
                self.given[value.key] = value
            elif isinstance(value, BindParameter) or (value is None and len(rows) == 1):
                self.given[column] = None
            elif isinstance(value, str):
                self.given[f"{column}_m{at}"] = None
            else:
                raise TenancyError(f"statement: found an INSERT without {column!r}; expected it in every row{WAY_OUT}")

    def _bound(self, froms: Iterable[FromClause], condition: Any, scope: _Scope) -> _Scope:
        """Return the scope of what stands within a statement, once all its own tables are found to be bound."""
        facts, pieces = Equalities(), [piece for one in froms for piece in parts(one)]
        facts.add(condition)
        facts.add_joins(pieces)
        own = frozenset(pieces)
        owned = {(piece, column) for piece in own if (column := programme_column(piece)) is not None}
        self._touches |= bool(owned)
        # The same table within and without are two, unless the one within was left to the one without.
        outer = frozenset(where for where in scope.bound if where[0] not in own)
        inner = _Scope(scope.around | own, own, outer)
        found = self._found((piece for piece in pieces if not isinstance(piece, Lateral)), inner)
        tell = owned | found | outer
        known = facts.reached(found | outer | self._given(facts, tell))
        here = inner._replace(bound=frozenset(known & tell))
        known |= {where for lookup in facts.lookups for where in self._looked_up(lookup, here)}
        here = inner._replace(bound=frozenset(facts.reached(known) & tell))
        more = self._found((piece for piece in pieces if isinstance(piece, Lateral)), here)
        known = facts.reached(known | more)
        for piece, column in owned - known:
            raise TenancyError(
                f"statement: found table {getattr(table_of(piece), 'name', '')!r} of any {column!r}; "
                f"expected one{WAY_OUT}"
            )
        return inner._replace(bound=frozenset(known & (tell | more)))

    def _given(self, facts: Equalities, tell: set[Place]) -> set[Place]:
        """Return the columns that a parameter tells, where one that holds the programme follows from them."""
        found = set()
        for where, parameter in facts.given:
            if tell & facts.reached([where]):
                self.given[parameter.key] = parameter
                found.add(where)
        return found

    def _found(self, pieces: Iterable[FromClause], scope: _Scope) -> set[Place]:
        """Return the columns of the SELECTs among some FROMs that hold the programme."""
        bound = set()
        for piece in pieces:
            if (rows := rows_of(piece)) is not None:
                results = self._statement(rows, scope, beside=not isinstance(piece, Lateral))
                if not statement_parts.recursive(piece) and len(results) == len(piece.c):
                    bound |= {(piece, one.key) for one, found in zip(piece.c, results, strict=True) if found.bound}
        return bound

    def _looked_up(self, lookup: Lookup, scope: _Scope) -> Iterator[Place]:
        results = self._statement(lookup.select, scope)
        table, column = table_of(lookup.place[0]), programme_column(lookup.place[0])
        result = results[0] if len(results) == 1 else _Result()
        if result.bound:
            yield lookup.place
        elif table is not None and column is not None and result.key == (table.name, lookup.place[1]):
            yield lookup.place[0], column

    def _walk(self, some: Iterable[Any], scope: _Scope) -> None:
        """Read whatever statements stand within some clauses, and note what cannot be read."""
        for one in some:
            if isinstance(one, Select | CompoundSelect | Update | Delete | Insert):
                self._statement(one, scope)
                continue
            self._texts += statement_parts.texts_of(one)
            if isinstance(one, FromClause):
                self._walk_from(one, scope)
            else:
                self._walk(within(one), scope)

    def _walk_from(self, one: FromClause, scope: _Scope) -> None:
        if isinstance(one, Join):
            self._walk([one.onclause, one.left, one.right], scope)
        elif one in scope.around and (table_of(one) is not None or rows_of(one) is not None):
            return  # read already
        elif programme_column(one) is not None:
            raise TenancyError(f"statement: found table {getattr(one, 'name', '')!r} outside its FROMs{WAY_OUT}")
        elif (rows := rows_of(one)) is not None:
            self._statement(rows, scope, beside=True)
        elif table_of(one) is None:
            self._walk(within(one), scope)


def _result(column: Any, scope: _Scope) -> _Result:
    where = place(column)
    table = table_of(where[0]) if where is not None and where[0] in scope.near else None
    alone = table is not None and where is not None and [one.key for one in table.primary_key] == [where[1]]
    return _Result(where in scope.bound, (table.name, where[1]) if table is not None and where and alone else None)
