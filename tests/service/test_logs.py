from __future__ import annotations

import io
import json
import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import logs
from tests.conftest import examples
from tests.service.installation import Installation, consent, record
from tests.service.routes import address, routes


def lines(caplog: pytest.LogCaptureFixture, event: str = "request") -> list[dict[str, Any]]:
    found = [json.loads(entry.getMessage()) for entry in caplog.records if entry.name == "peermatch"]
    return [line for line in found if line["event"] == event]


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def test_a_request_is_one_line(made: Installation, caplog: pytest.LogCaptureFixture) -> None:
    made.call("PUT", "/v1/members/m-1?q=1", record("m-1"), headers={"X-Request-Id": "from-the-proxy.1"})
    (line,) = lines(caplog)
    assert line.pop("ms") >= 0
    assert line.pop("at")
    assert line == {
        "event": "request",
        "method": "PUT",
        "route": "/v1/members/<member_id>",
        "status": 201,
        "programme": "lantern",
        "request_id": "from-the-proxy.1",
    }


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, '{"a":1}', "é"])
def test_a_request_id_that_is_not_one_is_replaced(made: Installation, given: str) -> None:
    reply = made.client.get("/__lbheartbeat__", headers={"X-Request-Id": given})
    assert reply.headers["X-Request-Id"] != given
    assert len(reply.headers["X-Request-Id"]) == 16


def test_what_has_no_route_has_no_path_in_the_log(made: Installation, caplog: pytest.LogCaptureFixture) -> None:
    made.client.open("/canary-word", method="CANARY-WORD")
    (line,) = lines(caplog)
    assert (line["route"], line["method"], line["status"], line["programme"]) == (None, "OTHER", 404, None)
    assert "canary" not in caplog.text.lower()


def test_no_members_data_reaches_the_log_or_an_error(
    made: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plant words that occur nowhere else, go every way there is, and look for them."""
    canary = "canary-7f3a"
    planted = record(
        canary,
        "seeker",
        "supporter",
        agreements=[f"{canary}-agreement"],
        profile={
            "experiences": [f"{canary}-concept", "surgery"],
            "channel": ["phone"],
            "journey": "later",
            "statement": f"{canary} in my own words",
        },
        consents=[*record("x")["consents"], consent("match_serve", guardian=f"{canary}-guardian")],
    )
    replies = [made.call("PUT", f"/v1/members/{canary}", planted)]
    assert replies[0].status_code == 201
    made.add(record("s-1", "seeker"))
    made.clock.turn(days=1)
    assert made.match("s-1")["outcome"] == "matched"
    assert made.match(canary)["reason"] == "no_eligible"
    broken = {**planted, "capacity": "many", "profile": {**planted["profile"], "journey": f"{canary}-level"}}
    assert made.call("PUT", f"/v1/members/{canary}", broken).status_code == 422
    assert made.call("PUT", f"/v1/members/{canary}", {**planted, "consents": []}).status_code == 409
    assert made.call("GET", f"/v1/members/{canary}", headers={"If-None-Match": "*"}).status_code == 304
    problems = [
        made.call("PUT", f"/v1/members/{canary}", {**planted, "consents": []}),
        made.call("PUT", f"/v1/members/{canary}", planted, headers={"If-Match": '"0"'}),
        made.call("GET", f"/v1/members/{canary}", key=made.new_key("audit")),
        made.call("GET", f"/v1/members/{canary}-x"),
        made.call("GET", f"/{canary}"),
    ]

    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"{canary} is in the message of a bug")

    monkeypatch.setattr("service.store.members.upsert", fail)
    problems.append(made.call("PUT", f"/v1/members/{canary}", planted))
    assert problems[-1].status_code == 500
    monkeypatch.setattr("service.store.lists.latest", fail)
    problems.append(made.call("POST", "/v1/match", {"member_id": canary}))
    assert made.call("DELETE", f"/v1/members/{canary}").status_code == 200
    for reply in problems:
        assert reply.status_code >= 400
        assert canary not in reply.get_data(as_text=True)
        assert canary not in str(reply.headers)
    assert canary not in caplog.text
    assert canary not in "".join(str(entry.__dict__.get("exc_info")) for entry in caplog.records)
    assert made.key not in caplog.text
    (first, *_) = lines(caplog, "failure")
    assert first["error"] == ["ValueError"]
    assert any("members.py" in place for place in first["where"])
    assert first["request_id"]


def test_servers_get_json_lines_on_standard_error(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs._LINES, "stream", None)
    logs.configure()
    logs.configure()
    logs.log_event("something", count=1)
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    (line,) = captured.err.splitlines()
    assert json.loads(line)["count"] == 1


MARKERS = st.text("abcdefghijklmnopqrstuvwxyzäß0123456789", min_size=6, max_size=20).map(lambda text: f"zq{text}")


@settings(max_examples=examples(15, 300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marker=MARKERS, as_key=st.booleans())
def test_whatever_a_caller_sends_anywhere_is_in_no_line(
    made: Installation, caplog: pytest.LogCaptureFixture, marker: str, as_key: bool
) -> None:
    """Every route, with a marker in its path, its query, its headers and its body."""
    caplog.clear()
    bodies: list[Any] = [
        {"member_id": marker, "a": marker, "b": marker, marker: marker, "kind": marker, "limit": marker},
        record("m-1", profile={"experiences": [marker], "statement": marker, marker: 1}, agreements=[marker]),
        {"member_id": "m-1", "limit": 3},
        [marker],
    ]
    asked = 0
    for route in routes(made.app):
        path = f"{address(route.rule, {}).replace('x-1', quote(marker))}?{quote(marker)}={quote(marker)}"
        for body in bodies if route.method in {"POST", "PUT"} else [None]:
            headers = {"X-Request-Id": f"{marker}!", "If-Match": f'"{marker}"', "User-Agent": quote(marker)}
            if as_key:
                headers["Authorization"] = f"Bearer pm_{quote(marker)}"
            made.call(route.method, path, body, headers=headers)
            asked += 1
    assert len(lines(caplog)) == asked
    assert marker not in caplog.text
    assert quote(marker) not in caplog.text
    assert made.key not in caplog.text


def test_what_came_of_a_list_is_told(made: Installation, caplog: pytest.LogCaptureFixture) -> None:
    made.add(record("s-1", "seeker"), record("m-1"))
    made.match("s-1")
    (line,) = lines(caplog)
    assert line["outcome"] == "matched"


def test_a_log_that_cannot_be_written_refuses_nobody(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs._LINES, "stream", Full())
    assert made.client.get("/__version__").status_code == 200


def test_moments_are_those_of_the_clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for now in (1772625600.0, 1772625600.0625, 1772625601.9999):
        monkeypatch.setattr(logs.time, "time", lambda now=now: now)
        logs.log_event("tick")
    told = [line["at"] for line in lines(caplog, "tick")]
    assert told == [
        "2026-03-04T12:00:00.000+00:00",
        "2026-03-04T12:00:00.062+00:00",
        "2026-03-04T12:00:01.999+00:00",
    ]
    assert [datetime.fromisoformat(at).utcoffset() for at in told] == [timedelta()] * 3


def test_the_servers_own_lines_are_json_without_their_tracebacks() -> None:
    entry = logging.LogRecord("_granian", logging.WARNING, "x", 1, "first %s\nsecond", ("part",), None)
    said = json.loads(logs.ServerLines().format(entry))
    assert (said["event"], said["level"], said["message"]) == ("server", "warning", "first part")
