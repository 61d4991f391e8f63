"""What Alembic runs: the revisions asked for, on a connection that is in a transaction already, all or none of them."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
