"""``peermatch doctor`` on the audit log: whatever was done to it by hand is found, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from service.store import Store, audit, open_store
from service.store.audit_checkpoint import checkpoint
from service.store.audit_heads import FILE
from tests.service.cli.conftest import Cli
from tests.service.databases import SQLITE
from tests.service.installation import NOON

ENTRIES = 12
"""The two of `init` among them."""


@pytest.fixture
def store(cli: Cli) -> Iterator[Store]:
    """A log with a dozen entries, signed."""
    opened = open_store(cli.settings)
    with opened.transaction() as session:
        for place in range(ENTRIES - 2):
            now = NOON + timedelta(minutes=place)
            audit.record(session, "lantern", "hold.placed", now=now, by="command", subject=f"m-{place}")
    checkpoint(opened, "lantern", NOON + timedelta(minutes=30))
    yield opened
    opened.close()


def found(cli: Cli, code: int) -> dict[str, str]:
    (check,) = (one for one in cli.json("doctor", code=code)["checks"] if one["name"] == "audit log of lantern")
    return dict(check)


def by_hand(store: Store, *statements: str) -> None:
    connection: Any = store.engine.raw_connection()
    try:
        cursor = connection.cursor()
        if store.engine.dialect.name == SQLITE:
            for what in ("update", "replace", "delete"):
                cursor.execute(f"DROP TRIGGER audit_no_{what}")
            cursor.execute("PRAGMA foreign_keys = OFF")
        else:
            cursor.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
        for statement in statements:
            cursor.execute(statement)
        connection.commit()
    finally:
        connection.invalidate()


def test_a_sound_log(cli: Cli, store: Store) -> None:
    check = found(cli, code=0)
    assert check["status"] == "ok"
    assert check["message"].startswith(f"{ENTRIES + 1} entries, whole; ")
    assert check["message"].endswith("signed heads agree")


def test_a_new_log_is_signed_by_what_wrote_it(cli: Cli) -> None:
    assert found(cli, code=0)["message"] == "2 entries, whole; 1 signed heads agree"


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("UPDATE audit SET subject = NULL WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number <= 5", 1),
        (
            "INSERT INTO audit SELECT programme_id, 14, at, by, action, subject, details, mac FROM audit "
            "WHERE number = 5",
            14,
        ),
        ("UPDATE audit SET programme_id = 'beacon' WHERE number = 5", 5),
    ],
)
def test_what_was_changed_taken_out_added_or_moved_fails(cli: Cli, store: Store, change: str, number: int) -> None:
    by_hand(store, change)
    check = found(cli, code=1)
    assert check["status"] == "fail"
    assert check["message"].startswith(f"entry {number} was changed, added or taken out; the {number - 1} before it")
    assert "peermatch restore" in check["way_out"]


def test_entries_in_another_order_fail(cli: Cli, store: Store) -> None:
    by_hand(
        store,
        "UPDATE audit SET number = 100 WHERE number = 5",
        "UPDATE audit SET number = 5 WHERE number = 6",
        "UPDATE audit SET number = 6 WHERE number = 100",
    )
    assert found(cli, code=1)["message"].startswith("entry 5 was changed")


def test_entries_cut_off_the_end_fail(cli: Cli, store: Store) -> None:
    by_hand(store, "DELETE FROM audit WHERE number > 8")
    check = found(cli, code=1)
    assert check["status"] == "fail"
    assert "8 entries, whole; but entry 9 was signed in the second place, and is missing" in check["message"]
    assert "peermatch restore" in check["way_out"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:1], "line 3 of the second place is missing"),
        (lambda lines: [], "line 3 of the second place is missing"),
        (lambda lines: lines[1:], "line 1 is not as it was written"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1 is not as it was written"),
        (lambda lines: [lines[0], lines[1].replace(b'"number":', b'"number":1'), lines[2]], "line 2 is not as it was"),
        (lambda lines: [*lines, lines[0]], "line 4 is not as it was written"),
    ],
)
def test_a_second_place_that_was_cut_or_changed_fails(
    cli: Cli, store: Store, change: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    path = cli.settings.home / FILE
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    check = found(cli, code=1)
    assert check["status"] == "fail"
    assert said in check["message"]
    assert "keep this one apart" in check["message"] + check["way_out"]


def test_a_second_place_that_is_gone_fails_until_it_is_begun_anew_which_is_told(cli: Cli, store: Store) -> None:
    path = cli.settings.home / FILE
    path.rename(path.with_suffix(".apart"))
    assert found(cli, code=1)["status"] == "fail"
    cli.clock.now = NOON + timedelta(days=1)
    cli.run("refresh")
    check = found(cli, code=0)
    assert check["status"] == "warn"
    assert "begun anew by entry 14" in check["message"]
    assert "look into it" in check["way_out"]


def test_a_log_that_nothing_signed_is_a_warning(cli: Cli) -> None:
    (cli.settings.home / FILE).unlink()
    check = found(cli, code=0)
    assert check["status"] == "warn"
    assert "peermatch refresh" in check["way_out"]
    cli.run("refresh")
    assert found(cli, code=0)["status"] == "ok"


def test_another_secret_key_fails(cli: Cli, store: Store) -> None:
    key = cli.settings.secret_key_file
    key.write_text("0" * 64)
    assert found(cli, code=1)["message"].startswith("entry 1 was changed")


def test_nothing_is_changed_by_looking(cli: Cli, store: Store) -> None:
    before = (cli.settings.home / FILE).read_bytes()
    cli.run("doctor")
    assert (cli.settings.home / FILE).read_bytes() == before
    with store.reading() as session:
        assert audit.verify(session, "lantern").count == ENTRIES + 1


def test_a_refresh_signs_and_one_that_cannot_says_so(cli: Cli, store: Store) -> None:
    cli.clock.now = NOON + timedelta(days=1)
    with store.transaction() as session:
        audit.record(session, "lantern", "hold.placed", now=NOON, by="command")
    by_hand(store, "DELETE FROM audit WHERE number > 10")
    result = cli.run("refresh")
    assert "entry 11 was signed in the second place" in result.stderr
    assert "peermatch doctor" in result.stderr
