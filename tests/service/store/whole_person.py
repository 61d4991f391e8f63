"""Somebody with something in every table that can have anything of a member, and others beside them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import LargeBinary, select
from sqlalchemy.orm import Session

from service.sealing import SealError
from service.store import introductions
from service.store.table_base import Base
from tests.service.installation import Installation, record

X: Final = "canary-x"
OTHERS: Final = ("canary-a", "canary-b", "canary-c")
GROUP: Final = "canary-group"
SEALED: Final = {
    "members": lambda row: row["member_id"],
    "consent_events": lambda row: f"{row['member_id']} {row['place']}",
    "introductions": lambda row: row["id"],
    "lists": lambda row: row["match_id"],
    "idempotency": lambda row: f"{row['key_id']} {row['key']}",
    "installation": lambda row: str(row["id"]),
}
"""By table, what a sealed text of a row is bound to."""


def word(member_id: str) -> str:
    """Return a text that only one member has."""
    return f"I am {member_id.replace('-', ' ')} and nobody else"


def full_record(member_id: str) -> dict[str, Any]:
    """Return a record with a text of the member's own in every field that takes one."""
    one = record(
        member_id,
        "seeker",
        "supporter",
        capacity=3,
        agreements=[f"{member_id}-agreement"],
        wants={"experiences": {"importance": 1, "prefer": [f"{member_id}-wanted"], "avoid": [f"{member_id}-avoided"]}},
    )
    one["profile"] |= {"experiences": [f"{member_id}-code", "lumpectomy"], "statement": word(member_id)}
    told = {"actor": "staff", "method": f"{member_id}-method", "guardian": f"{member_id}-guardian"}
    one["consents"] = [{**event, **told} for event in one["consents"]]
    return one


def texts_of(member_id: str) -> list[str]:
    """Return every text of a member's own."""
    ends = ("agreement", "wanted", "avoided", "code", "method", "guardian")
    return [member_id, word(member_id), *(f"{member_id}-{end}" for end in ends)]


def populate(made: Installation) -> None:
    """Let `X` be in every table: matched, shown, connected, blocked, in a group, held, exported, with kept replies."""
    made.add(*(full_record(name) for name in (X, *OTHERS)))
    for name in (X, *OTHERS):
        found = made.match(name)
        body = {"match_id": found["match_id"], "handle": found["matches"][0]["handle"], "event": "rated", "rating": 5}
        assert made.call("POST", "/v1/feedback", body).status_code == 202
    at = {"at": "2026-03-04T11:00:00Z"}
    decided = {"seeker": OTHERS[0], "candidate": X, "event": "accepted", **at}
    made.tell(
        {**decided, "by": "seeker"},
        {**decided, "by": "candidate"},
        {**at, "seeker": OTHERS[1], "candidate": X, "event": "declined", "by": "seeker"},
        {**at, "seeker": X, "candidate": OTHERS[1], "event": "reported"},
    )
    for number, (one, other) in enumerate([(X, OTHERS[2]), (OTHERS[1], OTHERS[2])]):
        reply = made.call("POST", "/v1/blocks", {"a": one, "b": other}, headers={"Idempotency-Key": f"block-{number}"})
        assert reply.status_code == 201
    with made.store.transaction() as session:
        for pair in ((X, OTHERS[1]), (OTHERS[0], X)):
            rules = {"by": "coordinator", "now": made.clock(), "reviewed": False}
            introductions.begin(session, made.programme, pair, **rules)
    group = {"name": f"{GROUP} name", "facilitators": [OTHERS[0]], "members": [OTHERS[1], X], "channel": "phone",
             "capacity": 8, "open": True}  # fmt: skip
    assert made.call("PUT", f"/v1/groups/{GROUP}", group).status_code == 201
    assert made.call("PUT", f"/v1/groups/{GROUP}", {**group, "members": [X]}).status_code == 200  # a roster is frozen
    decision = {"purpose": "train_model", "decision": "given"}
    key = {"Idempotency-Key": "decision"}
    assert made.call("POST", f"/v1/members/{X}/consents", decision, headers=key).status_code == 201
    hold = {"kind": "pause", "until": "2026-03-05T12:00:00Z"}
    assert made.call("POST", f"/v1/members/{X}/holds", hold, headers={"Idempotency-Key": "hold"}).status_code == 201
    assert made.call("GET", f"/v1/members/{X}/export").status_code == 200


def found_in(session: Session, text: str) -> set[str]:
    """Return the tables that have a text anywhere, sealed or not."""
    return {table.name for table in Base.metadata.sorted_tables if text in _told(session, table)}


def _told(session: Session, table: Any) -> str:
    rows = session.execute(select(table).execution_options(every_programme=True)).mappings().all()
    return "\n".join(_value(session, table, row, column) for row in rows for column in table.columns)


def _value(session: Session, table: Any, row: Any, column: Any) -> str:
    value = row[column.name]
    if not isinstance(column.type, LargeBinary) or value is None:
        return str(value)
    if table.name not in SEALED or column.name == "shown":
        return value.decode("utf-8", "replace")
    ring = session.info["peermatch_keyring"]
    try:
        opened: bytes = ring.open(row.get("programme_id", ""), table.name, SEALED[table.name](row), value)
    except SealError as problem:
        raise AssertionError(f"{table.name}.{column.name} cannot be opened here: {problem}") from problem
    return opened.decode()
