"""``peermatch migrate``: brings the database of another release to the schema of this one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from service.cli import context, output
from service.cli.progress import Progress
from service.store import migrating
from service.store.migrating import Migrated, Plan
from service.store.schema import HEAD


@click.command(epilog=output.example("peermatch migrate --dry-run", "peermatch migrate"))
@click.option("--to", "target", metavar="REVISION", default=HEAD, show_default=True, help="The schema to bring it to.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--no-copy", is_flag=True, help="Keep no copy of the SQLite file as it was.")
@output.json_option
def command(target: str, dry_run: bool, no_copy: bool, as_json: bool) -> None:
    """Bring the database to the schema of this release, or to another one.

    Stop the service first: nobody else may use the database meanwhile. All of it is done or nothing; interrupted, it
    can be run again. A copy of the SQLite file as it was stays beside it; of PostgreSQL make one with pg_dump.
    Whoever was erased, as erasures.ledger in the home tells, is erased again. Exit code 1 if that failed.
    """
    where = context.settings()
    context.there(where)
    if dry_run:
        planned = migrating.plan(where, target)
        done = Migrated(planned, None, [])
    else:
        with Progress("migrating") as progress:
            done = migrating.migrate(where, target, now=context.now(), copy=not no_copy, advance=progress.advance)
    output.result(_document(done, dry_run), _lines(done, dry_run), as_json=as_json)
    if done.undone:
        raise click.exceptions.Exit(1)


def _document(done: Migrated, dry_run: bool) -> dict[str, Any]:
    planned = done.plan
    return {
        "from": planned.before,
        "to": planned.after,
        "steps": list(planned.steps),
        "migrated": not dry_run and bool(planned.steps),
        "copy": None if done.copy is None else str(done.copy),
        "notes": done.notes,
        "erased_again": done.erased,
        "ledger_lines_damaged": done.damaged,
        "left_to_do": [done.undone] if done.undone else [],
    }


def _lines(done: Migrated, dry_run: bool) -> Iterator[str]:
    planned = done.plan
    if not planned.steps:
        yield f"The database has schema {planned.after} already."
        yield from _erased(done)
        return
    yield from _told(planned, dry_run)
    yield from (f"  {note}" for note in done.notes)
    yield from _erased(done)
    if done.copy is not None:
        yield f"As it was it is in {done.copy} (0600). It is not sealed: remove it once all is well."


def _told(planned: Plan, dry_run: bool) -> Iterator[str]:
    yield f"{'It would go' if dry_run else 'The database went'} from schema {planned.before} to {planned.after}:"
    yield from (f"  {'up' if planned.up else 'back before'}: {step}" for step in planned.steps)


def _erased(done: Migrated) -> Iterator[str]:
    if done.erased:
        yield f"  {done.erased:,} members who had been erased are erased again, as erasures.ledger tells"
    if done.damaged:
        yield f"  {done.damaged:,} lines of erasures.ledger could not be read: whoever they name may be back"
    if done.undone:
        yield f"  left to do: {output.plain(done.undone)}; run `peermatch migrate` again"
