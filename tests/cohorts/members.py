"""Random members of a random programme: sparse and rich, consents in every state, what happened between them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.cohorts.programmes import AGREEMENT, BANDS, SCORABLE, Facet, Tree, is_gating

Record = dict[str, Any]
PURPOSES = (
    "match_serve", "be_shown_as_peer", "show_reasons", "train_model",
    "fairness_audit", "fairness_balance", "outcome_followup",
)  # fmt: skip
NEAR = ["Europe/London", "Europe/Paris", "UTC"]
FAR = [
    "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Honolulu", "Pacific/Kiritimati", "America/Santiago", "Africa/Casablanca",
]  # fmt: skip
LANGUAGES = ["en", "en-GB", "EN-us", "pl", "de-AT", "zh-Hant-TW", "cy"]


@dataclass(frozen=True)
class Chances:
    """How often something out of the ordinary happens in one cohort."""

    unknown: float
    empty: float
    stranger: float
    """A code that the vocabulary lacks."""
    want: float
    hard: float
    """A want is a must or an avoid."""
    consent: float
    """A purpose is in another state than simply given."""
    reticence: float
    """The same for reasons and training, which keep nobody out of a list."""
    trouble: float
    clone: float
    foreign: float
    far: float

    @staticmethod
    def draw(rng: random.Random, ease: float) -> Chances:
        """Draw the chances of a cohort; with `ease` near 1 little goes wrong."""
        hard = 1 - ease
        return Chances(
            unknown=rng.choice([0.02, 0.1, 0.5 * hard + 0.1, 0.95 * hard]),
            empty=rng.choice([0.0, 0.05, 0.2]),
            stranger=rng.choice([0.0, 0.1]),
            want=rng.choice([0.05, 0.2, 0.4]),
            hard=rng.choice([0.05, 0.5]) * (0.2 + hard),
            consent=rng.choice([0.0, 0.1, 0.5]) * (0.1 + hard),
            reticence=rng.choice([0.0, 0.2, 0.5]),
            trouble=rng.choice([0.0, 0.1, 0.3]) * (0.1 + hard),
            clone=rng.choice([0.0, 0.1, 0.5]),
            foreign=0.05 if rng.random() < 0.2 else 0.0,
            far=rng.choice([0.05, 0.5]) * (0.1 + hard),
        )


def person(
    rng: random.Random, raw: dict[str, Any], parents: dict[str, Tree], chances: Chances, at: datetime, number: int
) -> Record:
    """Return the record of a member."""
    mutual = raw["programme"]["pairing"] == "mutual"
    roles = rng.choice([["seeker"], ["supporter"], ["seeker", "supporter"], ["seeker", "supporter"]])

    def odd(scale: float = 1.0) -> bool:
        return rng.random() < chances.trouble * scale

    record: Record = {
        "member_id": f"{rng.choice(['m', 'M', 'z~', '0.'])}-{number:04}",
        "roles": ["seeker", "supporter"] if mutual else roles,
        "age_band": rng.choice(BANDS[:2]) if odd() else rng.choice(BANDS[2:]),
        "capacity": 0 if odd(0.5) else rng.randint(1, 4),
        "vetted": not odd(0.5),
        "agreements": ["another"] if odd(0.5) else [AGREEMENT],
        "profile": {},
        "wants": {},
        "strata": {"ethnicity": rng.choice("abc")} if rng.random() < 0.5 else {},
    }
    if odd(0.5):
        del record["age_band"]
    for name, facet in raw["facets"].items():
        unknown = chances.unknown * (0.2 if is_gating(facet) else 1.0)
        if facet.get("source") is None and rng.random() >= unknown:
            record["profile"][name] = value_of(rng, facet, parents, chances)
        if rng.random() < chances.want:
            want = want_of(rng, facet, parents, chances)
            if want:
                record["wants"][name] = want
    minor = record.get("age_band") in BANDS[:2]
    record["consents"] = []
    for purpose in PURPOSES:
        state = chances.reticence if purpose in PURPOSES[2:] else chances.consent
        record["consents"] += _events(rng, raw, purpose, state, at, minor)
    rng.shuffle(record["consents"])
    return record


def _some(rng: random.Random, items: list[str], most: int) -> list[str]:
    return rng.sample(items, min(len(items), rng.randint(1, most)))


def _codes(rng: random.Random, facet: Facet, parents: dict[str, Tree], chances: Chances, most: int) -> list[str]:
    codes = _some(rng, list(parents[facet["vocabulary"]]), most)
    return [*codes, f"stranger{rng.randrange(2)}"] if rng.random() < chances.stranger else codes


def value_of(rng: random.Random, facet: Facet, parents: dict[str, Tree], chances: Chances) -> Any:
    """Return a value of a facet."""
    kind = facet["kind"]
    if kind in ("concepts", "tags") and rng.random() < chances.empty:
        return []
    if kind == "concepts":
        return _codes(rng, facet, parents, chances, 1 if "excludes" in facet else 4)
    if kind == "tags":
        return _some(rng, facet["values"], 4)
    if kind == "languages":
        return list(dict.fromkeys([*(["en"] if rng.random() > chances.far else []), *_some(rng, LANGUAGES, 2)]))
    if kind in ("week", "statement"):
        return _week(rng, chances) if kind == "week" else "Happy to talk about the practical side."
    return rng.choice(facet["values"] if kind == "choice" else facet["levels"])


def _week(rng: random.Random, chances: Chances) -> dict[str, Any]:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    if rng.random() > chances.far * 1.5:
        return {
            "tz": rng.choice(NEAR),
            "slots": [f"{day} 08:00-22:00" for day in _some(rng, days, 7)] + ["sat 10:00-13:30"],
        }
    slots = []
    for day in _some(rng, days, 5):
        start, length = rng.randrange(0, 1440, rng.choice([60, 15, 7])), rng.choice([20, 60, 75, 180, 420, 1425])
        stop = (start + length) % 1440
        end = "24:00" if stop == 0 and rng.random() < 0.7 else f"{stop // 60:02}:{stop % 60:02}"
        slots.append(f"{day} {start // 60:02}:{start % 60:02}-{end}")
    # The nights of the clock changes.
    slots += [slot for slot in ("sun 01:30-03:15", "sun 02:10-02:50", "sat 23:30-02:30") if rng.random() < 0.4]
    return {"tz": rng.choice(NEAR + FAR), "slots": slots}


def want_of(rng: random.Random, facet: Facet, parents: dict[str, Tree], chances: Chances) -> dict[str, Any]:
    """Return what a member asks in a facet, or nothing."""
    if facet["kind"] not in SCORABLE or "excludes" in facet:
        return {}
    want: dict[str, Any] = {}
    hard = rng.random() < chances.hard
    if rng.random() < 0.7 or hard:
        want["importance"] = 3 if hard else rng.choice([0, 1, 2])
    if "against" in facet:
        return want
    if rng.random() < 0.5:
        want["prefer"] = _asked(rng, facet, parents, chances)
    if rng.random() < chances.hard:
        want["avoid"] = [
            value for value in _asked(rng, facet, parents, chances)[:1] if value not in want.get("prefer", [])
        ]
    return {key: value for key, value in want.items() if value != []}


def _asked(rng: random.Random, facet: Facet, parents: dict[str, Tree], chances: Chances) -> list[str]:
    if facet["kind"] == "concepts":
        return _codes(rng, facet, parents, chances, 3)
    if facet.get("source"):
        return _some(rng, BANDS[2:], 3)
    return _some(rng, facet["values"] if "values" in facet else facet["levels"], 2)


def _events(
    rng: random.Random, raw: dict[str, Any], purpose: str, odd: float, at: datetime, minor: bool
) -> list[dict[str, Any]]:
    now = raw["consent"]["policy_version"]

    def event(decision: str, days: float, version: str = now, **more: Any) -> dict[str, Any]:
        when = (at - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        out = {"purpose": purpose, "decision": decision, "policy_version": version, "at": when, **more}
        if minor and decision == "given" and rng.random() > odd:
            out["guardian"] = "form-17"
        return out

    later = (at + timedelta(days=rng.choice([0.01, 30, 700]))).isoformat()
    given = event("given", rng.choice([0, 1, 90]))
    if rng.random() < 0.5:
        given["valid_until"] = later
    if rng.random() >= odd:
        return [given]
    some = [name for name in raw["facets"] if name in raw["consent"]["required"] or rng.random() < 0.6]
    return rng.choice(
        [
            [],
            [event("refused", 3)],
            [given, event("withdrawn", -0.5)],
            [event("given", 50), event("withdrawn", 20)],
            [event("given", 50), event("withdrawn", 20), event("given", 1)],
            [event("given", 20), event("withdrawn", 20)],
            [event("refused", 9), event("given", 9)],
            [event("given", 60, valid_until=(at - timedelta(days=1)).isoformat())],
            [event("given", 60, valid_until=at.isoformat())],
            [event("given", -3)],
            [event("given", 9), event("given", 2, version="2025-01")],
            [event("given", 9, version="2025-01"), event("given", 2)],
            [event("given", 8), event("given", 8, categories=some)],
            [event("given", 8, categories=some)],
            [event("given", 8, categories=some)],
            [event("given", 8, categories=some)],
        ]
    )


def circumstances(rng: random.Random, ids: list[str], chance: float) -> dict[str, Any]:
    """Return what has happened between the members, and what they are busy with."""

    def pairs() -> set[tuple[str, str]]:
        return {(a, b) for a in ids for b in ids if a != b and rng.random() < chance / 8}

    return {
        "held": {member for member in ids if rng.random() < chance / 2},
        "blocks": pairs() | {("gone-1", rng.choice(ids))},
        "declined": pairs(),
        "connected": pairs(),
        "load": {member: rng.randint(0, 3) for member in ids if rng.random() < chance},
    }
