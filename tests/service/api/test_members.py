from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service.store import members
from tests.service.erased import again
from tests.service.installation import NOON, Installation, another_programme, consent, record

LATER = NOON + timedelta(seconds=1)


def problem(reply: Any, status: int, name: str) -> dict[str, Any]:
    assert reply.status_code == status, reply.get_data(as_text=True)
    assert reply.mimetype == "application/problem+json"
    body: dict[str, Any] = reply.get_json()
    assert body["type"] == f"urn:peermatch:problem:{name}"
    assert body["status"] == status
    return body


def test_put_creates_then_replaces_and_get_returns_the_record(made: Installation) -> None:
    first = made.call("PUT", "/v1/members/m-1", record("m-1"))
    assert first.status_code == 201
    assert first.get_json() == {"member_id": "m-1", "visible_from": "2026-03-05", "warnings": []}
    got = made.call("GET", "/v1/members/m-1")
    assert got.get_json() == made.member(record("m-1")).to_dict()
    assert got.headers["ETag"] == first.headers["ETag"]
    second = made.call("PUT", "/v1/members/m-1", record("m-1", capacity=3))
    assert second.status_code == 200
    assert second.headers["ETag"] != first.headers["ETag"]
    assert made.call("GET", "/v1/members/m-1").get_json()["capacity"] == 3


def test_what_get_returns_can_be_put_again(made: Installation) -> None:
    made.call("PUT", "/v1/members/m-1", record("m-1", "seeker", wants={"experiences": {"importance": 2}}))
    got = made.call("GET", "/v1/members/m-1").get_json()
    assert made.call("PUT", "/v1/members/m-1", got).status_code == 200
    assert made.call("GET", "/v1/members/m-1").get_json() == got


def test_members_of_a_small_programme_are_visible_at_once(small: Installation) -> None:
    assert small.call("PUT", "/v1/members/m-1", record("m-1")).get_json()["visible_from"] == "2026-03-04"


def test_warnings_reach_the_caller(made: Installation) -> None:
    one = record("m-1")
    one["profile"]["experiences"] = ["not-in-the-list"]
    reply = made.call("PUT", "/v1/members/m-1", one)
    assert reply.status_code == 201
    assert any("experiences" in warning for warning in reply.get_json()["warnings"])


def test_the_id_in_the_path_wins_and_the_body_may_only_repeat_it(made: Installation) -> None:
    one = record("m-1")
    body = problem(made.call("PUT", "/v1/members/m-2", one), 422, "invalid")
    assert body["errors"] == {"member_id": "found 'm-1'; expected the id in the path, or no `member_id` at all"}
    del one["member_id"]
    assert made.call("PUT", "/v1/members/m-2", one).status_code == 201


@pytest.mark.parametrize("spelling", ["a@b", "a b", "%C3%A9", "a" * 65, "%7B"])
def test_an_id_that_no_path_could_name_is_refused_with_the_rule(made: Installation, spelling: str) -> None:
    one = {key: value for key, value in record("x").items() if key != "member_id"}
    body = problem(made.call("PUT", f"/v1/members/{spelling}", one), 422, "invalid")
    assert "1 to 64 of A-Z a-z 0-9 . _ ~ -" in body["errors"]["member_id"]
    problem(made.call("GET", f"/v1/members/{spelling}"), 404, "no-such-member")


def test_an_id_with_a_nul_is_refused(made: Installation) -> None:
    one = {key: value for key, value in record("x").items() if key != "member_id"}
    assert "U+0000" in problem(made.call("PUT", "/v1/members/m%00", one), 422, "invalid")["errors"]["member_id"]
    for method in ("GET", "DELETE"):
        problem(made.call(method, "/v1/members/m%00"), 404, "no-such-member")


def test_an_id_with_a_slash_names_no_address_and_the_rule_is_told(made: Installation) -> None:
    body = problem(made.call("PUT", "/v1/members/a%2Fb", record("x")), 404, "no-such-address")
    assert "1 to 64" in body["detail"]


@pytest.mark.parametrize("member_id", ["A.b_c~d-9", "...", "0"])
def test_every_valid_id_is_reachable(made: Installation, member_id: str) -> None:
    assert made.call("PUT", f"/v1/members/{member_id}", record(member_id)).status_code == 201
    assert made.call("GET", f"/v1/members/{member_id}").get_json()["member_id"] == member_id
    assert made.call("DELETE", f"/v1/members/{member_id}").status_code == 200


def test_every_problem_of_a_record_is_told_at_once(made: Installation) -> None:
    bad = record("m-1", capacity=-1, age_band="old", colour="red")
    bad["profile"]["channel"] = ["fax"]
    errors = problem(made.call("PUT", "/v1/members/m-1", bad), 422, "invalid")["errors"]
    assert {"capacity", "age_band", "colour"} <= set(errors)
    assert any(path.startswith("profile.channel") for path in errors)
    problem(made.call("GET", "/v1/members/m-1"), 404, "no-such-member")


def test_unknown_foreign_and_erased_are_told_in_the_same_bytes(made: Installation) -> None:
    other = another_programme(made, "beacon")
    made.add(record("erased"), record("m-1"))
    assert made.call("DELETE", "/v1/members/erased").status_code == 200
    replies = [
        made.call(method, f"/v1/members/{member_id}", key=key)
        for method in ("GET", "DELETE")
        for member_id, key in (("never", None), ("erased", None), ("m-1", other))
    ]
    replies += [
        made.call("POST", "/v1/match", {"member_id": member_id}, key=key)
        for member_id, key in (("never", None), ("erased", None), ("m-1", other))
    ]
    for reply in replies:
        problem(reply, 404, "no-such-member")
    assert len({reply.data for reply in replies}) == 1
    assert len({tuple(sorted(set(reply.headers.keys()))) for reply in replies}) == 1
    assert made.call("GET", "/v1/members/m-1").status_code == 200


def test_the_same_id_may_be_another_member_in_another_programme(made: Installation) -> None:
    other = another_programme(made, "beacon")
    made.call("PUT", "/v1/members/m-1", record("m-1", capacity=2))
    assert made.call("PUT", "/v1/members/m-1", record("m-1", capacity=5), key=other).status_code == 201
    assert made.call("GET", "/v1/members/m-1").get_json()["capacity"] == 2
    assert made.call("DELETE", "/v1/members/m-1", key=other).status_code == 200
    assert made.call("GET", "/v1/members/m-1").status_code == 200


def test_if_match_is_honoured_when_sent(made: Installation) -> None:
    etag = made.call("PUT", "/v1/members/m-1", record("m-1")).headers["ETag"]
    newer = made.call("PUT", "/v1/members/m-1", record("m-1", capacity=2), headers={"If-Match": etag}).headers["ETag"]
    for method, body in (("PUT", record("m-1", capacity=9)), ("DELETE", None)):
        for wrong in (etag, f"W/{newer}", '"none"', "nonsense"):
            reply = made.call(method, "/v1/members/m-1", body, headers={"If-Match": wrong})
            problem(reply, 412, "precondition-failed")
    assert made.call("GET", "/v1/members/m-1").get_json()["capacity"] == 2
    listed = {"If-Match": f'"x", {newer}'}
    assert made.call("PUT", "/v1/members/m-1", record("m-1"), headers=listed).status_code == 200
    assert made.call("DELETE", "/v1/members/m-1", headers={"If-Match": "*"}).status_code == 200
    problem(made.call("PUT", "/v1/members/m-1", record("m-1"), headers={"If-Match": "*"}), 412, "precondition-failed")
    problem(made.call("DELETE", "/v1/members/m-1", headers={"If-Match": "*"}), 404, "no-such-member")


def test_if_none_match_makes_put_create_only_and_get_cheap(made: Installation) -> None:
    only_new = {"If-None-Match": "*"}
    etag = made.call("PUT", "/v1/members/m-1", record("m-1"), headers=only_new).headers["ETag"]
    problem(made.call("PUT", "/v1/members/m-1", record("m-1"), headers=only_new), 412, "precondition-failed")
    reply = made.call("GET", "/v1/members/m-1", headers={"If-None-Match": etag})
    assert (reply.status_code, reply.data) == (304, b"")


def test_a_new_member_under_an_old_id_has_another_etag(made: Installation) -> None:
    etag = made.call("PUT", "/v1/members/m-1", record("m-1")).headers["ETag"]
    made.call("DELETE", "/v1/members/m-1")
    assert made.call("PUT", "/v1/members/m-1", again(record("m-1"), LATER)).status_code == 201
    reply = made.call("DELETE", "/v1/members/m-1", headers={"If-Match": etag})
    problem(reply, 412, "precondition-failed")


def test_consents_are_kept_when_a_replacing_record_has_none(made: Installation) -> None:
    made.call("PUT", "/v1/members/m-1", record("m-1"))
    one = record("m-1", capacity=2)
    del one["consents"]
    assert made.call("PUT", "/v1/members/m-1", one).status_code == 200
    assert made.call("GET", "/v1/members/m-1").get_json() == made.member(record("m-1", capacity=2)).to_dict()


def test_consents_may_be_added_to(made: Installation) -> None:
    one = record("m-1")
    made.call("PUT", "/v1/members/m-1", one)
    one["consents"].append(consent("be_shown_as_peer", "withdrawn", NOON))
    assert made.call("PUT", "/v1/members/m-1", one).status_code == 200
    assert made.call("GET", "/v1/members/m-1").get_json()["consents"][-1]["decision"] == "withdrawn"


@pytest.mark.parametrize("change", ["forget all", "forget one", "reorder", "rewrite", "insert"])
def test_consents_are_never_rewritten(made: Installation, change: str) -> None:
    made.call("PUT", "/v1/members/m-1", record("m-1"))
    before = made.call("GET", "/v1/members/m-1").data
    events = record("m-1")["consents"]
    changed = {
        "forget all": [],
        "forget one": events[1:],
        "reorder": events[::-1],
        "rewrite": [{**events[0], "decision": "refused"}, *events[1:]],
        "insert": [consent("train_model"), *events],
    }[change]
    reply = made.call("PUT", "/v1/members/m-1", record("m-1", capacity=9, consents=changed))
    assert "Leave `consents` out to keep them" in problem(reply, 409, "consents-differ")["detail"]
    assert made.call("GET", "/v1/members/m-1").data == before


def test_erasure_takes_the_consents_along(made: Installation) -> None:
    made.call("PUT", "/v1/members/m-1", record("m-1"))
    made.call("DELETE", "/v1/members/m-1")
    one = again(record("m-1", consents=[consent("train_model")]), LATER)
    assert made.call("PUT", "/v1/members/m-1", one).status_code == 201
    assert made.call("GET", "/v1/members/m-1").get_json()["consents"] == one["consents"]


def test_an_edit_does_not_postpone_who_is_visible(made: Installation) -> None:
    made.add(record("m-1"))
    assert made.call("PUT", "/v1/members/m-1", record("m-1", capacity=2)).get_json()["visible_from"] == "2026-03-04"
    with made.store.reading() as session:
        stored = members.get(session, "lantern", "m-1")
    assert stored is not None
    assert stored.visible_from < NOON.date() + timedelta(days=1)


def test_a_null_hides_no_other_problem(made: Installation) -> None:
    body = problem(made.call("PUT", "/v1/members/m-1", {"roles": None, "zzz": 1, "capacity": -1}), 422, "invalid")
    assert set(body["errors"]) >= {"roles", "zzz", "capacity"}
    assert body["errors"]["roles"].startswith("found null")


def test_a_consent_that_is_yet_to_come_is_refused_and_changes_nothing(made: Installation) -> None:
    made.call("PUT", "/v1/members/m-1", record("m-1"))
    later = made.call("GET", "/v1/members/m-1").get_json()
    grant = {**later["consents"][0], "at": "2099-01-01T00:00:00Z"}
    grant.pop("valid_until", None)
    events = [*later["consents"], grant]
    body = problem(made.call("PUT", "/v1/members/m-1", {**later, "consents": events}), 422, "invalid")
    assert list(body["errors"]) == [f"consents[{len(later['consents'])}].at"]
    assert made.call("GET", "/v1/members/m-1").get_json() == later
