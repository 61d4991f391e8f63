"""What the tests of lists ask for and change, over HTTP wherever HTTP can."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from service.store import lists, scene
from service.store.lists import StoredList
from service.store.live_tables import ListRow
from tests.service.installation import Installation, consent, record

SEEKER = "s-1"


def supporters(count: int, **changes: Any) -> list[dict[str, Any]]:
    """Return records of so many supporters who are alike: ``p-00``, ``p-01`` …"""
    return [record(f"p-{number:02}", **changes) for number in range(count)]


class Asking:
    """Asks an installation for lists with a key that sees ids, and changes what lists depend on."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.key = made.new_key("match", "match:ids")

    def reply(self, seeker: str = SEEKER, **more: Any) -> Any:
        """Return a reply, which must be one."""
        return self.made.match(seeker, key=self.key, **more)

    def data(self, seeker: str = SEEKER, **more: Any) -> bytes:
        """Return the bytes of a reply."""
        reply = self.made.call("POST", "/v1/match", {"member_id": seeker, **more}, key=self.key)
        assert reply.status_code == 200, reply.get_data(as_text=True)
        return bytes(reply.data)

    def ids(self, seeker: str = SEEKER, **more: Any) -> list[str]:
        """Return who is in a list, in order."""
        return ids(self.reply(seeker, **more))

    def put(self, one: dict[str, Any]) -> None:
        """Store a record over HTTP."""
        reply = self.made.call("PUT", f"/v1/members/{one['member_id']}", one)
        assert reply.status_code in {200, 201}, reply.get_data(as_text=True)

    def edit(self, member_id: str, **changes: Any) -> None:
        """Change a stored record over HTTP; its `profile` is completed, not replaced."""
        stored = self.made.call("GET", f"/v1/members/{member_id}").get_json()
        profile = {**stored["profile"], **changes.pop("profile", {})}
        whole = {**stored, **changes, "profile": {name: value for name, value in profile.items() if value is not None}}
        self.put(whole)

    def decide(self, member_id: str, purpose: str, decision: str = "withdrawn", **more: Any) -> None:
        """Add a consent decision of this moment to a record."""
        stored = self.made.call("GET", f"/v1/members/{member_id}").get_json()
        event = consent(purpose, decision, self.made.clock(), **more)
        self.put({**stored, "consents": [*stored["consents"], event]})

    def erase(self, member_id: str) -> None:
        """Erase a member."""
        assert self.made.call("DELETE", f"/v1/members/{member_id}").status_code == 200

    def hold(self, member_id: str, kind: str = "pause", until: datetime | None = None) -> str:
        """Hold a member; return the id of the hold."""
        end = {} if until is None else {"until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
        reply = self.made.call("POST", f"/v1/members/{member_id}/holds", {"kind": kind, **end})
        assert reply.status_code == 201, reply.get_data(as_text=True)
        return str(reply.get_json()["id"])

    def lift(self, member_id: str, hold: str) -> None:
        """Lift a hold."""
        assert self.made.call("DELETE", f"/v1/members/{member_id}/holds/{hold}").status_code == 204

    def block(self, one: str, other: str) -> None:
        """Block two members."""
        assert self.made.call("POST", "/v1/blocks", {"a": one, "b": other}).status_code == 201

    def answer(self, seeker: str, candidate: str, event: str, by: str = "candidate") -> None:
        """Tell an answer of this moment."""
        at = f"{self.made.clock():%Y-%m-%dT%H:%M:%SZ}"
        decided = {"by": by} if event in {"accepted", "declined"} else {}
        self.made.tell({"seeker": seeker, "candidate": candidate, "event": event, "at": at, **decided})

    def connect(self, seeker: str, candidate: str) -> None:
        """Let both accept."""
        self.answer(seeker, candidate, "accepted", "seeker")
        self.answer(seeker, candidate, "accepted", "candidate")

    def stored(self, match_id: str) -> StoredList:
        """Return a list as it is stored."""
        with self.made.store.hot.reading() as reader:
            found = lists.by_match_id(reader, self.made.programme.id, match_id)
        assert found is not None
        return found

    def stored_names(self, match_id: str) -> list[str]:
        """Return everybody in a stored list who is still there, shown or not, in its order."""
        entries = self.stored(match_id).entries
        with self.made.store.hot.reading() as reader:
            rows = scene.people(reader, self.made.programme.id, [entry.id for entry in entries])
        return [rows[entry.id].member_id for entry in entries if entry.id in rows]

    def latest(self, seeker: str = SEEKER) -> StoredList | None:
        """Return a seeker's newest list as it is stored."""
        with self.made.store.hot.reading() as reader:
            found = scene.scene_and_member(reader, self.made.programme.id, seeker)
            assert found is not None
            assert found[1] is not None
            return lists.latest(reader, self.made.programme.id, found[1].id, "buddy")

    def count(self, outcome: str | None = None) -> int:
        """Return how many lists are stored."""
        query = select(func.count()).select_from(ListRow).execution_options(every_programme=True)
        with self.made.store.reading() as session:
            return session.scalar(query if outcome is None else query.where(ListRow.outcome == outcome)) or 0


def ids(reply: Any) -> list[str]:
    """Return who is in a reply, in order."""
    return [match["member_id"] for match in reply["matches"]]


def reasons(reply: Any) -> dict[str, list[str]]:
    """Return the facets of the reasons of each who is in a reply."""
    return {match["member_id"]: [reason["facet"] for reason in match["reasons"]] for match in reply["matches"]}
