"""A small programme with every gate, and two members who match: each test breaks one thing."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matcher.facade import Matcher
from matcher.matching.pool import Circumstances
from matcher.people import Member
from matcher.programme import Programme
from tests.cohorts import to_toml

Record = dict[str, Any]
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PURPOSES = ("match_serve", "be_shown_as_peer", "show_reasons", "train_model")
EXPERIENCES = "code,label,parent\nsurgery,Surgery,\nlumpectomy,Lumpectomy,surgery\ndriving,Driving,\nfatigue,Fatigue,\n"
PROGRAMME: dict[str, Any] = {
    "programme": {
        "id": "pairs",
        "name": "Pairs",
        "pairing": "mentor",
        "size": "small",
        "review": "none",
        "confidentiality": "agreement-1",
    },
    "consent": {
        "policy_version": "1",
        "required": ["journey", "availability", "languages", "channel", "severity"],
    },
    "ages": {"bands": ["13-17", "18-30", "31+"], "minors": ["13-17"], "minors_policy": "refuse"},
    "shortlist": {"min_pool": 1, "quality_floor": 0.0},
    "facets": {
        "experiences": {"kind": "concepts", "vocabulary": "experiences.csv", "weight": 2.0, "show": True},
        "needs": {"kind": "concepts", "vocabulary": "experiences.csv", "against": "experiences", "weight": 3.0},
        "journey": {"kind": "ordinal", "levels": ["new", "treated", "after"], "direction": "ahead", "by": 1},
        "mood": {"kind": "ordinal", "levels": ["low", "middle", "high"], "direction": "more"},
        "gender": {"kind": "choice", "values": ["woman", "man"], "weight": 1.0},
        "hobbies": {"kind": "tags", "values": ["music", "chess"], "weight": 1.0},
        "availability": {"kind": "week"},
        "languages": {"kind": "languages"},
        "channel": {"kind": "tags", "values": ["phone", "text"], "min_shared": 1},
        "severity": {"kind": "ordinal", "levels": ["low", "moderate", "high"], "guard": "not_both_highest"},
        "boundaries": {"kind": "concepts", "vocabulary": "experiences.csv", "excludes": "needs"},
    },
}


def programme(**changes: dict[str, Any]) -> Programme:
    """Return the programme with some keys of some tables changed: ``programme={"pairing": "mutual"}``."""
    raw = copy.deepcopy(PROGRAMME)
    for table, keys in changes.items():
        raw[table].update(keys)
    return from_raw(raw, {"experiences.csv": EXPERIENCES})


def from_raw(raw: dict[str, Any], vocabularies: dict[str, str]) -> Programme:
    """Read a programme and its vocabularies."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in vocabularies.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return Programme.from_text(to_toml(raw), Path(folder))


def consents(*purposes: str, **more: Any) -> list[Record]:
    """Return grants of some purposes."""
    head = {"decision": "given", "policy_version": "1", "at": "2026-01-01T00:00:00Z"}
    return [{"purpose": purpose, **head, **more} for purpose in purposes]


def person(member_id: str, **changes: Any) -> Record:
    """Return somebody who may seek and support and passes every gate."""
    profile = {
        "experiences": ["lumpectomy"],
        "needs": ["driving"],
        "journey": "treated",
        "mood": "middle",
        "gender": "woman",
        "hobbies": ["music"],
        "availability": {"tz": "Europe/London", "slots": ["mon 18:00-20:00"]},
        "languages": ["en"],
        "channel": ["phone"],
        "severity": "low",
        "boundaries": ["fatigue"],
    }
    record = {
        "member_id": member_id,
        "roles": ["seeker", "supporter"],
        "age_band": "31+",
        "capacity": 1,
        "vetted": True,
        "agreements": ["agreement-1"],
        "profile": {**profile, **changes.pop("profile", {})},
        "wants": {},
        "consents": consents(*PURPOSES),
        **changes,
    }
    record["profile"] = {name: value for name, value in record["profile"].items() if value is not None}
    return {key: value for key, value in record.items() if value is not None}


def fitted(programme: Programme, records: Iterable[Record], **facts: Any) -> Matcher:
    """Fit a matcher on records under circumstances."""
    members = [Member.from_dict(record, programme) for record in records]
    at = facts.pop("at", AT)
    circumstances = Circumstances(
        **{
            "held": frozenset(),
            "blocks": frozenset(),
            "declined": frozenset(),
            "connected": frozenset(),
            "load": {},
            **facts,
        }
    )
    return Matcher(programme).fit(members, at=at, circumstances=circumstances)


def ids(matcher: Matcher, seeker: str, limit: int | None = None) -> list[str]:
    """Return the member ids of a list, in order."""
    return [entry.member_id for entry in matcher.match(seeker, limit)]
