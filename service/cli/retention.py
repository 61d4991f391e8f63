"""``peermatch retention``: deletes what the programmes keep no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from matcher.errors import PeermatchError
from service.cli import context, heads, output
from service.cli.progress import Progress
from service.live.refresher import builder, ensure
from service.settings import Settings
from service.store import Store, copying, erasure, programmes, retention, scrubbing
from service.store.erasure_ledger import Ledger
from service.store.retention import Due

COPIES: Final = timedelta(days=30)
"""For so long the copies are kept that migrations made: people who were erased since are in them."""
_NAMES: Final = {
    "lists": "lists",
    "feedback": "feedback events",
    "introductions": "introductions that were over",
    "events": "events that apps were told of",
    "holds": "holds that had ended",
    "replies": "replies kept for requests sent twice",
    "keys": "API keys that had expired",
    "members": "members erased, since nothing has been agreed to for too long",
    "lists_stripped": "lists of others that named somebody who is erased",
    "erasures": "notes for the workers about erasures",
    "audit": "entries of the audit log",
}


@dataclass
class _Run:
    """What was done of all programmes."""

    done: dict[str, Due] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)

    def attempt(self, what: str, do: Callable[[], object]) -> None:
        """Do something; where it fails the rest is done all the same, and the command fails at its end."""
        try:
            do()
        except PeermatchError as error:
            self.problems.append(f"{what}: {error.message}")
        except OSError as error:
            self.problems.append(f"{what}: {error.filename or ''} {error.strerror}")


@click.command(epilog=output.example("peermatch retention --dry-run", "peermatch retention"))
@click.option("--programme", "programme_id", metavar="ID", help="Which programme; all when left out.")
@click.option("--dry-run", is_flag=True, help="Only count what would be deleted.")
@output.json_option
def command(programme_id: str | None, dry_run: bool, as_json: bool) -> None:
    """Delete what [retention] of each programme says is kept no longer, and what nothing needs any more.

    Run it every night (deploy/peermatch-retention.timer). It can be interrupted and run again. Whoever is erased since
    nothing has been agreed to for too long is so for good: in the database, in lists and pools, and in the ledger
    that a restore replays. Exit code 1 if anything of it failed; the rest is done all the same.
    """
    where, now = context.settings(), context.now()
    run = _Run()
    with context.opened(where) as store, Progress("deleting") as progress:
        for one in _meant(store, programme_id):
            run.attempt(one, lambda one=one: _apply(store, one, now, dry_run, run, progress.advance))  # type: ignore[misc]
        if not dry_run:
            _afterwards(where, store, now, run)
    output.result(_document(run, dry_run), _lines(run, dry_run), as_json=as_json)
    if run.problems:
        raise click.exceptions.Exit(1)


def _meant(store: Store, programme_id: str | None) -> list[str]:
    with store.reading() as session:
        return programmes.identifiers(session) if programme_id is None else [context.chosen(session, programme_id)]


def _apply(
    store: Store, programme_id: str, now: datetime, dry_run: bool, run: _Run, advance: Callable[[int], None]
) -> None:
    with store.reading() as session:
        programme = programmes.load(session, programme_id)
        if dry_run:
            run.done[programme_id] = retention.due(session, programme, now)
            return
    run.done[programme_id] = Due()
    retention.apply(store, programme, now, done=run.done[programme_id], advance=advance)


def _afterwards(where: Settings, store: Store, now: datetime, run: _Run) -> None:
    """Have nothing of whoever was erased left outside the tables either."""
    run.attempt("erasures.ledger", lambda: erasure.sync(store, Ledger.of(where)))
    made = builder(where, store)
    for programme_id in run.done:
        # Also where nobody was erased now: a run that was interrupted may have left somebody in a pool.
        folder = made.folder(programme_id)
        if folder is not None and folder.is_dir():
            run.attempt(f"pool of {programme_id}", lambda one=programme_id: ensure(made, one, now))  # type: ignore[misc]
        heads.sign(store, programme_id, now)
    run.attempt("copies", lambda: _remove_copies(where, now, run))
    run.attempt("files of the database", lambda: scrubbing.scrub(store))


def _remove_copies(where: Settings, now: datetime, run: _Run) -> None:
    for copy in () if where.database_file is None else copying.copies(where.database_file):
        if copy.stat().st_mtime < (now - COPIES).timestamp():
            copy.unlink()
            run.copies.append(copy)


def _document(run: _Run, dry_run: bool) -> dict[str, Any]:
    return {
        "deleted": not dry_run,
        "programmes": {programme_id: asdict(done) for programme_id, done in run.done.items()},
        "copies_removed": [str(copy) for copy in run.copies],
        "problems": run.problems,
    }


def _lines(run: _Run, dry_run: bool) -> Iterator[str]:
    for programme_id, done in run.done.items():
        counts = [(name, count) for name, count in asdict(done).items() if count]
        what = "would be deleted" if dry_run else "deleted"
        yield f"{programme_id}: {what}:" if counts else f"{programme_id}: nothing was due."
        yield from (f"  {count:,} {_NAMES[name]}" for name, count in counts)
    for copy in run.copies:
        yield f"{copy}: removed, since it is older than {COPIES.days} days"
    for problem in run.problems:
        yield f"failed: {output.plain(problem)}"
