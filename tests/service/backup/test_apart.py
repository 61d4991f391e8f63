"""Who came to stand apart since the backup does so after a restore, and after the next event about them too."""

from __future__ import annotations

from sqlalchemy import text

from service.store import apart
from tests.service.backup.backups import backed_up, content, put_back
from tests.service.installation import Installation

PAIR = {"seeker": "m-01", "candidate": "m-09", "rank": 2}


def tell(made: Installation, event: str, at: str) -> None:
    made.tell({**PAIR, "event": event, "at": at})


def connect(made: Installation) -> None:
    """Have both say yes."""
    tell(made, "accepted", "2026-03-06T13:00:00Z")
    made.tell({**PAIR, "event": "accepted", "by": "candidate", "at": "2026-03-06T14:00:00Z"})
    assert kinds(made) == {"connected"}


def kinds(made: Installation) -> set[str]:
    """Return how the pair stands apart."""
    with made.store.reading() as session:
        around = apart.around(session, "lantern", "m-01")
    return {kind for kind, others in around.items() if "m-09" in others}


def places(made: Installation) -> dict[str, int]:
    return {row["member_id"]: row["free"] for row in content(made)["live"] if row["programme_id"] == "lantern"}


def test_a_pair_that_connected_stays_connected_and_takes_its_place(full: Installation) -> None:
    file = backed_up(full)
    before = places(full)
    connect(full)
    after = places(full)
    assert after != before
    done = put_back(full, file).merged
    assert (done.blocks, done.connections) == (0, 1)
    assert kinds(full) == {"connected"}
    assert places(full) == after
    tell(full, "ended", "2026-03-06T15:00:00Z")
    assert kinds(full) == set()
    assert places(full) == before


def test_a_pair_that_declined_is_not_forgotten_with_the_next_event(full: Installation) -> None:
    file = backed_up(full)
    tell(full, "declined", "2026-03-06T14:00:00Z")
    assert put_back(full, file).merged.blocks == 1
    tell(full, "ended", "2026-03-06T15:00:00Z")
    assert kinds(full) == {"declined"}


def test_a_pair_whose_connection_ended_is_not_connected_again(full: Installation) -> None:
    connect(full)
    file = backed_up(full)
    tell(full, "ended", "2026-03-06T15:00:00Z")
    after = places(full)
    done = put_back(full, file).merged
    assert (done.blocks, done.connections) == (0, 0)
    assert kinds(full) == set()
    assert places(full) == after


def test_a_connection_whose_feedback_is_not_kept_any_more_stays(full: Installation) -> None:
    file = backed_up(full)
    connect(full)
    after = places(full)
    with full.store.transaction() as session:
        trimmed = text("DELETE FROM feedback WHERE seeker = 'm-01' AND candidate = 'm-09'")
        session.execute(trimmed.execution_options(every_programme=True))
    assert put_back(full, file).merged.connections == 1
    assert kinds(full) == {"connected"}
    assert places(full) == after
