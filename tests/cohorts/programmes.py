"""Random programmes: every kind and every option of a facet, both pairings, all size classes."""

from __future__ import annotations

import random
from typing import Any

Facet = dict[str, Any]
Tree = dict[str, str]

BANDS = ["13-15", "16-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"]
AGREEMENT = "agreement-2026-01"
SCORABLE = ("concepts", "tags", "choice", "ordinal")


def trees(rng: random.Random) -> dict[str, Tree]:
    """Return two vocabularies: a forest of random shape and a short list."""
    forest: Tree = {}
    for number in range(rng.randint(6, 28)):
        forest[f"c{number:02}"] = rng.choice([*forest, "", ""]) if rng.random() < 0.9 else ""
    flat = {f"e{number}": "" if number < 3 else f"e{rng.randrange(3)}" for number in range(rng.randint(4, 9))}
    return {"conditions.csv": forest, "experiences.csv": flat}


def programme(rng: random.Random, parents: dict[str, Tree], ease: float) -> dict[str, Any]:
    """Return a programme as `tomllib` would read it; with `ease` near 1 few pairs are forbidden."""
    mutual = rng.random() < 0.4
    head: dict[str, Any] = {
        "id": rng.choice(["lantern", "harbour", "a-programme-with-a-rather-long-name"]),
        "name": "Generated",
        "pairing": "mutual" if mutual else "mentor",
        "size": rng.choice(["small", "standard", "open"]),
        "review": rng.choice(["none", "first", "all"]),
    }
    if rng.random() < 0.5:
        head["confidentiality"] = AGREEMENT
    if rng.random() < 0.5:
        head["crisis_message"] = "If you are in danger call the emergency number."
    facets = _facets(rng, mutual, ease)
    required = [name for name, facet in facets.items() if is_gating(facet) or facet.get("importance") == 3]
    ages = {"bands": BANDS, "minors": BANDS[:2], "minors_policy": rng.choice(["refuse", "separate"])}
    raw: dict[str, Any] = {"programme": head, "consent": {"policy_version": "2026-01", "required": required}}
    raw["ages"] = ages
    raw.update(_sizes(rng))
    raw["facets"] = facets
    raw["strata"] = {"ethnicity": ["a", "b", "c"]}
    return raw


def is_gating(facet: Facet) -> bool:
    """Tell whether a facet excludes pairs by its declaration, boundaries aside."""
    return facet["kind"] in ("week", "languages") or bool({"min_shared", "guard", "by"} & set(facet))


def _sizes(rng: random.Random) -> dict[str, Facet]:
    if rng.random() < 0.1:
        return {}
    shortlist: Facet = {"min_pool": rng.choice([1, 1, 1, 1, 2, 3, 6])}
    if rng.random() < 0.7:
        shortlist["quality_floor"] = rng.choice([0.0, 0.05, 0.1, 0.2, 0.4, 0.7])
    if rng.random() < 0.5:
        shortlist["limit"] = rng.randint(1, 10)
    privacy: Facet = {"reason_k": rng.choice([2, 2, 3, 5, 8])}
    if rng.random() < 0.6:
        privacy["reasons_a_card"] = rng.randint(1, 4)
    return {"shortlist": shortlist, "privacy": privacy}


def _facets(rng: random.Random, mutual: bool, ease: float) -> dict[str, Facet]:
    menu = {
        "conditions": {"kind": "concepts", "vocabulary": "conditions.csv", **_worth(rng, ease)},
        "experiences": {"kind": "concepts", "vocabulary": "experiences.csv", **_worth(rng, ease)},
        "needs": {"kind": "concepts", "vocabulary": "experiences.csv", "against": "experiences", **_worth(rng, ease)},
        "journey": _ordinal(rng, mutual, ease),
        "confidence": {**_ordinal(rng, mutual, ease), "direction": rng.choice(["same", "more"])},
        "age": {"kind": "ordinal", "source": "age_band", **_worth(rng, ease)},
        "gender": {"kind": "choice", "values": ["woman", "man", "nonbinary"], **_worth(rng, ease)},
        "region": {"kind": "choice", "values": ["north", "south", "east", "west"], **_worth(rng, ease)},
        "hobbies": {"kind": "tags", "values": ["music", "chess", "walking", "cooking"], **_worth(rng, ease)},
        "channel": {"kind": "tags", "values": ["phone", "video", "text", "in_person"], **_worth(rng, ease)},
        "severity": {"kind": "ordinal", "levels": ["low", "moderate", "high"], "guard": "not_both_highest"},
        "availability": {"kind": "week"},
        "languages": {"kind": "languages"},
        "boundaries": {
            "kind": "concepts",
            "vocabulary": "experiences.csv",
            "excludes": rng.choice(["needs"] * 2 + ["experiences"]),
        },
        "silence": {"kind": "concepts", "vocabulary": "conditions.csv", "excludes": "conditions"},
        "statement": {"kind": "statement", "show": rng.choice(["after_offer", "shortlist"])},
    }
    menu["confidence"].pop("by", None)
    if rng.random() < 0.7:
        menu["channel"]["min_shared"] = 2 if rng.random() > max(ease, 0.5) else 1
    if rng.random() < 0.6:
        menu["availability"]["min_overlap_minutes"] = rng.choice([15, 50, 60, 90, 120])
    if rng.random() < 0.4:
        menu["severity"]["weight"] = 0.0
    if rng.random() < 0.15 and not mutual:
        menu["age"].update(direction="ahead", by=1)
    elif rng.random() < 0.3:
        menu["age"]["direction"] = "more"
    share = rng.choice([0.35, 0.6, 0.9])
    chosen = [name for name in menu if rng.random() < share]
    if not any(menu[name].get("weight", 0) > 0 for name in chosen):
        menu["conditions"]["weight"] = 2.0
        chosen.append("conditions")
    for name, other in (
        ("needs", "experiences"),
        ("boundaries", menu["boundaries"]["excludes"]),
        ("silence", "conditions"),
    ):
        if name in chosen and other not in chosen:
            chosen.append(other)
    if "needs" in chosen and "experiences" not in chosen:
        chosen.append("experiences")
    rng.shuffle(chosen)
    return {name: menu[name] for name in dict.fromkeys(chosen)}


def _worth(rng: random.Random, ease: float) -> Facet:
    out: Facet = {"weight": rng.choice([0.0, 0.5, 1.0, 1.0, 2.0, 3.0])}
    if rng.random() < 0.5:
        out["importance"] = 3 if rng.random() > max(ease, 0.8) else rng.choice([0, 1, 2])
    if rng.random() < 0.9:
        out["show"] = rng.random() < 0.9
    return out


def _ordinal(rng: random.Random, mutual: bool, ease: float) -> Facet:
    facet: Facet = {
        "kind": "ordinal",
        "levels": ["new", "settling", "steady", "long_term", "past"][: rng.randint(2, 5)],
    }
    facet.update(_worth(rng, ease))
    direction = rng.choice([None, "same", "more"] if mutual else [None, "same", "ahead", "ahead", "ahead", "more"])
    if direction:
        facet["direction"] = direction
    if direction == "ahead" and rng.random() < 0.6:
        facet["by"] = 2 if len(facet["levels"]) > 2 and rng.random() > max(ease, 0.5) else 1
    return facet
