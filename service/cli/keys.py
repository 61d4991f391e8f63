"""``peermatch keys``: the API keys of a programme, and the key that everything stored is sealed with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import click
from sqlalchemy.orm import Session

from service.cli import context, key_arguments, keys_data, output
from service.cli.durations import length_option
from service.security import SCOPES
from service.store import audit, key_rotation, keys
from service.store.keys import ApiKey, ApiKeyError

EXPIRES_HELP: Final = "Open for so long (90d, 24h), or until the beginning of a UTC day (2026-12-31)."


@click.group(
    epilog=output.example(
        "peermatch keys create --scope match --scope feedback --label 'app, live' --expires 365d",
        "peermatch keys list",
        "peermatch keys rotate 3f8k2m1x9q7w5e0r --overlap 24h",
        "peermatch keys revoke 3f8k2m1x9q7w5e0r",
        "peermatch keys rotate --data",
    )
)
def command() -> None:
    """Create, list, rotate and revoke API keys, and rotate the data key.

    A key opens one programme, for its scopes. It is printed once, when it is made: only a digest of it is kept.
    """


@command.command(epilog=output.example("peermatch keys create --scope match --scope feedback --expires 365d"))
@click.option("--scope", "scopes", multiple=True, required=True, metavar="SCOPE", help=f"Any of {', '.join(SCOPES)}.")
@click.option("--label", default="", metavar="TEXT", help="What it is for, in your words; never who.")
@click.option("--expires", metavar="WHEN", help=EXPIRES_HELP)
@click.option("--per-minute", metavar="N|none", help="Requests a minute; left out: as PEERMATCH_RATE_LIMIT says.")
@context.programme_option
@output.json_option
def create(
    scopes: tuple[str, ...],
    label: str,
    expires: str | None,
    per_minute: str | None,
    programme_id: str | None,
    as_json: bool,
) -> None:
    """Make a key with the scopes given, and print it this once."""
    now = context.now()
    ends, bound = key_arguments.until(expires, now), key_arguments.bound(per_minute)
    with context.opened(context.settings()) as store, store.transaction() as session:
        programme_id = context.chosen(session, programme_id)
        token = keys.create(session, programme_id, scopes, now=now, expires_at=ends, label=label, per_minute=bound)
        told: dict[str, Any] = {"key": token.key_id, "scopes": sorted(set(scopes)), "expires": ends is not None}
        audit.record(session, programme_id, "key.created", now=now, by=audit.COMMAND, **told)
    document = {
        "programme": programme_id,
        "key_id": token.key_id,
        "api_key": token.text,
        "scopes": sorted(set(scopes)),
        "label": label,
        "expires_at": _written(ends),
        "per_minute": bound,
    }
    output.result(document, _printed(token.text, ends), as_json=as_json)


@command.command("list", epilog=output.example("peermatch keys list --programme lantern"))
@context.programme_option
@output.json_option
def list_(programme_id: str | None, as_json: bool) -> None:
    """List the keys of a programme, oldest first: never a secret."""
    now = context.now()
    with context.opened(context.settings()) as store, store.reading() as session:
        programme_id = context.chosen(session, programme_id)
        found = keys.list_keys(session, programme_id)
    rows = [
        (
            key.key_id,
            key.label,
            _said(key.created_at),
            _said(key.expires_at),
            _state(key, now),
            " ".join(sorted(key.scopes)),
        )
        for key in found
    ]
    lines = output.table(("id", "label", "created (UTC)", "expires (UTC)", "state", "scopes"), rows)
    document = {"programme": programme_id, "keys": [_summary(key, now) for key in found]}
    output.result(document, lines, as_json=as_json)


@command.command(
    epilog=output.example(
        "peermatch keys rotate 3f8k2m1x9q7w5e0r --overlap 24h",
        "peermatch keys rotate --data",
        "peermatch keys rotate --data --drop-old",
    )
)
@click.argument("key_id", required=False, metavar="[KEY_ID]")
@click.option(
    "--overlap",
    metavar="LENGTH",
    callback=length_option,
    default="24h",
    show_default=True,
    help="For so long the old key stays open (0s: not).",
)
@click.option("--expires", metavar="WHEN", help=f"Of the new key. {EXPIRES_HELP} Left out: as long as the old one had.")
@click.option("--data", "of_data", is_flag=True, help="Rotate the data key, with which what is stored is sealed.")
@click.option("--drop-old", is_flag=True, help="With --data: take the old data keys out of the file.")
@context.programme_option
@output.json_option
@click.pass_context
def rotate(
    ctx: click.Context,
    key_id: str | None,
    overlap: timedelta,
    expires: str | None,
    of_data: bool,
    drop_old: bool,
    programme_id: str | None,
    as_json: bool,
) -> None:
    """Make a new key in place of KEY_ID: the same scopes, label and bound. The old one stays open for a while.

    Two keys are open at most: while the one before is open, the new one is not rotated again. With --data everything
    that is stored is sealed with a new data key instead; the service goes on meanwhile. Interrupted, run it again.
    """
    if (key_id is None) == (not of_data) or (drop_old and not of_data):
        ctx.fail("expected KEY_ID, or --data, or --data --drop-old.")
    if key_id is None:
        keys_data.rotate(as_json=as_json) if not drop_old else keys_data.drop_old(as_json=as_json)
        return
    now = context.now()
    with context.opened(context.settings()) as store, store.transaction() as session:
        programme_id = context.chosen(session, programme_id)
        made = _rotate(
            session, programme_id, key_arguments.key_id_of(key_id), now, overlap, key_arguments.until(expires, now)
        )
    document = {
        "programme": programme_id,
        "key_id": made.token.key_id,
        "api_key": made.token.text,
        "expires_at": _written(made.expires_at),
        "replaces": key_id,
        "old_until": _written(made.old_until),
    }
    lines = [*_printed(made.token.text, made.expires_at), f"{key_id} is open until {_said(made.old_until)} UTC."]
    output.result(document, lines, as_json=as_json)


def _rotate(
    session: Session, programme_id: str, key_id: str, now: datetime, overlap: timedelta, until: datetime | None
) -> key_rotation.Rotated:
    made = key_rotation.rotate(session, programme_id, key_id, now=now, overlap=overlap, expires_at=until)
    told: dict[str, Any] = {"key": made.token.key_id, "replaces": key_id}
    audit.record(session, programme_id, "key.rotated", now=now, by=audit.COMMAND, **told)
    return made


@command.command(epilog=output.example("peermatch keys revoke 3f8k2m1x9q7w5e0r"))
@click.argument("key_id")
@context.programme_option
@output.json_option
def revoke(key_id: str, programme_id: str | None, as_json: bool) -> None:
    """Revoke a key: it opens nothing from the next request on, on every worker, and is forgotten."""
    now = context.now()
    key_id = key_arguments.key_id_of(key_id)
    with context.opened(context.settings()) as store, store.transaction() as session:
        programme_id = context.chosen(session, programme_id)
        if not keys.revoke(session, programme_id, key_id):
            raise ApiKeyError("KEY_ID: this programme has no such key; `peermatch keys list` shows them")
        audit.record(session, programme_id, "key.revoked", now=now, by=audit.COMMAND, key=key_id)
    output.result({"programme": programme_id, "revoked": key_id}, [f"{key_id} opens nothing now."], as_json=as_json)


def _state(key: ApiKey, now: datetime) -> str:
    if not key.is_open(now):
        return "expired"
    return "replaced" if key.replaced_by else "open"


def _summary(key: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "label": key.label,
        "scopes": sorted(key.scopes),
        "created_at": _written(key.created_at),
        "expires_at": _written(key.expires_at),
        "per_minute": key.per_minute,
        "replaced_by": key.replaced_by,
        "state": _state(key, now),
    }


def _printed(text: str, until: datetime | None) -> Iterable[str]:
    yield f"API key  {text}"
    yield "         shown only now: keep it as a secret"
    yield "         open until it is revoked" if until is None else f"         open until {_said(until)} UTC"


def _said(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def _written(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"
