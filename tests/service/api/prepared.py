"""The installation in which every example of the description is true, and what some examples need before they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.api.consent_schemas import EVENT
from service.api.groups import RECORD as GROUP
from tests.service.installation import Installation, record

SEEKER = "m-000123"
SUPPORTERS = ("m-000200", "m-000201", "m-000202")
MORE = "[privacy]\nreason_k = 2"
"""What its programme file says besides: so few people may have reasons in common."""

Prepare = Callable[[Installation], Mapping[str, str]]
"""Makes what an example needs. Returns what to write in place of texts of the example, wherever they stand in its
request: ``{"LNbcI3oIxhYyamOwyQILZg": handle}``."""

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
