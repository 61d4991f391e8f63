"""What changes between two readings of a programme, and for how many of its members: numbers, never persons."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from matcher.consent import consented
from matcher.consent_events import PURPOSES
from matcher.errors import RecordError
from matcher.facets.concepts import Concepts
from matcher.people import Member
from matcher.programme import Programme

EFFECTIVE = {
    "programme.review": "review",
    "shortlist.limit": "limit",
    "shortlist.min_pool": "min_pool",
    "shortlist.lists_per_day": "lists_per_day",
    "shortlist.lists_per_30_days": "lists_per_30_days",
    "shortlist.additions": "additions",
    "privacy.reason_k": "reason_k",
    "privacy.reasons_a_card": "reasons_a_card",
}
"""Keys whose default the size class sets: they change with it, though the file does not name them."""


@dataclass(frozen=True)
class Change:
    """One key of the file that says something else; None: it is not there."""

    path: str
    before: Any
    after: Any

    @property
    def line(self) -> str:
        """How a person reads it."""
        if self.before is None:
            return f"+ {self.path} = {self.after}"
        return (
            f"- {self.path} = {self.before}" if self.after is None else f"~ {self.path}: {self.before} → {self.after}"
        )


@dataclass
class Effect:
    """What a change does to the stored members."""

    total: int = 0
    refused: int = 0
    """How many records could be read before and no longer can."""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(path, reason) → in how many records."""
    lost: Counter[str] = field(default_factory=Counter)
    """Purpose → for how many it is on now and no longer would be."""
    gained: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """Return what machines read."""
        return {
            "total": self.total,
            "refused": self.refused,
            "reasons": [{"path": p, "reason": r, "members": n} for (p, r), n in self.reasons.most_common()],
            "consent": {
                purpose: {"lost": self.lost[purpose], "gained": self.gained[purpose]}
                for purpose in PURPOSES
                if self.lost[purpose] or self.gained[purpose]
            },
        }


def changes(before: Programme, after: Programme) -> list[Change]:
    """Return every key that says something else, in the order of the new file, what is gone last."""
    old, new = _flat(before), _flat(after)
    return [
        Change(path, old.get(path), new.get(path)) for path in [*new, *(p for p in old if p not in new)]
        if old.get(path) != new.get(path)
    ]  # fmt: skip


def effect(records: Iterable[Mapping[str, Any]], before: Programme, after: Programme, at: datetime) -> Effect:
    """Read every stored record as the new programme would, and fold its consents; count what differs."""
    found = Effect()
    for record in records:
        found.total += 1
        try:
            old = Member.from_dict(record, before)
        except RecordError:
            continue  # it is in no list today, so nothing is lost
        try:
            new = Member.from_dict(record, after)
        except RecordError as error:
            found.refused += 1
            found.reasons.update({(_place(path), _reason(text)) for path, text in error.errors.items()})
            continue
        states = consented(old, before, at).state, consented(new, after, at).state
        was, will = ({purpose for purpose in PURPOSES if state.on(purpose)} for state in states)
        found.lost.update(was - will)
        found.gained.update(will - was)
    return found


def _flat(programme: Programme) -> dict[str, Any]:
    values = dict(_leaves(tomllib.loads(programme.source)))
    values.update({path: getattr(programme, name) for path, name in EFFECTIVE.items()})
    for name, facet in programme.facets.items():
        if isinstance(facet, Concepts):  # the file may keep its name and say something else
            values[f"facets.{name}.vocabulary"] = f"{facet.vocabulary.name} ({facet.vocabulary.digest[:12]})"
    for locale, digest in programme.policy_texts.items():
        values[f"consent.texts.{locale}"] = digest[:12]
    return values


def _leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from _leaves(value, where)
        else:
            yield where, value


def _place(path: str) -> str:
    """Return a path without positions, so that the same fault of many records counts as one."""
    return re.sub(r"\[\d+\]", "[]", path)


def _reason(message: str) -> str:
    """Return what is wrong without what was found: a value of a record is personal data."""
    if "found" not in message:
        return message
    start = message.find("expected ")
    return message[start:] if start >= 0 else "cannot be read"
