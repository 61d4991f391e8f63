"""What tests of introductions do again and again: propose, act, look."""

from __future__ import annotations

from typing import Any

from matcher.model.feedback import Feedback
from service.store import events, feedback
from service.store.live_tables import LiveRow
from tests.service.installation import Installation, record

NONE, FIRST, ALL = ('small"\nreview = "none', 'small"\nreview = "first', 'small"\nreview = "all')
"""What a programme file says in place of a size: small ones, in which nothing is reviewed, the first, or all."""


def people(made: Installation, size: str = NONE, more: str = "") -> Installation:
    """Add two seekers and two supporters, of whom the first has one place, and some more who share what they do."""
    made.change_programme(size=size, more=more)
    made.add(record("s-1", "seeker", profile=told("Driving again is what I think of.")), record("s-2", "seeker"))
    made.add(record("m-1", capacity=1), record("m-2", capacity=2))
    made.add(*(record(f"x-{number}", "seeker") for number in range(3)))
    return made


def told(words: str) -> dict[str, Any]:
    return {"experiences": ["lumpectomy"], "channel": ["phone"], "journey": "later", "statement": words}


def shown(made: Installation, seeker: str = "s-1") -> dict[str, dict[str, str]]:
    found = made.match(seeker, key=made.new_key("match", "match:ids"))
    return {one["member_id"]: {"match_id": found["match_id"], "handle": one["handle"]} for one in found["matches"]}


def propose(made: Installation, seeker: str = "s-1", candidate: str = "m-1", status: int = 201) -> Any:
    reply = made.call("POST", "/v1/introductions", shown(made, seeker)[candidate])
    assert reply.status_code == status, reply.get_data(as_text=True)
    return reply.get_json()


def act(made: Installation, one: Any, what: str, member: str, status: int = 200, **more: Any) -> Any:
    path = f"/v1/introductions/{one['introduction_id']}/{what}"
    reply = made.call("POST", path, {"member_id": member, **more})
    assert reply.status_code == status, reply.get_data(as_text=True)
    return reply.get_json()


def inbox(made: Installation, member: str) -> list[Any]:
    found: list[Any] = made.call("GET", f"/v1/members/{member}/introductions").get_json()["introductions"]
    return found


def live(made: Installation, member: str) -> LiveRow:
    with made.store.reading() as session:
        row = session.query(LiveRow).filter_by(programme_id="lantern", member_id=member).one()
        session.expunge(row)
        return row


def heard(made: Installation) -> list[tuple[str, str]]:
    with made.store.reading() as session:
        return [(one.member_id, one.kind) for one in events.after(session, "lantern", 0, 100)]


def learned(made: Installation) -> list[tuple[str, str, str]]:
    with made.store.reading() as session:
        events_ = [Feedback.from_dict(one, made.programme) for one in feedback.all_feedback(session, "lantern")]
    return [(one.seeker, one.event, one.by) for one in events_ if one.event != "shown"]
