"""docs/reference/groups.md, written a second time: loops over raw records and the people of an `Oracle`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.oracle import consent, week
from tests.oracle.consent import Record
from tests.oracle.facets import Sides, up
from tests.oracle.matcher import Oracle, splitmix64
from tests.oracle.person import Person

CHANNEL = "channel"


@dataclass
class OracleGroup:
    """A raw group record and what is true of it now."""

    record: Record
    members: set[str]
    facilitators: set[str]
    roster: set[str]
    away: set[str] = field(default_factory=set)
    home: bool = True

    @property
    def id(self) -> str:
        """The group id."""
        return str(self.record["group_id"])


class OracleGroups:
    """Ranks groups for the people of an oracle."""

    def __init__(self, oracle: Oracle, groups: list[OracleGroup]) -> None:
        self.oracle, self.groups = oracle, groups
        self.programme, self.rules = oracle.programme, oracle.rules
        self.facets = oracle.programme["facets"]
        self.has_channel = self.facets.get(CHANNEL, {}).get("kind") == "tags"
        self.weight = oracle.affinity.model.weight[0]
        self.neutral = oracle.affinity.model.neutral[0]

    # §1 ---------------------------------------------------------------------------------------------------------

    def in_pool(self, group: OracleGroup, member_id: str) -> Person | None:
        """Return somebody who is shown as a peer and not away."""
        person = self.oracle.people.get(member_id)
        if person is None or member_id in group.away or not person.home or not person.on["be_shown_as_peer"]:
            return None
        return person

    def sides(self, group: OracleGroup) -> Sides:
        """Return what a group has, facet by facet."""
        values = dict(group.record.get("topics", {}))
        if self.has_channel:
            values[CHANNEL] = [group.record["channel"]]
        return {
            name: {"value": values.get(name), "importance": 0, "prefer": None, "avoid": None} for name in self.facets
        }

    def speaks(self, group: OracleGroup, name: str) -> bool:
        """Tell whether a group has topics of what a facet looks at."""
        return self.facets[name].get("against", name) in group.record.get("topics", {})

    def languages(self, group: OracleGroup, name: str) -> set[str]:
        """Return the languages of a group, for one facet of languages."""
        if "languages" in group.record:
            return {tag.split("-")[0].lower() for tag in group.record["languages"]}
        spoken = []
        for member_id in group.facilitators:
            person = self.in_pool(group, member_id)
            tags = (person.shown[name]["value"] or []) if person else []
            spoken.append({tag.split("-")[0].lower() for tag in tags})
        return set.intersection(*spoken) if spoken else set()

    # §2 ---------------------------------------------------------------------------------------------------------

    def gates(self, a: Person, group: OracleGroup) -> Iterator[tuple[str, bool]]:
        """Yield every gate and whether the group passes it, in order."""
        people = group.members | group.facilitators
        agreement = self.programme["programme"].get("confidentiality")
        blocks = {frozenset(pair) for pair in self.oracle.circumstances["blocks"]}
        yield "programme", group.home
        yield "open", group.record.get("open", False)
        yield "full", len(group.members) < group.record["capacity"]
        yield "member", a.id not in people
        yield "age", self.of_age(a, group)
        yield "agreement", not agreement or agreement in a.record.get("agreements", [])
        yield "blocked", not any(frozenset((a.id, other)) in blocks for other in people)
        yield "facilitator", self.run(group)
        sides = self.sides(group)
        if self.has_channel:
            yield CHANNEL, group.record["channel"] in (a.seeking[CHANNEL]["value"] or [])
        yield from self.meeting_gates(a, group)
        yield from self.topic_gates(a, group, sides)

    def of_age(self, a: Person, group: OracleGroup) -> bool:
        """Tell whether the seeker and all members are known to be of the group's side of age."""
        young = group.record.get("minors", False)
        if young and self.programme["ages"].get("minors_policy") != "separate":
            return False
        others = [self.in_pool(group, member_id) for member_id in group.members]
        for person in [a, *(other for other in others if other is not None)]:
            if person.record.get("age_band") is None or consent.is_minor(person.record, self.programme) != young:
                return False
        return True

    def run(self, group: OracleGroup) -> bool:
        """Tell whether somebody runs the group, and all who do may."""
        agreement = self.programme["programme"].get("confidentiality")
        for member_id in group.facilitators:
            person = self.in_pool(group, member_id)
            if person is None or member_id in self.oracle.circumstances["held"]:
                return False
            record = person.record
            if not record.get("vetted", False) or record.get("age_band") is None:
                return False
            if consent.is_minor(record, self.programme):
                return False
            if agreement and agreement not in record.get("agreements", []):
                return False
        return bool(group.facilitators)

    def meeting_gates(self, a: Person, group: OracleGroup) -> Iterator[tuple[str, bool]]:
        """Yield the gates of languages, then those of free time."""
        for name, facet in self.facets.items():
            if facet["kind"] == "languages":
                mine = {tag.split("-")[0].lower() for tag in a.seeking[name]["value"] or []}
                yield name, bool(mine & self.languages(group, name))
        for name, facet in self.facets.items():
            if facet["kind"] == "week":
                meets = {"tz": group.record["tz"], "slots": [group.record["slot"]]}
                slot = week.quarters(meets, self.oracle.monday)
                free = week.quarters(a.seeking[name]["value"] or {"slots": []}, self.oracle.monday)
                needed = min(math.ceil(facet.get("min_overlap_minutes", 60) / 15), len(slot))
                yield name, bool(slot) and week.longest_run(free & slot) >= needed

    def topic_gates(self, a: Person, group: OracleGroup, has: Sides) -> Iterator[tuple[str, bool]]:
        """Yield what the topics are for, the seeker's musts and avoids, and boundaries."""
        mine = a.seeking
        for name, facet in self.facets.items():
            if facet["kind"] == "choice" and self.speaks(group, name):
                yield name, mine[name]["value"] == has[name]["value"]
        for name, facet in self.facets.items():
            if facet["kind"] == "tags" and "min_shared" in facet and name != CHANNEL and self.speaks(group, name):
                shared = set(mine[name]["value"] or []) & set(has[name]["value"])
                needed = min(facet["min_shared"], len(has[name]["value"]))
                yield name, mine[name]["value"] is not None and len(shared) >= needed
        told = [name for name in self.facets if self.speaks(group, name) or (name == CHANNEL and self.has_channel)]
        yield "must", all(self.rules.must(name, mine, has, True) for name in told)
        yield "avoid", all(self.rules.avoid(name, mine, has) for name in told)
        for name, facet in self.facets.items():
            if "excludes" in facet:
                same = [other for other, table in self.facets.items() if table.get("vocabulary") == facet["vocabulary"]]
                topics = [topic for other in same for topic in (has[other]["value"] or [])]
                yield name, not set(mine[name]["value"] or []) & up(topics, self.rules.tree(name))

    # §3 and §4 --------------------------------------------------------------------------------------------------

    def likeness(self, a: Person, group: OracleGroup) -> dict[str, Any]:
        """Return T, whether it is informative, and what each facet adds."""
        features = [
            name
            for name, facet in self.facets.items()
            if facet["kind"] in ("concepts", "tags", "choice")
            and facet.get("weight", 0) > 0
            and not (name == CHANNEL and self.has_channel)
        ]
        c = {name: self.weight[name] * min(a.seeking[name]["importance"], 2) / 2 for name in features}
        counted = [name for name in features if c[name] > 0 and self.speaks(group, name)]
        parts: dict[str, float] = {}
        known, informative = set(), False
        has = self.sides(group)
        for name in counted:
            value, tells = self.rules.satisfy(name, a.seeking, has, self.oracle.ic)
            informative = informative or tells
            if value is not None:
                known.add(name)
            parts[name] = c[name] * (self.neutral[name] if value is None else value)
        most = max(math.fsum(c[name] for name in counted), max(c.values(), default=0.0))
        likeness = math.fsum(parts.values()) / most if counted else 0.25
        return {"T": likeness, "informative": informative, "parts": parts, "known": known}

    def fit(self, a: Person, group: OracleGroup) -> tuple[float, bool]:
        """Return F, and whether it is informative."""
        counted = [self.in_pool(group, member_id) for member_id in group.roster if member_id != a.id]
        pairs = [self.oracle.affinity.pair(a, person) for person in counted if person is not None]
        if len(pairs) < 4:
            return 0.0, False
        fit = math.fsum(pair["r"] for pair in pairs) / (len(pairs) + 20)
        return fit, sum(pair["informative"] for pair in pairs) >= 4

    # §5 and §6 --------------------------------------------------------------------------------------------------

    def rank(self, seeker: str, limit: int) -> dict[str, Any]:
        """Return the groups of a seeker."""
        a = self.oracle.people[seeker]
        if a.id in self.oracle.circumstances["held"]:
            return {"outcome": "no_match", "reason": "held", "entries": [], "excluded": {}, "eligible": 0, "tied": 0}
        excluded: dict[str, int] = {}
        scored = []
        for group in self.groups:
            gate = next((name for name, passes in self.gates(a, group) if not passes), None)
            if gate is not None:
                excluded[gate] = excluded.get(gate, 0) + 1
                continue
            like, (fit, tells) = self.likeness(a, group), self.fit(a, group)
            score = round(0.7 * like["T"] + 0.3 * fit, 9)
            tie = splitmix64(self.oracle.hash(a.id) ^ self.oracle.hash(group.id))
            scored.append((-score, tie, group.id, score, like, like["informative"] or tells, group))
        informative = [entry for entry in scored if entry[5]]
        good = sorted((e for e in informative if e[3] >= self.oracle.size["quality_floor"]), key=lambda e: e[:3])
        if good:
            outcome, reason = "matched", None
        else:
            reason = "no_eligible" if not scored else "below_quality" if informative else "low_information"
            outcome = "no_match"
        return {
            "outcome": outcome,
            "reason": reason,
            "excluded": excluded,
            "eligible": len(scored),
            "tied": len(good) - len({entry[0] for entry in good}),
            "entries": [self._entry(a, rank, entry) for rank, entry in enumerate(good[:limit], start=1)],
        }

    def _entry(self, a: Person, rank: int, entry: Any) -> dict[str, Any]:
        score, like, group = entry[3], entry[4], entry[6]
        return {
            "group_id": group.id,
            "rank": rank,
            "score": score,
            "strength": "strong" if score >= 0.50 else "good" if score >= 0.30 else "possible",
            "reasons": self.reasons(a, group, like),
        }

    def reasons(self, a: Person, group: OracleGroup, like: dict[str, Any]) -> list[tuple[str, str]]:
        """Return (facet, topic), the strongest contribution first."""
        out = []
        parts = like["parts"]
        for name in sorted(parts, key=lambda feature: -round(parts[feature], 9)):
            facet = self.facets[name]
            if parts[name] <= 0 or name not in like["known"] or not facet.get("show"):
                continue
            if not self.oracle.covered(a, name):
                continue
            for value in self.rules.shared(name, a.seeking, self.sides(group), self.oracle.ic):
                if self.oracle.holders(facet.get("against", name), value) >= self.oracle.size["reason_k"]:
                    out.append((name, value))
                    break
        return out[: self.oracle.size["reasons_a_card"]]
