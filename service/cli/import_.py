"""``peermatch import``: members, feedback, groups and blocks from files, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from matcher.programme import Programme
from service.cli import context, output
from service.cli.progress import Progress
from service.garbage import uncollected
from service.intake import blocks as blocks_intake
from service.intake import feedback as feedback_intake
from service.intake import groups as groups_intake
from service.intake import members as members_intake
from service.intake.outcome import Outcome
from service.store import Store, audit, programmes

REFUSALS_SHOWN = 20
WARNINGS_SHOWN = 20

_Command = TypeVar("_Command", bound=Callable[..., Any])


class ChangedMeanwhileError(PeermatchError):
    """The programme was changed while a file was checked against it."""

    title = "The programme was changed meanwhile"


def _common(what: _Command) -> _Command:
    """Add the arguments that every import takes."""
    for option in (
        output.json_option,
        click.option("--strict", is_flag=True, help="All or nothing: one bad row, and nothing is imported."),
        context.programme_option,
        click.argument("file", type=click.Path(path_type=Path)),
    ):
        what = option(what)
    return what


@click.group(
    epilog=output.example(
        "peermatch import members members.jsonl --programme lantern",
        "peermatch import members survey.csv --mapping mapping.toml --programme lantern",
        "peermatch import feedback feedback.jsonl --programme lantern --strict",
        "peermatch import groups groups.jsonl --programme lantern",
        "peermatch import blocks blocks.csv --programme lantern",
    )
)
def command() -> None:
    """Import members, feedback, groups and blocks from files.

    Bad rows are listed with line and reason while good ones land; the exit code is 1 if any was refused. All that
    land do so in one transaction: an import that is interrupted has changed nothing.
    """


@command.command(
    epilog=output.example(
        "peermatch import members members.jsonl --programme lantern",
        "peermatch import members survey.csv --mapping mapping.toml --programme lantern --json",
    )
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="M.toml",
    help="How the columns of a CSV file become members; see docs/reference/mapping.md.",
)
@_common
@click.pass_context
def members(
    ctx: click.Context, file: Path, mapping: Path | None, programme_id: str | None, strict: bool, as_json: bool
) -> None:
    """Import members from FILE: .jsonl with records, or .csv.

    A member who is there already is replaced, but for consent: events stored since stand beside those of the file,
    and the latest counts. Imported members can be matched at once.
    """
    now = context.now()
    with uncollected(), context.opened(context.settings()) as store:
        programme = _programme(store, programme_id)
        with Progress(f"reading {file.name}"):
            batch = members_intake.read_members(file, programme, mapping, now)
        new = replaced = 0
        with Progress("storing members"), store.transaction() as session:
            _unchanged(session, programme)
            members_intake.refuse_erased(session, programme, batch)
            if not _stopped(batch.outcome, strict):
                new, replaced = members_intake.store_members(session, programme, batch, now)
                _record(session, programme, "members.imported", batch.outcome, now, new)
    detail = f" ({new:,} new, {replaced:,} replaced)" if replaced else ""
    _finish(ctx, batch.outcome, "member", detail, as_json=as_json)


@command.command(epilog=output.example("peermatch import feedback feedback.jsonl --programme lantern"))
@_common
@click.pass_context
def feedback(ctx: click.Context, file: Path, programme_id: str | None, strict: bool, as_json: bool) -> None:
    """Import feedback from FILE: .jsonl, or .csv with the same names as columns.

    Both people of an event must be members already. The same event twice counts once.
    """
    now = context.now()
    with uncollected(), context.opened(context.settings()) as store:
        programme = _programme(store, programme_id)
        with Progress(f"reading {file.name}"):
            batch = feedback_intake.read_feedback(file, programme, now=now)
        new = 0
        with Progress("storing feedback"), store.transaction() as session:
            _unchanged(session, programme)
            feedback_intake.refuse_strangers(session, programme, batch)
            if not _stopped(batch.outcome, strict):
                new = feedback_intake.store_feedback(session, programme, batch)
                _record(session, programme, "feedback.imported", batch.outcome, now, new)
    detail = f" ({new:,} new)" if new != batch.outcome.accepted else ""
    _finish(ctx, batch.outcome, "event", detail, as_json=as_json)


@command.command(epilog=output.example("peermatch import groups groups.jsonl --programme lantern"))
@_common
@click.pass_context
def groups(ctx: click.Context, file: Path, programme_id: str | None, strict: bool, as_json: bool) -> None:
    """Import support groups from FILE: .jsonl with records, or .csv with the same names as columns.

    Who is in a group must be a member already. A group that is there already is replaced, with all who are in it.
    """
    now = context.now()
    with context.opened(context.settings()) as store:
        programme = _programme(store, programme_id)
        with Progress(f"reading {file.name}"):
            batch = groups_intake.read_groups(file, programme)
        new = replaced = 0
        with Progress("storing groups"), store.transaction() as session:
            _unchanged(session, programme)
            groups_intake.refuse_strangers(session, programme, batch)
            if not _stopped(batch.outcome, strict):
                new, replaced = groups_intake.store_groups(session, programme, batch, now)
                _record(session, programme, "groups.imported", batch.outcome, now, new)
    detail = f" ({new:,} new, {replaced:,} replaced)" if replaced else ""
    _finish(ctx, batch.outcome, "group", detail, as_json=as_json)


@command.command(epilog=output.example("peermatch import blocks blocks.csv --programme lantern"))
@_common
@click.pass_context
def blocks(ctx: click.Context, file: Path, programme_id: str | None, strict: bool, as_json: bool) -> None:
    """Import blocks from FILE: .jsonl, or .csv, with the fields a and b.

    Neither is shown to the other from then on, whichever of them asked for it. Both must be members already. Blocks
    that are there stay: a file only adds.
    """
    with context.opened(context.settings()) as store:
        programme = _programme(store, programme_id)
        with Progress(f"reading {file.name}"):
            batch = blocks_intake.read_blocks(file)
        new = 0
        with Progress("storing blocks"), store.transaction() as session:
            _unchanged(session, programme)
            blocks_intake.refuse_strangers(session, programme, batch)
            if not _stopped(batch.outcome, strict):
                new = blocks_intake.store_blocks(session, programme, batch, context.now())
                _record(session, programme, "blocks.imported", batch.outcome, context.now(), new)
    detail = f" ({new:,} new)" if new != batch.outcome.accepted else ""
    _finish(ctx, batch.outcome, "block", detail, as_json=as_json)


def _programme(store: Store, programme_id: str | None) -> Programme:
    with store.reading() as session:
        return programmes.load(session, context.chosen(session, programme_id))


def _unchanged(session: Session, programme: Programme) -> None:
    """Refuse to store what was checked against a programme that has changed since."""
    if programmes.digest(session, programme.id) != programme.digest:
        raise ChangedMeanwhileError(
            f"{programme.id} was changed while the file was read; nothing was imported: run it again"
        )


def _record(session: Session, programme: Programme, action: str, outcome: Outcome, now: datetime, new: int) -> None:
    """Have the audit log tell how many rows of a file landed, and nothing else of them."""
    told: dict[str, Any] = {"accepted": outcome.accepted, "new": new, "refused": len(outcome.refused)}
    audit.record(session, programme.id, action, now=now, by=audit.COMMAND, **told)


def _stopped(outcome: Outcome, strict: bool) -> bool:
    """Whether ``--strict`` keeps the good rows out; then the outcome says that none was accepted."""
    if not (strict and outcome.refused):
        return False
    if outcome.accepted:
        outcome.warnings.insert(0, f"--strict: nothing was imported; {_count(outcome.accepted, 'row')} would have been")
        outcome.accepted = 0
    return True


def _finish(ctx: click.Context, outcome: Outcome, what: str, detail: str, *, as_json: bool) -> None:
    output.result(outcome.to_dict(), _lines(outcome, what, detail), as_json=as_json)
    if outcome.refused:
        ctx.exit(1)


def _lines(outcome: Outcome, what: str, detail: str) -> Iterator[str]:
    refused = len(outcome.refused)
    yield f"{_count(outcome.accepted, what)} imported{detail}, {_count(refused, 'row')} refused"
    if refused:
        yield ""
        rows = [
            (refusal.line, refusal.id, path, message)
            for refusal in outcome.refused[:REFUSALS_SHOWN]
            for path, message in refusal.errors.items()
        ]
        yield from output.table(("line", "id", "where", "why it was refused"), rows)
        if refused > REFUSALS_SHOWN:
            yield f"… and {refused - REFUSALS_SHOWN:,} more rows; --json lists them all"
    if outcome.warnings:
        yield ""
        yield "Accepted, but worth knowing:"
        yield from (f"  {output.plain(warning)}" for warning in outcome.warnings[:WARNINGS_SHOWN])
        if len(outcome.warnings) > WARNINGS_SHOWN:
            yield f"  … and {len(outcome.warnings) - WARNINGS_SHOWN:,} more; --json lists them all"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
