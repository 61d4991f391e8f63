"""Feedback from a file into the store."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from service.intake.errors import IntakeError
from service.intake.feedback import FeedbackBatch, read_feedback, refuse_strangers, store_feedback
from service.store import deletion, feedback
from tests.service.installation import NOON, Installation, record

SHOWN = {
    "seeker": "s",
    "candidate": "m-1",
    "event": "shown",
    "rank": 1,
    "propensity": 0.5,
    "at": "2026-02-01T10:00:00Z",
}


def load(made: Installation, content: str, name: str = "feedback.jsonl") -> tuple[FeedbackBatch, int]:
    path = made.folder / name
    path.write_text(content, encoding="utf-8")
    batch = read_feedback(path, made.programme, now=NOON)
    with made.store.transaction() as session:
        refuse_strangers(session, made.programme, batch)
        return batch, store_feedback(session, made.programme, batch)


def lines(*records: Any) -> str:
    return "".join(json.dumps(item) + "\n" for item in records)


@pytest.fixture
def people(made: Installation) -> Installation:
    made.add(record("s", "seeker"), record("m-1"), record("m-2"))
    return made


def test_bad_events_are_listed_by_line_and_good_ones_land(people: Installation) -> None:
    batch, new = load(
        people,
        lines(SHOWN, SHOWN | {"candidate": "m-9"}, SHOWN | {"event": "liked"}, [1], SHOWN | {"event": "viewed"})
        + '{"seeker": NaN}\n',
    )
    assert new == batch.outcome.accepted == 2
    assert [(refusal.line, refusal.id, list(refusal.errors)) for refusal in batch.outcome.refused] == [
        (2, "s", ["candidate"]),
        (3, "s", ["event"]),
        (4, None, ["(record)"]),
        (6, None, ["(record)"]),
    ]
    assert "no member of lantern" in batch.outcome.refused[0].errors["candidate"]


def test_the_same_event_counts_once(people: Installation) -> None:
    assert load(people, lines(SHOWN, SHOWN))[1] == 1
    batch, new = load(people, lines(SHOWN))
    assert (batch.outcome.accepted, new) == (1, 0)


def test_feedback_of_an_erased_member_does_not_come_back(people: Installation) -> None:
    load(people, lines(SHOWN))
    with people.store.transaction() as session:
        deletion.delete(session, "lantern", "m-1", now=NOON)
    batch, new = load(people, lines(SHOWN))
    assert (batch.outcome.accepted, new) == (0, 0)
    with people.store.reading() as session:
        assert list(feedback.all_feedback(session, "lantern")) == []


def test_csv_has_the_same_fields(people: Installation) -> None:
    batch, new = load(
        people,
        "seeker;candidate;event;by;rank;propensity;rating;at\n"
        "s;m-1;shown;;1;0.5;;2026-02-01T10:00:00Z\n"
        "s;m-1;accepted;candidate;;;;2026-02-02T10:00:00Z\n"
        "s;m-1;rated;;;;six;2026-02-02T10:00:00Z\n"
        "s;m-2;shown;;1;nan;;2026-02-02T10:00:00Z\n",
        "feedback.csv",
    )
    assert new == 2
    assert [(refusal.line, list(refusal.errors)) for refusal in batch.outcome.refused] == [
        (4, ["rating"]),
        (5, ["propensity"]),
    ]
    with people.store.reading() as session:
        assert next(iter(feedback.all_feedback(session, "lantern"))) == SHOWN


def test_what_is_yet_to_come_is_refused(people: Installation) -> None:
    times = [NOON, NOON + timedelta(minutes=5), NOON + timedelta(minutes=5, seconds=1)]
    batch, new = load(people, lines(*(SHOWN | {"at": at.isoformat()} for at in times)))
    assert new == batch.outcome.accepted == 2
    [refusal] = batch.outcome.refused
    assert (refusal.line, refusal.id) == (3, "s")
    assert refusal.errors == {"at": "found 2026-03-04T12:05:01Z, which is yet to come; expected now or before"}


def test_files_that_are_no_feedback(people: Installation) -> None:
    with pytest.raises(IntakeError, match="did you mean 'candidate'"):
        load(people, "seeker,candidat\n", "feedback.csv")
    for name, content in (("feedback.csv", "seeker,candidate\n"), ("feedback.jsonl", "\n")):
        with pytest.raises(IntakeError, match=r"at least one row|no rows"):
            load(people, content, name)
