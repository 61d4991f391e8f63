"""Groups over HTTP: put, read and deleted by a back end; listed for a seeker without a word of who is in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tests.service.api.replies import problem, told_apart
from tests.service.databases import Database
from tests.service.group_records import group
from tests.service.installation import Installation, another_programme, close, install, record

PEOPLE = ("f-1", "f-2", "m-1", "m-2", "m-3")


@pytest.fixture
def people(small: Installation) -> Installation:
    small.add(record("s-1", "seeker"), *(record(name) for name in PEOPLE))
    return small


def put(made: Installation, group_id: str = "g-1", **more: Any) -> Any:
    headers, key = more.pop("headers", None), more.pop("key", None)
    body = {name: value for name, value in group(**more).items() if name != "group_id"}
    return made.call("PUT", f"/v1/groups/{group_id}", body, headers=headers, key=key)


def test_a_group_is_put_read_replaced_and_deleted(people: Installation) -> None:
    first = put(people, members=["m-2", "m-1"])
    assert (first.status_code, first.get_json()) == (201, {"group_id": "g-1", "warnings": []})
    stored = people.call("GET", "/v1/groups/g-1")
    assert stored.get_json() == {**group(members=["m-1", "m-2"]), "min_size": 4, "minors": False}
    assert stored.headers["ETag"] == first.headers["ETag"]
    again = people.call("PUT", "/v1/groups/g-1", stored.get_json())
    assert (again.status_code, again.headers["ETag"]) == (200, first.headers["ETag"])
    second = put(people, facilitators=[])
    assert second.status_code == 200
    assert second.get_json()["warnings"] == ["facilitators: there is none, and a group without one is shown to nobody"]
    assert people.call("GET", "/v1/groups/g-1").get_json()["members"] == [], "it is replaced as a whole"
    assert people.call("DELETE", "/v1/groups/g-1").status_code == 204
    problem(people.call("GET", "/v1/groups/g-1"), 404, "no-such-group")
    assert put(people).status_code == 201


def test_etags_are_honoured_and_change_with_whoever_is_in_it(people: Installation) -> None:
    first = put(people, members=["m-1"]).headers["ETag"]
    assert people.call("GET", "/v1/groups/g-1", headers={"If-None-Match": first}).status_code == 304
    problem(put(people, headers={"If-None-Match": "*"}), 412, "precondition-failed")
    second = put(people, members=["m-1", "m-2"], headers={"If-Match": first})
    assert second.status_code == 200
    for reply in (
        put(people, headers={"If-Match": first}),
        people.call("DELETE", "/v1/groups/g-1", headers={"If-Match": first}),
        put(people, "g-2", headers={"If-Match": first}),
    ):
        problem(reply, 412, "precondition-failed")
    people.call("DELETE", "/v1/members/m-2")
    problem(put(people, headers={"If-Match": second.headers["ETag"]}), 412, "precondition-failed")
    third = people.call("GET", "/v1/groups/g-1")
    assert third.get_json()["members"] == ["m-1"]
    assert people.call("DELETE", "/v1/groups/g-1", headers={"If-Match": third.headers["ETag"]}).status_code == 204
    assert put(people, members=["m-1"]).headers["ETag"] not in {first, third.headers["ETag"]}


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"members": ["m-1", "zz"]}, {"members[1]"}),
        ({"members": ["zz", "m-1"], "facilitators": ["f-1", "yy"]}, {"members[0]", "facilitators[1]"}),
        ({"members": ["m 1"]}, {"members[0]"}),
        ({"members": ["f-1"]}, {"members"}),
        ({"members": None}, {"members"}),
        ({"topics": {"journey": "later"}}, {"topics.journey"}),
        ({"topics": {"experiences": []}}, {"topics.experiences"}),
        ({"channel": "post"}, {"channel"}),
        ({"capacity": -1, "name": ""}, {"capacity", "name"}),
        ({"group_id": "g-2"}, {"group_id"}),
        ({"secret": 1}, {"secret"}),
    ],
)
def test_what_is_wrong_is_told_by_path_and_changes_nothing(
    people: Installation, changes: dict[str, Any], paths: set[str]
) -> None:
    put(people, members=["m-1"])
    before = people.call("GET", "/v1/groups/g-1")
    reply = people.call("PUT", "/v1/groups/g-1", {**group(), **changes})
    assert set(problem(reply, 422, "invalid")["errors"]) == paths
    after = people.call("GET", "/v1/groups/g-1")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])


def test_a_stranger_is_told_alike_whether_unknown_foreign_or_erased(people: Installation) -> None:
    foreign = another_programme(people, "beacon")
    assert people.call("PUT", "/v1/members/foreign", record("foreign"), key=foreign).status_code == 201
    people.add(record("erased-"))
    assert people.call("DELETE", "/v1/members/erased-").status_code == 200
    said = set()
    for name in ("unknown", "foreign", "erased-"):
        errors = problem(put(people, members=["m-1", name]), 422, "invalid")["errors"]
        said.add(json.dumps(errors).replace(name, "?"))
    assert said == {json.dumps({"members[1]": "found '?'; expected a member of this programme, stored before"})}


def test_unknown_foreign_and_deleted_are_told_in_the_same_bytes(people: Installation) -> None:
    foreign = another_programme(people, "beacon")
    people.call("PUT", "/v1/members/f-1", record("f-1"), key=foreign)
    assert put(people).status_code == put(people, "of-beacon", key=foreign).status_code == 201
    put(people, "deleted")
    people.call("DELETE", "/v1/groups/deleted")
    replies = []
    for name, key in (("never", None), ("deleted", None), ("of-beacon", None), ("g-1", foreign)):
        replies += [people.call(method, f"/v1/groups/{name}", key=key) for method in ("GET", "DELETE")]
    replies += [people.call("GET", path) for path in ("/v1/groups/g%00", "/v1/groups/g%201")]
    problem(replies[0], 404, "no-such-group")
    assert told_apart(replies) == 1


def test_the_same_id_in_two_programmes_is_two_groups(people: Installation) -> None:
    foreign = another_programme(people, "beacon")
    people.call("PUT", "/v1/members/f-1", record("f-1"), key=foreign)
    put(people, name="Ours")
    put(people, name="Theirs", key=foreign)
    people.call("DELETE", "/v1/groups/g-1", key=foreign)
    assert people.call("GET", "/v1/groups/g-1").get_json()["name"] == "Ours"


def test_the_scope_is_groups_and_no_other(people: Installation) -> None:
    put(people)
    other = people.new_key("members", "consents", "match", "match:ids", "feedback", "coordinator", "admin", "audit")
    for method in ("GET", "PUT", "DELETE"):
        body = group() if method == "PUT" else None
        problem(people.call(method, "/v1/groups/g-1", body, key=other), 403, "scope-missing")
    assert people.call("GET", "/v1/groups/g-1", key=people.new_key("groups")).status_code == 200


def test_of_groups_nothing_can_be_told_yet(people: Installation) -> None:
    put(people)
    found = people.match("s-1", kind="group")
    told = {"match_id": found["match_id"], "handle": found["matches"][0]["handle"], "event": "viewed"}
    assert set(problem(people.call("POST", "/v1/feedback", told), 422, "invalid")["errors"]) == {"handle"}


# Lists ----------------------------------------------------------------------------------------------------------------


def test_a_reply_has_the_form_of_one_of_peers(people: Installation) -> None:
    put(people, members=["m-1"])
    groups, peers = people.match("s-1", kind="group"), people.match("s-1")
    assert list(groups) == list(peers)
    assert list(groups["matches"][0]) == list(peers["matches"][0])
    ids = people.new_key("match", "match:ids")
    told = people.match("s-1", kind="group", key=ids)
    assert told["matches"] == [{**groups["matches"][0], "group_id": "g-1"}]
    assert "group_id" not in people.match("s-1", key=ids)["matches"][0]


def numbers(value: Any, path: str = "") -> list[str]:
    """Return the paths of all numbers in a reply."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in numbers(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for inner in value for found in numbers(inner, path)]
    return [path] if isinstance(value, int | float) and not isinstance(value, bool) else []


RECORDS = st.builds(
    lambda members, facilitators, experiences, **more: group(
        members=[f"zq-member-{at}" for at in sorted(members)],
        facilitators=[f"zq-runs-{at}" for at in sorted(facilitators)],
        topics={"experiences": experiences} if experiences else {},
        **more,
    ),
    members=st.sets(st.integers(0, 7)),
    facilitators=st.sets(st.integers(0, 2)),
    experiences=st.lists(st.sampled_from(["lumpectomy", "surgery", "travel"]), unique=True),
    capacity=st.integers(4, 12),
    channel=st.sampled_from(["phone", "video"]),
    open=st.sampled_from([True, True, True, False]),
    name=st.just("zq-name"),
)


BOTH = {"profile": {"experiences": ["lumpectomy", "travel"], "channel": ["phone"], "journey": "later"}}


@pytest.fixture(scope="module")
def crowd(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A seeker who has as many lists as are asked for, and people with names that can be searched for."""
    more = "lists_per_day = 1000\nlists_per_30_days = 9999\n[privacy]\nreason_k = 2"
    made = install(tmp_path_factory.mktemp("crowd"), database=database, size="small", more=more)
    made.add(record("s-1", "seeker", **BOTH), *(record(f"zq-runs-{at}") for at in range(3)))
    made.add(*(record(f"zq-member-{at}", **BOTH) for at in range(8)))
    yield made
    close(made)


seen: Counter[str] = Counter()


@settings(max_examples=examples(20, 200), deadline=None)
@given(records=st.lists(RECORDS, min_size=1, max_size=6), limit=st.integers(1, 10))
def test_no_reply_tells_who_is_in_a_group_or_how_many(
    crowd: Installation, records: list[dict[str, Any]], limit: int
) -> None:
    for at, one in enumerate(records):
        reply = crowd.call("PUT", f"/v1/groups/zq-group-{at}", {**one, "group_id": f"zq-group-{at}"})
        assert reply.status_code in {200, 201}, reply.get_data(as_text=True)
    for at in range(len(records), 6):
        crowd.call("DELETE", f"/v1/groups/zq-group-{at}")
    reply = crowd.call("POST", "/v1/match", {"member_id": "s-1", "kind": "group", "limit": limit})
    assert reply.status_code == 200
    assert b"zq-" not in reply.data
    body = reply.get_json()
    assert set(numbers(body)) <= {".matches.rank"}
    assert set(body) == {"match_id", "outcome", "reason", "model_version", "fresh", "matches", "waiting"}
    seen[body["outcome"]] += 1


def test_the_replies_were_lists_as_well() -> None:
    assert not seen or min(seen["matched"], seen["no_match"]) > 0
