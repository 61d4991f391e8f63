"""§2 and §6: information content, the model, and how one side looks at the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle import consent
from tests.oracle.consent import Record
from tests.oracle.facets import FacetRules, Sides, up
from tests.oracle.person import Person, read

SEEKER, SUPPORTER = 0, 1
VIEWS = ("match_serve", "be_shown_as_peer")


@dataclass
class OracleModel:
    """Weights by role (0 seeker, 1 supporter)."""

    base: tuple[float, float]
    weight: tuple[dict[str, float], dict[str, float]]
    neutral: tuple[dict[str, float], dict[str, float]]


def logit(p: float) -> float:
    """Return the log odds of `p`."""
    return math.log(p / (1 - p))


def logistic(z: float) -> float:
    """Return the probability of log odds `z`."""
    return 1 / (1 + math.exp(-z))


class OracleInformation:
    """Information content, learned from `records`."""

    def __init__(self, rules: FacetRules, records: list[Record], at: datetime, k: int) -> None:
        self.members, self.k = 0, k
        self.counts: dict[tuple[str, str], int] = {}
        for record in records:
            person = read(record, rules.programme, at)
            if person.on["train_model"] and any(person.on[purpose] for purpose in VIEWS):
                self.members += 1
                self._count(rules, record, at)

    def _count(self, rules: FacetRules, record: Record, at: datetime) -> None:
        for name, facet in rules.facets.items():
            if facet["kind"] != "concepts" or record.get("profile", {}).get(name) is None:
                continue
            allowed = {p for p in (*VIEWS, "train_model") if consent.covers(record, rules.programme, p, name, at)}
            if "train_model" in allowed and len(allowed) > 1:
                for concept in up(record["profile"][name], rules.tree(name)):
                    self.counts[name, concept] = self.counts.get((name, concept), 0) + 1

    def __call__(self, facet: str, concept: str) -> float:
        """Return the information content of a concept in a facet."""
        if self.members <= self.k:
            return 1.0
        return max(0.01, math.log(self.members / max(self.counts.get((facet, concept), 0), self.k)))


class OracleAffinity:
    """Scores of one side, and of a pair."""

    def __init__(self, rules: FacetRules, ic: OracleInformation, model: OracleModel | None) -> None:
        self.rules, self.ic = rules, ic
        self.features = [name for name in rules.facets if rules.is_feature(name)]
        self.model = model or self.prior()

    def prior(self) -> OracleModel:
        """Return the prior: everything satisfied at default importance gives .90."""
        facets = self.rules.facets
        half = {name: min(facets[name].get("importance", 1), 2) / 2 for name in self.features}
        if not any(half.values()):
            half = dict.fromkeys(self.features, 1.0)
        scale = (logit(0.90) - logit(0.05)) / math.fsum(facets[n]["weight"] * half[n] for n in self.features)
        weight = {name: scale * facets[name]["weight"] for name in self.features}
        neutral = dict.fromkeys(self.features, 0.25)
        return OracleModel((logit(0.05),) * 2, (weight, weight), (neutral, neutral))

    def look(self, asker: Sides, other: Sides, forward: bool) -> dict[str, Any]:
        """Return how `asker` looks at `other`: probability, contributions, known facets, informative or not."""
        role = SEEKER if forward else SUPPORTER
        out: dict[str, Any] = {"contributions": {"base": self.model.base[role]}, "known": set(), "informative": False}
        for name in self.features:
            x = 0.0
            if self.rules.is_feature_in(name, forward):
                value, informative = self.rules.satisfy(name, asker, other, self.ic)
                if value is not None:
                    out["known"].add(name)
                if informative and self.rules.facets[name].get("source") is None:
                    out["informative"] = True
                x = min(asker[name]["importance"], 2) / 2 * (self.model.neutral[role][name] if value is None else value)
            out["contributions"][name] = self.model.weight[role][name] * x
        out["p"] = logistic(math.fsum(out["contributions"].values()))
        return out

    def pair(self, a: Person, b: Person) -> dict[str, Any]:
        """Score a pair both ways, gates aside."""
        forward, backward = self.look(a.seeking, b.shown, True), self.look(b.shown, a.seeking, False)
        return {
            "forward": forward,
            "backward": backward,
            "r": math.sqrt(forward["p"] * backward["p"]),
            "informative": forward["informative"] or backward["informative"],
        }
