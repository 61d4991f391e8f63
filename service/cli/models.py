"""``peermatch models``: which models there are, which serves, and going back to an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from matcher.errors import ModelError, PeermatchError
from matcher.people import MEMBER_ID, MEMBER_ID_RULE
from service.cli import context, output
from service.cli.publishing import load_model
from service.included import learned_from
from service.settings import Settings
from service.store import Store, audit, models, programmes

_ANSWERS = {
    True: "It learned from this member.",
    False: "It did not learn from this member.",
    None: "Nobody can tell whether it learned from this member: its manifest is gone, or was not signed here.",
}


@click.group(epilog=output.example("peermatch models list --programme lantern"))
def command() -> None:
    """List, show, activate and roll back models."""


@command.command("list", epilog=output.example("peermatch models list --programme lantern"))
@context.programme_option
@output.json_option
def list_(programme_id: str | None, as_json: bool) -> None:
    """List the models of a programme, oldest first."""
    with context.opened(context.settings()) as store, store.reading() as session:
        programme_id = context.chosen(session, programme_id)
        found = models.list_models(session, programme_id)
    document = {"programme": programme_id, "models": [_summary(model) for model in found]}
    rows = [(model.version, _moment(model.created_at), "active" if model.active else "kept") for model in found]
    output.result(document, output.table(("version", "made (UTC)", "state"), rows), as_json=as_json)


@command.command(
    epilog=output.example(
        "peermatch models show --programme lantern",
        "peermatch models show 20260301T083000Z-1a2b3c --member m-000123 --programme lantern",
    )
)
@click.argument("version", required=False)
@click.option("--member", "member_id", metavar="ID", help="Tell whether the model learned from this member.")
@context.programme_option
@output.json_option
def show(version: str | None, member_id: str | None, programme_id: str | None, as_json: bool) -> None:
    """Show one model, the active one unless VERSION is given: what it was made from, and whether it can serve.

    The signature and the digests of all files are checked. Exit code 1 if the model cannot serve. With --member it is
    told whether it learned from somebody, whether they are a member or not; the audit log says that it was asked.
    """
    where = context.settings()
    with context.opened(where) as store:
        with store.reading() as session:
            programme_id = context.chosen(session, programme_id)
            programme = programmes.load(session, programme_id)
            stored = _find(models.list_models(session, programme_id), version)
        try:
            manifest, problem = load_model(where, programme, stored.version).manifest, None
        except ModelError as error:
            manifest, problem = None, error.message
        told = {} if member_id is None else _learned(where, store, programme_id, stored.version, member_id)
    document = {**_summary(stored), "programme": programme_id, "problem": problem, "manifest": manifest, **told}
    lines = [*_described(stored, manifest, problem), *(_ANSWERS[one] for one in told.values())]
    output.result(document, lines, as_json=as_json)
    if problem is not None:
        raise click.exceptions.Exit(1)


@command.command(epilog=output.example("peermatch models activate 20260301T083000Z-1a2b3c --programme lantern"))
@click.argument("version")
@context.programme_option
@output.json_option
def activate(version: str, programme_id: str | None, as_json: bool) -> None:
    """Let VERSION serve, after verifying it; running workers take it up with their next request."""
    where = context.settings()
    with context.opened(where) as store:
        with store.reading() as session:
            programme_id = context.chosen(session, programme_id)
            target = _find(models.list_models(session, programme_id), version)
        _switch(where, store, programme_id, target.version, as_json)


@command.command(epilog=output.example("peermatch models rollback --programme lantern"))
@context.programme_option
@output.json_option
def rollback(programme_id: str | None, as_json: bool) -> None:
    """Let the model serve that did so before the active one; a second rollback goes forward again."""
    where = context.settings()
    with context.opened(where) as store:
        with store.reading() as session:
            programme_id = context.chosen(session, programme_id)
            current = models.active(session, programme_id)
        if current is None or current.previous is None:
            raise PeermatchError(
                f"{programme_id}: no model was active before the present one; `peermatch models list` shows all, "
                "`peermatch models activate VERSION` lets one of them serve"
            )
        _switch(where, store, programme_id, current.previous, as_json)


def _learned(where: Settings, store: Store, programme_id: str, version: str, member_id: str) -> dict[str, bool | None]:
    """Return whether a model learned from somebody, once the audit log has that it was asked."""
    if not MEMBER_ID.fullmatch(member_id):
        raise click.BadParameter(f"expected {MEMBER_ID_RULE}", param_hint="--member")
    with store.transaction() as session:
        by, now = audit.COMMAND, context.now()
        audit.record(session, programme_id, "member.exported", now=now, by=by, subject=member_id, what="models")
    return {"included": learned_from(where, programme_id, version, member_id)}


def _switch(where: Settings, store: Store, programme_id: str, version: str, as_json: bool) -> None:
    """Verify the model, then make it the active one: a model that cannot be loaded never becomes active."""
    now = context.now()
    with store.transaction() as session:
        programme = programmes.load(session, programme_id)
        load_model(where, programme, version)
        active = models.activate(session, programme_id, version, now=now)
        audit.record(session, programme_id, "model.activated", now=now, by=audit.COMMAND, version=version)
    document = {"programme": programme_id, "version": active.version, "previous": active.previous}
    since = f" since {_moment(active.since)} UTC" if active.previous is None else f"; before it {active.previous}"
    output.result(document, [f"{programme_id}: {active.version} is active{since}."], as_json=as_json)


def _find(found: list[models.StoredModel], version: str | None) -> models.StoredModel:
    for model in found:
        if model.version == version or (version is None and model.active):
            return model
    known = ", ".join(model.version for model in found) or "none yet"
    if version is None:
        raise models.UnknownModelError("no model is active; `peermatch train` makes one")
    raise models.UnknownModelError(f"there is no model {version!r}; this programme has: {known}")


def _summary(model: models.StoredModel) -> dict[str, Any]:
    return {
        "version": model.version,
        "created_at": model.created_at.isoformat(),
        "active": model.active,
        "verdicts": model.verdict,
    }


def _described(model: models.StoredModel, manifest: dict[str, Any] | None, problem: str | None) -> Iterator[str]:
    yield f"{model.version}{' (active)' if model.active else ''}, made {_moment(model.created_at)} UTC"
    if problem is not None:
        yield f"cannot serve: {problem}"
    for name, value in _flat(manifest or {}):
        yield f"  {output.plain(name)}: {output.cell(value)}"


def _flat(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    """Yield the numbers and texts of a manifest by path; of long lists only how long they are."""
    for name, value in values.items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _flat(value, where)
        elif isinstance(value, list) and len(value) > 5:
            yield where, f"{len(value):,} entries"
        else:
            yield where, ", ".join(map(str, value)) if isinstance(value, list) else value


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
