"""``peermatch doctor`` on erasures: whoever is back is told of, and so is what the file does not say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete

from service.store import erasure, open_store
from service.store.erasure_ledger import Ledger
from service.store.record_tables import ErasureRow
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON, record

ERASED = NOON + timedelta(hours=1)


def found(cli: Cli, code: int = 0) -> dict[str, str]:
    (check,) = (one for one in cli.json("doctor", code=code)["checks"] if one["name"] == "erasures")
    return dict(check)


@pytest.fixture
def erased(cli: Cli) -> Cli:
    """Of two supporters one was erased, and the file tells of it."""
    cli.add(record("s-1", "seeker"), record("p-1"), record("p-2"))
    store = open_store(cli.settings)
    with store.transaction() as session:
        assert erasure.erase(session, "lantern", "p-1", now=ERASED, by="command") is not None
    erasure.sync(store, Ledger.of(cli.settings))
    store.close()
    return cli


def forget(cli: Cli) -> None:
    """Let the database know of no erasure, as one of before it does."""
    store = open_store(cli.settings)
    with store.transaction() as session:
        session.execute(delete(ErasureRow).where(ErasureRow.programme_id == "lantern"))
    store.close()


def test_where_nobody_was_erased(cli: Cli) -> None:
    assert found(cli) == {"name": "erasures", "status": "ok", "message": "nobody was ever erased", "way_out": ""}


def test_all_is_well(erased: Cli) -> None:
    check = found(erased)
    assert (check["status"], check["message"]) == ("ok", "1, all in erasures.ledger, and nobody of them is back")


def test_somebody_who_is_back_is_a_failure_and_the_way_out_is_one(erased: Cli) -> None:
    forget(erased)
    erased.add(record("p-1"))  # as of before the erasure: an old copy
    check = found(erased, code=1)
    assert (check["status"], check["message"].partition(" who")[0]) == ("fail", "1")
    assert "peermatch migrate" in check["way_out"]
    erased.run("migrate")
    assert found(erased)["status"] == "ok"


def test_whoever_was_stored_anew_after_the_erasure_is_not_back(erased: Cli) -> None:
    erased.add(record("p-1"))
    assert found(erased)["status"] == "ok"


def test_what_the_database_does_not_know_of(erased: Cli) -> None:
    forget(erased)
    check = found(erased)
    assert (check["status"], "1 that the database does not know of" in check["message"]) == ("warn", True)
    erased.run("migrate")
    assert found(erased)["status"] == "ok"


def test_lines_that_are_not_as_they_were_written(erased: Cli) -> None:
    path = Ledger.of(erased.settings).path
    path.write_text(path.read_text("utf-8") + '{"programme": "lantern"}\n', "utf-8")
    check = found(erased)
    assert (check["status"], check["message"].partition(" lines")[0]) == ("warn", "1")


def remove(cli: Cli) -> None:
    Ledger.of(cli.settings).path.unlink()


def empty(cli: Cli) -> None:
    Ledger.of(cli.settings).path.write_text("", "utf-8")


@pytest.mark.parametrize("happens", [remove, empty])
def test_a_file_that_lacks_what_the_database_knows(erased: Cli, happens: Callable[[Cli], None]) -> None:
    happens(erased)
    check = found(erased)
    assert (check["status"], check["message"]) == ("warn", "erasures.ledger lacks 1 of 1")
    erased.run("retention")
    assert found(erased)["status"] == "ok"
