"""Schema 3: what is stored of people is sealed, and decisions, erasures and who did what are written down.

Up, the consent log is filled from the records, as of when each member was added. Down, records are opened again, and
what schema 2 has no place for is dropped.
"""

from __future__ import annotations

from collections.abc import Callable

from alembic import op
from sqlalchemy import String

from service.store import audit_triggers, consent_triggers
from service.store.migrations import consents_3, schema_2, schema_3, sealing_3
from service.store.migrations.moving import count
from service.store.migrations.told import Migration, migration

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make, seal and fill."""
    now = migration()
    _compare(now, schema_3.name)
    for column in schema_3.of_keys():
        op.add_column("api_keys", column)
    for table in schema_3.NEW:
        table.create(now.connection, checkfirst=False)
    consents_3.fill(now)
    sealing_3.seal_everything(now)
    # What the database refuses, in its newest form: a later revision that changes it keeps a copy of this one here.
    for refusals in (consent_triggers.REFUSALS, audit_triggers.REFUSALS):
        refusals.create(now.connection)
    op.drop_table("schema_version")


def downgrade() -> None:
    """Open what was sealed; drop and tell what there is no place for."""
    now = migration()
    lost = count(now.connection, ("audit", "erasures"))
    for refusals in (consent_triggers.REFUSALS, audit_triggers.REFUSALS):
        refusals.drop(now.connection)
    sealing_3.open_everything(now)
    for table in reversed(schema_3.NEW):
        table.drop(now.connection, checkfirst=False)
    with_more = now.connection.exec_driver_sql("SELECT count(*) FROM api_keys WHERE label <> ''").scalar()
    for column in schema_3.of_keys():
        op.drop_column("api_keys", column.name)
    _compare(now, String)
    schema_2.SCHEMA_VERSION.create(now.connection, checkfirst=False)
    now.connection.execute(schema_2.SCHEMA_VERSION.insert().values(version=schema_2.NUMBER))
    now.tell("entries of the audit log dropped", lost["audit"])
    now.tell("erasures forgotten: an old file or an old backup can bring these people back", lost["erasures"])
    now.tell("labels of API keys dropped", with_more or 0)


def _compare(now: Migration, kind: Callable[[int], String]) -> None:
    """Let texts be of a kind, on PostgreSQL: of one that is compared by code points, as SQLite always does, or not."""
    if now.connection.dialect.name != "postgresql":
        return
    for table in schema_2.METADATA.sorted_tables:
        if table.name in schema_3.CHANGED:
            continue
        for column in table.columns:
            length = getattr(column.type, "length", None)
            if length is not None:
                op.alter_column(table.name, column.name, type_=kind(length))
