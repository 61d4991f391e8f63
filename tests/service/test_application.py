from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from matcher.errors import PeermatchError
from service import create_app, headers
from service.settings import Settings, SettingsError
from tests.service.databases import Database, environment_in
from tests.service.installation import Installation, close, install, record, settings_in


def test_every_reply_has_the_security_headers_and_none_allows_cors(made: Installation) -> None:
    replies = [
        made.client.get("/__lbheartbeat__"),
        made.client.get("/openapi.json"),
        made.client.get("/nowhere"),
        made.client.get("/v1/members/m-1"),
        made.call("PUT", "/v1/members/m-1", record("m-1")),
        made.call("GET", "/v1/members/m-1", headers={"Origin": "https://elsewhere.example"}),
        made.call("OPTIONS", "/v1/match", headers={"Access-Control-Request-Method": "POST"}),
    ]
    for reply in replies:
        assert {name: reply.headers.get(name) for name in headers.HEADERS} == headers.HEADERS
        assert not [name for name, _ in reply.headers if name.lower().startswith("access-control")]
        assert "Set-Cookie" not in reply.headers


def test_an_application_without_a_key_or_a_database_is_not_made(database: Database, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="peermatch init"):
        create_app(settings_in(tmp_path))
    made = install(tmp_path, database=database)
    close(made)
    database.remove(tmp_path)
    way_out = "peermatch init" if database.cluster is None else "PEERMATCH_DATABASE_URL"
    with pytest.raises(PeermatchError, match=way_out):
        create_app(made.settings)


@pytest.fixture
def fresh_wsgi() -> Iterator[None]:
    sys.modules.pop("service.wsgi", None)
    yield
    sys.modules.pop("service.wsgi", None)


@pytest.mark.usefixtures("fresh_wsgi")
def test_the_wsgi_module_makes_its_application_once_when_asked(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.logs.configure", lambda: None)
    for name in [name for name in os.environ if name.startswith("PEERMATCH_")]:
        monkeypatch.delenv(name)
    for name, value in environment_in(made.folder).items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.wsgi")
    assert "app" not in vars(module)
    app = module.app
    assert module.app is app
    reply = app.test_client().get("/__version__")
    assert reply.get_json()["name"] == "peermatch"
    with pytest.raises(AttributeError):
        module.application  # noqa: B018
    app.extensions["peermatch"].store.close()


def test_settings_are_read_without_loading_flask_or_numpy() -> None:
    code = "import sys, service.settings; print(sorted({'flask', 'numpy', 'marshmallow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_replies_are_compact_json_in_the_order_of_the_contract(made: Installation) -> None:
    made.add(record("s-1", "seeker"))
    text = made.call("POST", "/match", {"member_id": "s-1"}).get_data(as_text=True)
    assert text.startswith('{"match_id":"')
    assert json.loads(text)["waiting"] == {"place": 1, "since": "2026-02-02T12:00:00Z"}
    with made.app.app_context(), pytest.raises(ValueError, match="not JSON compliant"):
        made.app.json.dumps(float("nan"))


def test_settings_of_the_environment_are_those_of_the_application(made: Installation) -> None:
    assert Settings.from_environment(environment_in(made.folder)) == made.settings
