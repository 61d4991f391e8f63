"""Every operation of the service, with the entry that it leaves in the audit log, or the reason why it leaves none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.service.installation import Installation, consent, record

SEEKER = "m-000123"
Prepare = Callable[[Installation], Mapping[str, str]]


def nothing(_made: Installation) -> Mapping[str, str]:
    return {}


def held(made: Installation) -> Mapping[str, str]:
    hold = made.call("POST", f"/v1/members/{SEEKER}/holds", {"kind": "crisis"}).get_json()
    return {"hold_id": hold["id"]}


def blocked(made: Installation) -> Mapping[str, str]:
    made.call("POST", "/v1/blocks", {"a": SEEKER, "b": "m-2"})
    return {"a": "m-2", "b": SEEKER}


def waiting_report(_made: Installation) -> Mapping[str, str]:
    return {"name": "waiting"}


def decided(made: Installation) -> Mapping[str, str]:
    reply = made.call("POST", f"/v1/members/{SEEKER}/consents", {"purpose": "train_model", "decision": "given"})
    return {"consent_id": reply.get_json()["id"]}


def in_review(made: Installation) -> Mapping[str, str]:
    found = made.match(SEEKER)
    seen = {"match_id": found["match_id"], "handle": found["matches"][0]["handle"]}
    return {"introduction_id": made.call("POST", "/v1/introductions", seen).get_json()["introduction_id"]}


def approved(made: Installation) -> Mapping[str, str]:
    names = in_review(made)
    assert made.call("POST", f"/v1/review/{names['introduction_id']}/approve", {}).status_code == 200
    return names


def suspended(made: Installation) -> Mapping[str, str]:
    names = approved(made)
    assert made.call("POST", f"/v1/review/{names['introduction_id']}/suspend", {}).status_code == 200
    return names


class Audited(NamedTuple):
    """An operation, and the entry that it leaves."""

    action: str
    body: Any = None
    prepare: Prepare = nothing
    subject: bool = True
    """It is about one member, and the entry has a hash of who."""
    status: int = 200


GIVEN = {"purpose": "train_model", "decision": "given"}
NEW = [*record(SEEKER)["consents"], consent("train_model")]

AUDITED = {
    "GET /v1/members/<member_id>/consents": Audited("consents.read"),
    "POST /v1/members/<member_id>/consents": Audited("consent.recorded", GIVEN, status=201),
    "GET /v1/members/<member_id>/consents/<consent_id>/receipt": Audited("receipt.read", prepare=decided),
    "PUT /v1/members/<member_id>": Audited("consent.recorded", record(SEEKER, "seeker", consents=NEW)),
    "DELETE /v1/members/<member_id>": Audited("member.erased"),
    "GET /v1/members/<member_id>/export": Audited("member.exported"),
    "GET /v1/members/<member_id>/models": Audited("member.exported"),
    "POST /v1/members/<member_id>/holds": Audited("hold.placed", {"kind": "crisis"}, status=201),
    "DELETE /v1/members/<member_id>/holds/<hold_id>": Audited("hold.lifted", prepare=held, status=204),
    "POST /v1/blocks": Audited("block.made", {"a": SEEKER, "b": "m-2"}, subject=False, status=201),
    "DELETE /v1/blocks/<a>/<b>": Audited("block.lifted", prepare=blocked, subject=False, status=204),
    "GET /v1/reports/<name>": Audited("report.read", prepare=waiting_report, subject=False),
    "GET /v1/waiting-list": Audited("waiting.read", subject=False),
    "GET /v1/audit-log": Audited("audit.read", subject=False),
    "GET /v1/review": Audited("review.read", prepare=in_review, subject=False),
    "POST /v1/review": Audited("introduction.made", {"seeker": SEEKER, "candidate": "m-2"}, subject=False, status=201),
    "GET /v1/review/<introduction_id>": Audited("review.read", prepare=in_review, subject=False),
    "POST /v1/review/<introduction_id>/approve": Audited("introduction.approved", {}, prepare=in_review, subject=False),
    "POST /v1/review/<introduction_id>/reject": Audited(
        "introduction.rejected", {"reason": "not_a_fit"}, prepare=in_review, subject=False
    ),
    "POST /v1/review/<introduction_id>/suspend": Audited("introduction.suspended", {}, prepare=approved, subject=False),
    "POST /v1/review/<introduction_id>/resume": Audited("introduction.resumed", {}, prepare=suspended, subject=False),
    "POST /v1/review/<introduction_id>/end": Audited("introduction.ended", {}, prepare=approved, subject=False),
}
ITS_LOG = "the history of an introduction is its log: each act, by which side, and when"
WITHOUT = {
    "GET /v1/members/<member_id>": "a partner's everyday reading of what it stored itself",
    "GET /v1/members/<member_id>/holds": "a partner's everyday reading of what it stored itself",
    "GET /v1/groups/<group_id>": "a partner's everyday reading of what it stored itself",
    "PUT /v1/groups/<group_id>": "groups are the partner's own, and its everyday work",
    "DELETE /v1/groups/<group_id>": "groups are the partner's own, and its everyday work",
    "POST /match": "what was shown to whom is kept with the lists",
    "POST /v1/match": "what was shown to whom is kept with the lists",
    "POST /v1/feedback": "feedback is itself a record of what happened",
    "POST /v1/introductions": ITS_LOG,
    "POST /v1/introductions/<introduction_id>/accept": ITS_LOG,
    "POST /v1/introductions/<introduction_id>/decline": ITS_LOG,
    "POST /v1/introductions/<introduction_id>/withdraw": ITS_LOG,
    "POST /v1/introductions/<introduction_id>/end": ITS_LOG,
    "POST /v1/introductions/<introduction_id>/rematch": ITS_LOG,
    "GET /v1/members/<member_id>/introductions": "a side's everyday reading of what it may be told",
    "GET /v1/events": "a partner's everyday reading of what its members may be told",
    "GET /v1/programme": "about nobody",
    "GET /v1/programme/vocabularies/<facet>": "about nobody",
    "GET /metrics": "counts, of nobody",
    "GET /__lbheartbeat__": "about nobody",
    "GET /__heartbeat__": "about nobody",
    "GET /__version__": "about nobody",
    "GET /openapi.json": "about nobody",
    "GET /docs": "about nobody",
}
"""Every other operation, and why there is no entry of it. Adding one is a decision, not an accident."""
