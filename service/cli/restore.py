"""``peermatch restore``: puts a backup into the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from matcher.records import written
from service.backup.restoring import Restored, restore
from service.cli import context, output
from service.cli.private import private_files
from service.cli.progress import Progress


@click.command(epilog=output.example("peermatch restore backup --dry-run", "peermatch restore backup"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Let it take the place of what is in the database.")
@click.option("--no-ledger", is_flag=True, help="There is no erasures.ledger: whoever was erased since comes back.")
@click.option("--dry-run", is_flag=True, help="Check the whole file and say what would be done.")
@output.json_option
def command(file: Path, replace: bool, no_ledger: bool, dry_run: bool, as_json: bool) -> None:
    """Put FILE, which `peermatch backup` wrote, into the database, which must be empty or is replaced.

    Stop the service first. The whole file is checked before anything is changed, and all of it is restored or nothing.
    Whoever was erased since stays erased, as erasures.ledger in the home tells. Where it takes the place of a
    database, so do withdrawals and all other decisions about consent, blocks, introductions, connections and holds made
    since; the programme files are those of the database, and so are the API keys.
    """
    where = context.settings()
    with private_files(), Progress("restoring") as progress:
        now = context.now()
        done = restore(
            where, file, replace=replace, dry_run=dry_run, now=now, no_ledger=no_ledger, advance=progress.advance
        )
    output.result(_document(done, dry_run), _lines(done, dry_run), as_json=as_json)


def _document(done: Restored, dry_run: bool) -> dict[str, Any]:
    header = done.header
    return {
        "restored": not dry_run,
        "created": written(header.created),
        "revision": header.revision,
        "programmes": header.programmes,
        "members": header.members,
        "rows": header.rows,
        "models": done.models,
        "replaced": done.replaced,
        "programmes_dropped": done.dropped,
        "erased_again": done.erased,
        "ledger_missing": done.ledger_missing,
        "ledger_lines_damaged": done.damaged,
        "kept": asdict(done.merged),
        "audit_logs_broken_off": done.broken_off,
        "left_to_do": done.undone,
    }


def _lines(done: Restored, dry_run: bool) -> Iterator[str]:
    header = done.header
    would = "Would restore" if dry_run else "Restored"
    yield (
        f"{would} {header.programmes:,} programmes with {header.members:,} members and {done.models:,} models, as of "
        f"{header.created:%Y-%m-%d %H:%M:%S} UTC."
    )
    yield f"  {done.erased:,} members who had been erased since are erased again"
    if done.replaced:
        yield from _kept(done)
    else:
        yield f"  What was decided after {header.created:%Y-%m-%d %H:%M} UTC is not known here: consents withdrawn,"
        yield "  blocks, holds, and API keys revoked since. Go through them before people are matched again."
    if done.ledger_missing and done.replaced:
        yield "  erasures.ledger was not there: who was erased is known from the database that was, and the backup"
    elif done.ledger_missing:
        yield "  there is no erasures.ledger: whoever was erased since the backup is back; erase them again"
    if done.damaged:
        yield f"  {done.damaged:,} lines of erasures.ledger could not be read: whoever they name may be back"
    for name in done.broken_off:
        yield f"  the audit log of {name} does not go on where the backup's ends; the backup's is kept"
    for name in done.dropped:
        yield f"  {name} was here and is not in the backup: it is gone"
    for what in done.undone:
        yield f"  left to do: {output.plain(what)}"


def _kept(done: Restored) -> Iterator[str]:
    kept = done.merged
    yield f"  {kept.decisions:,} decisions about consent made since are kept"
    if kept.withdrawn:
        yield f"  {kept.withdrawn:,} consents that no longer held, of members stored anew since, are withdrawn again"
    yield f"  {kept.blocks:,} pairs blocked or declined since are kept apart; {kept.holds:,} holds made since go on"
    yield f"  {kept.connections:,} pairs connected since stay connected"
    yield f"  {kept.introductions:,} introductions that were made since, or went on, are as they were"
    if kept.holds_back:
        yield f"  {kept.holds_back:,} holds that had been lifted since run again: lift them"
    yield f"  {kept.keys_closed:,} API keys revoked since stay closed; {kept.keys_since:,} made since stay open"
    for name in kept.programmes:
        yield f"  the file of {name} is another than the backup's, and stays: consents follow from it"
    if kept.members_lost:
        yield f"  {kept.members_lost:,} members who were added since are lost: import them again"
