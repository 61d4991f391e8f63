"""§4–§8 for a whole cohort: gates in order, scores, order, outcome, reasons."""

from __future__ import annotations

import itertools
import math
from datetime import datetime
from hashlib import blake2b
from typing import Any

from tests.oracle import consent, week
from tests.oracle.affinity import OracleAffinity, OracleInformation, OracleModel
from tests.oracle.consent import Programme, Record
from tests.oracle.facets import FacetRules, Parents, up
from tests.oracle.gates import gates
from tests.oracle.person import Person, read

SIZES: dict[str, dict[str, Any]] = {
    "small": {"limit": 5, "min_pool": 1, "reason_k": 5, "reasons_a_card": 2},
    "standard": {"limit": 5, "min_pool": 10, "reason_k": 10, "reasons_a_card": 1},
    "open": {"limit": 5, "min_pool": 20, "reason_k": 10, "reasons_a_card": 1},
}
MASK = (1 << 64) - 1


def splitmix64(x: int) -> int:
    """Return the first output of the SplitMix64 generator from state `x` (Steele, Lea, Flood 2014)."""
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Oracle:
    """The naive matcher.

    Parameters
    ----------
    programme : dict
        The programme file as `tomllib` reads it.
    parents : dict
        ``{vocabulary: {code: parent}}``; a root's parent may be left out.
    records : list of dict
        The pool, raw. `foreign` names those that belong to another programme.
    circumstances : dict, optional
        ``held``, ``blocks``, ``declined``, ``connected``, ``load``; also ``exposure`` by member, ``own`` (by seeker and
        candidate: what of that the seeker's own list gives), and ``views``: by seeker and candidate, a list of
        (weight, whether another one was chosen).
    learned_from : list of dict, optional
        What the encoder learned from; the pool unless given.
    """

    def __init__(
        self,
        programme: Programme,
        parents: Parents,
        records: list[Record],
        at: datetime,
        *,
        circumstances: dict[str, Any] | None = None,
        foreign: frozenset[str] = frozenset(),
        random_state: int = 0,
        model: OracleModel | None = None,
        learned_from: list[Record] | None = None,
    ) -> None:
        self.programme, self.at, self.foreign = programme, at, foreign
        self.rules = FacetRules(programme, parents)
        self.size: dict[str, Any] = {**SIZES[programme["programme"]["size"]], "quality_floor": 0.15}
        self.size.update(programme.get("shortlist", {}), **programme.get("privacy", {}))
        self.circumstances: dict[str, Any] = {"held": (), "blocks": (), "declined": (), "connected": (), "load": {}}
        self.circumstances |= {"exposure": {}, "own": {}, "views": {}} | (circumstances or {})
        self.random_state = random_state
        self.monday = week.monday(at)
        self.people = {r["member_id"]: read(r, programme, at, r["member_id"] not in foreign) for r in records}
        self.ic = OracleInformation(
            self.rules, records if learned_from is None else learned_from, at, self.size["reason_k"]
        )
        self.affinity = OracleAffinity(self.rules, self.ic, model)
        self._weeks: dict[str, set[int]] = {}
        self._holders: dict[tuple[str, str], int] = {}

    # Pairs ------------------------------------------------------------------------------------------------------

    def score(self, seeker: str, candidate: str) -> dict[str, Any]:
        """Return both affinities, or the first gate that forbids the pair."""
        a, b = self.people[seeker], self.people[candidate]
        gate = self.gate(a, b)
        if gate is not None:
            return {"gate": gate}
        found = self.affinity.pair(a, b)
        return {
            "gate": None,
            "forward": found["forward"]["p"],
            "backward": found["backward"]["p"],
            "reciprocal": found["r"],
            "contributions": {way: found[way]["contributions"] for way in ("forward", "backward")},
        }

    def gate(self, a: Person, b: Person) -> str | None:
        """Return the first gate that forbids the pair."""
        found = gates(self.rules, self.circumstances, a, b, self._week)
        return next((name for name, passes in found if not passes), None)

    def _week(self, value: dict[str, Any]) -> set[int]:
        key = repr(value)
        if key not in self._weeks:
            self._weeks[key] = week.quarters(value, self.monday)
        return self._weeks[key]

    # §6 and §7, the list; §8 -----------------------------------------------------------------------------------------

    def hash(self, member_id: str) -> int:
        """Return the keyed hash of a member id."""
        key = f"{self.programme['programme']['id']}:{self.random_state}".encode()[:64]
        return int.from_bytes(blake2b(member_id.encode(), digest_size=8, key=key).digest(), "big")

    def match(self, seeker: str | Record, limit: int | None = None) -> dict[str, Any]:
        """Return the shortlist of a seeker of the pool, or of a record outside of it."""
        a = self.people[seeker] if isinstance(seeker, str) else read(seeker, self.programme, self.at)
        excluded: dict[str, int] = {}
        scored, eligible = [], 0
        for b in self.people.values():
            if b.id == a.id:
                continue
            gate = self.gate(a, b)
            if gate is not None:
                excluded[gate] = excluded.get(gate, 0) + 1
                continue
            eligible += 1
            found = self.affinity.pair(a, b)
            key = self.key(a, b, found)
            scored.append((-round(key, 9), splitmix64(self.hash(a.id) ^ self.hash(b.id)), b.id, found))
        informative = [entry for entry in scored if entry[3]["informative"]]
        good = sorted((e for e in informative if e[3]["r"] >= self.size["quality_floor"]), key=lambda e: e[:3])
        outcome, reason = self._outcome(a, eligible, bool(informative), bool(good))
        shown = good[: self.size["limit"] if limit is None else limit] if outcome == "matched" else []
        return {
            "outcome": outcome,
            "reason": reason,
            "excluded": excluded,
            "eligible": eligible,
            "good": len(good),
            "tied": sum(1 for x, y in itertools.pairwise(good) if x[0] == y[0]),
            "entries": [self._entry(a, rank, entry) for rank, entry in enumerate(shown, start=1)],
        }

    def key(self, a: Person, b: Person, found: dict[str, Any]) -> float:
        """Return what the list is ordered by: Bayes' rule look by look, then exposure a free place."""
        p, r = found["forward"]["p"], found["r"]
        for weight, other_chosen in self.circumstances["views"].get(a.id, {}).get(b.id, ()):
            v = weight / 2 if other_chosen else weight
            p = p * (1 - 0.9 * v) / (1 - 0.9 * v * p)
        if p != found["forward"]["p"]:
            r = math.sqrt(p * found["backward"]["p"])
        free = b.record.get("capacity", 1) - self.circumstances["load"].get(b.id, 0)
        own = self.circumstances["own"].get(a.id, {}).get(b.id, 0.0)
        exposure = self.circumstances["exposure"].get(b.id, 0.0) - own
        return math.log(r) - 0.25 * math.log(1 + exposure / free)

    def _outcome(self, a: Person, eligible: int, informative: bool, good: bool) -> tuple[str, str | None]:
        if a.id in self.circumstances["held"]:
            return "no_match", "held"
        if not eligible:
            return "no_match", "no_eligible"
        if eligible < self.size["min_pool"]:
            return "no_match", "small_pool"
        if good:
            return "matched", None
        return "no_match", "below_quality" if informative else "low_information"

    def _entry(self, a: Person, rank: int, entry: Any) -> dict[str, Any]:
        member_id, found = entry[2], entry[3]
        r = found["r"]
        return {
            "member_id": member_id,
            "rank": rank,
            "score": r,
            "strength": "strong" if r >= 0.50 else "good" if r >= 0.30 else "possible",
            "reasons": self.reasons(a, self.people[member_id], found["forward"]),
        }

    def reasons(self, a: Person, b: Person, forward: dict[str, Any]) -> list[tuple[str, str]]:
        """Return (facet, what is shared), the strongest contribution first."""
        out = []
        parts = forward["contributions"]
        # Rounded, so that equal contributions reached by sums in another order still tie.
        for name in sorted(self.affinity.features, key=lambda feature: -round(parts[feature], 12)):
            source = self.programme["facets"][name].get("against", name)
            allowed = self.covered(a, name) and self.covered(b, source)
            if not self.programme["facets"][name].get("show") or not allowed:
                continue
            if parts[name] <= 0 or name not in forward["known"]:
                continue
            for value in self.rules.shared(name, a.seeking, b.shown, self.ic):
                if self.holders(source, value) >= self.size["reason_k"]:
                    out.append((name, value))
                    break
        return out[: self.size["reasons_a_card"]]

    def covered(self, person: Person, facet: str) -> bool:
        """Tell whether `show_reasons` is on and covers a facet."""
        return consent.covers(person.record, self.programme, "show_reasons", facet, self.at)

    def holders(self, name: str, value: str) -> int:
        """Count who, in the pool, holds a value and may be counted for it."""
        if (name, value) not in self._holders:
            found = 0
            for person in self.people.values():
                has = person.shown[name]["value"]
                if has is None or not person.on["be_shown_as_peer"] or not self.covered(person, name):
                    continue
                if self.programme["facets"][name]["kind"] == "concepts":
                    found += value in up(has, self.rules.tree(name))
                else:
                    found += value in has if isinstance(has, list) else value == has
            self._holders[name, value] = found
        return self._holders[name, value]
