"""An installation in which something has happened in every table, and what it tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import MetaData, select
from sqlalchemy.engine import Engine

from service.store import erasure
from service.store.engine import open_engine
from tests.service.databases import Database
from tests.service.group_records import group
from tests.service.installation import NOON, Installation, another_programme, consent, install, record

SEEKERS: Final = ("m-01", "m-02", "m-03")
ERASED: Final = "m-24"
SECOND: Final = "beacon"
CODES: Final = ("surgery", "lumpectomy", "travel")


def populated(folder: Path, database: Database) -> Installation:
    """Return an installation in `folder` in which everything has happened that leaves something in a table."""
    made = install(folder, database=database, more="[privacy]\nreason_k = 2")
    database.keep(made.folder)
    populate(made)
    return made


def populate(made: Installation) -> None:
    """Have everything happen."""
    made.add(*(_record(number) for number in range(25)))
    another_programme(made, SECOND)
    made.tell(
        {"seeker": "m-01", "candidate": "m-05", "event": "accepted", "rank": 1, "at": "2026-03-01T10:00:00Z"},
        {"seeker": "m-02", "candidate": "m-06", "event": "declined", "rank": 2, "at": "2026-03-01T11:00:00Z"},
        {"seeker": "m-02", "candidate": "m-07", "event": "viewed", "rank": 3, "at": "2026-03-01T12:00:00Z"},
    )
    said(made, "PUT", "/v1/groups/g-1", group(facilitators=["m-08"], members=["m-03", "m-09"]))
    made.clock.turn(days=2)
    for seeker in SEEKERS:
        made.match(seeker)
    made.match("m-01", kind="group")
    said(made, "PUT", "/v1/groups/g-1", group(facilitators=["m-08"], members=["m-03", "m-10"]))
    said(made, "POST", "/v1/blocks", {"a": "m-03", "b": "m-11"}, headers={"Idempotency-Key": "once"})
    hold = {"kind": "pause", "until": "2026-09-01T08:00:00Z"}
    said(made, "POST", "/v1/members/m-12/holds", hold, headers={"Idempotency-Key": "held"})
    made.publish("2")
    with made.store.transaction() as session:
        assert erasure.erase(session, "lantern", ERASED, now=made.clock(), by="command")


def said(made: Installation, method: str, path: str, body: Any = None, **more: Any) -> Any:
    """Send a request, which must be answered."""
    reply = made.call(method, path, body, **more)
    assert reply.status_code < 300, reply.get_data(as_text=True)
    return reply


def told(made: Installation) -> dict[str, Any]:
    """Return what an installation tells of everybody: records, groups, holds, blocks, and everybody's list."""
    key = made.new_key("match", "match:ids")
    found: dict[str, Any] = {}
    for number in range(26):
        for part in ("", "/consents", "/holds"):
            reply = made.call("GET", f"/v1/members/m-{number:02}{part}")
            found[f"{number}{part}"] = reply.status_code, reply.get_json()
        for kind in ("buddy", "group"):
            reply = made.call("POST", "/v1/match", {"member_id": f"m-{number:02}", "kind": kind}, key=key)
            found[f"{number} {kind}"] = reply.status_code, _listed(reply.get_json())
    found["group"] = made.call("GET", "/v1/groups/g-1").get_json()
    return found


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Return everything that is in a database, by table, in order."""
    metadata = MetaData()
    metadata.reflect(engine)
    found = {}
    with engine.connect().execution_options(every_programme=True) as connection:
        for name, table in metadata.tables.items():
            these = connection.execute(select(table).order_by(*table.primary_key)).mappings()
            found[name] = [dict(row) for row in these]
    return found


def all_rows(made: Installation) -> dict[str, list[dict[str, Any]]]:
    """Return everything in an installation's database, as it is kept."""
    engine = open_engine(made.settings)
    try:
        return rows(engine)
    finally:
        engine.dispose()


def _listed(body: Any) -> Any:
    """Return what of a list is the same whenever it is made."""
    matches = [{key: value for key, value in one.items() if key != "handle"} for one in body.get("matches", ())]
    return {key: body.get(key) for key in ("outcome", "reason", "type")} | {"matches": matches}


def _record(number: int) -> dict[str, Any]:
    member_id = f"m-{number:02}"
    roles = ("seeker", "supporter") if member_id in SEEKERS else ("supporter",)
    profile = {
        "experiences": sorted({CODES[number % 3], CODES[number % 2]}),
        "channel": ["phone"] if number % 4 else ["phone", "video"],
        "journey": ("new", "later", "long")[number % 3],
        "statement": f"Statement of number {number}.",
    }
    consents = [consent("match_serve"), consent("be_shown_as_peer", valid_until="2027-03-01T00:00:00.5Z")]
    if number % 2:
        consents.append(consent("show_reasons", categories=["experiences", "channel"]))
    if number % 5 == 0:
        consents += [consent("train_model"), consent("train_model", "withdrawn", at=NOON)]
    return record(member_id, *roles, profile=profile, consents=consents, capacity=1 + number % 3)
