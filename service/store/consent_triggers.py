"""What the database itself refuses to do to the consent log: events are never changed, and go only with their member.

What is sealed of them may be sealed anew with another data key: a seal that is none opens nothing, and tells.
Whoever may write the file or owns the tables can take these off; then `service.store.consent_check.verify` tells.
"""

from __future__ import annotations

from typing import Final

from service.store.record_tables import ConsentEventRow
from service.store.refusals import Refusals

_SAME: Final = " AND ".join(
    f"NEW.{one.name} IS OLD.{one.name}" for one in ConsentEventRow.__table__.columns if one.name != "details"
)

_SQLITE: Final = (
    f"""
    CREATE TRIGGER consent_events_no_update BEFORE UPDATE ON consent_events
    WHEN NOT ({_SAME} AND (NEW.details IS NULL) = (OLD.details IS NULL))
    BEGIN SELECT RAISE(ABORT, 'events of the consent log are never changed'); END
    """,
    # INSERT OR REPLACE deletes what stands in its way, and no trigger is asked about that.
    """
    CREATE TRIGGER consent_events_no_replace BEFORE INSERT ON consent_events
    WHEN EXISTS (
        SELECT 1 FROM consent_events AS there
        WHERE there.programme_id = NEW.programme_id AND there.member_id = NEW.member_id AND there.place = NEW.place
    )
    BEGIN SELECT RAISE(ABORT, 'events of the consent log are never changed'); END
    """,
    """
    CREATE TRIGGER consent_events_no_delete BEFORE DELETE ON consent_events
    WHEN EXISTS (
        SELECT 1 FROM members WHERE members.programme_id = OLD.programme_id AND members.member_id = OLD.member_id
    )
    BEGIN SELECT RAISE(ABORT, 'events of the consent log are deleted only once their member is'); END
    """,
)
_POSTGRESQL: Final = (
    """
    CREATE FUNCTION consent_events_refused() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS (
            SELECT 1 FROM members WHERE members.programme_id = OLD.programme_id AND members.member_id = OLD.member_id
        ) THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'details' = to_jsonb(OLD) - 'details'
           AND (NEW.details IS NULL) = (OLD.details IS NULL) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'events of the consent log are never changed, and deleted only once their member is';
    END $$
    """,
    """
    CREATE TRIGGER consent_events_no_change BEFORE UPDATE OR DELETE ON consent_events
    FOR EACH ROW EXECUTE FUNCTION consent_events_refused()
    """,
    """
    CREATE TRIGGER consent_events_no_truncate BEFORE TRUNCATE ON consent_events
    FOR EACH STATEMENT EXECUTE FUNCTION consent_events_refused()
    """,
)
REFUSALS: Final = Refusals(ConsentEventRow.__table__, {"sqlite": _SQLITE, "postgresql": _POSTGRESQL})
