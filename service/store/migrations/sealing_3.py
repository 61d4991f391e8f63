"""Sealing what schema 2 kept open, and opening it again."""

from __future__ import annotations

import secrets
from typing import Any, Final

from sqlalchemy import Table, bindparam, update

from service.store.migrations import consents_3, schema_2, schema_3
from service.store.migrations.moving import Values, chunks, rebuild
from service.store.migrations.told import Migration, micros

_INSTALLATION: Final = "1"


def seal_everything(now: Migration) -> None:
    """Name the database, and seal records, lists and kept replies with the data keys at hand."""
    ring = now.keyring
    store_id = secrets.token_hex(16)
    sealed = ring.seal("", "installation", _INSTALLATION, store_id.encode())
    now.connection.execute(schema_3.INSTALLATION.insert().values(id=1, store_id=store_id, sealed=sealed))

    def member(row: Values) -> Values:
        record = ring.seal(row["programme_id"], "members", row["member_id"], row["record"].encode())
        return {**row, "record": record}

    def reply(row: Values) -> Values:
        kept = row["reply"]
        place = row["programme_id"], "idempotency", f"{row['key_id']} {row['key']}"
        return {**row, "reply": None if kept is None else ring.seal(*place, kept.encode())}

    moment = micros(now.now)
    rebuild(now, schema_2.MEMBERS, schema_3.MEMBERS, member)
    rebuild(now, schema_2.IDEMPOTENCY, schema_3.IDEMPOTENCY, reply)
    rebuild(now, schema_2.GONE, schema_3.GONE, lambda row: {**row, "at": moment})
    _lists(now, ring.seal)


def open_everything(now: Migration) -> None:
    """Put back everything as schema 2 keeps it.

    Raises
    ------
    SealError
        If a row was sealed with a key that is not at hand, or changed.
    """
    ring = now.keyring
    changed = 0

    def member(row: Values) -> Values:
        nonlocal changed
        opened = ring.open(row["programme_id"], "members", row["member_id"], row["record"]).decode()
        record = consents_3.older(opened)
        changed += record != opened
        return {**row, "record": record}

    def reply(row: Values) -> Values:
        kept = row["reply"]
        place = row["programme_id"], "idempotency", f"{row['key_id']} {row['key']}"
        return {**row, "reply": None if kept is None else ring.open(*place, kept).decode()}

    rebuild(now, schema_3.MEMBERS, schema_2.MEMBERS, member)
    rebuild(now, schema_3.IDEMPOTENCY, schema_2.IDEMPOTENCY, reply)
    rebuild(now, schema_3.GONE, schema_2.GONE, lambda row: {name: row[name] for name in row if name != "at"})
    _lists(now, ring.open)
    now.tell("members whose consents lost what schema 2 does not know (evidence, notes of the service)", changed)


def _lists(now: Migration, turned: Any) -> None:
    """Seal or open the entries of lists where they are: they name people by number only."""
    table: Table = schema_2.LISTS
    written = update(table).where(table.c.id == bindparam("list")).values(entries=bindparam("turned"))
    for rows in chunks(now.connection, table):
        values = [
            {"list": row["id"], "turned": turned(row["programme_id"], "lists", row["match_id"], row["entries"])}
            for row in rows
        ]
        now.connection.execute(written, values)
        now.advance(len(rows))
