from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from matcher.consent_words import PURPOSES
from service.console.rendering import PURPOSE_WORDS
from service.store import holds
from tests.service.console.visiting import Visitor, signed_in, words
from tests.service.installation import NOON, Installation, another_programme, consent, record
from tests.service.store.audited import rows

GROUP = {
    "name": "After <i>surgery</i>",
    "facilitators": ["m-1"],
    "topics": {"experiences": ["lumpectomy"]},
    "channel": "phone",
    "capacity": 8,
    "open": True,
    "members": [],
}
SCRIPT = "<script>alert(1)</script>"


def page_of(visitor: Visitor, member_id: str = "m-1") -> Any:
    return visitor.client.get("/console/members", query_string={"member_id": member_id})


def running(made: Installation, member_id: str = "m-1") -> list[tuple[str, int]]:
    with made.store.reading() as session:
        return [(hold.kind, hold.until) for hold in holds.running(session, "lantern", member_id, made.clock())]


@pytest.fixture
def visitor(made: Installation) -> Visitor:
    made.add(record("m-1", "seeker", "supporter", capacity=3), record("m-2"))
    found = signed_in(made)
    found.get("/members")
    return found


def test_a_member_is_shown_with_state_consents_groups_and_blocks(made: Installation, visitor: Visitor) -> None:
    made.call("PUT", "/v1/groups/g-1", GROUP)
    made.call("POST", "/v1/blocks", {"a": "m-2", "b": "m-1"})
    made.call("POST", "/v1/members/m-1/consents", {"purpose": "train_model", "decision": "refused"})
    reply = page_of(visitor)
    assert reply.status_code == 200
    said = words(reply)
    for told in (
        "Member m-1",
        "Roles seeker, supporter",
        "Places taken 0 of 3",
        "Blocks 1",
        "Find peers for them match_serve On",
        "Learn from what they choose train_model Off",
        "train_model refused 1 no end",
        "After <i>surgery</i> g-1, facilitator",
        "Nothing holds them",
        "Stored 2026-03-04 12:00 UTC",
    ):
        assert told in said, (told, said)
    assert "m-2" not in said, "blocks are counted, not named"
    assert "lumpectomy" not in said, "a profile is not told"
    assert "After &lt;i&gt;surgery" in reply.get_data(as_text=True)


def test_every_purpose_has_words() -> None:
    assert set(PURPOSE_WORDS) == set(PURPOSES)


def test_what_has_ended_is_noted_as_everywhere(made: Installation, visitor: Visitor) -> None:
    end = f"{NOON + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    made.add(record("m-3", consents=[consent("train_model", valid_until=end)]))
    assert "Learn from what they choose train_model On" in words(page_of(visitor, "m-3"))
    made.clock.turn(minutes=25)
    page_of(visitor)
    made.clock.turn(minutes=25)
    page_of(visitor)
    made.clock.turn(minutes=20)
    said = words(page_of(visitor, "m-3"))
    assert "Learn from what they choose train_model Off" in said
    assert "train_model expired" in said


def test_looking_is_written_down(made: Installation, visitor: Visitor) -> None:
    before = len(rows(made))
    page_of(visitor)
    (entry,) = rows(made)[before:]
    assert entry.action == "consents.read"
    assert entry.subject == made.store.derived.subject("lantern", "m-1")


@pytest.mark.parametrize("name", ["nobody", "m-1\x00", "é", SCRIPT, "m" * 64])
def test_whoever_is_not_there_is_not_found(visitor: Visitor, name: str) -> None:
    reply = page_of(visitor, name)
    assert reply.status_code == 404
    assert "This programme has no member of this id." in words(reply)
    assert SCRIPT not in reply.get_data(as_text=True)


def test_another_programmes_members_are_not_found_nor_held(made: Installation, visitor: Visitor) -> None:
    key = another_programme(made, "beacon")
    made.call("PUT", "/v1/members/b-1", record("b-1"), key=key)
    before = rows(made, "beacon")
    assert page_of(visitor, "b-1").status_code == 404
    found = words(page_of(visitor, "b-1")).replace("b-1", "x")
    assert found == words(page_of(visitor, "never")).replace("never", "x")
    assert visitor.post("/members/hold", {"member_id": "b-1", "kind": "crisis"}).status_code == 404
    hold = made.call("POST", "/v1/members/b-1/holds", {"kind": "pause"}, key=key).get_json()["id"]
    assert visitor.post("/members/lift", {"member_id": "b-1", "hold_id": hold}).status_code == 404
    assert visitor.post("/members/lift", {"member_id": "m-1", "hold_id": hold}).status_code == 303
    assert len(made.call("GET", "/v1/members/b-1/holds", key=key).get_json()["holds"]) == 1
    assert [row.action for row in rows(made, "beacon")[len(before) :]] == ["hold.placed"]


def test_a_member_is_held_until_a_moment(made: Installation, visitor: Visitor) -> None:
    told = {"member_id": "m-1", "kind": "pause", "until": "2026-04-01T08:00"}
    reply = visitor.post("/members/hold", told)
    assert (reply.status_code, reply.headers["Location"]) == (303, "/console/members?member_id=m-1")
    said = words(page_of(visitor))
    assert "The member is held" in said
    assert "Held : they get no list" in said
    assert "pause 2026-03-04 12:00 UTC 2026-04-01 08:00 UTC" in said
    assert "The member is held" not in words(page_of(visitor)), "said once"
    entry = rows(made)[-3]
    assert (entry.action, entry.subject) == ("hold.placed", made.store.derived.subject("lantern", "m-1"))
    assert made.match("m-1")["matches"] == []


def test_a_hold_without_an_end_is_lifted(made: Installation, visitor: Visitor) -> None:
    visitor.post("/members/hold", {"member_id": "m-1", "kind": "crisis"})
    assert "crisis 2026-03-04 12:00 UTC until it is lifted" in words(page_of(visitor))
    with made.store.reading() as session:
        (hold,) = holds.running(session, "lantern", "m-1", NOON)
    assert visitor.post("/members/lift", {"member_id": "m-1", "hold_id": hold.id}).status_code == 303
    assert "The hold is lifted." in words(page_of(visitor))
    assert running(made) == []
    assert "hold.lifted" in {row.action for row in rows(made)}
    visitor.post("/members/lift", {"member_id": "m-1", "hold_id": hold.id})
    assert "had ended already" in words(page_of(visitor))
    assert [row.action for row in rows(made)].count("hold.lifted") == 1


@pytest.mark.parametrize(
    ("kind", "until", "wrong"),
    [
        ("", "", "Choose why they are held."),
        ("all", "", "Choose why they are held."),
        (SCRIPT, SCRIPT, "Choose why they are held."),
        ("pause", "tomorrow", "This is no date with a time."),
        ("pause", "2026-02-30T08:00", "This is no date with a time."),
        ("pause", "2026-03-04T12:00", "This is over."),
        ("pause", "0001-01-01T00:00+14:00", "This is no date with a time."),
    ],
)
def test_a_form_that_is_wrong_is_shown_again(
    made: Installation, visitor: Visitor, kind: str, until: str, wrong: str
) -> None:
    reply = visitor.post("/members/hold", {"member_id": "m-1", "kind": kind, "until": until})
    assert reply.status_code == 422
    assert wrong in words(reply)
    assert SCRIPT not in reply.get_data(as_text=True)
    assert running(made) == []


def test_a_hold_that_cannot_be_lifted_is_no_fault(visitor: Visitor) -> None:
    for hold_id in ("", "never", "x\x00y", "é"):
        assert visitor.post("/members/lift", {"member_id": "m-1", "hold_id": hold_id}).status_code == 303
        assert visitor.post("/members/lift", {"member_id": "m\x00", "hold_id": hold_id}).status_code == 404


def test_a_script_in_what_a_partner_stored_is_only_text(made: Installation, visitor: Visitor) -> None:
    made.call("PUT", "/v1/groups/g-1", {**GROUP, "name": SCRIPT})
    made.add(record("m-1", agreements=[SCRIPT]))
    told = page_of(visitor).get_data(as_text=True)
    assert SCRIPT not in told
    assert told.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_a_record_that_is_no_longer_accepted_is_flagged(made: Installation, visitor: Visitor) -> None:
    assert "Record outdated" not in words(page_of(visitor))
    text = (made.folder / "files" / "programme.toml").read_text("utf-8")
    made.apply(text.replace('"later"', '"much-later"'))
    reply = page_of(visitor)
    assert reply.status_code == 200
    assert "Record outdated" in words(reply)
