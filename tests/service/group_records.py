"""Support groups for the tests of the service: records for the programme of `tests.service.installation`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from matcher.support_group import Group
from service.store import groups
from tests.service.installation import Installation
from tests.service.live.asking import SEEKER, Asking


def group(group_id: str = "g-1", **changes: Any) -> dict[str, Any]:
    """Return a record of a group that is open and has room."""
    return {
        "group_id": group_id,
        "name": "After surgery",
        "facilitators": ["f-1"],
        "topics": {"experiences": ["lumpectomy"]},
        "channel": "phone",
        "capacity": 12,
        "open": True,
        "members": [],
        **changes,
    }


def put_at(made: Installation, now: datetime, *records: dict[str, Any]) -> None:
    """Store groups at a moment."""
    with made.store.transaction() as session:
        for one in records:
            groups.upsert(session, made.programme, Group.from_dict(one, made.programme), now=now)


class AskingGroups(Asking):
    """Asks for lists of groups, and changes groups over HTTP."""

    def reply(self, seeker: str = SEEKER, **more: Any) -> Any:
        return super().reply(seeker, **{"kind": "group", **more})

    def data(self, seeker: str = SEEKER, **more: Any) -> bytes:
        return super().data(seeker, **{"kind": "group", **more})

    def groups(self, seeker: str = SEEKER, **more: Any) -> list[str]:
        """Return which groups are in a list, in order."""
        return groups_of(self.reply(seeker, **more))

    def put_group(self, group_id: str, **changes: Any) -> None:
        """Store a group, or change some fields of the one there is."""
        stored = self.made.call("GET", f"/v1/groups/{group_id}")
        before = stored.get_json() if stored.status_code == 200 else group(group_id)
        reply = self.made.call("PUT", f"/v1/groups/{group_id}", {**before, **changes})
        assert reply.status_code in {200, 201}, reply.get_data(as_text=True)

    def drop_group(self, group_id: str) -> None:
        assert self.made.call("DELETE", f"/v1/groups/{group_id}").status_code == 204

    def members(self, group_id: str) -> list[str]:
        """Return who is in a group."""
        found: list[str] = self.made.call("GET", f"/v1/groups/{group_id}").get_json()["members"]
        return found

    def scores(self, seeker: str) -> list[float]:
        """Return the scores of a seeker's list of today, as they are stored."""
        return [entry.score for entry in self.stored(self.reply(seeker)["match_id"]).entries]


def groups_of(reply: Any) -> list[str]:
    """Return which groups are in a reply, in order."""
    return [match["group_id"] for match in reply["matches"]]
