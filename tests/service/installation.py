"""A whole installation in a folder: programme, database, key, model, and an application with a clock one can turn."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from matcher.model.artefact import prior_model, save
from matcher.model.feedback import Feedback
from matcher.model.signing import signing_key
from matcher.people import Member
from matcher.programme import Programme
from service import create_app
from service.security import SCOPES, create_secret_key
from service.settings import Settings
from service.store import Store, feedback, keys, members, models, open_store, programmes
from tests.service.databases import SQLITE, Database, environment_in

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)

TOML = """
[programme]
id = "{id}"
name = "A programme of the tests"
pairing = "{pairing}"
size = "{size}"

[consent]
policy_version = "1"
required = ["channel"{required}]

[ages]
bands = ["13-17", "18-34", "35-64"]
minors = ["13-17"]

[facets.experiences]
kind = "concepts"
vocabulary = "lists/experiences.csv"
weight = 2.0
show = true

[facets.channel]
kind = "tags"
values = ["phone", "video"]
min_shared = 1

[facets.journey]
kind = "ordinal"
levels = ["new", "later", "long"]
weight = 1.0
show = true

[facets.statement]
kind = "statement"
{facets}
[shortlist]
min_pool = 1
{more}
"""
CONCEPTS = "\ufeffcode,label,parent\r\nsurgery,Surgery,\r\nlumpectomy,Lumpectomy,surgery\r\ntravel,Travelling,\r\n"


class Clock:
    """Says what it was told, until it is turned."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


def write_programme(folder: Path, **changes: str) -> Programme:
    """Write a programme file with its vocabulary into `folder` and read it."""
    values = {
        "id": "lantern",
        "pairing": "mentor",
        "size": "standard",
        "facets": "",
        "required": "",
        "more": "",
        **changes,
    }
    (folder / "lists").mkdir(parents=True, exist_ok=True)
    (folder / "lists" / "experiences.csv").write_text(CONCEPTS, encoding="utf-8", newline="")
    (folder / "programme.toml").write_text(TOML.format(**values), encoding="utf-8")
    return Programme.from_toml(folder / "programme.toml")


def consent(
    purpose: str, decision: str = "given", at: datetime = NOON - timedelta(days=30), **more: Any
) -> dict[str, Any]:
    """Return one consent event as records write it."""
    return {"purpose": purpose, "decision": decision, "policy_version": "1", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", **more}


def record(member_id: str, *roles: str, **changes: Any) -> dict[str, Any]:
    """Return a record of somebody who may be matched, and let others see them."""
    return {
        "member_id": member_id,
        "roles": list(roles or ("supporter",)),
        "age_band": "35-64",
        "vetted": True,
        "profile": {"experiences": ["lumpectomy"], "channel": ["phone"], "journey": "later"},
        "consents": [consent("match_serve"), consent("be_shown_as_peer"), consent("show_reasons")],
        **changes,
    }


@dataclass
class Installation:
    """What `install` made."""

    folder: Path
    settings: Settings
    store: Store
    programme: Programme
    clock: Clock
    app: Flask
    key: str
    """Text of a key with every scope but `match:ids`."""
    database: Database = field(default_factory=lambda: Database(SQLITE))
    """What it is on."""
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send one request with a key."""
        sent = {"Authorization": f"Bearer {key or self.key}", **(headers or {})}
        return self.client.open(path, method=method, json=json, headers=sent)

    def match(self, member_id: str, **more: Any) -> Any:
        """Ask for a list, which must be answered."""
        key = more.pop("key", None)
        reply = self.call("POST", "/v1/match", {"member_id": member_id, **more}, key=key)
        assert reply.status_code == 200, reply.get_data(as_text=True)
        return reply.get_json()

    def new_key(self, *scopes: str, programme_id: str | None = None, **more: Any) -> str:
        """Make another key."""
        with self.store.transaction() as session:
            return keys.create(session, programme_id or self.programme.id, scopes, now=NOON, **more).text

    def add(self, *records: dict[str, Any]) -> None:
        """Import members, who are visible at once."""
        with self.store.transaction() as session:
            people = [self.member(one) for one in records]
            now = self.clock()
            members.upsert_many(session, self.programme, people, now=now, visible_from=now.date())

    def member(self, one: dict[str, Any]) -> Member:
        """Return a record as it is read."""
        return Member.from_dict(one, self.programme)

    def tell(self, *events: dict[str, Any]) -> int:
        """Store feedback."""
        with self.store.transaction() as session:
            told = [Feedback.from_dict(one, self.programme) for one in events]
            return feedback.add(session, self.programme, told)

    def change_programme(self, **changes: str) -> Programme:
        """Write the programme file anew and apply it, see `write_programme`."""
        base = self.folder / "files"
        self.programme = write_programme(base, **{"size": self.programme.size, **changes})
        with self.store.transaction() as session:
            programmes.save(session, self.programme, base, now=self.clock())
        return self.programme

    def apply(self, text: str) -> Programme:
        """Apply a programme file of this text."""
        base = self.folder / "files"
        (base / "programme.toml").write_text(text, "utf-8")
        self.programme = Programme.from_toml(base / "programme.toml")
        with self.store.transaction() as session:
            programmes.save(session, self.programme, base, now=self.clock())
        return self.programme

    def publish(self, version: str, programme: Programme | None = None) -> Path:
        """Save the prior as a signed model and make it the active one."""
        programme = programme or self.programme
        folder = self.settings.model_folder(programme.id, version)
        save(prior_model(programme, version), folder, signing_key(create_secret_key(self.settings)))
        with self.store.transaction() as session:
            models.add(session, programme.id, version, {}, now=self.clock())
            models.activate(session, programme.id, version, now=self.clock())
        return folder


def settings_in(folder: Path) -> Settings:
    """Return the settings of an installation in `folder`."""
    return Settings.from_environment(environment_in(folder))


def install(folder: Path, *, database: Database | None = None, model: bool = True, **changes: str) -> Installation:
    """Set up everything that `peermatch init` sets up, in `folder`; on SQLite unless told."""
    database = database or Database(SQLITE)
    database.prepare(folder)
    settings, clock = settings_in(folder), Clock()
    create_secret_key(settings)
    programme = write_programme(folder / "files", **changes)
    store = open_store(settings, create=True)
    scopes = [scope for scope in SCOPES if scope != "match:ids"]
    with store.transaction() as session:
        programmes.save(session, programme, folder / "files", now=NOON)
        key = keys.create(session, programme.id, scopes, now=NOON).text
    made = Installation(folder, settings, store, programme, clock, create_app(settings, clock=clock), key, database)
    if model:
        made.publish("1")
    return made


def copied(template: Installation, folder: Path) -> Installation:
    """Return a copy of a closed installation in `folder`: much quicker than another one, which waits for the disk."""
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    template.database.copy(template.folder, folder)
    settings, clock = settings_in(folder), Clock()
    app, store = create_app(settings, clock=clock), open_store(settings)
    return Installation(folder, settings, store, template.programme, clock, app, template.key, template.database)


def another_programme(made: Installation, programme_id: str) -> str:
    """Add a second programme to an installation; return a key of it."""
    base = made.folder / programme_id
    programme = write_programme(base, id=programme_id)
    with made.store.transaction() as session:
        programmes.save(session, programme, base, now=NOON)
    made.publish("1", programme)
    return made.new_key(*SCOPES, programme_id=programme_id)


def close(made: Installation) -> None:
    """Give every connection back."""
    made.store.close()
    made.app.extensions["peermatch"].store.close()
