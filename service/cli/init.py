"""``peermatch init``: from nothing to an installation that serves, in one step that happens wholly or not at all."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from matcher.model.artefact import prior_model
from matcher.programme import Programme
from service.cli import context, output
from service.cli.private import private_files
from service.cli.publishing import new_version, published
from service.security import SCOPES, Token, create_secret_key
from service.settings import Settings
from service.store import Store, audit, keys, models, open_store, programmes


class InitError(PeermatchError):
    """The programme cannot be set up here."""

    title = "The programme cannot be set up"


@click.command(epilog=output.example("peermatch init programme.toml"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.toml")
@output.json_option
def command(file: Path, as_json: bool) -> None:
    """Set up the programme that FILE.toml describes: database, secret key, first model, API key.

    The first model is the prior: it has learned from nobody and matches by what the file says. The API key has every
    scope and is printed this once. A second programme may be added to the same installation.
    """
    where = context.settings()
    programme = Programme.from_toml(file)
    with private_files():
        token, version = set_up(where, programme, file.parent, context.now())
    lines = (
        f"Programme {programme.id!r} is ready: {programme.name}",
        f"  secret key  {where.secret_key_file} (back it up; without it no model can be verified)",
        f"  model       {version} (the prior; `peermatch train` learns from feedback)",
        f"  API key     {token.text}",
        "              every scope, shown only now: keep it as a secret",
    )
    output.result({"programme": programme.id, "api_key": token.text}, lines, as_json=as_json)


def set_up(where: Settings, programme: Programme, base: Path, now: datetime) -> tuple[Token, str]:
    """Create what is missing, then the programme with its model and key in one transaction; return key and version.

    1. Refuse what is there already, or was there with a secret key that is now missing.
    2. Secret key (mode 0600, never overwritten) and database tables: both may stay when a later step fails, and are
       used by the next `init`.
    3. The prior as a signed folder.
    4. One transaction: programme, model, active model, API key. If it fails the folder goes.

    Raises
    ------
    PeermatchError
        If anything of this cannot be done; then the programme does not exist.
    """
    _check_key_is_not_lost(where)
    create_secret_key(where)
    with closing(open_store(where, create=True)) as store:
        _check_new(store, programme)
        model = prior_model(programme, new_version(now, "prior-"))
        with published(where, model), store.transaction() as session:
            if not programmes.save(session, programme, base, now=now):
                raise _exists(programme)  # another process was faster
            models.add(session, programme.id, model.version, {}, now=now)
            models.activate(session, programme.id, model.version, now=now)
            token = keys.create(session, programme.id, now=now)
            _record(session, programme, model.version, token, now)
    return token, model.version


def _record(session: Session, programme: Programme, version: str, token: Token, now: datetime) -> None:
    by = audit.COMMAND
    audit.record(session, programme.id, "programme.created", now=now, by=by, digest=programme.digest, model=version)
    audit.record(session, programme.id, "key.created", now=now, by=by, key=token.key_id, scopes=list(SCOPES))


def _check_key_is_not_lost(where: Settings) -> None:
    file = where.database_file
    if where.secret_key_file.exists() or (file is not None and not file.exists()):
        return
    try:
        store = open_store(where)
    except PeermatchError:
        return  # no tables yet, or not reachable: told when it is opened for good
    with closing(store), store.reading() as session:
        known = programmes.identifiers(session)
    if known:
        raise InitError(
            f"{where.secret_key_file}: the secret key of this installation is missing, and the database has programmes "
            f"whose models it signed ({', '.join(known)}); restore the file from a backup, or name it with "
            "PEERMATCH_SECRET_KEY_FILE"
        )


def _check_new(store: Store, programme: Programme) -> None:
    with store.reading() as session:
        if programme.id in programmes.identifiers(session):
            raise _exists(programme)


def _exists(programme: Programme) -> InitError:
    return InitError(
        f"programme {programme.id!r} is already there; `peermatch programme apply FILE.toml` changes it, another `id` "
        "in the file makes a second one, and another PEERMATCH_HOME a separate installation"
    )
