"""A data key that is not at hand: nothing is shown, nothing is lost, and it is said."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from service.sealing import Keyring, new_key
from service.store import sealed
from service.store.live_tables import LiveRow
from service.store.tables import MemberRow
from tests.service.installation import Installation, record


def put_under_a_foreign_key(made: Installation, member_id: str) -> bytes:
    with made.store.transaction() as session:
        which = (MemberRow.programme_id == "lantern", MemberRow.member_id == member_id)
        text = sealed.opened(
            session, "lantern", sealed.MEMBERS, member_id, session.scalars(select(MemberRow.record).where(*which)).one()
        )
        kept = Keyring([new_key()]).seal("lantern", sealed.MEMBERS, member_id, text.encode())
        session.execute(update(MemberRow).where(*which).values(record=kept))
        session.execute(update(LiveRow).where(LiveRow.programme_id == "lantern").values(edge=0))
    return kept


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/members/m-1", None),
        ("GET", "/v1/members/m-1/export", None),
        ("GET", "/v1/members/m-1/consents", None),
        ("POST", "/v1/members/m-1/consents", {"purpose": "all", "decision": "withdrawn"}),
        ("POST", "/v1/members/m-1/consents", {"purpose": "train_model", "decision": "given"}),
        ("PUT", "/v1/members/m-1", {"roles": ["supporter"]}),
        ("POST", "/v1/match", {"member_id": "s-1"}),
        ("POST", "/v1/match", {"member_id": "m-1"}),
    ],
)
def test_it_is_said_and_the_record_stays(small: Installation, method: str, path: str, body: Any) -> None:
    small.add(record("m-1", "supporter", "seeker"), record("s-1", "seeker"))
    kept = put_under_a_foreign_key(small, "m-1")
    reply = small.call(method, path, body)
    assert reply.status_code == 503
    assert "keys of this installation" in reply.get_json()["detail"]
    with small.store.reading() as session:
        which = (MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1")
        assert session.scalars(select(MemberRow.record).where(*which)).one() == kept
