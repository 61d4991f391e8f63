from __future__ import annotations

from dataclasses import replace

from service import create_app
from tests.service.databases import behind
from tests.service.installation import Installation, another_programme, record


def test_the_load_balancer_asks_nothing_behind(made: Installation) -> None:
    made.store.close()
    made.database.remove(made.folder)
    reply = made.client.get("/__lbheartbeat__")
    assert (reply.status_code, reply.get_json()) == (200, {"status": "ok"})


def test_the_version_is_the_distributions(made: Installation) -> None:
    body = made.client.get("/__version__").get_json()
    assert body["name"] == "peermatch"
    assert body["version"]


def test_the_heartbeat_tells_database_models_and_pools(made: Installation) -> None:
    assert made.client.get("/__heartbeat__").get_json() == {
        "status": "ok",
        "database": "ok",
        "models": {"served": 1, "missing": 0, "stale": 0, "stale_since": None},
        "pools": {"held": 0, "oldest_seconds": None, "skipped_records": 0, "stale": 0, "stale_since": None},
    }
    made.add(record("s-1", "seeker"))
    made.match("s-1")
    made.clock.turn(seconds=90)
    assert made.client.get("/__heartbeat__").get_json()["pools"] == {
        "held": 1,
        "oldest_seconds": 90,
        "skipped_records": 0,
        "stale": 0,
        "stale_since": None,
    }


def test_one_programme_without_a_model_degrades_and_does_not_stop(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        from service.store.tables import ActiveModelRow

        session.delete(session.get(ActiveModelRow, "beacon"))
    reply = made.client.get("/__heartbeat__")
    assert reply.status_code == 200
    assert reply.get_json()["status"] == "degraded"
    assert "beacon" not in reply.get_data(as_text=True)
    assert "lantern" not in reply.get_data(as_text=True)


def test_a_database_that_fails_is_503(made: Installation) -> None:
    with behind(made.settings) as connection:
        connection.exec_driver_sql(f"DROP TABLE programmes {'CASCADE' if made.database.cluster else ''}")
    reply = made.client.get("/__heartbeat__")
    assert reply.status_code == 503
    assert reply.headers["Retry-After"]
    assert reply.get_json()["database"] == "error"
    refused = made.call("GET", "/v1/members/m-1")
    assert refused.status_code in {404, 503}


def test_metrics_need_an_admins_key_and_tell_of_its_programme_only(made: Installation) -> None:
    other = another_programme(made, "beacon")
    made.add(record("s-1", "seeker"), record("m-1"))
    made.match("s-1")
    made.call("POST", "/v1/match", {"member_id": "nobody"}, key=other)
    assert made.client.get("/metrics").status_code == 401
    assert made.call("GET", "/metrics", key=made.new_key("audit")).status_code == 403
    reply = made.call("GET", "/metrics")
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    text = reply.get_data(as_text=True)
    assert 'peermatch_pool_members{programme="lantern"}' in text
    assert "beacon" not in text
    assert "s-1" not in text


def test_metrics_are_open_where_the_settings_say_so(made: Installation) -> None:
    app = create_app(replace(made.settings, metrics_open=True), clock=made.clock)
    reply = app.test_client().get("/metrics")
    assert reply.status_code == 200
    assert app.test_client().get("/v1/members/m-1").status_code == 401
    app.extensions["peermatch"].store.close()
