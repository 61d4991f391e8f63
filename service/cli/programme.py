"""``peermatch programme``: change a programme's file, knowing beforehand what that does to whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
from sqlalchemy.orm import Session

from matcher.errors import ModelError, PeermatchError
from matcher.model.artefact import prior_model
from matcher.programme import Programme
from service.cli import comparison, context, output
from service.cli.progress import track
from service.cli.publishing import load_model, new_version, published
from service.settings import Settings
from service.store import Store, audit, feed, members, models, programmes

_REASONS_SHOWN = 20


class ApplyError(PeermatchError):
    """The programme cannot be changed like this."""

    title = "The programme was not changed"


class State(NamedTuple):
    """What a plan depends on."""

    change: int
    """Number of the members' last change."""
    digest: str | None
    active: str | None
    """Version of the active model."""

    @classmethod
    def of(cls, session: Session, programme_id: str) -> State:
        """Return the state that a transaction sees."""
        change, _ = feed.latest(session, programme_id)
        active = models.active(session, programme_id)
        digest = programmes.digest(session, programme_id)
        return cls(change, digest, None if active is None else active.version)


@dataclass(frozen=True)
class Plan:
    """What applying a file would do."""

    before: Programme
    after: Programme
    changes: list[comparison.Change]
    effect: comparison.Effect
    misfit: str | None
    """Why the active model would no longer fit; None: it still does."""
    state: State
    """What the plan was made from; anything else, and its numbers no longer hold."""

    def document(self, *, applied: bool) -> dict[str, Any]:
        """Return what machines read."""
        return {
            "programme": self.after.id,
            "applied": applied,
            "changes": [{"path": c.path, "before": c.before, "after": c.after} for c in self.changes],
            "members": self.effect.document(),
            "model": {"fits": self.misfit is None, "reason": self.misfit},
        }


@click.group(epilog=output.example("peermatch programme apply programme.toml --dry-run"))
def command() -> None:
    """Show and apply changes of a programme file."""


@command.command(epilog=output.example("peermatch programme apply programme.toml --dry-run"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.toml")
@click.option("--dry-run", is_flag=True, help="Only say what would change, and for whom.")
@output.json_option
def apply(file: Path, dry_run: bool, as_json: bool) -> None:
    """Let FILE.toml take the place of the stored programme of the same id, and say what that changes, for whom.

    Refused, exit code 1, if stored records could no longer be read: bring those into the new form first (what a new
    file does not know can be left out under the old one too), then apply. A dry run exits with the same code.
    """
    where = context.settings()
    after = Programme.from_toml(file)
    now = context.now()
    with context.opened(where) as store:
        plan = _plan(where, store, after, now)
        refused = plan.effect.refused > 0
        applied = bool(plan.changes) and not dry_run and not refused
        if applied:
            _apply(where, store, plan, file.parent, now)
    output.result(plan.document(applied=applied), _lines(plan, applied=applied, dry_run=dry_run), as_json=as_json)
    if refused:
        raise click.exceptions.Exit(1)


def _plan(where: Settings, store: Store, after: Programme, now: datetime) -> Plan:
    with store.reading() as session:
        before = programmes.load(session, after.id)
        state = State.of(session, after.id)
        total = members.count(session, after.id)
        records = (stored.record for stored in members.all_members(session, after.id))
        effect = comparison.effect(track(records, "reading members", total), before, after, now)
    misfit = None
    if state.active is not None:
        try:
            load_model(where, after, state.active)
        except ModelError as error:
            misfit = error.message
    return Plan(before, after, comparison.changes(before, after), effect, misfit, state)


def _apply(where: Settings, store: Store, plan: Plan, base: Path, now: datetime) -> None:
    """Store the programme; where the active model no longer fits, the prior of the new file takes its place at once.

    Raises
    ------
    ApplyError
        If members, programme or active model changed since the plan was made.
    """
    programme = plan.after
    with ExitStack() as stack:
        model = None
        if plan.misfit is not None:
            model = prior_model(programme, new_version(now, "prior-"))
            stack.enter_context(published(where, model))
        session = stack.enter_context(store.transaction())
        if State.of(session, programme.id) != plan.state:
            raise ApplyError("members, model or programme changed meanwhile; run the command again")
        programmes.save(session, programme, base, now=now)
        if model is not None:
            models.add(session, programme.id, model.version, {}, now=now)
            models.activate(session, programme.id, model.version, now=now)
        told: dict[str, Any] = {"changes": len(plan.changes), "digest": programme.digest}
        told |= {} if model is None else {"model": model.version}
        audit.record(session, programme.id, "programme.applied", now=now, by=audit.COMMAND, **told)


def _lines(plan: Plan, *, applied: bool, dry_run: bool) -> Iterator[str]:
    if not plan.changes:
        yield f"{plan.after.id}: nothing to change, the file says what is stored."
        return
    yield f"{plan.after.id}: {len(plan.changes)} changes"
    yield from (f"  {output.plain(change.line)}" for change in plan.changes)
    yield from _effect_lines(plan.effect)
    if plan.misfit is not None:
        will = "serves" if applied else "would serve"
        yield f"The active model no longer fits ({plan.misfit.rstrip('.')}); the prior {will} until `peermatch train`."
    if plan.effect.refused:
        yield "Not applied. Bring these records into the new form (import or PUT them again), then apply."
    elif applied:
        yield "Applied."
    elif dry_run:
        yield "Nothing was changed (--dry-run)."


def _effect_lines(effect: comparison.Effect) -> Iterator[str]:
    yield f"Members: {effect.total:,}; {effect.refused:,} records could no longer be read"
    if effect.reasons:
        rows = [(count, path, reason) for (path, reason), count in effect.reasons.most_common(_REASONS_SHOWN)]
        yield from (f"  {line}" for line in output.table(("records", "where", "why"), rows))
    for purpose, counts in effect.document()["consent"].items():
        yield f"  {purpose}: off for {counts['lost']:,} members who have it on now, on for {counts['gained']:,} others"
