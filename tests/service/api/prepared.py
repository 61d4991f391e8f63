"""The installation in which every example of the description is true, and what some examples need before they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from service.api.consent_schemas import EVENT
from service.api.groups import RECORD as GROUP
from service.api.introduction_schemas import INTRODUCTION
from service.store import introductions
from tests.service.installation import Installation, record

SEEKER = "m-000123"
SUPPORTERS = ("m-000200", "m-000201", "m-000202")
MORE = "[privacy]\nreason_k = 2"
"""What its programme file says besides: so few people may have reasons in common."""

Prepare = Callable[[Installation], Mapping[str, str]]
"""Makes what an example needs. Returns what to write in place of texts of the example, wherever they stand in its
request: ``{"LNbcI3oIxhYyamOwyQILZg": handle}``."""

REVIEWED, AT_ONCE = 'standard"\nreview = "all', 'standard"\nreview = "none'
"""What the programme file says in place of a size where a coordinator looks at all introductions, or at none."""

PREPARATIONS: dict[tuple[str, str], Prepare] = {}
"""By operation id and name of the example."""


def people(made: Installation) -> None:
    """Add who is there in every example: one seeker and three supporters."""
    made.add(record(SEEKER, "seeker", "supporter"), *(record(member_id) for member_id in SUPPORTERS))


def before(operation_id: str, *names: str) -> Callable[[Prepare], Prepare]:
    """Name the examples of an operation that a function prepares."""

    def decorate(prepare: Prepare) -> Prepare:
        for name in names:
            PREPARATIONS[operation_id, name] = prepare
        return prepare

    return decorate


@before("holds.holds.get", "held")
def _held(made: Installation) -> Mapping[str, str]:
    made.call("POST", f"/v1/members/{SEEKER}/holds", {"kind": "pause", "until": "2026-04-01T08:00:00Z"})
    return {}


@before("holds.hold.delete", "lifted")
def _to_lift(made: Installation) -> Mapping[str, str]:
    hold = made.call("POST", f"/v1/members/{SEEKER}/holds", {"kind": "crisis"}).get_json()
    return {"Zk3hH0pBq6yJ1oS8s6m4ng": hold["id"]}


@before("blocks.blocks.post", "blocked_already")
@before("blocks.block.delete", "lifted")
def _blocked(made: Installation) -> Mapping[str, str]:
    made.call("POST", "/v1/blocks", {"a": SEEKER, "b": SUPPORTERS[0]})
    return {}


@before("receipts.receipt.get", "a_receipt", "as_fhir")
def _decided(made: Installation) -> Mapping[str, str]:
    events = made.call("GET", f"/v1/members/{SEEKER}/consents").get_json()["events"]
    return {str(EVENT["id"]): events[0]["id"]}


@before("groups.group.get", "a_group")
@before("groups.group.put", "closed")
@before("groups.group.delete", "deleted")
@before("match.match.post", "groups", "groups_with_ids")
@before("match.match_v1.post", "groups", "groups_with_ids")
def _group(made: Installation) -> Mapping[str, str]:
    made.call("PUT", "/v1/groups/g-01", GROUP)
    return {}


@before("rights.export.get", "everything")
def _everything(made: Installation) -> Mapping[str, str]:
    made.call("PUT", "/v1/groups/g-01", {**GROUP, "members": [SEEKER]})
    names = _shown(made)
    told = {"match_id": names["H1MlGc43H0DYffccsb2uJw"], "handle": names["LNbcI3oIxhYyamOwyQILZg"]}
    made.call("POST", "/v1/feedback", {**told, "event": "viewed"})
    made.call("POST", f"/v1/members/{SEEKER}/holds", {"kind": "pause", "until": "2026-04-01T08:00:00Z"})
    with made.store.transaction() as session:  # nobody who is held could propose by themselves
        pair = (SEEKER, SUPPORTERS[0])
        introductions.begin(session, made.programme, pair, by="seeker", now=made.clock(), reviewed=False)
    made.call("GET", f"/v1/members/{SEEKER}/export")
    return {}


@before("feedback.feedback.post", "viewed", "rated")
def _shown(made: Installation) -> Mapping[str, str]:
    found = made.match(SEEKER)
    return {"H1MlGc43H0DYffccsb2uJw": found["match_id"], "LNbcI3oIxhYyamOwyQILZg": found["matches"][0]["handle"]}


@before("audit_log.entries.get", "from_the_start", "a_page", "of_one_member", "nothing_new")
def _audited(made: Installation) -> Mapping[str, str]:
    made.call("POST", f"/v1/members/{SEEKER}/holds", {"kind": "crisis"})
    made.call("POST", "/v1/blocks", {"a": SEEKER, "b": SUPPORTERS[0]})
    return {}


def _call(made: Installation, method: str, path: str, body: Any) -> Any:
    reply = made.call(method, path, body)
    assert reply.status_code < 300, reply.get_data(as_text=True)
    return reply.get_json()


def _chosen(made: Installation, rule: str) -> Mapping[str, str]:
    """Let the seeker choose the first supporter, with reviews of a kind."""
    made.change_programme(size=rule, more=MORE)
    found = made.match(SEEKER, key=made.new_key("match", "match:ids"))
    handle = next(one["handle"] for one in found["matches"] if one["member_id"] == SUPPORTERS[0])
    one = _call(made, "POST", "/v1/introductions", {"match_id": found["match_id"], "handle": handle})
    return {INTRODUCTION: one["introduction_id"]}


@before("introductions.introductions.post", "chosen")
def _to_choose(made: Installation) -> Mapping[str, str]:
    made.change_programme(size=AT_ONCE, more=MORE)
    return _shown(made)


@before("introductions.accept.post", "yes")
@before("introductions.decline.post", "no")
@before("introductions.withdraw.post", "taken_back")
@before("feedback.feedback.post", "not_safe")
def _offered(made: Installation) -> Mapping[str, str]:
    return _chosen(made, AT_ONCE)


@before("introductions.inbox.get", "an_offer")
@before("events.events.get", "some", "a_page", "none")
def _offer_to_read(made: Installation) -> Mapping[str, str]:
    _chosen(made, AT_ONCE)
    return {}


@before("introductions.end.post", "done")
@before("introductions.rematch.post", "another")
@before("feedback.feedback.post", "a_meeting", "felt_understood")
def _connected(made: Installation) -> Mapping[str, str]:
    names = _chosen(made, AT_ONCE)
    _call(made, "POST", f"/v1/introductions/{names[INTRODUCTION]}/accept", {"member_id": SUPPORTERS[0]})
    return names


@before("review.reviewed.get", "one")
@before("review.approve.post", "approved")
@before("review.reject.post", "rejected")
def _in_review(made: Installation) -> Mapping[str, str]:
    return _chosen(made, REVIEWED)


@before("review.review.get", "one")
def _to_review(made: Installation) -> Mapping[str, str]:
    _chosen(made, REVIEWED)
    return {}


@before("review.suspend.post", "suspended")
@before("review.stop.post", "ended")
def _approved(made: Installation) -> Mapping[str, str]:
    names = _chosen(made, REVIEWED)
    _call(made, "POST", f"/v1/review/{names[INTRODUCTION]}/approve", {})
    return names


@before("review.resume.post", "resumed")
def _suspended(made: Installation) -> Mapping[str, str]:
    names = _approved(made)
    _call(made, "POST", f"/v1/review/{names[INTRODUCTION]}/suspend", {})
    return names
