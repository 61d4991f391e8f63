from __future__ import annotations

import pytest
from sqlalchemy import text

from service.security import SCOPES, digest_of, split_token
from service.store import keys
from service.store.keys import ScopeError
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
        rows = session.execute(text("SELECT * FROM api_keys")).all()
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
