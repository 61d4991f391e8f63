"""§2–§4 for one facet: what satisfies, what musts, avoids and its own gate forbid; §8: what is shared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from tests.oracle import week
from tests.oracle.consent import Programme, Side

SCORABLE = ("concepts", "tags", "choice", "ordinal")
Sides = dict[str, Side]
Parents = dict[str, dict[str, str]]
IC = Callable[[str, str], float]
"""(facet, concept) → information content."""


def up(codes: Iterable[str], parent: dict[str, str]) -> set[str]:
    """Return `codes` with all their ancestors."""
    out = set()
    for code in codes:
        concept = code
        while concept:
            out.add(concept)
            concept = parent.get(concept, "")
    return out


def levels(facet: dict[str, Any], programme: Programme) -> list[str]:
    """Return the levels of an ordinal facet, lowest first."""
    found: list[str] = programme["ages"]["bands"] if facet.get("source") == "age_band" else facet["levels"]
    return found


class FacetRules:
    """The rules of all facets of one programme.

    Parameters
    ----------
    programme : dict
        As `tomllib` reads it.
    parents : dict
        Per vocabulary name, the parent of every code that has one.
    """

    def __init__(self, programme: Programme, parents: Parents) -> None:
        self.programme = programme
        self.facets: dict[str, dict[str, Any]] = programme["facets"]
        self.parents = parents

    def tree(self, name: str) -> dict[str, str]:
        """Return the hierarchy of a facet of concepts."""
        return self.parents[self.facets[name]["vocabulary"]]

    def level(self, name: str, value: str) -> int:
        """Return the number of a level, from 0."""
        return levels(self.facets[name], self.programme).index(value)

    def top(self, name: str) -> int:
        """Return the highest level's number."""
        return len(levels(self.facets[name], self.programme)) - 1

    def is_feature(self, name: str) -> bool:
        """Tell whether a facet takes part in the affinity at all."""
        return self.facets[name]["kind"] in SCORABLE and self.facets[name].get("weight", 0) > 0

    def is_feature_in(self, name: str, forward: bool) -> bool:
        """Tell whether it does in this direction."""
        return self.is_feature(name) and (forward or self.facets[name].get("direction") != "ahead")

    # §3 ---------------------------------------------------------------------------------------------------------

    def satisfy(self, name: str, asker: Sides, other: Sides, ic: IC) -> tuple[float | None, bool]:
        """Return how well `other` satisfies `asker` (None: unknown), and whether that is informative."""
        facet = self.facets[name]
        value: float | None
        if facet["kind"] == "concepts":
            value = self._concepts(name, asker[name], other[facet.get("against", name)]["value"], ic)
        elif facet["kind"] == "tags":
            value = self._tags(asker[name], other[name]["value"])
        elif facet["kind"] == "choice":
            value = self._choice(asker[name], other[name]["value"])
        else:
            value = self._ordinal(name, asker[name], other[name]["value"])
        has = other[facet.get("against", name)]["value"]
        asked = asker[name]["prefer"] or asker[name]["value"]
        return value, value is not None and asker[name]["importance"] > 0 and asked != [] and has != []

    def _concepts(self, name: str, mine: Side, has: list[str] | None, ic: IC) -> float | None:
        against = self.facets[name].get("against")
        source = against or name
        asked = mine["prefer"] or mine["value"]
        if has is None or asked is None:
            return None
        held = up(has, self.tree(source))
        if mine["prefer"] or against:
            held_of_asked = math.fsum(ic(source, p) for p in asked if p in held)
            return held_of_asked / math.fsum(ic(source, p) for p in asked) if asked else 0.0
        own = up(asked, self.tree(name))
        if not own or not held:
            return 0.0
        return math.fsum(ic(name, c) ** 2 for c in own & held) / (_norm(name, own, ic) * _norm(name, held, ic))

    def _tags(self, mine: Side, has: list[str] | None) -> float | None:
        asked = mine["prefer"] or mine["value"]
        if asked is None or has is None:
            return None
        return len(set(asked) & set(has)) / len(asked) if asked else 0.0

    def _choice(self, mine: Side, has: str | None) -> float | None:
        if has is None:
            return None
        if mine["prefer"]:
            return 1.0 if has in mine["prefer"] else 0.0
        return None if mine["value"] is None else float(mine["value"] == has)

    def _ordinal(self, name: str, mine: Side, has: str | None) -> float | None:
        if has is None:
            return None
        if mine["prefer"]:
            return 1.0 if has in mine["prefer"] else 0.0
        facet, top, b = self.facets[name], self.top(name), self.level(name, has)
        direction = facet.get("direction", "same")
        if direction == "more":
            return float(b / top)
        if mine["value"] is None:
            return None
        a = self.level(name, mine["value"])
        if direction == "ahead":
            return float(1 - max(0, min(a + facet.get("by", 1), top) - b) / top)
        return float(1 - abs(b - a) / top)

    # §4 ---------------------------------------------------------------------------------------------------------

    def must(self, name: str, asker: Sides, other: Sides, asker_seeks: bool) -> bool:
        """Tell whether `other` has what `asker` must have, if it is a must."""
        facet, mine = self.facets[name], asker[name]
        if facet["kind"] not in SCORABLE or "excludes" in facet or mine["importance"] != 3:
            return True
        has = other[facet.get("against", name)]["value"]
        if has is None or (not mine["prefer"] and mine["value"] is None):
            return False
        if facet["kind"] == "concepts":
            held = up(has, self.tree(facet.get("against", name)))
            return any(p in held for p in (mine["prefer"] or mine["value"]))
        if facet["kind"] == "tags":
            return any(p in has for p in (mine["prefer"] or mine["value"]))
        return has in mine["prefer"] if mine["prefer"] else self._directed(name, mine["value"], has, asker_seeks)

    def _directed(self, name: str, mine: str, has: str, asker_seeks: bool) -> bool:
        direction = self.facets[name].get("direction", "same")
        if direction == "ahead":
            return self.is_ahead(name, mine, has) if asker_seeks else self.is_ahead(name, has, mine)
        if direction == "more":
            return self.level(name, has) >= self.level(name, mine)
        return mine == has

    def is_ahead(self, name: str, seeker: str, supporter: str) -> bool:
        """Tell whether the supporter is ahead by what the facet asks."""
        reach: int = min(self.level(name, seeker) + self.facets[name].get("by", 1), self.top(name))
        return self.level(name, supporter) >= reach

    def avoid(self, name: str, asker: Sides, other: Sides) -> bool:
        """Tell whether `other` has nothing of what `asker` avoids."""
        avoided, has = asker[name]["avoid"], other[name]["value"]
        if not avoided:
            return True
        if has is None:
            return False
        if self.facets[name]["kind"] == "concepts":
            return not set(avoided) & up(has, self.tree(name))
        if self.facets[name]["kind"] == "tags":
            return not set(avoided) & set(has)
        return has not in avoided

    def own_gates(self, name: str) -> bool:
        """Tell whether a facet gates by its declaration (boundaries aside)."""
        facet = self.facets[name]
        ahead = facet.get("direction") == "ahead" and "by" in facet
        return facet["kind"] in ("week", "languages") or "min_shared" in facet or ahead or "guard" in facet

    def own_gate(self, name: str, seeker: Any, supporter: Any, weeks: Callable[[Any], set[int]]) -> bool:
        """Tell whether a facet's own gate lets two values pass."""
        facet = self.facets[name]
        if seeker is None or supporter is None:
            return False
        if facet["kind"] == "week":
            return week.overlap(weeks(seeker), weeks(supporter), facet.get("min_overlap_minutes", 60))
        if facet["kind"] == "languages":
            return bool(
                {tag.split("-")[0].lower() for tag in seeker} & {tag.split("-")[0].lower() for tag in supporter}
            )
        if facet["kind"] == "tags":
            return len(set(seeker) & set(supporter)) >= int(facet["min_shared"])
        if "by" in facet and not self.is_ahead(name, seeker, supporter):
            return False
        worst: bool = self.level(name, seeker) == self.level(name, supporter) == self.top(name)
        return "guard" not in facet or not worst

    def within_boundaries(self, name: str, a: Sides, b: Sides) -> bool:
        """Tell whether neither of `a` and `b` is bound to touch what the other will not talk about."""
        return self._untouched(name, a, b) and self._untouched(name, b, a)

    def _untouched(self, name: str, bounded: Sides, other: Sides) -> bool:
        refused = bounded[name]["value"]
        if not refused:
            return True
        subjects = list(other[self.facets[name]["excludes"]]["value"] or [])
        for facet, table in self.facets.items():
            if table.get("vocabulary") == self.facets[name]["vocabulary"]:
                subjects += other[facet]["prefer"] or []
        return not set(refused) & up(subjects, self.tree(name))

    # §8 ---------------------------------------------------------------------------------------------------------

    def shared(self, name: str, asker: Sides, other: Sides, ic: IC) -> list[str]:
        """Return what the two share in a facet, the most telling first."""
        facet, mine = self.facets[name], asker[name]
        source = facet.get("against", name)
        has = other[source]["value"]
        if facet["kind"] in ("choice", "ordinal"):
            return [has] if has == mine["value"] or has in (mine["prefer"] or []) else []
        if facet["kind"] == "tags":
            asked = set(mine["prefer"] or mine["value"] or [])
            return sorted(value for value in asked if value in has)
        held = up(has, self.tree(source))
        if mine["prefer"] or "against" in facet:
            common = {p for p in (mine["prefer"] or mine["value"]) if p in held}
        else:
            common = up(mine["value"], self.tree(name)) & held
        tree = self.tree(source)
        depth = {concept: len(up([concept], tree)) for concept in common}
        return sorted(common, key=lambda concept: (-ic(source, concept), -depth[concept], concept))


def _norm(name: str, concepts: set[str], ic: IC) -> float:
    return math.sqrt(math.fsum(ic(name, c) ** 2 for c in concepts))
