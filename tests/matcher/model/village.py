"""A small mentor programme whose members accept by shared hobbies, and what happened in it; deterministic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from tests.matcher.lantern import HERE

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = bytes(range(32))
HOBBIES = ("music", "chess", "walking", "cooking", "painting", "birds")
REGIONS = ("north", "south", "east", "west")
LEVELS = ("new", "settling", "steady", "long_term")
CODES = ("lumpectomy", "mastectomy", "chemotherapy", "radiotherapy", "driving_again", "back_to_work")
TEXT = f"""
[programme]
id = "village"
name = "Village & friends"
pairing = "mentor"
[consent]
policy_version = "1"
[ages]
bands = ["18-39", "40+"]
[privacy]
reason_k = 5
[facets.hobbies]
kind = "tags"
values = {list(HOBBIES)}
weight = 1.0
[facets.region]
kind = "choice"
values = {list(REGIONS)}
weight = 2.0
[facets.journey]
kind = "ordinal"
levels = {list(LEVELS)}
direction = "ahead"
weight = 1.0
[facets.experiences]
kind = "concepts"
vocabulary = "experiences.csv"
weight = 1.0
"""
VILLAGE = Programme.from_text(TEXT, HERE)


def programme(*changes: tuple[str, str]) -> Programme:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return Programme.from_text(text, HERE)


def record(
    member_id: str, *, train: bool = True, roles: tuple[str, ...] = ("seeker",), **profile: Any
) -> dict[str, Any]:
    purposes = ["match_serve", "be_shown_as_peer", *(["train_model"] if train else [])]
    event = {"decision": "given", "policy_version": "1", "at": "2026-01-01T00:00:00Z"}
    consents = [{"purpose": purpose, **event} for purpose in purposes]
    base = {"member_id": member_id, "roles": list(roles), "age_band": "40+", "vetted": True, "consents": consents}
    return {**base, "profile": profile}


def people(seekers: int = 60, supporters: int = 60, seed: int = 0, train: float = 1.0) -> list[dict[str, Any]]:
    """Return records; each value is known with probability .85."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(seekers + supporters):
        full: dict[str, Any] = {
            "hobbies": [str(h) for h in rng.permutation(HOBBIES)[: rng.integers(1, 4)]],
            "region": str(rng.choice(REGIONS)),
            "journey": str(rng.choice(LEVELS)),
            "experiences": [str(c) for c in rng.permutation(CODES)[: rng.integers(0, 3)]],
        }
        profile = {name: value for name, value in full.items() if rng.random() < 0.85}
        role = "seeker" if number < seekers else "supporter"
        kind = role[:3]
        made.append(record(f"{kind}-{number:04}", train=rng.random() < train, roles=(role,), **profile))
    return made


def members(records: list[dict[str, Any]], of: Programme = VILLAGE) -> list[Member]:
    return [Member.from_dict(each, of) for each in records]


def event(seeker: str, candidate: str, what: str, days: float, **more: Any) -> Feedback:
    """Return an event `days` before `AT`."""
    return Feedback(seeker, candidate, what, AT - timedelta(days=days), **more)


def history(records: list[dict[str, Any]], seed: int = 0, lists: int = 20, taste: float = 4.0) -> list[Feedback]:
    """Return what happened: each seeker is shown `lists` supporters, and likes those who share hobbies, not region."""
    rng = np.random.default_rng(seed)
    seekers = [each for each in records if "seeker" in each["roles"]]
    supporters = [each for each in records if "supporter" in each["roles"]]
    events = []
    for seeker in seekers:
        chosen = rng.choice(len(supporters), size=min(lists, len(supporters)), replace=False)
        for rank, supporter in enumerate((supporters[place] for place in chosen), start=1):
            pair = seeker["member_id"], supporter["member_id"]
            mine, theirs = (set(each["profile"].get("hobbies", [])) for each in (seeker, supporter))
            likeness = len(mine & theirs) / max(1, len(mine))
            events.append(event(*pair, "shown", 40, rank=rank, propensity=1 / rank**0.5))
            if rng.random() > 1 / rank**0.5:
                continue
            events.append(event(*pair, "viewed", 39.9))
            if rng.random() < 1 / (1 + np.exp(2.5 - taste * likeness)):
                events.append(event(*pair, "accepted", 39.8))
                events.append(event(*pair, "accepted" if rng.random() < 0.5 else "declined", 38, by="candidate"))
            else:
                events.append(event(*pair, "declined", 39.8))
    return events
