"""``peermatch synth``: a cohort of people who do not exist, to try everything with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from matcher import synthetic
from service.cli import output
from service.cli.progress import Progress


@click.command(epilog=output.example("peermatch synth --members 2000 --seed 7 --out cohort"))
@click.option("--members", type=click.IntRange(min=10, max=1_000_000), required=True, help="How many people.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed makes the same cohort."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="A new or an empty folder.")
@click.option("--force", is_flag=True, help="Write over a cohort that is in DIR.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    default=synthetic.AT,
    show_default=True,
    help="When the cohort's history ends, UTC.",
)
@output.json_option
def command(members: int, seed: int, out: Path, force: bool, at: datetime, as_json: bool) -> None:
    """Write a synthetic cohort into DIR: a programme, members, what happened among them, and the truth behind it.

    programme.toml and experiences.csv describe the programme; members.jsonl and feedback.jsonl are what `peermatch
    import` reads; groups.jsonl is for a later version; truth.jsonl has the true chances of a yes for pairs that were
    never shown, to judge a model by. Nobody in it is a real person.
    """
    synthetic.check_folder(out, force=force)  # before the work, not after it
    with Progress(f"making {members:,} people"):
        cohort = synthetic.generate(members, seed, at=at.replace(tzinfo=UTC))
        paths = synthetic.write(cohort, out, force=force)
    counts = cohort.counts()
    document = {"out": str(out), "seed": seed, "files": [path.name for path in paths], **counts}
    output.result(document, _lines(out, counts), as_json=as_json)


def _lines(out: Path, counts: dict[str, int]) -> Iterator[str]:
    yield f"Wrote a synthetic programme to {out}:"
    for name, count in counts.items():
        yield f"  {name + '.jsonl':16s} {count:>9,}"
    yield f"Next: peermatch init {out / 'programme.toml'}"
