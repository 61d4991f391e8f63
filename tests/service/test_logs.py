from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from service import logs
from tests.service.installation import Installation, consent, record


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
    monkeypatch.setattr("service.live.shortlists.members.revisions", fail)
    problems.append(made.call("POST", "/v1/match", {"member_id": canary}))
    assert made.call("DELETE", f"/v1/members/{canary}").status_code == 204
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


def test_servers_get_json_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    before = logs.LOGGER.handlers, logs.LOGGER.propagate, logs.LOGGER.level
    try:
        logs.configure()
        logs.configure()
        logs.log_event("something", count=1)
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert json.loads(line)["count"] == 1
    finally:
        logs.LOGGER.handlers, logs.LOGGER.propagate, logs.LOGGER.level = before
