"""Schema 5: who trains at present, and what releases cost in privacy.

Down, both are dropped. What was spent stays in the manifests of the models, from which it is read again.
"""

from __future__ import annotations

from service.store.migrations import schema_5
from service.store.migrations.moving import count
from service.store.migrations.told import migration

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    for table in schema_5.NEW:
        table.create(migration().connection, checkfirst=False)


def downgrade() -> None:
    """Drop them, and tell what is lost."""
    now = migration()
    lost = count(now.connection, ("privacy_releases",))["privacy_releases"]
    for table in reversed(schema_5.NEW):
        table.drop(now.connection, checkfirst=False)
    now.tell("records of what releases cost in privacy dropped: manifests of models have them too", lost)
