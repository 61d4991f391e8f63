"""Was I in this model? A model's manifest lists keyed hashes of those it learned from, and its signature says which."""

from __future__ import annotations

from pathlib import Path

from matcher.errors import ModelError
from matcher.model.artefact import MANIFEST, SIGNATURE
from matcher.model.manifest import decoded
from matcher.model.signing import is_signed, signing_key, training_id, training_key
from service.security import read_secret_key
from service.settings import Settings


def learned_from(settings: Settings, programme_id: str, version: str, member_id: str) -> bool | None:
    """Return whether a model learned from a member; None where its manifest is gone or not signed here.

    A model that can no longer serve, of another release or another programme file, is asked all the same.

    Raises
    ------
    SettingsError
        If the secret key cannot be read.
    """
    secret = read_secret_key(settings)
    folder = settings.model_folder(programme_id, version)
    try:
        raw, signature = _read(folder)
        if not is_signed(raw, signature, signing_key(secret).public_key()):
            return None
        manifest = decoded(raw, MANIFEST)
        if (manifest["programme"]["id"], manifest["version"]) != (programme_id, version):
            return None
        return training_id(member_id, training_key(secret, programme_id)) in set(manifest["training_ids"])
    except (OSError, ModelError, KeyError, TypeError, ValueError):
        return None


def _read(folder: Path) -> tuple[bytes, bytes]:
    return (folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes()
