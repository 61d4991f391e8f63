"""What a side of an introduction must be told, as docs/reference/introductions.md has it, and a world that is asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.service.installation import Installation, record
from tests.service.introduced import told

NUMBERS = count()
WORDS = {"seeker": "What the seeker wrote.", "candidate": "What the supporter wrote."}
NEVER = ("rejected", "expired", "not_a_fit", "reported", "safety", "suspended", "bereavement")
"""Words that no side is told, whatever happens."""


@dataclass
class Told:
    """What the model knows of one introduction, and what each side reads of it."""

    by: str
    reviewed: bool
    offered: bool = False
    connected: bool = False
    suspended: bool = False
    yes: set[str] = field(default_factory=set)
    over: str = ""
    """How it ended, and by whom: ``declined seeker``."""

    def reads(self, side: str) -> str | None:
        """Return what a side reads, line by line as the document has it."""
        if side == "candidate" and not self.offered:
            return None
        if self.over:
            return self.over.split()[0] if self.over.endswith(f" {side}") else "ended" if self.connected else "closed"
        if self.suspended:
            return "paused"
        if self.connected or not self.offered:
            return "connected" if self.connected else "in_review"
        return "accepted" if self.by == "coordinator" and side in self.yes else "offered"


@dataclass
class World:
    """An installation, the model, and what each side has heard so far."""

    made: Installation
    sides: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    models: dict[str, Told] = field(default_factory=dict)
    heard: dict[str, dict[str, str]] = field(default_factory=dict)
    """By member and introduction, the last event's state."""
    after: int = 0

    def begin(self) -> None:
        """Let two people come who have never met, and those before them rest for good."""
        for one in self.sides.values():
            self.made.call("POST", f"/v1/members/{one}/holds", {"kind": "pause"})
        self.made.clock.turn(days=1)
        number = next(NUMBERS)
        self.sides = {"seeker": f"who-seeks-{number}", "candidate": f"who-helps-{number}"}
        for side, one in self.sides.items():
            role = "seeker" if side == "seeker" else "supporter"
            body = record(one, role, profile=told(WORDS[side]), capacity=9)
            assert self.made.call("PUT", f"/v1/members/{one}", body).status_code == 201
        self.names, self.models, self.heard = [], {}, {one: {} for one in self.sides.values()}
        self.after = self.feed()["next"]

    def feed(self) -> Any:
        return self.made.call("GET", f"/v1/events?after={self.after}&limit=1000").get_json()

    @property
    def model(self) -> Told | None:
        return self.models[self.names[-1]] if self.names else None

    def propose(self, side: str) -> None:
        found = self.made.match(self.sides["seeker"], limit=10, key=self.made.new_key("match", "match:ids"))
        handle = next((one["handle"] for one in found["matches"] if one["member_id"] == self.sides["candidate"]), None)
        if handle is not None:
            body = {"match_id": found["match_id"], "handle": handle}
            self.began(self.made.call("POST", "/v1/introductions", body), Told("seeker", True, yes={"seeker"}))

    def by_hand(self, side: str) -> None:
        body = {**self.sides, "override": True}
        self.began(self.made.call("POST", "/v1/review", body), Told("coordinator", False, offered=True))

    def began(self, reply: Any, model: Told) -> None:
        if reply.status_code == 201:
            self.names.append(reply.get_json()["introduction_id"])
            self.models[self.names[-1]] = model

    def act(self, what: str, side: str, **more: str) -> bool:
        """Try an act of a side; return whether it was allowed."""
        path = f"/v1/introductions/{self.names[-1]}/{what}" if self.names else ""
        if not path:
            return False
        reply = self.made.call("POST", path, {"member_id": self.sides[side], **more})
        self.check(reply.get_json(), side)
        return bool(reply.status_code == 200)

    def decide(self, what: str, **more: str) -> bool:
        return bool(self.names) and (
            self.made.call("POST", f"/v1/review/{self.names[-1]}/{what}", more).status_code == 200
        )

    def accept(self, side: str) -> None:
        if self.act("accept", side) and self.model:
            self.model.yes.add(side)
            self.model.connected = len(self.model.yes) == 2

    def decline(self, side: str) -> None:
        if self.act("decline", side) and self.model:
            self.model.over = f"declined {side}"

    def withdraw(self, side: str) -> None:
        if self.act("withdraw", side) and self.model:
            self.model.over = f"withdrawn {side}"

    def end(self, side: str) -> None:
        if self.act("end", side, reason="bereavement") and self.model:
            self.model.over = f"ended {side}"

    def approve(self, side: str) -> None:
        if self.decide("approve") and self.model:
            self.model.offered = True

    def reject(self, side: str) -> None:
        if self.decide("reject", reason="not_a_fit") and self.model:
            self.model.over = "rejected"

    def suspend(self, side: str) -> None:
        if self.decide("suspend") and self.model:
            self.model.suspended = True

    def resume(self, side: str) -> None:
        if self.decide("resume") and self.model:
            self.model.suspended = False

    def report(self, side: str) -> None:
        if self.names and self.model:
            body = {
                "introduction_id": self.names[-1],
                "member_id": self.sides[side],
                "event": "reported",
                "safety": True,
            }
            status = self.made.call("POST", "/v1/feedback", body).status_code
            known = self.model.reads(side) is not None
            assert status == (202 if known else 404)
            self.model.suspended |= known and not self.model.over

    def stop(self, side: str) -> None:
        # Of what is over it closes a report, and no side reads anything of that.
        if self.decide("end", reason="safety") and self.model and not self.model.over:
            self.model.over = "ended coordinator"

    def hold(self, side: str) -> None:
        """Whatever is open is closed; whoever is connected stays so."""
        hold = self.made.call("POST", f"/v1/members/{self.sides[side]}/holds", {"kind": "pause"}).get_json()
        if self.model and not self.model.over and not self.model.connected:
            self.model.over = "withdrawn service"
        self.made.call("GET", f"/v1/members/{self.sides['seeker']}/introductions")
        self.made.call("DELETE", f"/v1/members/{self.sides[side]}/holds/{hold['id']}")

    def lapse(self, side: str) -> None:
        self.made.clock.turn(days=15)
        if self.model and not self.model.over and not self.model.connected and not self.model.suspended:
            self.model.over = "expired"

    # What must hold after each of them.

    def check(self, body: Any, side: str) -> None:
        """Nobody is told who the other is before both have accepted, nor why, nor by whom anything was done."""
        text, other = json.dumps(body), self.sides["seeker" if side == "candidate" else "candidate"]
        states = {one.get("state") for one in body.get("introductions", [body])}
        assert (other in text) <= ("connected" in states), text
        for word in NEVER:
            assert word not in text, text

    def check_all(self) -> None:
        for side, member in self.sides.items():
            inbox = self.made.call("GET", f"/v1/members/{member}/introductions").get_json()
            self.check(inbox, side)
            right = {name: model.reads(side) for name, model in self.models.items()}
            found = {one["introduction_id"]: one["state"] for one in inbox["introductions"]}
            assert found == {name: state for name, state in right.items() if state}, (side, right)
            for one in inbox["introductions"]:
                self.check_card(one, side)
        self.listen()

    def check_card(self, one: Any, side: str) -> None:
        other = self.sides["seeker" if side == "candidate" else "candidate"]
        model = self.models[one["introduction_id"]]
        assert (one["member_id"] == other) == (one["state"] == "connected")
        if one["state"] not in {"in_review", "offered", "accepted", "connected"}:
            assert (one["card"], one["member_id"]) == (None, None)
        elif one["card"] is not None:
            assert one["card"]["statement"] in (
                {WORDS["seeker" if side == "candidate" else "candidate"]} if model.offered else {None}
            )

    def listen(self) -> None:
        """Each side has heard by events what its inbox says, and nothing of what it does not say."""
        page = self.feed()
        for event in page["events"]:
            state = event["kind"].partition(".")[2]
            if event["introduction_id"] is not None:
                assert self.heard[event["member_id"]].get(event["introduction_id"]) != state, "told twice"
                self.heard[event["member_id"]][event["introduction_id"]] = state
        self.after = page["next"]
        for side, member in self.sides.items():
            right = {name: model.reads(side) for name, model in self.models.items()}
            assert self.heard[member] == {name: state for name, state in right.items() if state}, (side, right)
