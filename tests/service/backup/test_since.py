"""What was decided after a backup was made is not undone by restoring it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.backup import afterwards, restoring
from service.backup.merging import Merged
from service.store import StoreError, audit_chain, erasure, keys, scrubbing
from service.store.erasure_ledger import Ledger
from tests.service.backup.backups import backed_up, content, empty, files, put_back, restored
from tests.service.databases import SQLITE, only
from tests.service.erased import again
from tests.service.installation import Installation, close, consent, record
from tests.service.store.populated import said

CANARY = "m-canary-7f3a"
WORDS = "canary words that nobody else has"
DECLINED = {"seeker": "m-01", "candidate": "m-09", "event": "declined", "rank": 2, "at": "2026-03-06T14:00:00Z"}


def add_canary(made: Installation) -> None:
    """Add somebody who is in every table that can name them."""
    profile = {"experiences": ["lumpectomy"], "channel": ["phone"], "journey": "later", "statement": WORDS}
    one = record(CANARY, "seeker", "supporter", profile=profile)
    made.add({**one, "consents": [*one["consents"], consent("train_model", categories=["channel"])]})
    made.tell({"seeker": CANARY, "candidate": "m-09", "event": "viewed", "rank": 1, "at": "2026-03-06T10:00:00Z"})
    said(made, "POST", "/v1/blocks", {"a": CANARY, "b": "m-11"}, headers={"Idempotency-Key": CANARY})
    said(made, "POST", f"/v1/members/{CANARY}/holds", {"kind": "crisis"})
    made.match("m-01")


def erase(made: Installation, member_id: str) -> None:
    with made.store.transaction() as session:
        assert erasure.erase(session, "lantern", member_id, now=made.clock(), by="command")
    erasure.sync(made.store, Ledger.of(made.settings))
    assert scrubbing.scrub(made.store)


def status(made: Installation, member_id: str) -> int:
    return made.call("GET", f"/v1/members/{member_id}").status_code


def everywhere(made: Installation, *words: str) -> list[str]:
    """Return where any of `words` is: in which files, and in which tables, opened."""
    all_files = {**files(made.settings.home), **_tables_of_postgresql(made)}
    found = [name for name, raw in all_files.items() if any(word.encode() in raw for word in words)]
    for name, rows in content(made, without=set()).items():
        found += [name for row in rows if any(word in repr(row) for word in words)]
    return found


def _tables_of_postgresql(made: Installation) -> dict[str, bytes]:
    """Return the files in which the server keeps the tables; not those of its log, which is used again by itself."""
    cluster = made.database.cluster
    if cluster is None:
        return {}
    cluster.run("CHECKPOINT")
    name = made.settings.url.database
    [(number,)] = cluster.run(f"SELECT oid FROM pg_database WHERE datname = '{name}'")
    return files(cluster.folder.parent / "d" / "base" / str(number))


# Erased --------------------------------------------------------------------------------------------------------------


def test_whoever_was_erased_since_stays_erased_though_only_the_ledger_knows(full: Installation, tmp_path: Path) -> None:
    add_canary(full)
    file = backed_up(full)
    full.clock.turn(hours=1)
    erase(full, CANARY)
    settings = empty(full, tmp_path / "back")
    (settings.home / "erasures.ledger").write_bytes((full.settings.home / "erasures.ledger").read_bytes())
    back = restored(full, settings, file)
    try:
        assert status(back, CANARY) == 404
        assert everywhere(back, CANARY, WORDS) == []
        with back.store.reading() as session:
            assert erasure.erased_at(session, "lantern", CANARY) == full.clock()
            assert erasure.entries(session) == Ledger.of(full.settings).read().entries
    finally:
        close(back)


def test_whoever_was_erased_since_stays_erased_though_only_the_database_knows(full: Installation) -> None:
    add_canary(full)
    file = backed_up(full)
    full.clock.turn(hours=1)
    erase(full, CANARY)
    ledger = Ledger.of(full.settings)
    before = ledger.read().entries
    ledger.path.unlink()
    assert put_back(full, file).erased == 1
    assert status(full, CANARY) == 404
    assert everywhere(full, CANARY, WORDS) == []
    assert ledger.read().entries == before


def test_without_the_replay_they_are_back(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    add_canary(full)
    file = backed_up(full)
    full.clock.turn(hours=1)
    erase(full, CANARY)
    assert not [name for name in everywhere(full, CANARY, WORDS) if not name.startswith("run/")]
    monkeypatch.setattr(restoring.erasure, "replay", lambda *_, **__: [])
    put_back(full, file)
    assert status(full, CANARY) == 200
    tables = set(everywhere(full, CANARY, WORDS))
    assert {"members", "live", "consent_events", "feedback", "apart", "holds"} <= tables


def test_whoever_came_back_with_new_consent_before_the_backup_stays(full: Installation) -> None:
    erase(full, "m-05")
    full.clock.turn(hours=1)
    full.add(again(record("m-05"), full.clock()))
    full.clock.turn(hours=1)
    file = backed_up(full)
    full.clock.turn(hours=1)
    assert put_back(full, file).erased == 0
    assert status(full, "m-05") == 200


def test_lines_of_the_ledger_that_cannot_be_read_are_told_of(full: Installation) -> None:
    file = backed_up(full)
    erase(full, "m-05")
    path = Ledger.of(full.settings).path
    path.write_bytes(path.read_bytes()[:-20] + b"\n")
    done = put_back(full, file)
    assert (done.damaged, done.erased) == (1, 1)


# Decided -------------------------------------------------------------------------------------------------------------


def consents(made: Installation, member_id: str) -> Any:
    return made.call("GET", f"/v1/members/{member_id}/consents").get_json()


def shown(made: Installation, seeker: str = "m-01") -> set[str]:
    key = made.new_key("match", "match:ids")
    return {one["member_id"] for one in made.match(seeker, key=key, limit=10)["matches"]}


def test_what_was_withdrawn_or_given_since_is_so_after_the_restore(full: Installation) -> None:
    first = min(shown(full))
    file = backed_up(full)
    full.clock.turn(hours=1)
    withdrawn = {"purpose": "be_shown_as_peer", "decision": "withdrawn"}
    said(full, "POST", f"/v1/members/{first}/consents", withdrawn)
    said(full, "POST", "/v1/members/m-13/consents", {"purpose": "fairness_audit", "decision": "given"})
    before = {name: consents(full, name) for name in (first, "m-13")}
    log = [row for row in content(full)["consent_events"] if row["member_id"] in before]
    done = put_back(full, file)
    assert done.merged.decisions == 2
    assert {name: consents(full, name) for name in before} == before
    assert [row for row in content(full)["consent_events"] if row["member_id"] in before] == log
    full.clock.turn(days=1)
    assert first not in shown(full)


def test_a_record_that_was_no_longer_accepted_is_not_after_the_restore(full: Installation) -> None:
    levels = 'levels = ["new", "later", "long"]'
    assert levels in full.programme.source
    full.programme = full.apply(full.programme.source.replace(levels, 'levels = ["later", "long"]'))
    full.publish("narrower")
    refused = {row["member_id"] for row in content(full)["live"] if not row["accepted"]}
    file = backed_up(full)
    full.clock.turn(hours=1)
    for name in sorted(refused)[:3]:
        said(full, "POST", f"/v1/members/{name}/consents", {"purpose": "show_reasons", "decision": "withdrawn"})
    assert put_back(full, file).merged.decisions == 3
    assert {row["member_id"] for row in content(full)["live"] if not row["accepted"]} == refused
    full.clock.turn(days=1)
    assert shown(full, next(name for name in ("m-01", "m-02", "m-04") if name not in refused))


def test_without_what_was_decided_since_they_are_shown_again(
    full: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = min(shown(full))
    file = backed_up(full)
    full.clock.turn(hours=1)
    said(full, "POST", f"/v1/members/{first}/consents", {"purpose": "be_shown_as_peer", "decision": "withdrawn"})
    assert first not in shown(full)
    monkeypatch.setattr(restoring.merging, "merge", lambda *_: Merged())
    put_back(full, file)
    full.clock.turn(days=1)
    assert first in shown(full)


def test_blocks_and_holds_made_since_go_on(full: Installation) -> None:
    first, second = sorted(shown(full))[:2]
    file = backed_up(full)
    full.clock.turn(hours=1)
    said(full, "POST", "/v1/blocks", {"a": "m-01", "b": first})
    said(full, "POST", f"/v1/members/{second}/holds", {"kind": "safeguarding"})
    full.tell(DECLINED)
    hold = full.call("GET", "/v1/members/m-12/holds").get_json()
    said(full, "DELETE", f"/v1/members/m-12/holds/{next(iter(_holds(hold)))['id']}")
    done = put_back(full, file).merged
    assert (done.blocks, done.holds, done.holds_back) == (2, 1, 1)
    full.clock.turn(days=1)
    assert not {first, second, "m-09"} & shown(full)


def _holds(body: Any) -> list[Any]:
    return list(body["holds"] if isinstance(body, dict) else body)


def test_keys_are_those_of_the_database_that_is_replaced(full: Installation) -> None:
    revoked = full.new_key("match", "match:ids")
    file = backed_up(full)
    with full.store.transaction() as session:
        assert keys.revoke(session, "lantern", revoked.split("_")[1])
    newer = full.new_key("match")
    done = put_back(full, file).merged
    assert (done.keys_closed, done.keys_since) == (1, 1)
    body = {"member_id": "m-01"}
    assert full.call("POST", "/v1/match", body, key=revoked).status_code == 401
    assert full.call("POST", "/v1/match", body, key=newer).status_code == 200
    assert full.call("POST", "/v1/match", body).status_code == 200


def test_the_audit_log_is_never_set_back(full: Installation) -> None:
    file = backed_up(full)
    full.clock.turn(hours=1)
    said(full, "POST", "/v1/members/m-13/consents", {"purpose": "fairness_audit", "decision": "given"})
    before = [row for row in content(full, without=set())["audit"] if row["programme_id"] == "lantern"]
    assert put_back(full, file).broken_off == []
    after = [row for row in content(full, without=set())["audit"] if row["programme_id"] == "lantern"]
    assert after[: len(before)] == before
    assert after[len(before)]["action"] == "backup.restored"
    with full.store.reading() as session:
        assert audit_chain.verify(session, "lantern").broken is None


def test_members_who_came_since_are_counted_as_lost(full: Installation) -> None:
    file = backed_up(full)
    full.add(record("m-98"), record("m-99"))
    assert put_back(full, file).merged.members_lost == 2
    assert status(full, "m-98") == 404


def test_lists_made_since_are_gone_with_their_handles(full: Installation) -> None:
    file = backed_up(full)
    full.clock.turn(days=1)
    reply = full.match("m-01")
    put_back(full, file)
    viewed = {"match_id": reply["match_id"], "handle": reply["matches"][0]["handle"], "event": "viewed"}
    assert full.call("POST", "/v1/feedback", viewed).status_code == 404


@only(SQLITE, "It is about files beside the database.")
def test_pools_of_the_database_that_was_are_removed(full: Installation) -> None:
    full.match("m-01")
    pools = full.settings.run / "pools"
    assert any(pools.rglob("*"))
    file = backed_up(full)
    close(full)
    restoring.restore(full.settings, file, replace=True, dry_run=False, now=full.clock())
    assert not pools.exists()


def test_what_fails_after_the_restore_is_told_and_the_restore_stands(
    full: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("on purpose")

    add_canary(full)
    file = backed_up(full)
    erase(full, CANARY)
    monkeypatch.setattr(afterwards.scrubbing, "scrub", fail)
    monkeypatch.setattr(afterwards.audit_checkpoint, "checkpoint", fail)
    done = put_back(full, file)
    assert done.undone == [
        "clear the files of the database: on purpose",
        "sign the audit log of beacon: on purpose",
        "sign the audit log of lantern: on purpose",
    ]
    assert status(full, CANARY) == 404
