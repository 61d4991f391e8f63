"""Ids with ``/``, ``@``, spaces or accents were unreachable in paths (freesound 63): refused, with the rule told."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from matcher.errors import RecordError
from matcher.people import MEMBER_ID_RULE, Member
from tests.service.api.test_members import problem
from tests.service.installation import Installation, record

UNREACHABLE = [
    "a/b",
    "a@b",
    "a b",
    "é",
    "a%2Fb",
    "a+b",
    "a?b",
    "a#b",
    "..",
    ".",
    "",
    " a",
    "a\n",
    "x" * 65,
    "ａ",
    "a\\b",
]
REACHABLE = ["m-1", "A.b_c~d-e", "...", "~", "-", "_", "0", "x" * 64, "..a", ".-"]


@pytest.mark.parametrize("member_id", UNREACHABLE)
def test_refused_at_creation_with_the_rule(made: Installation, member_id: str) -> None:
    with pytest.raises(RecordError) as caught:
        Member.from_dict(record(member_id), made.programme)
    assert MEMBER_ID_RULE in caught.value.errors["member_id"]
    path = f"/v1/members/{quote(member_id, safe='')}"
    reply = made.call("PUT", path, {key: value for key, value in record("m-1").items() if key != "member_id"})
    assert reply.status_code in {404, 422}
    if reply.status_code == 404:
        assert "1 to 64 of the characters A-Z a-z 0-9 . _ ~ -" in problem(reply, 404, "no-such-address")["detail"]
    else:
        assert MEMBER_ID_RULE in problem(reply, 422, "invalid")["errors"]["member_id"]
    assert made.call("GET", path).status_code == 404


@pytest.mark.parametrize("safe", ["~", ""])
@pytest.mark.parametrize("member_id", REACHABLE)
def test_what_is_taken_is_reachable(made: Installation, member_id: str, safe: str) -> None:
    path = f"/v1/members/{quote(member_id, safe=safe)}"
    assert made.call("PUT", path, record(member_id, "seeker")).status_code == 201
    assert made.call("GET", path).get_json()["member_id"] == member_id
    assert made.call("POST", "/match", {"member_id": member_id}).status_code == 200
    assert made.call("DELETE", path).status_code == 200


@pytest.mark.parametrize("member_id", UNREACHABLE)
def test_a_match_request_for_one_tells_the_rule(made: Installation, member_id: str) -> None:
    told = problem(made.call("POST", "/match", {"member_id": member_id}), 422, "invalid")
    assert MEMBER_ID_RULE in told["errors"]["member_id"]
