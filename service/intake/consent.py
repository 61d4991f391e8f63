"""``[consent]``: for what the people in a file have consented, and where that is on record. No part has a default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from matcher.consent_words import PEOPLE, PURPOSES
from matcher.errors import nearest, shown
from matcher.facets.base import ValueProblem
from matcher.programme import Programme
from matcher.records import written
from service.intake.condition import When, read_when
from service.intake.csvfile import Cells
from service.intake.draft import CellProblem, Draft
from service.intake.fields import Field, read_part
from service.intake.rule import Rule
from service.intake.section import Section
from service.intake.targets import Shape, Target, text_target

LONGEST: Final = 200
"""Characters of an event's `method`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRule:
    """One grant: some purposes, for the rows of which it holds."""

    purposes: tuple[str, ...]
    policy_version: str
    evidence: str
    """Where the grants are on record."""
    actor: str
    """Who told the organisation."""
    at: Field
    valid_until: Field | None
    guardian: Field | None
    categories: tuple[str, ...] | None
    when: When | None

    @property
    def rules(self) -> Iterator[Rule]:
        """The rules of all parts that may read columns."""
        parts = [part for part in (self.at, self.valid_until, self.guardian) if part is not None]
        return (rule for part in parts for rule in part.rules)

    def events(self, cells: Cells, draft: Draft, now: datetime) -> list[dict[str, object]]:
        """Return the consent events of a row; none where the condition does not hold or a part is at fault."""
        if self.when is not None and not self.when.holds(cells):
            return []
        event: dict[str, object] = {"decision": "given", "policy_version": self.policy_version}
        for key, part in (("at", self.at), ("valid_until", self.valid_until)):
            if part is None:
                continue
            moment = part.read(cells, draft)
            if part.target.path in draft.errors:
                return []
            try:
                event[key] = _instant(moment, key, now)
            except CellProblem as problem:
                draft.fail(part.target.path, problem.message)
                return []
        if self.categories is not None:
            event["categories"] = list(self.categories)
        guardian = self.guardian.read(cells, draft) if self.guardian is not None else None
        if guardian is not None:
            event["guardian"] = guardian
        event |= {"actor": self.actor, "method": shortened(self.evidence)}
        return [{"purpose": purpose} | event for purpose in self.purposes]


def read_consent(section: Section, programme: Programme, now: datetime) -> ConsentRule:
    """Return the rule of one ``[consent]`` table; raise ProgrammeError with key, found and expected."""
    purposes = section.strings("purposes", minimum=1)
    for purpose in purposes:
        if purpose not in PURPOSES:
            section.fail("purposes", purpose, f"some of {', '.join(PURPOSES)}{nearest(purpose, PURPOSES)}")
    version = section.string("policy_version")
    if version != programme.policy_version:
        hint = "; consent to another version is none: ask these people again"
        section.fail("policy_version", version, f"{programme.policy_version!r}, the programme's own{hint}")
    rule = ConsentRule(
        purposes=purposes,
        policy_version=version,
        evidence=section.string("evidence"),
        actor=section.string("actor", default="staff", choices=PEOPLE),
        at=_moment(section, "at", now),
        valid_until=_moment(section, "valid_until", now) if "valid_until" in section else None,
        guardian=read_part(section, "guardian", text_target("consents.guardian")) if "guardian" in section else None,
        categories=_categories(section, programme),
        when=read_when(section),
    )
    section.finish()
    return rule


def shortened(evidence: str) -> str:
    """Return as much of the words for the evidence as an event keeps."""
    words = evidence.strip()
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1].rstrip()}…"


def _categories(section: Section, programme: Programme) -> tuple[str, ...] | None:
    categories = section.strings("categories", default=None)
    for name in categories or ():
        if name not in programme.facets:
            section.fail("categories", name, f"facets of the programme{nearest(name, programme.facets)}")
    return categories


def _moment(section: Section, key: str, now: datetime) -> Field:
    """Return the rule of a moment: a TOML date and time with its zone, ISO 8601 as text, or a column of that."""

    def check(value: object) -> object:
        try:
            return _instant(value, key, now)
        except CellProblem as problem:
            raise ValueProblem(problem.message) from None

    return read_part(section, key, Target(f"consents.{key}", Shape.TEXT, check))


def _instant(value: object, key: str, now: datetime) -> str:
    """Return a moment in UTC as records write it."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        moment = moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        found = "nothing" if value is None else shown(str(value))
        raise CellProblem(f"found {found}; expected an ISO 8601 date and time with its zone")
    if key == "at" and moment > now:
        raise CellProblem(f"found {shown(str(value))}, which is in the future; expected when consent was given")
    return written(moment)
