"""Two installations that differ in one thing: in one of them a programme has something of everything.

They are `lantern`, which has it or never had it, and `beacon`, whose keys ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.security import SCOPES, new_token, split_token
from service.store import keys
from service.store.table_base import Base
from tests.service.databases import Database
from tests.service.installation import NOON, Installation, another_programme, close, copied, install, record
from tests.service.operations import DECISION, GROUP, HOLD, OPERATIONS, PLACES, Ask, once


@dataclass
class Worlds:
    """Two installations: in one `lantern` is full, in the other it never had anything."""

    full: Installation
    empty: Installation
    keys: Mapping[frozenset[str], str]
    """Keys of `beacon`, by their scopes."""
    broken: Mapping[str, str | None]
    """By what is wrong with it, a header `Authorization`."""
    names: dict[str, str] = field(default_factory=dict)
    """What `lantern` has in the full one."""

    @property
    def whole(self) -> str:
        """A key of `beacon` with every scope."""
        return f"Bearer {self.keys[frozenset(SCOPES)]}"

    def both(self) -> tuple[Installation, Installation]:
        return self.full, self.empty


def sets_of_scopes() -> set[frozenset[str]]:
    """Return all scopes, each alone, all but each, and all but those that are enough for an operation."""
    every = frozenset(SCOPES)
    alone = {frozenset({scope}) for scope in SCOPES}
    return {every, *alone, *(every - some for some in alone), *(every - one.scopes for one in OPERATIONS.values())}


def populate(made: Installation) -> dict[str, str]:
    """Give `lantern` something of everything; return what names it."""
    made.add(*(record(f"a-{at}", "seeker", "supporter") for at in range(6)), record("a-put"))
    told = partial(answered, made)
    for name in ("a-group", "a-put"):
        told("PUT", f"/v1/groups/{name}", {**GROUP, "facilitators": ["a-2"], "members": ["a-3", "a-4"]})
    asked = {"member_id": "a-1", "kind": "buddy"}
    told("POST", "/match", asked, once("match"))
    peers = told("POST", "/v1/match", asked, once("match-v1")).get_json()
    groups = told("POST", "/v1/match", {**asked, "kind": "group"}).get_json()
    seen = {"match_id": peers["match_id"], "handle": peers["matches"][0]["handle"]}
    told("POST", "/v1/feedback", {**seen, "event": "viewed"}, once("feedback"))
    told("POST", "/v1/members/a-0/consents", DECISION, once("consents"))
    told("POST", "/v1/blocks", {"a": "a-0", "b": "a-5"}, once("blocks"))
    return {
        "member": "a-0",
        "seeker": "a-1",
        "other": "a-5",
        "put": "a-put",
        "group": "a-group",
        "put_group": "a-put",
        **seen,
        "group_match": groups["match_id"],
        "group_handle": groups["matches"][0]["handle"],
        "etag": told("GET", "/v1/members/a-0").headers["ETag"],
        "consent": told("GET", "/v1/members/a-0/consents").get_json()["events"][-1]["id"],
        "hold": told("POST", "/v1/members/a-0/holds", HOLD, once("holds")).get_json()["id"],
        **introduce(made),
    }


def answered(
    made: Installation, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> TestResponse:
    reply = made.call(method, path, body, headers=headers)
    assert reply.status_code < 300, (path, reply.get_data(as_text=True))
    return reply


BY_HAND = {
    "to_accept": "accepts", "to_decline": "declines", "to_withdraw": "withdraws", "connected": "met",
    "to_rematch": "rematches", "suspended": "suspends", "to_stop": "stops",
}  # fmt: skip
"""What names an introduction that a coordinator made, and what names its seeker."""
CHOSEN = {"in_review": "waits", "to_reject": "hopes", "approved": "begins"}
"""The same of those that a seeker proposed."""


def introduce(made: Installation) -> dict[str, str]:
    """Give `lantern` introductions in every state; return what names them and their seekers."""
    made.change_programme(size='small"\nreview = "all', facets=PLACES)
    people = {name: f"i-{name}" for name in (*BY_HAND.values(), *CHOSEN.values(), "unmet", "chooses")}
    made.add(record("i-helper", capacity=20), *(record(one, "seeker") for one in people.values()))
    names = {"helper": "i-helper", **people}
    for name, seeker in BY_HAND.items():
        body = {"seeker": people[seeker], "candidate": "i-helper", "override": True}
        headers = once("by-hand") if name == "connected" else {}
        names[name] = answered(made, "POST", "/v1/review", body, headers).get_json()["introduction_id"]
    for name in ("connected", "to_rematch"):
        path = f"/v1/introductions/{names[name]}/accept"
        answered(made, "POST", path, {"member_id": people[BY_HAND[name]]})
        answered(made, "POST", path, {"member_id": "i-helper"}, once("accept") if name == "connected" else {})
    answered(made, "POST", f"/v1/review/{names['suspended']}/suspend", {})
    for name, seeker in CHOSEN.items():
        names[name] = answered(made, "POST", "/v1/introductions", handle(made, people[seeker])).get_json()[
            "introduction_id"
        ]
    answered(made, "POST", f"/v1/review/{names['approved']}/approve", {}, once("approve"))
    return names | {f"chosen_{key.split('_')[0]}": value for key, value in handle(made, people["chooses"]).items()}


def handle(made: Installation, seeker: str) -> dict[str, str]:
    """Return what names somebody to a seeker who has a place and no hold."""
    found = made.match(seeker, key=made.new_key("match", "match:ids"))
    some = [one["handle"] for one in found["matches"] if one["member_id"] in {"a-1", "a-2", "a-3", "a-4", "a-put"}]
    return {"match_id": found["match_id"], "handle": some[0]}


def made_keys(made: Installation) -> tuple[dict[frozenset[str], str], dict[str, str | None]]:
    def key(scopes: frozenset[str] = frozenset(SCOPES), **more: Any) -> str:
        return made.new_key(*sorted(scopes), programme_id="beacon", per_minute=keys.NO_BOUND, **more)

    good = {scopes: key(scopes) for scopes in sets_of_scopes()}
    right, revoked = good[frozenset(SCOPES)], key()
    key_id, secret = split_token(right) or ("", "")
    other_id, _ = split_token(revoked) or ("", "")
    with made.store.transaction() as session:
        keys.revoke(session, "beacon", other_id)
    broken = {
        "none": None,
        "nothing": "",
        "no key": "Bearer",
        "no scheme": right,
        "another scheme": f"Basic {right}",
        "unknown": f"Bearer {new_token().text}",
        "a wrong secret": f"Bearer pm_{key_id}_{'x' * len(secret)}",
        "the secret of another": f"Bearer pm_{(split_token(made.key) or ('',))[0]}_{secret}",
        "cut": f"Bearer {right[:-1]}",
        "revoked": f"Bearer {revoked}",
        "expired": f"Bearer {key(expires_at=NOON + timedelta(seconds=1))}",
    }
    return good, broken


def built(folder: Path, database: Database, change: Callable[[Flask], None] = lambda app: None) -> Worlds:
    """Set up both; `change` is done to either's application."""
    template = install(folder / "template", database=database, size="small", facets=PLACES)
    another_programme(template, "beacon")
    good, broken = made_keys(template)
    for at in range(4):
        own = record(f"b-{at}", "seeker", "supporter")
        assert template.call("PUT", f"/v1/members/b-{at}", own, key=good[frozenset(SCOPES)]).status_code == 201
    close(template)
    database.keep(template.folder)
    full, empty = (copied(template, folder / name) for name in ("full", "empty"))
    for made in (full, empty):
        change(made.app)
        database.keep(made.folder)
    names = populate(full)
    for made in (full, empty):
        made.clock.turn(seconds=2)
    return Worlds(full, empty, good, broken, names)


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """Return a part of a request with names in place of what is in braces."""
    if isinstance(value, str):
        return value.format_map(names)
    if isinstance(value, Mapping):
        return {key: filled(inner, names) for key, inner in value.items()}
    return [filled(inner, names) for inner in value] if isinstance(value, list) else value


def sent(made: Installation, name: str, ask: Ask, names: Mapping[str, str], authorization: str | None) -> Any:
    """Return what a caller can tell one reply from another by."""
    headers = filled(ask.headers, names) | ({} if authorization is None else {"Authorization": authorization})
    reply = made.client.open(
        filled(ask.path, names), method=name.split(maxsplit=1)[0], json=filled(ask.body, names), headers=headers
    )
    passing = {"x-request-id", "date", *(("content-length",) if ask.told is not bytes else ())}
    kept = sorted((name.lower(), value) for name, value in reply.headers if name.lower() not in passing)
    return reply.status_code, kept, ask.told(reply.data)


def rows(made: Installation, programme_id: str) -> dict[str, list[str]]:
    """Return every row of a programme."""
    with made.store.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table).where(table.c.programme_id == programme_id))))
            for table in Base.metadata.sorted_tables
            if "programme_id" in table.c
        }
