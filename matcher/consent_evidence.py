"""What bears a decision about consent out: who told it, how, in which language, and the text that was agreed to."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from matcher.consent_words import ACTORS, DECISIONS, PEOPLE, SYSTEM, SYSTEM_DECISIONS
from matcher.errors import shown
from matcher.facets.languages import TAG, canonical
from matcher.programme import Programme
from matcher.records import Fields

HASH_PATTERN: Final = "[0-9a-f]{64}"
_HASH = re.compile(HASH_PATTERN)
_ONE_ACTOR = f"one of {', '.join(ACTORS)}"
_TAG = "a BCP 47 tag such as en or pt-BR"
_A_HASH = "the SHA-256 of the text that was agreed to, 64 characters of 0-9 a-f"


class Evidence(NamedTuple):
    """The parts of an event that say how it came to be; None: not told."""

    actor: str | None = None
    method: str | None = None
    locale: str | None = None
    policy_hash: str | None = None


_NONE: Final = Evidence()


def read_evidence(fields: Fields, decision: str | None, programme: Programme, *, current: bool) -> Evidence:
    """Return the evidence in the fields of an event, noting what is wrong with it.

    Parameters
    ----------
    fields : Fields
        Of the event.
    decision : str or None
        Of the event; None: unknown.
    programme : Programme
        Whose texts a hash is compared with.
    current : bool
        Whether the event is of the programme's present policy version.
    """
    if decision in DECISIONS and fields.values.keys().isdisjoint(Evidence._fields):
        return _NONE  # as most events have it, and reading it field by field takes its time
    actor = fields.text("actor", _ONE_ACTOR, required=False, choices=ACTORS)
    _check_actor(fields, decision, actor)
    evidence = Evidence(
        actor,
        fields.text("method", "how or where it was told", required=False),
        _locale(fields),
        _hash(fields),
    )
    if current and decision == "given":  # a "no" is one, whatever text was read
        _check_hash(fields, evidence, programme)
    return evidence


def _check_actor(fields: Fields, decision: str | None, actor: str | None) -> None:
    """Note a decision of people that the service is said to have made, and the reverse."""
    if decision in SYSTEM_DECISIONS and actor != SYSTEM:
        what = "missing" if actor is None else f"found {actor!r}"
        fields.note(
            "actor", f"{what}; expected {SYSTEM!r}, for what is {decision} the service notes, and nobody decides"
        )
    elif decision in DECISIONS and actor == SYSTEM:
        people = ", ".join(PEOPLE)
        fields.note("actor", f"found {SYSTEM!r}; expected one of {people}, or none: what is {decision}, people decide")


def _locale(fields: Fields) -> str | None:
    """Return the language tag in customary case."""
    tag = fields.text("locale", _TAG, required=False)
    if tag is None:
        return None
    if not TAG.fullmatch(tag):
        fields.note("locale", f"found {shown(tag)}; expected {_TAG}")
        return None
    return canonical(tag)


def _hash(fields: Fields) -> str | None:
    value = fields.text("policy_hash", _A_HASH, required=False)
    if value is not None and not _HASH.fullmatch(value):
        fields.note("policy_hash", f"found {shown(value)}; expected {_A_HASH}")
        return None
    return value


def _check_hash(fields: Fields, evidence: Evidence, programme: Programme) -> None:
    """Note a hash that is not that of the programme's text in the same language."""
    told, text = evidence.policy_hash, programme.policy_texts.get(evidence.locale or "")
    if told is not None and text is not None and told != text:
        fields.note(
            "policy_hash",
            f"found {told[:12]}…; expected {text[:12]}…, the hash of the programme's text of this version in "
            f"{evidence.locale}; a text that has changed needs a policy_version of its own, and policy_hash may be "
            "left out",
        )
