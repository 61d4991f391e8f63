"""Storing somebody again who was erased: only with a decision made since, so that no old file brings anybody back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from matcher.consent_events import ConsentEvent
from matcher.people import Member
from matcher.programme import Programme
from matcher.records import Problems, written
from service.intake.outcome import Outcome, Refusal
from service.store import audit, erasure, growth, members
from service.store.derived_keys import derived
from service.store.histories import is_same

WAY_OUT = "ask the person anew, or give another person an id that was never used"


def obstacles(member: Member, erased_at: datetime, kept: Collection[ConsentEvent] = ()) -> Problems:
    """Return by path what of a record stands in the way of storing it under an id whose member was erased.

    Parameters
    ----------
    erased_at : datetime
        When they last were.
    kept : collection of ConsentEvent
        What is on record of them, where they were stored again since: it stays as it is.
    """
    moment = written(erased_at)
    problems = {
        f"consents[{place}].at": f"found {written(event.at)}, and this id was erased at {moment}; expected a decision "
        "made later: leave this one out"
        for place, event in enumerate(member.consents)
        if event.at <= erased_at and not any(is_same(event, one) for one in kept)
    }
    if not kept and not any(event.decision == "given" and event.at > erased_at for event in member.consents):
        problems.setdefault(
            "consents", f"found no purpose given since this id was erased at {moment}; expected one at least: {WAY_OUT}"
        )
    return problems


def refuse(
    session: Session, programme: Programme, batch: dict[str, Member], lines: Mapping[str, int], outcome: Outcome
) -> list[str]:
    """Refuse members of a file who were erased and have decided nothing since; return who is stored again.

    Parameters
    ----------
    batch : dict of str to Member
        By id; whoever is refused is taken out of it.
    lines : mapping of str to int
        Where in the file each is.
    outcome : Outcome
        Gets the refusals.
    """
    moments = erasure.moments(session, programme.id)
    if not moments:
        return []
    keys = derived(session)
    erased = {name: moments.get(keys.erasure(programme.id, name)) for name in batch}
    named = {name: at for name, at in erased.items() if at is not None}
    restored = []
    for name, at in named.items():
        before = members.get(session, programme.id, name)
        kept = () if before is None else growth.kept_history(session, programme.id, name, before.record)
        problems = obstacles(batch[name], at, kept)
        if problems:
            del batch[name]
            outcome.refused.append(Refusal(lines[name], name, problems))
        elif before is None:
            restored.append(name)
    outcome.accepted = len(batch)
    outcome.refused.sort(key=lambda refusal: refusal.line)
    return restored


def tell_restored(session: Session, programme: Programme, names: list[str], now: datetime) -> None:
    """Write into the audit log that members who had been erased were stored again from a file."""
    for name in names:
        audit.record(session, programme.id, "member.restored", now=now, by=audit.COMMAND, subject=name)
