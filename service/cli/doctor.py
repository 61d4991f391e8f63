"""``peermatch doctor``: looks at everything an installation needs, and says how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from service.cli import checks, context, output
from service.cli.check import FAIL, OK, WARN, Check
from service.cli.progress import Progress

MARKS = {OK: "ok  ", WARN: "warn", FAIL: "FAIL"}


@click.command(epilog=output.example("peermatch doctor", "peermatch doctor --json"))
@output.json_option
def command(as_json: bool) -> None:
    """Check settings, secret key, database, programmes, models and pools; say how to mend what is wrong.

    Changes nothing. Exit code 1 if a check failed; warnings alone exit with 0.
    """
    with Progress("checking"):
        found = list(checks.run(context.now()))
    worst = next((status for status in (FAIL, WARN) if any(check.status == status for check in found)), OK)
    output.result({"status": worst, "checks": [asdict(check) for check in found]}, _lines(found), as_json=as_json)
    if worst == FAIL:
        raise click.exceptions.Exit(1)


def _lines(found: list[Check]) -> Iterator[str]:
    width = max(len(check.name) for check in found)
    for check in found:
        yield f"{MARKS[check.status]}  {check.name:<{width}}  {output.plain(check.message)}"
        if check.way_out:
            yield f"      {'':<{width}}  → {output.plain(check.way_out)}"
    failed, warned = (sum(check.status == status for check in found) for status in (FAIL, WARN))
    yield f"{len(found)} checks: {failed} failed, {warned} with a warning."
