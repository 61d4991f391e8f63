"""Model files and the rows that name them appear together: files first, and away again if the rows do not follow."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from matcher.model import artefact
from matcher.model.artefact import Model
from matcher.model.signing import signing_key
from matcher.programme import Programme
from service.security import read_secret_key
from service.settings import Settings


def new_version(now: datetime, kind: str = "") -> str:
    """Return a version that sorts by time and is used nowhere else, e.g. ``20260301T083000Z-1a2b3c``."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{kind}{secrets.token_hex(3)}"


def load_model(where: Settings, programme: Programme, version: str) -> Model:
    """Load and verify one model of a programme.

    Raises
    ------
    ModelError, SettingsError
        If it is missing, damaged, not signed by this installation, or does not fit the programme.
    """
    public_key = signing_key(read_secret_key(where)).public_key()
    return artefact.load(where.model_folder(programme.id, version), programme, public_key)


@contextmanager
def published(where: Settings, model: Model) -> Iterator[Path]:
    """Write a signed model into its folder while the block records it; remove the folder if the block fails.

    A process killed in between leaves a folder that no row names: harmless, and `peermatch doctor` tells of it.

    Raises
    ------
    ArtefactError, SettingsError
        If the folder or the secret key cannot be used.
    """
    folder = where.model_folder(model.programme_id, model.version)
    artefact.save(model, folder, signing_key(read_secret_key(where)))
    with kept_if_recorded(folder):
        yield folder


@contextmanager
def kept_if_recorded(folder: Path) -> Iterator[None]:
    """Remove `folder` if the block, which records the model in it, fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
