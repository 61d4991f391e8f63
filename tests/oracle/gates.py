"""§4: every gate of a pair, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.oracle import consent
from tests.oracle.consent import Programme, Record
from tests.oracle.facets import FacetRules
from tests.oracle.person import Person


def gates(
    rules: FacetRules, facts: dict[str, Any], a: Person, b: Person, weeks: Callable[[Any], set[int]]
) -> Iterator[tuple[str, bool]]:
    """Yield the name of each gate, and whether seeker `a` and candidate `b` pass it."""
    programme = rules.programme
    agreement = programme["programme"].get("confidentiality")
    mutual = programme["programme"]["pairing"] == "mutual"
    both = {(a.id, b.id), (b.id, a.id)}
    yield "programme", b.home
    yield "consent", b.on["be_shown_as_peer"]
    yield "role", mutual or "supporter" in b.record.get("roles", [])
    yield "age", same_generation(programme, a.record, b.record)
    yield "vetted", b.record.get("vetted", False) and (not mutual or a.record.get("vetted", False))
    yield "agreement", not agreement or all(agreement in p.record.get("agreements", []) for p in (a, b))
    yield "held", b.id not in facts["held"]
    yield "blocked", not both & set(facts["blocks"])
    yield "declined", not both & set(facts["declined"])
    yield "connected", not both & set(facts["connected"])
    yield "capacity", b.record.get("capacity", 1) - facts["load"].get(b.id, 0) > 0
    facets = programme["facets"]
    for name in facets:
        if rules.own_gates(name):
            yield name, rules.own_gate(name, a.seeking[name]["value"], b.shown[name]["value"], weeks)
    yield (
        "must",
        all(
            rules.must(name, a.seeking, b.shown, True) and rules.must(name, b.shown, a.seeking, False)
            for name in facets
        ),
    )
    yield (
        "avoid",
        all(rules.avoid(name, a.seeking, b.shown) and rules.avoid(name, b.shown, a.seeking) for name in facets),
    )
    for name in facets:
        if "excludes" in facets[name]:
            yield name, rules.within_boundaries(name, a.seeking, b.shown)


def same_generation(programme: Programme, a: Record, b: Record) -> bool:
    """Tell whether both ages are known and the minors' policy lets the two meet."""
    if a.get("age_band") is None or b.get("age_band") is None:
        return False
    minors = [consent.is_minor(record, programme) for record in (a, b)]
    if programme["ages"].get("minors_policy") == "separate":
        return minors[0] == minors[1]
    return not any(minors)
