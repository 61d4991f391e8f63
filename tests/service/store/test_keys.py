from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.security import SCOPES, digest_of, split_token
from service.store import keys
from service.store.keys import LONGEST_LABEL, NO_BOUND, ApiKeyError, ScopeError
from tests.service.installation import NOON, Installation, another_programme


def test_a_key_is_stored_without_its_secret(made: Installation) -> None:
    with made.store.transaction() as session:
        token = keys.create(session, "lantern", ["members", "match:ids", "members"], now=NOON)
    key_id, secret = split_token(token.text) or ("", "")
    with made.store.reading() as session:
        found = keys.find(session, key_id)
        assert found is not None
        assert (found.programme_id, found.scopes) == ("lantern", {"members", "match:ids"})
        assert (found.digest, found.created_at, found.expires_at) == (digest_of(secret), NOON, None)
        assert found.digest not in repr(found)
        rows = session.execute(text("SELECT * FROM api_keys").execution_options(every_programme=True)).all()
    assert secret not in str(rows)


def test_every_scope_is_the_default(made: Installation) -> None:
    with made.store.transaction() as session:
        token = keys.create(session, "lantern", now=NOON)
        found = keys.find(session, token.key_id)
        assert found is not None
        assert found.scopes == set(SCOPES)


def test_an_unknown_scope_is_refused_with_the_nearest(made: Installation) -> None:
    with made.store.transaction() as session:
        with pytest.raises(ScopeError, match=r"found 'member'; .*did you mean 'members'"):
            keys.create(session, "lantern", ["member"], now=NOON)
        with pytest.raises(ScopeError, match="scopes: found none"):
            keys.create(session, "lantern", [], now=NOON)


def test_keys_are_listed_and_revoked_by_programme(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        mine = keys.list_keys(session, "lantern")
        assert len(mine) == 1
        assert not keys.revoke(session, "beacon", mine[0].key_id)
        assert keys.find(session, mine[0].key_id)
        assert keys.revoke(session, "lantern", mine[0].key_id)
        assert keys.find(session, mine[0].key_id) is None


@pytest.mark.parametrize("expires_at", [None, NOON + timedelta(days=90), NOON + timedelta(seconds=1, microseconds=5)])
@pytest.mark.parametrize("per_minute", [None, NO_BOUND, 1, 10_000_000])
def test_a_request_sees_what_is_stored(made: Installation, expires_at: Any, per_minute: int | None) -> None:
    more: dict[str, Any] = {"expires_at": expires_at, "per_minute": per_minute, "label": "app, live"}
    with made.store.transaction() as session:
        token = keys.create(session, "lantern", ["match"], now=NOON, **more)
        found = keys.find(session, token.key_id)
    assert found is not None
    opened = keys.look_up(made.store, token.key_id)
    assert opened == (token.key_id, "lantern", token.digest, {"match"}, expires_at, per_minute)
    assert (found.expires_at, found.per_minute, found.label) == (expires_at, per_minute, "app, live")
    assert token.digest not in repr(opened)
    assert keys.look_up(made.store, "0123456789abcdef") is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"expires_at": NOON}, "expires: found 2026-03-04T12:00:00Z; expected a moment later than now"),
        ({"label": "x" * (LONGEST_LABEL + 1)}, "label: expected at most 100 characters of one line"),
        ({"label": "a\nb"}, "label: expected"),
        ({"label": "a\u202eb"}, "label: expected"),
        ({"per_minute": -1}, "per-minute: found -1; expected 1 to 10000000, or `none`"),
        ({"per_minute": 10_000_001}, "per-minute: found 10000001"),
    ],
)
def test_what_no_key_can_be_is_refused(made: Installation, wrong: dict[str, Any], told: str) -> None:
    with made.store.transaction() as session, pytest.raises(ApiKeyError, match=told):
        keys.create(session, "lantern", ["match"], now=NOON, **wrong)


def test_a_key_is_open_until_its_end_and_no_longer(made: Installation) -> None:
    with made.store.transaction() as session:
        token = keys.create(session, "lantern", ["match"], now=NOON, expires_at=NOON + timedelta(seconds=5))
        found = keys.find(session, token.key_id)
    assert found is not None
    assert found.is_open(NOON + timedelta(seconds=4, microseconds=999_999))
    assert not found.is_open(NOON + timedelta(seconds=5))
