"""What the examples of several operations speak of: people of one small programme of mentors."""

from __future__ import annotations

from typing import Any

SEEKER = "m-000123"
NEWCOMER = "m-000124"
SUPPORTER = "m-000200"
PROFILE = {"experiences": ["lumpectomy"], "channel": ["phone"], "journey": "later"}


def consent(purpose: str) -> dict[str, str]:
    """Return a consent event as records write it."""
    return {"purpose": purpose, "decision": "given", "policy_version": "1", "at": "2026-02-02T12:00:00Z"}


RECORD: dict[str, Any] = {
    "roles": ["seeker"],
    "age_band": "35-64",
    "profile": PROFILE,
    "wants": {"experiences": {"importance": 2, "prefer": ["travel"]}},
    "consents": [consent("match_serve"), consent("show_reasons")],
}
STORED: dict[str, Any] = {
    "member_id": SEEKER,
    "roles": ["seeker", "supporter"],
    "age_band": "35-64",
    "capacity": 1,
    "vetted": True,
    "agreements": [],
    "profile": PROFILE,
    "wants": {},
    "strata": {},
    "consents": [consent("match_serve"), consent("be_shown_as_peer"), consent("show_reasons")],
}
REASON = {"facet": "experiences", "text": "Experiences in common: Lumpectomy"}


def shortlist(**more: str) -> dict[str, Any]:
    """Return the reply of a shortlist of one; `more` is told of that one."""
    one = {
        "rank": 1,
        "handle": "LNbcI3oIxhYyamOwyQILZg",
        "strength": "strong",
        "reasons": [REASON],
        "statement": None,
        **more,
    }
    return {
        "match_id": "H1MlGc43H0DYffccsb2uJw",
        "outcome": "matched",
        "reason": None,
        "model_version": "1",
        "fresh": True,
        "matches": [one],
        "waiting": None,
    }


def groups(**more: str) -> dict[str, Any]:
    """Return the reply of a list of one group; `more` is told of that one."""
    reply = shortlist(**more)
    reply["matches"][0]["reasons"] = [{"facet": "experiences", "text": "The group is about Lumpectomy"}]
    return reply


def problem(name: str, title: str, status: int, detail: str, **errors: str) -> dict[str, Any]:
    """Return a problem document; `errors` by path, with ``__`` for a dot."""
    told: dict[str, Any] = {"type": f"urn:peermatch:problem:{name}", "title": title, "status": status, "detail": detail}
    paths = {path.replace("__", "."): message for path, message in errors.items()}
    return {**told, "errors": paths} if paths else told
