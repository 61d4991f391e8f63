"""The one place that keeps programmes apart: a statement that is not bound to one of them is not run.

Whatever reads, changes or deletes rows of a table of programmes (one with a column `programme_id`, and `programmes`
itself) must say of every such table in it whose rows are meant: by a parameter, or by being equal to what one tells.
What is about all programmes on purpose says so with `.execution_options(every_programme=True)`.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import ClauseElement, Update, event
from sqlalchemy.engine import Connection, Engine, ExecutionContext

from service.store.statement_parts import names_of_programmes, programme_column
from service.store.statement_reading import WAY_OUT, Reading, TenancyError

__all__ = ["EVERY_PROGRAMME", "TenancyError", "check", "guard"]

EVERY_PROGRAMME: Final = "every_programme"
"""The option of what is about all programmes; of a statement, or of a connection that does nothing else."""
_HANDS_OUT_NO_ROW: Final = {"ALTER", "ANALYZE", "CREATE", "DROP", "LOCK", "PRAGMA", "REINDEX", "VACUUM"}
"""First words of texts that may name any table."""


def check(clause: ClauseElement) -> None:
    """Refuse a statement whose parameters come later, by their names.

    Raises
    ------
    TenancyError
        If it is not bound to one programme, or its programmes have several names.
    """
    if not clause.get_execution_options().get(EVERY_PROGRAMME):  # type: ignore[attr-defined]
        given = Reading(clause).given
        if len({one.value if one is not None and one.unique else name for name, one in given.items()}) > 1:
            raise TenancyError(f"statement: found several parameters that name a programme; expected one{WAY_OUT}")


def guard(engine: Engine) -> None:
    """Refuse from now on every statement of an engine that is not bound to one programme."""
    event.listen(engine, "before_cursor_execute", _Guard())


class _Guard:
    """What is asked before a statement goes to the driver. Reads a statement once, its parameters every time."""

    def __init__(self) -> None:
        # Kept as long as SQLAlchemy keeps what it compiled: a statement made anew each time is read once.
        self._read: WeakKeyDictionary[Any, tuple[str, ...] | str] = WeakKeyDictionary()
        self._asked: WeakSet[Any] = WeakSet()

    def __call__(
        self, _connection: Connection, _cursor: Any, sql: str, _values: Any, context: Any, _many: bool
    ) -> None:
        """Raise TenancyError where a statement must not run."""
        if context is not None and (context.isddl or context.execution_options.get(EVERY_PROGRAMME)):
            return
        compiled = None if context is None else context.compiled
        if compiled is None:
            _check_text(sql)
            return
        found = self._read.get(compiled)
        if found is None:
            found = self._read[compiled] = _names(compiled)
        if isinstance(found, str):
            raise TenancyError(found)
        if found:
            self._one(context, found)

    def _one(self, context: ExecutionContext, names: tuple[str, ...]) -> None:
        rows = context.compiled_parameters  # type: ignore[attr-defined]
        if len(rows) > 1:
            if context in self._asked:  # rows that go to the driver in several batches come again with each
                return
            self._asked.add(context)
        try:
            told = {row[name] for row in rows for name in names}
        except KeyError as missing:
            raise TenancyError(f"parameters: found rows without {missing.args[0]!r}; expected it in each") from None
        if len(told) > 1:
            raise TenancyError(f"parameters: found {len(told)} programmes in one statement; expected one{WAY_OUT}")


def _names(compiled: Any) -> tuple[str, ...] | str:
    """Return by which names a compiled statement's parameters tell the programme, or why it must not run."""
    statement = compiled.statement
    try:
        given = Reading(statement).given
    except TenancyError as refusal:
        return refusal.message
    column = programme_column(statement.table) if isinstance(statement, Update) else None
    if column is not None and column in (compiled.column_keys or ()):
        return f"statement: found an UPDATE that writes {column!r}; no row changes its programme"
    return tuple({compiled.bind_names[compiled.binds[key]] if key in compiled.binds else key for key in given})


def _check_text(sql: str) -> None:
    words = sql.split(None, 1)
    if words and words[0].upper() not in _HANDS_OUT_NO_ROW and any(names_of_programmes(sql)):
        raise TenancyError(f"statement: found SQL as text; expected clauses, which can be read{WAY_OUT}")
