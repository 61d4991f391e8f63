"""What a database itself refuses to do to a table that only grows: triggers, made with the table on each database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import DDL, Connection, event

_AWAY: Final = {
    "sqlite": ("DROP TRIGGER {0}_no_update", "DROP TRIGGER {0}_no_replace", "DROP TRIGGER {0}_no_delete"),
    "postgresql": (
        "DROP TRIGGER {0}_no_change ON {0}",
        "DROP TRIGGER {0}_no_truncate ON {0}",
        "DROP FUNCTION {0}_refused()",
    ),
}


class Refusals:
    """The triggers of one table.

    Parameters
    ----------
    table : Table
        They are made whenever it is.
    made : mapping of str to sequence of str
        By dialect, the statements that make them. Their names are those that `drop` takes off: on SQLite
        ``<table>_no_update``, ``_no_replace`` and ``_no_delete``; on PostgreSQL ``_no_change`` and ``_no_truncate``
        with the function ``<table>_refused``.
    """

    def __init__(self, table: Any, made: Mapping[str, Sequence[str]]) -> None:
        self._name: str = table.name
        self._made = made
        for dialect, statements in made.items():
            for statement in statements:
                one = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
                event.listen(table, "after_create", one)

    def create(self, connection: Connection) -> None:
        """Make them, in a database whose table was made without them: what a migration calls."""
        _run(connection, self._made[connection.dialect.name])

    def drop(self, connection: Connection) -> None:
        """Take them off: what a migration that goes back calls."""
        _run(connection, [statement.format(self._name) for statement in _AWAY[connection.dialect.name]])


def _run(connection: Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        connection.execute(DDL(statement))  # type: ignore[no-untyped-call]
