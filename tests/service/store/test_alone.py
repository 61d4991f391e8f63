"""Having the database to oneself: whoever is there is refused, whoever is just going is waited for."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg
import pytest

from service.store import StoreError, alone
from tests.service.databases import POSTGRESQL, only
from tests.service.installation import Installation, close

on_postgresql = only(POSTGRESQL, "SQLite gives the file to one or refuses.")


def other(made: Installation) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(made.settings.url.set(drivername="postgresql").render_as_string(hide_password=False))


@on_postgresql
def test_whoever_stays_is_told_of(made: Installation) -> None:
    close(made)
    told = "1 other connections to the database are open: stop the service"
    with closing(other(made)), pytest.raises(StoreError, match=told), alone.alone(made.settings):
        raise AssertionError


@on_postgresql
def test_whoever_is_just_going_is_waited_for(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    close(made)
    leaving = other(made)
    monkeypatch.setattr(alone, "LEAVING_SECONDS", 60.0)
    asleep = []

    def leaves(seconds: float) -> None:
        asleep.append(seconds)
        leaving.close()

    monkeypatch.setattr(time, "sleep", leaves)
    with alone.alone(made.settings) as connection, connection.begin():
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    assert asleep
