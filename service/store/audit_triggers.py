"""What the database itself refuses to do to the audit log: entries are never changed, and deleted only once trimmed.

Whoever may write the file or owns the tables can take these off; then the chain tells.
"""

from __future__ import annotations

from typing import Final

from service.store.record_tables import AuditRow
from service.store.refusals import Refusals

_SQLITE: Final = (
    """
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'entries of the audit log are never changed'); END
    """,
    # INSERT OR REPLACE deletes what stands in its way, and no trigger is asked about that.
    """
    CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit AS there WHERE there.programme_id = NEW.programme_id AND there.number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'entries of the audit log are never changed'); END
    """,
    """
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    WHEN NOT EXISTS (
        SELECT 1 FROM audit AS later
        WHERE later.programme_id = OLD.programme_id AND later.action = 'audit.trimmed' AND later.number > OLD.number
          AND json_extract(later.details, '$.number') >= OLD.number
    )
    BEGIN SELECT RAISE(ABORT, 'entries of the audit log are deleted by retention only'); END
    """,
)
_POSTGRESQL: Final = (
    """
    CREATE OR REPLACE FUNCTION audit_refused() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (
            SELECT 1 FROM audit AS later
            WHERE later.programme_id = OLD.programme_id AND later.action = 'audit.trimmed'
              AND later.number > OLD.number AND (later.details::json ->> 'number')::bigint >= OLD.number
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'entries of the audit log are never changed, and deleted by retention only';
    END $$
    """,
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refused()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refused()",
)
REFUSALS: Final = Refusals(AuditRow.__table__, {"sqlite": _SQLITE, "postgresql": _POSTGRESQL})
