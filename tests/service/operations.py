"""Every operation that needs a key: what a key needs for it, and how to ask for what belongs to another programme."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.service.installation import record

OPEN = {"/__lbheartbeat__", "/__heartbeat__", "/__version__", "/openapi.json", "/docs"}
"""Every address that answers without a key, as in `test_access`."""
HOLD = {"kind": "crisis"}
GROUP = {
    "name": "After surgery",
    "facilitators": ["b-1"],
    "topics": {"experiences": ["lumpectomy"]},
    "channel": "phone",
    "capacity": 8,
    "open": True,
}
DECISION = {"purpose": "train_model", "decision": "given"}
CHOSEN = {"match_id": "{chosen_match}", "handle": "{chosen_handle}"}
MET = {"introduction_id": "{connected}", "member_id": "{met}", "event": "session"}
BY_HAND = {"seeker": "{unmet}", "candidate": "{helper}", "override": True}
PROPOSALS = "/v1/introductions"
FED = {"match_id": "{match_id}", "handle": "{handle}", "event": "viewed"}


def once(name: str) -> dict[str, str]:
    """Return the Idempotency-Key that `lantern` used for the same."""
    return {"Idempotency-Key": f"k-{name}"}


class Ask(NamedTuple):
    """A request with a key of `beacon`; in braces stands what names something of `lantern`'s."""

    path: str
    status: int
    body: Any = None
    headers: Mapping[str, str] = {}
    told: Callable[[bytes], Any] = bytes
    """What of the reply must be the same."""


@dataclass(frozen=True)
class Operation:
    """What a key needs for an operation, and how to ask for what belongs to another programme."""

    scopes: frozenset[str]
    """Any of which is enough; none: any key will do."""
    asks: tuple[Ask, ...]
    """The first of them changes nothing."""


def operation(scopes: str, *asks: Ask) -> Operation:
    return Operation(frozenset(scopes.split()), asks)


def programmes_named(told: bytes) -> set[str]:
    """Return whose figures these are. What they count is the process's, in which other tests ran too."""
    found = set(re.findall(r'programme="([^"]*)"', told.decode()))
    assert found <= {"beacon"}
    return found


def match_operation(path: str, name: str) -> Operation:
    asked = {"member_id": "{seeker}", "kind": "buddy"}
    return operation(
        "match",
        Ask(path, 404, asked),
        Ask(path, 404, {**asked, "kind": "group"}),
        Ask(path, 404, {**asked, "member_id": "{member}"}),
        Ask(path, 404, asked, once(name)),
    )


def act_operation(what: str, name: str, member: str, *, once_as: str = "") -> Operation:
    """Return what a side may do with the introduction that `name` names; `member` is of it."""
    path, body = f"/v1/introductions/{{{name}}}/{what}", {"member_id": f"{{{member}}}"}
    again = [Ask(path.replace(name, once_as), 404, {"member_id": "{helper}"}, once(what))] if once_as else []
    return operation("match", Ask(path, 404, body), Ask(path, 404, {"member_id": "b-1"}), *again)


def decision_operation(what: str, name: str, *, once_as: str = "") -> Operation:
    """Return what a coordinator may do with the introduction that `name` names."""
    path = f"/v1/review/{{{name}}}/{what}"
    again = [Ask(path.replace(name, once_as), 404, {}, once(what))] if once_as else []
    return operation("coordinator", Ask(path, 404, {}), *again)


PLACES = """
[facets.places]
kind = "concepts"
vocabulary = "lists/experiences.csv"
weight = 1.0
"""
"""A facet that `lantern` alone has."""
VOCABULARIES = "/v1/programme/vocabularies"
MEMBER = "/v1/members/{member}"
CONSENTS, HOLDS = f"{MEMBER}/consents", f"{MEMBER}/holds"
RECEIPT = "/consents/{consent}/receipt"
PUT, PUT_GROUP = "/v1/members/{put}", "/v1/groups/{put_group}"
PAIR, HALF = {"a": "{member}", "b": "{other}"}, {"a": "b-1", "b": "{other}"}
OPERATIONS = {
    "GET /v1/programme": operation("", Ask("/v1/programme", 200)),
    "GET /v1/programme/vocabularies/<facet>": operation(
        "", Ask(f"{VOCABULARIES}/experiences?q=trav", 200), Ask(f"{VOCABULARIES}/places?q=trav", 404)
    ),
    "GET /v1/members/<member_id>": operation("members", Ask(MEMBER, 404), Ask("/v1/members/{seeker}", 404)),
    "PUT /v1/members/<member_id>": operation(
        "members",
        Ask(PUT, 412, record("{put}"), {"If-Match": "{etag}"}),
        Ask(PUT, 412, record("{put}"), {"If-Match": "*"}),
        Ask(PUT, 422, record("{put}", age_band="0-99")),
        Ask(PUT, 201, record("{put}"), {"If-None-Match": "*"}),
        Ask(PUT, 200, record("{put}", vetted=False)),
    ),
    "DELETE /v1/members/<member_id>": operation(
        "members", Ask(MEMBER, 404), Ask(MEMBER, 404, headers={"If-Match": "{etag}"})
    ),
    "GET /v1/members/<member_id>/export": operation("members", Ask(f"{MEMBER}/export", 404)),
    "GET /v1/members/<member_id>/models": operation("members", Ask(f"{MEMBER}/models", 404)),
    "GET /v1/members/<member_id>/consents": operation(
        "consents", Ask(CONSENTS, 404), Ask(f"{CONSENTS}?format=fhir", 404)
    ),
    "POST /v1/members/<member_id>/consents": operation(
        "consents",
        Ask(CONSENTS, 404, DECISION),
        Ask(CONSENTS, 404, {"purpose": "all", "decision": "withdrawn"}),
        Ask(CONSENTS, 404, DECISION, once("consents")),
    ),
    "GET /v1/members/<member_id>/consents/<consent_id>/receipt": operation(
        "consents",
        Ask(f"{MEMBER}{RECEIPT}", 404),
        Ask(f"/v1/members/b-1{RECEIPT}", 404),
        Ask(f"/v1/members/b-1{RECEIPT}?format=fhir", 404),
    ),
    "GET /v1/members/<member_id>/holds": operation("members coordinator", Ask(HOLDS, 404)),
    "POST /v1/members/<member_id>/holds": operation(
        "members coordinator", Ask(HOLDS, 404, HOLD), Ask(HOLDS, 404, HOLD, once("holds"))
    ),
    "DELETE /v1/members/<member_id>/holds/<hold_id>": operation(
        "members coordinator", Ask(f"{HOLDS}/{{hold}}", 404), Ask("/v1/members/b-1/holds/{hold}", 404)
    ),
    "POST /v1/blocks": operation(
        "members",
        Ask("/v1/blocks", 404, PAIR),
        Ask("/v1/blocks", 404, HALF),
        Ask("/v1/blocks", 404, PAIR, once("blocks")),
    ),
    "DELETE /v1/blocks/<a>/<b>": operation(
        "members", Ask("/v1/blocks/{member}/{other}", 404), Ask("/v1/blocks/b-1/{other}", 404)
    ),
    "GET /v1/groups/<group_id>": operation("groups", Ask("/v1/groups/{group}", 404)),
    "PUT /v1/groups/<group_id>": operation(
        "groups",
        Ask(PUT_GROUP, 412, {**GROUP, "members": []}, {"If-Match": "*"}),
        Ask(PUT_GROUP, 422, {**GROUP, "members": ["{member}"]}),
        Ask(PUT_GROUP, 201, {**GROUP, "members": ["b-2"]}),
    ),
    "DELETE /v1/groups/<group_id>": operation("groups", Ask("/v1/groups/{group}", 404)),
    "POST /match": match_operation("/match", "match"),
    "POST /v1/match": match_operation("/v1/match", "match-v1"),
    "POST /v1/feedback": operation(
        "feedback",
        Ask("/v1/feedback", 404, FED),
        Ask("/v1/feedback", 404, {**FED, "match_id": "{group_match}", "handle": "{group_handle}"}),
        Ask("/v1/feedback", 404, FED, once("feedback")),
        Ask("/v1/feedback", 404, MET),
        Ask("/v1/feedback", 404, {**MET, "member_id": "b-1"}),
        Ask("/v1/feedback", 404, {**MET, "event": "reported", "safety": True}),
    ),
    "POST /v1/introductions": operation(
        "match", Ask(PROPOSALS, 404, CHOSEN), Ask(PROPOSALS, 404, {**CHOSEN, "match_id": "{match_id}"})
    ),
    "GET /v1/members/<member_id>/introductions": operation("match", Ask("/v1/members/{helper}/introductions", 404)),
    "POST /v1/introductions/<introduction_id>/accept": act_operation(
        "accept", "to_accept", "accepts", once_as="connected"
    ),
    "POST /v1/introductions/<introduction_id>/decline": act_operation("decline", "to_decline", "declines"),
    "POST /v1/introductions/<introduction_id>/withdraw": act_operation("withdraw", "to_withdraw", "withdraws"),
    "POST /v1/introductions/<introduction_id>/end": act_operation("end", "connected", "met"),
    "POST /v1/introductions/<introduction_id>/rematch": act_operation("rematch", "to_rematch", "rematches"),
    "GET /v1/review": operation(
        "coordinator", Ask("/v1/review", 200), Ask("/v1/review?after={in_review}", 200), Ask("/v1/review?limit=1", 200)
    ),
    "POST /v1/review": operation(
        "coordinator",
        Ask("/v1/review", 404, BY_HAND),
        Ask("/v1/review", 404, {**BY_HAND, "seeker": "b-1"}),
        Ask("/v1/review", 404, {**BY_HAND, "candidate": "b-1"}),
        Ask("/v1/review", 404, {**BY_HAND, "seeker": "{met}"}, once("by-hand")),
    ),
    "GET /v1/review/<introduction_id>": operation("coordinator", Ask("/v1/review/{in_review}", 404)),
    "POST /v1/review/<introduction_id>/approve": decision_operation("approve", "in_review", once_as="approved"),
    "POST /v1/review/<introduction_id>/reject": decision_operation("reject", "to_reject"),
    "POST /v1/review/<introduction_id>/suspend": decision_operation("suspend", "approved"),
    "POST /v1/review/<introduction_id>/resume": decision_operation("resume", "suspended"),
    "POST /v1/review/<introduction_id>/end": decision_operation("end", "to_stop"),
    "GET /v1/events": operation(
        "match:ids coordinator",
        Ask("/v1/events", 200),
        Ask("/v1/events?after=1", 200),
        Ask("/v1/events?after=0&limit=1000", 200),
    ),
    "GET /v1/waiting-list": operation(
        "coordinator", Ask("/v1/waiting-list", 200), Ask("/v1/waiting-list?after=1&limit=5", 200)
    ),
    "GET /v1/reports/<name>": operation(
        "coordinator admin audit",
        Ask("/v1/reports/waiting", 200),
        Ask("/v1/reports/load", 200),
        Ask("/v1/reports/retention?format=csv", 200),
        Ask("/v1/reports/weather", 404),
    ),
    "GET /v1/audit-log": operation(
        "audit",
        Ask("/v1/audit-log", 200),
        Ask("/v1/audit-log?member_id={member}", 200),
        Ask("/v1/audit-log?after=1", 200),
    ),
    "GET /metrics": operation("admin", Ask("/metrics", 200, told=programmes_named)),
}
"""By method and address, as Flask writes them. An operation that is not here fails the suite."""
