"""``peermatch report``: the figures of a programme."""

from __future__ import annotations

from datetime import datetime

import click

from service.cli import context, output, pools
from service.cli.progress import Progress
from service.reports import OF_NOW, REPORTS, report
from service.reports.asking import Asking, Period
from service.reports.shape import HEADER, Report
from service.store import audit
from service.store.audit import COMMAND

DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    epilog=output.example(
        "peermatch report waiting --programme lantern",
        "peermatch report retention --from 2026-01-01 --to 2026-03-31 --csv > retention.csv",
    )
)
@click.argument("name", type=click.Choice(list(REPORTS)))
@context.programme_option
@click.option("--from", "first", type=DAY, help="The first UTC day that counts.")
@click.option("--to", "last", type=DAY, help="The last UTC day that counts.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to stdout, one row a value.")
@output.json_option
def command(
    name: str, programme_id: str | None, first: datetime | None, last: datetime | None, as_csv: bool, as_json: bool
) -> None:
    """Show the report NAME of a programme.

    Fewer people than the programme's `reason_k` are never told of. That it was read is in the audit log.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json: found both; expected one of them.")
    if name in OF_NOW and (first or last):
        raise click.UsageError(f"--from, --to: {name} is about now; leave them out.")
    if first and last and last < first:
        raise click.UsageError("--to: found a day before --from; expected that day or a later one.")
    period = Period(first.date() if first else None, last.date() if last else None)
    found = _made(name, programme_id, period)
    if as_csv:
        click.echo(found.to_csv(), nl=False)
        return
    rows = [("suppressed" if one[5] else one[4], *one[1:4]) for one in found.rows()]
    lines = output.table(("value", *HEADER[1:4]), rows)
    output.result(found.to_dict(), lines, as_json=as_json)


def _made(name: str, programme_id: str | None, period: Period) -> Report:
    where, now = context.settings(), context.now()
    with context.opened(where) as store:
        with store.reading() as session:
            chosen = context.chosen(session, programme_id)
        held = pools.pools(where, store)
        held.let_time_pass(chosen, now)
        with store.reading() as session:
            programme = held.programmes.get(session, chosen)
        with Progress("counting"), store.hot.reading() as reader:
            found = report(name, Asking(reader, programme, now, period))
        with store.transaction() as session:
            audit.record(session, chosen, "report.read", now=now, by=COMMAND, name=name)
    return found
