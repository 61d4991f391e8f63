"""Histories that cannot be joined: what was not agreed to any more is not so again after a restore."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from service.store import consent_check, programmes
from tests.service.backup.backups import backed_up, content, empty, put_back, restored
from tests.service.backup.test_since import consents, shown
from tests.service.installation import Installation, close
from tests.service.store.populated import said

WITHDRAWN = {"purpose": "be_shown_as_peer", "decision": "withdrawn"}


def check_withdrawn(made: Installation, member_id: str) -> None:
    """Check that it is so in log, record and live row."""
    row = next(
        row for row in content(made)["live"] if row["member_id"] == member_id and row["programme_id"] == "lantern"
    )
    assert row["shown"] == 0
    last = consents(made, member_id)["events"][-1]
    told = {"purpose": "be_shown_as_peer", "decision": "withdrawn", "actor": "staff", "method": "restore"}
    assert told.items() <= last.items()
    with made.store.reading() as session:
        assert consent_check.verify(session, programmes.load(session, "lantern"), made.clock()) == []
    made.clock.turn(days=1)
    assert member_id not in shown(made)


def test_of_a_history_that_went_another_way(full: Installation, tmp_path: Path) -> None:
    first = min(shown(full))
    before = backed_up(full, "1.backup")
    full.clock.turn(hours=1)
    said(full, "POST", f"/v1/members/{first}/consents", {"purpose": "fairness_audit", "decision": "given"})
    after = backed_up(full, "2.backup")
    back = restored(full, empty(full, tmp_path / "back"), before)
    try:
        back.clock.turn(hours=1)
        said(back, "POST", f"/v1/members/{first}/consents", WITHDRAWN)
        done = put_back(back, after).merged
        assert (done.decisions, done.withdrawn) == (0, 2)  # that of the audit was never given here
        row = next(row for row in content(back)["live"] if row["member_id"] == first)
        assert row["shown"] == 0
        back.clock.turn(days=1)
        assert first not in shown(back)
    finally:
        close(back)


def test_of_somebody_who_was_stored_anew(full: Installation) -> None:
    first = min(shown(full))
    file = backed_up(full)
    full.clock.turn(hours=1)
    anew = text("UPDATE members SET created_at = :now WHERE programme_id = 'lantern' AND member_id = :who")
    with full.store.transaction() as session:
        row = {"now": "2026-03-20 12:00:00.000000", "who": first}
        session.execute(anew.execution_options(every_programme=True), row)
    said(full, "POST", f"/v1/members/{first}/consents", WITHDRAWN)
    done = put_back(full, file).merged
    assert (done.decisions, done.withdrawn) == (0, 1)
    check_withdrawn(full, first)


def test_nothing_is_withdrawn_of_whom_nothing_changed(full: Installation) -> None:
    before = content(full)["consent_events"]
    done = put_back(full, backed_up(full)).merged
    assert (done.decisions, done.withdrawn, done.programmes) == (0, 0, [])
    assert content(full)["consent_events"] == before
