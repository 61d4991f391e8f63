from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from matcher.programme import Programme
from service.store import audit, audit_chain, erasure, programmes, retention
from service.store.audit import AuditError
from service.store.retention import Due
from service.store.retention_kinds import KINDS
from tests.service.databases import Database
from tests.service.installation import NOON, Installation, close, consent, copied, install, record
from tests.service.store.populated import all_rows, said

RETENTION = """
[privacy]
reason_k = 2
[retention]
lists_days = {lists}
feedback_days = {feedback}
audit_days = {audit}
without_consent_days = {consent}
"""
NEVER = dict.fromkeys(("lists", "feedback", "audit", "consent"), '"unlimited"')
LONG_AGO = NOON - timedelta(days=900)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Installation:
    made = install(tmp_path_factory.mktemp("base"), database=database, more=RETENTION.format(**NEVER))
    database.keep(made.folder)
    close(made)
    return made


@pytest.fixture
def kept(base: Installation, tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Return what opens an installation with some periods; the others keep everything."""
    opened = []

    def with_periods(**days: int) -> Installation:
        made = copied(base, tmp_path / "kept")
        opened.append(made)
        made.change_programme(more=RETENTION.format(**{**NEVER, **days}))
        made.publish("2")
        return made

    yield with_periods
    for made in opened:
        close(made)


def programme_of(made: Installation) -> Programme:
    with made.store.reading() as session:
        return programmes.load(session, "lantern")


def run(made: Installation, **expected: int) -> None:
    """Check that a dry run counts what is expected, a real one deletes just that, and nothing is left to do."""
    programme, now = programme_of(made), made.clock()
    before = all_rows(made)
    with made.store.reading() as session:
        assert retention.due(session, programme, now) == Due(**expected)
    assert all_rows(made) == before
    assert retention.apply(made.store, programme, now) == Due(**expected)
    with made.store.reading() as session:
        assert retention.due(session, programme, now) == Due()
        assert audit_chain.verify(session, "lantern").broken is None


def test_lists_go_when_they_are_old_enough_and_never_before_budgets_have_looked_at_them(
    kept: Callable[..., Installation],
) -> None:
    made = kept(lists=40)
    made.add(record("m-1", "seeker"), record("m-2"), record("m-3"))
    made.match("m-1")
    made.clock.turn(days=20)
    made.match("m-1")
    made.clock.turn(days=19)
    run(made)
    made.clock.turn(days=2)
    run(made, lists=1)
    made.clock.turn(days=20)
    run(made, lists=1)
    assert all_rows(made)["lists"] == []


def test_what_keeps_people_apart_outlasts_the_feedback_that_it_follows_from(kept: Callable[..., Installation]) -> None:
    made = kept(feedback=100)
    made.add(record("m-1", "seeker"), *(record(f"m-{number}") for number in range(2, 6)))
    day = {"rank": 1, "at": "2026-03-01T10:00:00Z"}
    made.tell(
        {"seeker": "m-1", "candidate": "m-2", "event": "declined", **day},
        {"seeker": "m-1", "candidate": "m-3", "event": "accepted", "by": "seeker", **day},
        {"seeker": "m-1", "candidate": "m-3", "event": "accepted", "by": "candidate", **day},
        {"seeker": "m-1", "candidate": "m-4", "event": "viewed", "rank": 2, "at": "2026-06-01T10:00:00Z"},
    )
    apart, free = all_rows(made)["apart"], _free(made)
    assert {row["kind"] for row in apart} == {"declined", "connected"}
    made.clock.turn(days=98)
    made.tell({"seeker": "m-1", "candidate": "m-4", "event": "viewed", "rank": 2, "at": "2026-03-01T10:00:00Z"})
    run(made, feedback=1)
    assert all_rows(made)["apart"] == apart
    assert _free(made) == free
    names = {one["member_id"] for one in made.match("m-1", key=made.new_key("match", "match:ids"))["matches"]}
    assert names == {"m-4", "m-5"}
    made.tell({"seeker": "m-1", "candidate": "m-3", "event": "ended", "rank": 1, "at": "2026-06-05T10:00:00Z"})
    assert {row["kind"] for row in all_rows(made)["apart"]} == {"declined"}
    made.tell({"seeker": "m-1", "candidate": "m-2", "event": "ended", "rank": 1, "at": "2026-06-05T10:00:00Z"})
    assert {row["kind"] for row in all_rows(made)["apart"]} == {"declined"}, "that somebody declined is forgotten"


def _free(made: Installation) -> dict[str, int]:
    return {row["member_id"]: row["free"] for row in all_rows(made)["live"]}


def test_ended_holds_kept_replies_and_expired_keys_go(kept: Callable[..., Installation]) -> None:
    made = kept()
    made.add(record("m-1"), record("m-2"))
    hold = {"kind": "pause", "until": "2026-03-05T12:00:00Z"}
    said(made, "POST", "/v1/members/m-1/holds", hold, headers={"Idempotency-Key": "first"})
    said(made, "POST", "/v1/members/m-1/holds", {"kind": "crisis"})
    made.new_key("match", expires_at=NOON + timedelta(days=1))
    run(made)
    made.clock.turn(hours=24)
    run(made, holds=1, replies=1)
    made.clock.turn(days=90)
    run(made)
    made.clock.turn(seconds=1)
    run(made, keys=1)
    assert [row["kind"] for row in all_rows(made)["holds"]] == ["crisis"]
    assert len(all_rows(made)["api_keys"]) == 1


def test_whoever_agreed_to_nothing_for_too_long_is_erased(kept: Callable[..., Installation]) -> None:
    made = kept(consent=100)
    always = consent("match_serve", at=LONG_AGO)
    shown = consent("be_shown_as_peer", at=LONG_AGO)
    withdrawn = [always, consent("match_serve", "withdrawn", at=NOON - timedelta(days=50))]
    ended = [always, consent("match_serve", "withdrawn", at=NOON), consent("outcome_followup", at=LONG_AGO)]
    made.add(
        record("m-always", "seeker", consents=[always, shown]),
        record("m-never", consents=[]),
        record("m-withdrawn", consents=withdrawn),
        record("m-expired", consents=[{**shown, "valid_until": "2026-03-20T00:00:00Z"}]),
        record("m-other-purpose", consents=ended),
    )
    made.clock.turn(days=51)
    run(made)
    made.clock.turn(days=49, seconds=1)
    made.add(record("m-new", consents=[]))
    run(made, members=2)
    left = {row["member_id"] for row in all_rows(made)["members"]}
    assert left == {"m-always", "m-expired", "m-other-purpose", "m-new"}
    with made.store.reading() as session:
        assert erasure.erased_at(session, "lantern", "m-withdrawn") == made.clock()
        assert erasure.erased_at(session, "lantern", "m-expired") is None
    made.clock.turn(days=16)
    run(made, members=1)
    assert "m-expired" not in {row["member_id"] for row in all_rows(made)["members"]}


def test_whoever_has_agreed_again_meanwhile_stays(
    kept: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept(consent=100)
    made.add(record("m-1", consents=[]))
    made.clock.turn(days=101)
    real = retention.without_consent

    def and_then_agrees(*arguments: Any) -> Any:
        found = real(*arguments)
        if found:
            monkeypatch.undo()
            said(made, "POST", "/v1/members/m-1/consents", {"purpose": "match_serve", "decision": "given"})
        return found

    monkeypatch.setattr(retention, "without_consent", and_then_agrees)
    assert retention.apply(made.store, programme_of(made), made.clock()).members == 0
    assert [row["member_id"] for row in all_rows(made)["members"]] == ["m-1"]


def test_lists_of_others_name_nobody_who_is_erased(kept: Callable[..., Installation]) -> None:
    made = kept(consent=100)
    made.add(record("m-1", "seeker"), record("m-2"), record("m-3"))
    made.match("m-1")
    with made.store.transaction() as session:
        erasure.erase(session, "lantern", "m-2", now=made.clock(), by="command")
    run(made, lists_stripped=1)
    made.clock.turn(days=30)
    run(made)
    made.clock.turn(seconds=1)
    run(made, erasures=1)
    assert all_rows(made)["gone"] == []


def test_the_audit_log_is_trimmed_from_its_start(kept: Callable[..., Installation]) -> None:
    made = kept(audit=90)
    with made.store.transaction() as session:
        for _ in range(3):
            audit.record(session, "lantern", "backup.made", now=made.clock(), by=audit.COMMAND)
    before = len(all_rows(made)["audit"])
    made.clock.turn(days=91)
    run(made, audit=before)
    actions = [row["action"] for row in all_rows(made)["audit"]]
    assert actions == ["retention.applied", "audit.trimmed"]


def test_a_damaged_audit_log_is_not_trimmed_and_everything_else_goes(kept: Callable[..., Installation]) -> None:
    made = kept(audit=90)
    made.add(record("m-1"))
    said(made, "POST", "/v1/members/m-1/holds", {"kind": "pause", "until": "2026-03-05T12:00:00Z"})
    with made.store.engine.execution_options(every_programme=True, peermatch_writes=True).begin() as connection:
        for name in ("audit_no_update", "audit_no_change"):
            kind = "TRIGGER" if connection.dialect.name == "sqlite" else "TRIGGER IF EXISTS"
            of = "" if connection.dialect.name == "sqlite" else " ON audit"
            if connection.dialect.name != "sqlite" or name == "audit_no_update":
                connection.exec_driver_sql(f"DROP {kind} {name}{of}")
        connection.exec_driver_sql("UPDATE audit SET at = at - 1 WHERE number = 1")
    made.clock.turn(days=91)
    done = Due()
    entries = len(all_rows(made)["audit"])
    with pytest.raises(AuditError, match="none is deleted"):
        retention.apply(made.store, programme_of(made), made.clock(), done=done)
    assert done == Due(holds=1)
    assert len(all_rows(made)["audit"]) == entries + 1


def test_it_can_be_interrupted_anywhere_and_run_again(
    kept: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept(lists=40, feedback=30, consent=60)
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    made.add(record("m-1", "seeker"), record("m-2"), record("m-3"), *(record(f"n-{n}", consents=[]) for n in range(3)))
    made.match("m-1")
    made.tell({"seeker": "m-1", "candidate": "m-2", "event": "viewed", "rank": 1, "at": "2026-03-01T10:00:00Z"})
    said(made, "POST", "/v1/members/m-1/holds", {"kind": "pause", "until": "2026-03-05T12:00:00Z"})
    made.clock.turn(days=61)
    programme, total = programme_of(made), Due(lists=1, feedback=1, holds=1, members=3)
    with made.store.reading() as session:
        assert retention.due(session, programme, made.clock()) == total
    real, left = made.store.transaction, [0]

    def transaction(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(made.store, "transaction", transaction)
    for at in range(1, 50):
        left[0] = at
        try:
            retention.apply(made.store, programme, made.clock())
        except KeyboardInterrupt:
            continue
        break
    assert at >= 4, "never interrupted before it had done anything"
    with made.store.reading() as session:
        assert retention.due(session, programme, made.clock()) == Due()
    assert {row["member_id"] for row in all_rows(made)["members"]} == {"m-1", "m-2", "m-3"}


def test_without_periods_everything_stays(kept: Callable[..., Installation]) -> None:
    made = kept()
    made.add(
        record("m-1", "seeker", consents=[consent("match_serve", at=LONG_AGO)]),
        record("m-2"),
        record("m-3", consents=[]),
    )
    made.match("m-1")
    made.clock.turn(days=5000)
    run(made)
    assert len(all_rows(made)["members"]) == 3


def test_what_is_no_longer_due_when_it_is_deleted_stays(kept: Callable[..., Installation]) -> None:
    made = kept()
    made.add(record("m-1", "seeker"))
    said(made, "POST", "/v1/members/m-1/holds", {"kind": "pause", "until": "2026-03-05T12:00:00Z"})
    (held,) = all_rows(made)["holds"]
    programme, holds = programme_of(made), next(kind for kind in KINDS if kind.name == "holds")
    with made.store.transaction() as session:
        assert holds.delete(session, programme, [(held["id"],)], made.clock()) == 0
    assert all_rows(made)["holds"] == [held]
    with made.store.transaction() as session:
        assert holds.delete(session, programme, [(held["id"],)], made.clock() + timedelta(days=9)) == 1


def test_one_who_cannot_be_erased_does_not_hold_up_the_others(
    kept: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept(consent=30)
    made.add(*(record(f"n-{number}", consents=[]) for number in range(3)))
    made.clock.turn(days=31)
    real = erasure.erase

    def erase(session: Any, programme_id: str, member_id: str, **more: Any) -> Any:
        if member_id == "n-0":
            raise AuditError("on purpose")
        return real(session, programme_id, member_id, **more)

    monkeypatch.setattr(erasure, "erase", erase)
    done = Due()
    with pytest.raises(retention.RetentionError, match=r"^1 members could not be erased, .*on purpose"):
        retention.apply(made.store, programme_of(made), made.clock(), done=done)
    assert done == Due(members=2)
    assert {row["member_id"] for row in all_rows(made)["members"]} == {"n-0"}
    assert any(row["action"] == "retention.applied" for row in all_rows(made)["audit"])


def test_what_was_deleted_when_a_run_was_killed_is_in_the_audit_log(
    kept: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept()
    made.add(*(record(f"m-{number}") for number in range(3)))
    for number in range(3):
        said(made, "POST", f"/v1/members/m-{number}/holds", {"kind": "pause", "until": "2026-03-05T12:00:00Z"})
    made.clock.turn(days=2)
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    deleted: list[int] = []

    def killed(count: int) -> None:
        deleted.append(count)
        if len(deleted) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retention.apply(made.store, programme_of(made), made.clock(), advance=killed)
    assert len(all_rows(made)["holds"]) == 1
    assert _applied(made) == [{"holds": 1}, {"holds": 1}]
    retention.apply(made.store, programme_of(made), made.clock())
    assert _applied(made) == [{"holds": 1}] * 3
    retention.apply(made.store, programme_of(made), made.clock())
    assert _applied(made)[3:] == [{"members": 0}], "that nothing was due is told as well"


def _applied(made: Installation) -> list[dict[str, int]]:
    return [json.loads(row["details"]) for row in all_rows(made)["audit"] if row["action"] == "retention.applied"]
