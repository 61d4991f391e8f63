"""An export has all that is held on one member, and nothing of anybody else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from service.sealing import SealError
from service.store import audit, erasure, export
from service.store.acts import own_acts
from service.store.groups import week
from service.store.live_tables import ListRow
from service.store.table_base import Base
from service.store.tables import MemberRow
from tests.service.installation import NOON, Installation, another_programme, consent, record
from tests.service.store.whole_person import GROUP, OTHERS, X, full_record, populate, texts_of

EXPORTED = {
    "members": "record, stored",
    "live": "stored; the rest of it is worked out from the record",
    "consent_events": "consents",
    "holds": "holds",
    "group_people": "groups",
    "group_weeks": "groups",
    "groups": "the name of those that the member is in",
    "feedback": "feedback: their own",
    "lists": "lists: their own, without whom they showed",
    "introductions": "introductions: those of which the member was told, without what the other did",
    "events": "events: addressed to the member",
    "models": "models",
    "active_models": "models",
    "audit": "audit",
    "apart": "left out: names others",
    "idempotency": "left out: repeats what is here",
    "gone": "of nobody who is a member",
    "erasures": "of nobody who is a member",
    "pools": "of the programme",
    "programmes": "of the programme",
    "api_keys": "of the programme",
    "installation": "of the installation",
    "locks": "of the programme",
    "privacy_releases": "of the programme",
}
"""Where each table is in an export. A new table is decided about here, and in `export`."""


def exported(made: Installation, member_id: str) -> dict[str, Any]:
    with made.store.reading() as session:
        found = export.export(session, "lantern", member_id, made.clock())
    assert found is not None
    return found


def missing(document: Any, member_id: str) -> list[str]:
    """Return which texts of a member's own an export does not have."""
    text = json.dumps(document)
    return [one for one in texts_of(member_id) if one not in text]


def of_others(document: Any, names: tuple[str, ...] = OTHERS) -> list[str]:
    """Return which texts of others an export has."""
    text = json.dumps(document)
    return [one for name in names for one in texts_of(name) if one in text]


# Whole, and nobody else's ------------------------------------------------------------------------------------------


def undecided(tables: set[str]) -> set[str]:
    return tables ^ set(EXPORTED)


def test_every_table_is_decided_about() -> None:
    assert undecided(set(Base.metadata.tables)) == set()


def test_a_table_that_nobody_decided_about_is_caught() -> None:
    assert undecided({*Base.metadata.tables, "diaries"}) == {"diaries"}


def test_every_text_of_the_members_own_is_there_and_none_of_anybody_else(small: Installation) -> None:
    populate(small)
    for name in (X, *OTHERS):
        document = exported(small, name)
        assert missing(document, name) == []
        others = tuple(other for other in (X, *OTHERS) if other != name)
        assert of_others(document, others) == []
    assert GROUP in json.dumps(exported(small, X))
    assert GROUP not in json.dumps(exported(small, OTHERS[2])), "who is in no group is told of none"


@pytest.mark.parametrize("leak", ["a handle's owner", "somebody blocked", "a reason"])
def test_a_leak_is_caught(small: Installation, leak: str) -> None:
    populate(small)
    document = exported(small, X)
    planted = {
        "a handle's owner": {**document, "feedback": [{**document["feedback"][0], "candidate": OTHERS[0]}]},
        "somebody blocked": {**document, "blocks": [OTHERS[2]]},
        "a reason": {**document, "lists": [{**document["lists"][0], "reasons": [f"{OTHERS[1]}-code"]}]},
    }[leak]
    assert of_others(planted)


def test_every_part_has_something_when_everything_happened(small: Installation) -> None:
    """So the test of texts looks at something in each."""
    populate(small)
    document = exported(small, X)
    parts = ("record", "consents", "holds", "groups", "feedback", "lists", "audit")
    assert [part for part in parts if not document[part]] == []


def test_what_is_missing_is_caught(small: Installation) -> None:
    populate(small)
    document = exported(small, X)
    assert missing({**document, "record": {}}, X)
    assert missing({**document, "record": {}, "consents": []}, X) > missing({**document, "record": {}}, X)


# Part by part ------------------------------------------------------------------------------------------------------


def test_the_record_is_as_it_is_stored(made: Installation) -> None:
    made.add(full_record("m-1"))
    document = exported(made, "m-1")
    assert document["record"] == made.call("GET", "/v1/members/m-1").get_json()
    assert document["stored"] == {
        "first_stored_at": "2026-03-04T12:00:00Z",
        "last_stored_at": "2026-03-04T12:00:00Z",
        "visible_from": "2026-03-04",
        "accepted": True,
        "places": {"capacity": 3, "free": 3},
    }


def test_the_history_of_consent_is_that_of_the_log(made: Installation) -> None:
    made.add(full_record("m-1"))
    made.clock.turn(days=1)
    body = {"purpose": "match_serve", "decision": "withdrawn"}
    assert made.call("POST", "/v1/members/m-1/consents", body).status_code == 201
    consents = exported(made, "m-1")["consents"]
    told = made.call("GET", "/v1/members/m-1/consents").get_json()["events"]
    assert [one["receipt"] for one in consents] == [one["id"] for one in told]
    assert [(one["purpose"], one["decision"]) for one in consents][-1] == ("match_serve", "withdrawn")
    assert (consents[0]["recorded_by"], consents[0]["recorded_at"]) == ("command", "2026-03-04T12:00:00Z")
    assert (len(consents[-1]["recorded_by"]), consents[-1]["recorded_at"]) == (16, "2026-03-05T12:00:00Z")
    assert consents[0]["method"] == "m-1-method", "what is sealed in the log too"


def test_a_hold_that_has_ended_and_is_not_forgotten_yet_is_told(made: Installation) -> None:
    made.add(record("m-1"))
    made.call("POST", "/v1/members/m-1/holds", {"kind": "pause", "until": "2026-03-04T13:00:00Z"})
    made.clock.turn(days=1)
    made.call("POST", "/v1/members/m-1/holds", {"kind": "crisis"})
    holds = exported(made, "m-1")["holds"]
    assert [(one["kind"], one["until"]) for one in holds] == [("crisis", None)], "forgotten with the next hold"
    made.call("POST", "/v1/members/m-1/holds", {"kind": "pause", "until": "2026-03-05T13:00:00Z"})
    made.clock.turn(days=1)
    assert len(exported(made, "m-1")["holds"]) == 2


def test_groups_are_told_as_long_as_a_roster_has_the_member(made: Installation) -> None:
    made.add(*(record(name) for name in ("f-1", "m-1", "m-2")))
    body = {"name": "Walkers", "facilitators": ["f-1"], "members": ["m-1", "m-2"], "capacity": 8, "channel": "phone",
            "open": True}  # fmt: skip
    made.call("PUT", "/v1/groups/g-1", body)
    assert exported(made, "m-1")["groups"] == [
        {"group_id": "g-1", "name": "Walkers", "role": "member", "roster_of_week": None}
    ]
    assert exported(made, "f-1")["groups"][0]["role"] == "facilitator"
    made.call("PUT", "/v1/groups/g-1", {**body, "members": ["m-2"]})
    (left,) = exported(made, "m-1")["groups"]
    monday = NOON.date() - timedelta(days=NOON.weekday())
    assert left == {"group_id": "g-1", "name": "Walkers", "role": None, "roster_of_week": monday.isoformat()}
    assert monday.toordinal() == week(NOON)
    made.call("PUT", "/v1/groups/g-1", {**body, "members": []})
    assert exported(made, "m-2")["groups"][0]["role"] is None


def test_only_what_the_member_did_is_told_of_feedback(made: Installation) -> None:
    made.add(*(record(name, "seeker", "supporter") for name in ("m-1", "m-2")))
    at = {"at": "2026-03-01T00:00:00Z"}
    out, back = {"seeker": "m-1", "candidate": "m-2", **at}, {"seeker": "m-2", "candidate": "m-1", **at}
    made.tell(
        {**out, "event": "shown", "rank": 3, "propensity": 0.25},
        {**out, "event": "rated", "rating": 6},
        {**out, "event": "declined", "by": "seeker"},
        {**out, "event": "accepted", "by": "candidate"},
        {**back, "event": "reported"},
        {**back, "event": "declined", "by": "candidate"},
        {**back, "event": "accepted", "by": "seeker"},
    )
    with made.store.reading() as session:
        mine = list(own_acts(session, "lantern", "m-1"))
        theirs = list(own_acts(session, "lantern", "m-2"))
        assert list(own_acts(session, "beacon", "m-1")) == []
    assert mine == [
        {"event": "shown", "role": "seeker", "at": "2026-03-01T00:00:00Z", "rank": 3, "propensity": 0.25},
        {"event": "rated", "role": "seeker", "at": "2026-03-01T00:00:00Z", "rating": 6},
        {"event": "declined", "role": "seeker", "at": "2026-03-01T00:00:00Z"},
        {"event": "declined", "role": "candidate", "at": "2026-03-01T00:00:00Z"},
    ]
    assert [(one["event"], one["role"]) for one in theirs] == [
        ("accepted", "candidate"), ("reported", "seeker"), ("accepted", "seeker"),
    ]  # fmt: skip
    assert exported(made, "m-1")["feedback"] == mine


def test_lists_are_told_by_how_many_they_showed(small: Installation) -> None:
    small.add(record("s-1", "seeker"), *(record(f"p-{number}") for number in range(9)))
    found = small.match("s-1", limit=4)
    (told,) = exported(small, "s-1")["lists"]
    assert (told["match_id"], told["shown"], told["kind"]) == (found["match_id"], 4, "buddy")
    assert exported(small, "p-1")["lists"] == []


def test_the_audit_log_tells_of_this_member_since_they_were_last_erased(made: Installation) -> None:
    made.add(record("m-1"), record("m-2"))

    def note(action: str, member_id: str) -> None:
        with made.store.transaction() as session:
            by = audit.COMMAND
            audit.record(session, "lantern", action, now=made.clock(), by=by, subject=member_id)

    note("hold.placed", "m-1")
    note("hold.placed", "m-2")
    with made.store.transaction() as session:
        erasure.erase(session, "lantern", "m-1", now=NOON, by=audit.COMMAND)
    made.add(record("m-1", consents=[consent("match_serve", at=NOON)]))
    assert exported(made, "m-1")["audit"] == []
    note("hold.lifted", "m-1")
    assert [one["action"] for one in exported(made, "m-1")["audit"]] == ["hold.lifted"]
    assert [one["action"] for one in exported(made, "m-2")["audit"]] == ["hold.placed"]


def test_a_long_audit_log_is_told_whole(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    made.add(record("m-1"))
    for _ in range(7):
        with made.store.transaction() as session:
            audit.record(session, "lantern", "hold.placed", now=NOON, by=audit.COMMAND, subject="m-1")
    assert len(exported(made, "m-1")["audit"]) == 7


# Refused -----------------------------------------------------------------------------------------------------------


def test_whoever_is_not_there_has_no_export(made: Installation) -> None:
    key = another_programme(made, "beacon")
    made.call("PUT", "/v1/members/m-1", record("m-1"), key=key)
    with made.store.reading() as session:
        for name in ("m-1", "never", "m\x00"):
            assert export.export(session, "lantern", name, NOON) is None


def test_half_of_it_is_never_told_as_all(made: Installation) -> None:
    made.add(record("m-1"))
    with made.store.transaction() as session:
        session.execute(update(MemberRow).where(MemberRow.programme_id == "lantern").values(record=b"damaged"))
    with pytest.raises(SealError), made.store.reading() as session:
        export.export(session, "lantern", "m-1", NOON)


def test_damaged_lists_of_others_are_nothing_to_it(small: Installation) -> None:
    small.add(record("s-1", "seeker"), record("p-1"))
    small.match("s-1")
    with small.store.transaction() as session:
        session.execute(update(ListRow).where(ListRow.programme_id == "lantern").values(entries=b"damaged"))
    assert exported(small, "p-1")["lists"] == []
    assert len(exported(small, "s-1")["lists"]) == 1
