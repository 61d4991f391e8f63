"""Which columns a condition makes equal: to each other, and to a parameter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import BinaryExpression, BindParameter, FromClause, Join, Label, ScalarSelect, SelectBase
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BooleanClauseList, ColumnClause, Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import FromGrouping, SelectStatementGrouping

Place: TypeAlias = tuple[FromClause, str]
"""A column of one FROM of a statement: a table twice in it, under two names, is two."""

_WRAPPERS: Final = (Grouping, Label, ScalarSelect, SelectStatementGrouping)


class Lookup(NamedTuple):
    """A column that is equal to what a SELECT finds, or to one of what it finds."""

    place: Place
    select: SelectBase


def place(expression: Any) -> Place | None:
    """Return which column an expression is; None where it is none."""
    found = unwrapped(expression)
    if isinstance(found, ColumnClause) and found.table is not None and not found.is_literal:
        return found.table, found.key
    return None


def unwrapped(expression: Any) -> Any:
    """Return what stands in brackets or has a label."""
    while isinstance(expression, _WRAPPERS):
        expression = expression.element
    return expression


def parts(one: FromClause) -> Iterator[FromClause]:
    """Yield a FROM, and everything that it joins."""
    yield one
    if isinstance(one, Join):
        yield from parts(one.left)
        yield from parts(one.right)
    elif isinstance(one, FromGrouping):
        yield from parts(one.element)


class Equalities:
    """What is true of every row that a statement finds, or sees: a row that an outer join left empty is none."""

    def __init__(self) -> None:
        self._equal: dict[Place, set[Place]] = defaultdict(set)
        self.given: list[tuple[Place, BindParameter[Any]]] = []
        """Columns that are equal to a parameter."""
        self.lookups: list[Lookup] = []

    def add(self, condition: Any, only: Set[FromClause] | None = None) -> None:
        """Take in what must be true; with `only`, what must be true of the rows of those alone."""
        for one in _all_of(condition):
            if isinstance(one, BinaryExpression) and one.operator in {operators.eq, operators.in_op}:
                both = (one.left, one.right), (one.right, one.left)
                for mine, other in both if one.operator is operators.eq else both[:1]:
                    self._learn(mine, other, only, equal=one.operator is operators.eq)

    def add_joins(self, pieces: Iterable[FromClause]) -> None:
        """Take in the conditions of all joins among some FROMs."""
        for join in pieces:
            if isinstance(join, Join) and not join.full:
                # An outer join finds rows of its left side whatever its condition says of them.
                self.add(join.onclause, frozenset(parts(join.right)) if join.isouter else None)

    def reached(self, start: Iterable[Place]) -> set[Place]:
        """Return every column that is equal to one of `start`, those included."""
        found, todo = set(start), list(start)
        while todo:
            new = self._equal.get(todo.pop(), set()) - found
            found |= new
            todo += new
        return found

    def _learn(self, mine: Any, other: Any, only: Set[FromClause] | None, *, equal: bool) -> None:
        other = unwrapped(other)
        here = place(_never_null(mine) if isinstance(other, BindParameter) else mine)
        if here is None or (only is not None and here[0] not in only):
            return
        if isinstance(other, SelectBase):
            self.lookups.append(Lookup(here, other))
        elif equal and isinstance(other, BindParameter) and not other.expanding:
            self.given.append((here, other))
        elif equal and (there := place(other)) is not None:
            self._equal[there].add(here)


def _all_of(condition: Any) -> Iterator[Any]:
    """Yield what must be true for a condition to be."""
    condition = condition.element if isinstance(condition, Grouping) else condition
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for one in condition.clauses:
            yield from _all_of(one)
    elif condition is not None:
        yield condition


def _never_null(expression: Any) -> Any:
    """Return the column of which `coalesce(column, constant)` tells: see `service.store.scene`."""
    found = unwrapped(expression)
    if isinstance(found, FunctionElement) and getattr(found, "name", "") == "coalesce":
        first, *others = found.clauses
        if all(isinstance(other, BindParameter) for other in others):
            return first
    return found
