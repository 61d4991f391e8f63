"""Schema 2: what a database had before there were migrations."""

from __future__ import annotations

from alembic import op

from service.store.migrations.schema_2 import METADATA, NUMBER, SCHEMA_VERSION

revision = "0002"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    connection = op.get_bind()
    METADATA.create_all(connection, checkfirst=False)
    connection.execute(SCHEMA_VERSION.insert().values(version=NUMBER))


def downgrade() -> None:
    """Refuse: there is nothing before it."""
    raise NotImplementedError
