"""Schema 4: introductions, the events that partner apps are told of, and who seeks since when.

Up, who seeks is read from the records. Down, introductions and events are dropped; how pairs stand stays as feedback
tells it, and places that introductions took are given back. Who must not be introduced again is blocked from then on,
which is what schema 3 has for it: a block alone outlives whatever is told of the two later. Numbers of events are never
given twice, also after up and down: they go on from those of changes, and those from them.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import func, select, update

from service.store.migrations import lasting_4, schema_4, seeking_4
from service.store.migrations.moving import count
from service.store.migrations.told import Migration, migration

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INTRODUCED = "introduced"


def upgrade() -> None:
    """Make the tables and columns, and fill what follows from the records."""
    now = migration()
    for table in schema_4.NEW:
        table.create(now.connection, checkfirst=False)
    for column in schema_4.of_live():
        op.add_column("live", column)
    op.add_column("pools", schema_4.of_pools())
    now.connection.execute(update(schema_4.POOLS).values(events=schema_4.POOLS.c.number))
    for index in schema_4.INDEXES:
        op.create_index(*index)
    seeking_4.fill(now)


def downgrade() -> None:
    """Drop and tell what there is no place for."""
    now = migration()
    lost = count(now.connection, ("introductions", "events"))
    blocked = lasting_4.block(now.connection)
    _give_back(now)
    pools = schema_4.POOLS
    further = pools.c.events > pools.c.number
    now.connection.execute(update(pools).where(further).values(number=pools.c.events))
    for table in reversed(schema_4.NEW):
        table.drop(now.connection, checkfirst=False)
    for name, table_name, _ in schema_4.INDEXES:
        op.drop_index(name, table_name)
    for column in schema_4.of_live():
        op.drop_column("live", column.name)
    op.drop_column("pools", schema_4.of_pools().name)
    now.tell("introductions dropped: who was offered to whom is forgotten", lost["introductions"])
    now.tell("events dropped", lost["events"])
    now.tell("pairs that are not to be introduced again are blocked", blocked)


def _give_back(now: Migration) -> None:
    """Forget who is being introduced, and count the places again that are taken without it."""
    apart, live = schema_4.APART.c, schema_4.LIVE.c
    now.connection.execute(schema_4.APART.delete().where(apart.kind == INTRODUCED))
    taken = (
        select(func.coalesce(func.sum(apart.takes), 0))
        .where(apart.programme_id == live.programme_id, apart.member_id == live.member_id)
        .scalar_subquery()
    )
    now.connection.execute(update(schema_4.LIVE).values(free=live.capacity - taken))
