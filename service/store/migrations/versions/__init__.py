"""One file a revision; Alembic finds them here."""
