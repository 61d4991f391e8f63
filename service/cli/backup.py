"""``peermatch backup``: everything of this installation but its keys, in one encrypted file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from matcher.records import written
from service.backup.making import Made, make
from service.cli import context, heads, output
from service.cli.private import private_files
from service.cli.progress import Progress
from service.store import programmes


@click.command(epilog=output.example("peermatch backup /backups/peermatch-2026-03-04.backup"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@output.json_option
def command(file: Path, as_json: bool) -> None:
    """Write every programme with its members, feedback and models to FILE, which must be new.

    The service may run meanwhile: what is written is as of one moment. FILE is encrypted with a key derived from the
    secret key, and can be restored into SQLite and PostgreSQL alike. It holds neither secret.key nor data.keys: keep
    secret.key elsewhere; without it no backup can be opened.
    """
    where, now = context.settings(), context.now()
    with private_files(), context.opened(where) as store:
        with Progress("writing the backup") as progress:
            made = make(where, store, file, now=now, advance=progress.advance)
        with store.reading() as session:
            known = programmes.identifiers(session)
        for programme_id in known:
            heads.sign(store, programme_id, now)
    header = made.header
    document = {
        "file": str(made.file),
        "created": written(header.created),
        "revision": header.revision,
        "bytes": made.bytes,
        "programmes": header.programmes,
        "members": header.members,
        "rows": header.rows,
        "models": made.models,
        "missing_models": made.missing,
    }
    output.result(document, _lines(made), as_json=as_json)


def _lines(made: Made) -> Iterator[str]:
    header = made.header
    yield (
        f"{made.file}: {header.programmes:,} programmes, {header.members:,} members, {header.rows:,} rows, "
        f"{made.models:,} models, {made.bytes / 1e6:,.1f} MB"
    )
    for name in made.missing:
        yield f"  the files of the model {name} are missing: `peermatch doctor` says more"
    yield "Keep the file apart from secret.key, which alone opens it."
