"""The ``peermatch`` command: one file a command, loaded only when it is called.

Each module of :data:`COMMANDS` exposes ``command: click.Command``. Nothing heavy (numpy, SQLAlchemy, Flask) is imported
here, so that ``peermatch --help`` answers at once.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import click

from service.cli import errors, output

__all__ = ["COMMANDS", "main"]


class Entry(NamedTuple):
    """A command: the module that holds it, and its line in ``peermatch --help``."""

    module: str
    summary: str


# In the order in which somebody who starts out needs them.
COMMANDS = {
    "init": Entry("service.cli.init", "Create the database, a programme, its secret key and its first model."),
    "programme": Entry("service.cli.programme", "Show and apply changes of a programme file."),
    "import": Entry("service.cli.import_", "Import members and feedback from files."),
    "train": Entry("service.cli.train", "Learn a new model from the feedback and publish it."),
    "models": Entry("service.cli.models", "List, show, activate and roll back models."),
    "match": Entry("service.cli.match", "Show one member's shortlist as a coordinator sees it."),
    "serve": Entry("service.cli.serve", "Answer partner apps over HTTP."),
    "refresh": Entry("service.cli.refresh", "Make members who are still waiting visible at once."),
    "report": Entry("service.cli.report", "Show how long people wait, how long connections last, and who has places."),
    "keys": Entry("service.cli.keys", "Create, list, rotate and revoke API keys; rotate the data key."),
    "backup": Entry("service.cli.backup", "Write everything but the keys to one encrypted file."),
    "restore": Entry("service.cli.restore", "Put a backup into the database."),
    "retention": Entry("service.cli.retention", "Delete what the programmes keep no longer."),
    "migrate": Entry("service.cli.migrate", "Bring the database of another release to the schema of this one."),
    "doctor": Entry("service.cli.doctor", "Check this installation and say how to mend it."),
    "synth": Entry("service.cli.synth", "Write a synthetic cohort."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, and translates every error in one place."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of :data:`COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or ``None`` for a name that is not in the table."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve the command; for an unknown name say which is nearest."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            errors.unknown_command(ctx, args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever it raises leaves as one short message and an exit code."""
        with errors.translated(ctx):
            return super().invoke(ctx)


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
FIRST_STEPS = (
    "peermatch init programme.toml",
    "peermatch import members members.jsonl",
    "peermatch train",
    "peermatch serve",
)


@click.group(cls=LazyGroup, context_settings=SETTINGS, epilog=output.example(*FIRST_STEPS))
@click.version_option(package_name="peermatch", prog_name="peermatch")
def main() -> None:
    """Peermatch finds the right peer for a person in a peer-support programme: fairly, privately, with consent.

    Settings come from the environment: PEERMATCH_HOME (./var) holds the secret key and the models,
    PEERMATCH_DATABASE_URL names the database (SQLite in ./var unless given).
    """
    errors.prepare_streams()
