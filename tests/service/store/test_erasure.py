"""Erasing a member: everything that names them goes, what stays names nobody, and nothing brings them back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from matcher.people import Member
from service.store import audit, deletion, erasure, feedback, lists, members, sealed
from service.store.derived_keys import derived
from service.store.erasure import Erasure
from service.store.erasure_ledger import Entry
from service.store.live_tables import GoneRow, ListRow, LiveRow
from service.store.moments import micros
from service.store.record_tables import AuditRow, ErasureRow
from service.store.table_base import Base
from service.store.tables import FeedbackRow, IdempotencyRow
from tests.service.installation import NOON, Installation, another_programme, record
from tests.service.store.whole_person import GROUP, OTHERS, X, found_in, full_record, populate, texts_of, word

DECIDED = {
    "members": "deleted",
    "live": "deleted",
    "holds": "deleted",
    "consent_events": "deleted, after the record",
    "feedback": "deleted, whoever told it",
    "introductions": "deleted, on whichever side they were",
    "events": "deleted: what their app was told; of others' a name of an introduction that is gone",
    "apart": "deleted, whoever asked for it",
    "group_people": "deleted",
    "group_weeks": "deleted",
    "idempotency": "deleted where the request or the reply names them",
    "lists": "theirs are deleted; those of others have a number that means nobody, which is taken out too",
    "groups": "names nobody: who is in a group is in group_people",
    "gone": "a number that means nobody, for the workers",
    "erasures": "a keyed hash",
    "audit": "a keyed hash, and words of ours",
    "pools": "numbers of the programme",
    "models": "of the programme; their manifests have keyed hashes",
    "active_models": "of the programme",
    "locks": "a process of ours",
    "privacy_releases": "of the programme: how much noise",
    "programmes": "of the programme",
    "api_keys": "of the programme",
    "installation": "of the installation",
}
"""What becomes of each table when somebody is erased. A new table is decided about here, and in `deletion`."""


def undecided(tables: set[str]) -> set[str]:
    return tables ^ set(DECIDED)


def erased(made: Installation, member_id: str, **more: Any) -> Erasure | None:
    with made.store.transaction() as session:
        return erasure.erase(session, "lantern", member_id, now=made.clock(), by=audit.COMMAND, **more)


def rows(session: Session, table: Any) -> list[Any]:
    return list(session.scalars(select(table).where(table.programme_id == "lantern")))


# Everything --------------------------------------------------------------------------------------------------------


def test_every_table_is_decided_about() -> None:
    assert undecided(set(Base.metadata.tables)) == set()


def test_a_table_that_nobody_decided_about_is_caught() -> None:
    assert undecided({*Base.metadata.tables, "diaries"}) == {"diaries"}


def test_nothing_that_names_the_member_is_left_in_any_table(small: Installation) -> None:
    populate(small)
    with small.store.reading() as session:
        told = {name: what for name, what in DECIDED.items() if what.startswith("deleted")}
        assert found_in(session, X) == set(told), "control: they were everywhere"
        assert found_in(session, word(X)) == {"members"}
        number = session.scalar(select(LiveRow.id).where(LiveRow.programme_id == "lantern", LiveRow.member_id == X))
    assert small.call("DELETE", f"/v1/members/{X}").status_code == 200
    with small.store.reading() as session:
        for text in texts_of(X):
            assert found_in(session, text) == set(), text
        for row in rows(session, ListRow):
            kept = sealed.opened(session, "lantern", "lists", row.match_id, row.entries)
            assert number not in {entry[0] for entry in orjson.loads(kept)}
        for name in OTHERS:
            assert {"members", "consent_events", "live"} <= found_in(session, name)
        assert found_in(session, GROUP) == {"groups"}


def test_only_one_programme_is_reached(made: Installation) -> None:
    key = another_programme(made, "beacon")
    for one in (None, key):
        assert made.call("PUT", "/v1/members/m-1", record("m-1"), key=one).status_code == 201
    assert made.call("DELETE", "/v1/members/m-1").status_code == 200
    assert made.call("GET", "/v1/members/m-1", key=key).status_code == 200
    # Not even by the hash can it be told that they are the same.
    with made.store.reading() as session:
        keys = derived(session)
        assert keys.erasure("lantern", "m-1") != keys.erasure("beacon", "m-1")
        assert erasure.erased_at(session, "beacon", "m-1") is None


def test_decisions_are_deleted_when_the_record_is_gone(made: Installation) -> None:
    made.add(record("m-1"))
    order: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        order.extend(re.findall(r"^DELETE FROM (\w+)", sql))

    event.listen(made.store.engine, "before_cursor_execute", note)
    erased(made, "m-1")
    assert order.index("members") < order.index("consent_events")


def test_whoever_is_not_there_is_not_erased(made: Installation) -> None:
    for name in ("never", "m\x00"):
        assert erased(made, name) is None
    made.add(record("m-1"))
    assert erased(made, "m-1") is not None
    assert erased(made, "m-1") is None
    with made.store.reading() as session:
        assert [row.action for row in rows(session, AuditRow)].count("member.erased") == 1
        assert len(rows(session, GoneRow)) == 1


def test_no_audit_no_erasure(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    made.add(record("m-1"))

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("a test says no")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(ValueError, match="says no"):
        erased(made, "m-1")
    assert made.call("GET", "/v1/members/m-1").status_code == 200
    with made.store.reading() as session:
        assert rows(session, ErasureRow) == []


def test_a_supporters_place_is_free_again(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("s-2", "seeker"), record("p-1", capacity=2))
    for seeker in ("s-1", "s-2"):
        said = {"seeker": seeker, "candidate": "p-1", "event": "accepted", "at": "2026-03-01T00:00:00Z"}
        made.tell({**said, "by": "seeker"}, {**said, "by": "candidate"})

    def free() -> int | None:
        with made.store.reading() as session:
            query = select(LiveRow.free).where(LiveRow.programme_id == "lantern", LiveRow.member_id == "p-1")
            return session.scalar(query)

    assert free() == 0
    erased(made, "s-1")
    assert free() == 1
    erased(made, "s-2")
    assert free() == 2


# The receipt -------------------------------------------------------------------------------------------------------


def test_the_receipt_counts_what_was_theirs_and_names_nobody(small: Installation) -> None:
    populate(small)
    told = small.call("DELETE", f"/v1/members/{X}").get_json()
    assert set(told) == {"receipt", "erased_at", "what"}
    assert re.fullmatch("[0-9a-f]{32}", told["receipt"])
    assert told["erased_at"] == "2026-03-04T12:00:00Z"
    assert told["what"] == {
        "record": 1, "consents": 4, "holds": 1, "groups": 1, "events": 4, "feedback": 3, "introductions": 2, "lists": 1,
    }  # fmt: skip
    assert not any(text in str(told) for text in texts_of(X))
    with small.store.reading() as session:
        (entry,) = [row for row in rows(session, AuditRow) if row.action == "member.erased"]
        assert orjson.loads(entry.details) == {"receipt": told["receipt"]}
        assert entry.subject == derived(session).subject("lantern", X)
        (row,) = rows(session, ErasureRow)
        assert (row.receipt, row.erased_at) == (told["receipt"], micros(NOON))
        assert row.digest == derived(session).erasure("lantern", X)


def test_a_receipt_does_not_tell_of_blocks_or_of_what_others_told(made: Installation) -> None:
    made.add(*(record(name, "seeker", "supporter") for name in ("m-1", "m-2", "m-3")))
    made.call("POST", "/v1/blocks", {"a": "m-1", "b": "m-3"}, headers={"Idempotency-Key": "k"})
    made.tell({"seeker": "m-3", "candidate": "m-1", "event": "reported", "at": "2026-03-01T00:00:00Z"})
    of_one, of_other = erased(made, "m-1"), erased(made, "m-2")
    assert of_one is not None
    assert of_other is not None
    assert of_one.what == of_other.what


def test_every_erasure_has_a_receipt_of_its_own(made: Installation) -> None:
    made.add(*(record(f"m-{number}") for number in range(20)))
    receipts = {done.receipt for number in range(20) if (done := erased(made, f"m-{number}")) is not None}
    assert len(receipts) == 20


# What is kept ------------------------------------------------------------------------------------------------------


def test_of_several_erasures_the_last_is_kept_also_where_the_clock_was_set_back(made: Installation) -> None:
    for days in (0, 1, -1):
        made.clock.now = NOON + timedelta(days=days)
        made.add(record("m-1"))
        erased(made, "m-1")
        with made.store.reading() as session:
            assert erasure.erased_at(session, "lantern", "m-1") == made.clock.now
            assert len(rows(session, ErasureRow)) == 1


def test_only_the_hash_tells_who_was_erased(made: Installation) -> None:
    made.add(record("m-1"), record("m-2"))
    erased(made, "m-1")
    with made.store.reading() as session:
        assert erasure.erased_at(session, "lantern", "m-1") == NOON
        assert erasure.erased_at(session, "lantern", "m-2") is None
        assert erasure.erased_at(session, "lantern", "m-1 ") is None
        assert erasure.moments(session, "lantern") == {derived(session).erasure("lantern", "m-1"): NOON}
        assert [entry.programme for entry in erasure.entries(session)] == ["lantern"]


# After a backup ----------------------------------------------------------------------------------------------------


@pytest.fixture
def back(made: Installation) -> tuple[Installation, list[Entry]]:
    """Return an installation that a backup brought back, and what the ledger says of it.

    ``m-1`` was erased since; ``m-2`` was erased before and stored anew since then; ``m-3`` never was.
    """
    made.add(record("m-1"), record("m-2"))
    erased(made, "m-2")
    made.clock.turn(days=1)
    made.add(*(record(name) for name in ("m-2", "m-3")))
    made.clock.turn(days=1)
    with made.store.reading() as session:
        keys, table = derived(session), erasure.entries(session)
    gone = Entry("lantern", keys.erasure("lantern", "m-1"), micros(made.clock()), "ab" * 16)
    of_another = gone._replace(programme="beacon")
    return made, [*table, gone._replace(erased_at=5, receipt="cd" * 16), gone, of_another]


def replayed(made: Installation, ledger: list[Entry], now: datetime) -> list[Erasure]:
    with made.store.transaction() as session:
        return erasure.replay(session, "lantern", ledger, now=now)


def test_whoever_a_backup_brings_back_is_erased_again(back: tuple[Installation, list[Entry]]) -> None:
    made, ledger = back
    made.clock.turn(days=30)
    (done,) = replayed(made, ledger, made.clock())
    # The receipt that they have stays the one there is.
    assert (done.receipt, done.erased_at) == ("ab" * 16, NOON + timedelta(days=2))
    for name, status in (("m-1", 404), ("m-2", 200), ("m-3", 200)):
        assert made.call("GET", f"/v1/members/{name}").status_code == status
    with made.store.reading() as session:
        assert erasure.erased_at(session, "lantern", "m-1") == NOON + timedelta(days=2)
        assert erasure.erased_at(session, "lantern", "m-2") == NOON
        assert {entry.programme for entry in erasure.entries(session)} == {"lantern"}
    assert replayed(made, ledger, made.clock()) == [], "a second time there is nothing to do"


def test_a_ledger_of_people_who_are_not_there_is_known_again(back: tuple[Installation, list[Entry]]) -> None:
    made, ledger = back
    with made.store.reading() as session:
        unknown = Entry("lantern", derived(session).erasure("lantern", "m-9"), micros(NOON), "ef" * 16)
    replayed(made, [*ledger, unknown], made.clock())
    with made.store.reading() as session:
        assert erasure.erased_at(session, "lantern", "m-9") == NOON


def test_an_older_line_does_not_take_the_place_of_a_newer_erasure(made: Installation) -> None:
    made.add(record("m-1"))
    erased(made, "m-1")
    with made.store.transaction() as session:
        digest = derived(session).erasure("lantern", "m-1")
        assert not erasure.note(session, Entry("lantern", digest, micros(NOON) - 1, "ab" * 16))
        assert erasure.erased_at(session, "lantern", "m-1") == NOON
        assert erasure.note(session, Entry("lantern", digest, micros(NOON) + 1, "ab" * 16))
        assert erasure.erased_at(session, "lantern", "m-1") == NOON + timedelta(microseconds=1)


# What comes in about the erased ------------------------------------------------------------------------------------


def refuse_feedback(made: Installation) -> int:
    body = {"seeker": "m-1", "candidate": "m-2", "event": "viewed", "at": "2026-03-01T00:00:00Z"}
    from service.intake.feedback import FeedbackBatch, refuse_strangers

    batch = FeedbackBatch([(1, feedback.Feedback.from_dict(body, made.programme))])
    with made.store.transaction() as session:
        refuse_strangers(session, made.programme, batch)
    return len(batch.outcome.refused)


def refuse_blocks(made: Installation) -> int:
    from service.intake.blocks import BlockBatch, refuse_strangers

    batch = BlockBatch([(1, ("m-1", "m-2"))])
    with made.store.transaction() as session:
        refuse_strangers(session, made.programme, batch)
    return len(batch.outcome.refused)


@pytest.mark.parametrize("refuse", [refuse_feedback, refuse_blocks])
def test_feedback_and_blocks_that_name_the_erased_are_strangers(
    made: Installation, refuse: Callable[[Installation], int]
) -> None:
    made.add(record("m-1", "seeker"), record("m-2"))
    assert refuse(made) == 0
    assert made.call("POST", "/v1/blocks", {"a": "m-1", "b": "m-2"}).status_code == 201
    erased(made, "m-1")
    assert refuse(made) == 1
    assert made.call("POST", "/v1/blocks", {"a": "m-1", "b": "m-2"}).status_code == 404
    with made.store.reading() as session:
        assert rows(session, FeedbackRow) == []


def test_a_list_that_is_stored_just_after_an_erasure_is_found_later(small: Installation) -> None:
    """Whoever ranked before and writes after names somebody who is gone; the re-check keeps them out meanwhile."""
    from service.store import list_forgetting

    small.add(record("s-1", "seeker"), record("p-1"), record("p-2"))
    small.match("s-1")
    with small.store.hot.reading() as reader:
        before = lists.latest(reader, "lantern", 1, "buddy")
        assert before is not None
    with small.store.reading() as session:
        number = members.get(session, "lantern", "p-1").id  # type: ignore[union-attr]
    assert number in {entry.id for entry in before.entries}
    assert small.call("DELETE", "/v1/members/p-1").status_code == 200
    with small.store.hot.writing() as writer:
        lists.add(writer, "lantern", lists.StoredList(**{**before.__dict__, "match_id": "late", "id": 0}))
    assert len(small.match("s-1")["matches"]) == 1
    with small.store.transaction() as session:
        assert list_forgetting.forget_in_lists(session, "lantern") == 1
        assert list_forgetting.forget_in_lists(session, "lantern") == 0


def test_deleting_without_erasing_is_nobodys_but_the_erasures() -> None:
    """Whoever deletes rows without keeping that it was done lets an old file bring the member back."""
    from pathlib import Path

    service = Path(deletion.__file__).parent.parent
    callers = {
        path.name
        for path in service.rglob("*.py")
        if re.search(r"\bdeletion\.delete\(|from service\.store\.deletion import", path.read_text("utf-8"))
    }
    assert callers == {"erasure.py"}


def test_full_records_have_a_text_in_every_field() -> None:
    """Guards the canaries themselves."""
    one = full_record("m")
    assert set(texts_of("m")) - {"m", word("m")} == {
        "m-agreement", "m-wanted", "m-avoided", "m-code", "m-method", "m-guardian",
    }  # fmt: skip
    assert all(text in str(one) for text in texts_of("m"))


def test_whoever_comes_back_while_the_clock_is_set_back_outlasts_a_replay(made: Installation) -> None:
    back = [record("m-1"), record("m-2")]
    made.add(*back)
    for one in back:
        assert erased(made, one["member_id"]) is not None
    made.clock.turn(hours=-1)
    made.add(back[0])  # many at once
    with made.store.transaction() as session:
        one = Member.from_dict(back[1], made.programme)
        members.upsert(session, made.programme, one, now=made.clock(), visible_from=NOON.date())
    with made.store.transaction() as session:
        assert erasure.replay(session, "lantern", erasure.entries(session), now=made.clock()) == []


def test_a_kept_reply_that_cannot_be_opened_holds_up_no_erasure(made: Installation) -> None:
    made.add(record("m-1"), record("m-2"), record("m-3"))
    assert made.call("POST", "/v1/blocks", {"a": "m-1", "b": "m-2"}, headers={"Idempotency-Key": "k"}).status_code < 300
    with made.store.transaction() as session:
        session.execute(update(IdempotencyRow).where(IdempotencyRow.programme_id == "lantern").values(reply=b"0"))
    assert made.call("DELETE", "/v1/members/m-3").status_code == 200
    with made.store.reading() as session:
        assert rows(session, IdempotencyRow) == []
