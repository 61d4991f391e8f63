"""A model as a signed folder: written so that it is there whole or not at all, and believed only when it verifies.

The folder holds ``manifest.json``, ``manifest.sig``, ``weights.json``, ``encoder.json``, ``arrays.npz`` and
``report.html``; see ``docs/reference/model.md``.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from matcher.errors import ArtefactError
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.card import card
from matcher.model.encoder import ProfileEncoder
from matcher.model.manifest import Manifest, check, decoded, describe, encoded, sha256
from matcher.model.signing import is_signed
from matcher.model.state import (
    ARRAYS,
    ENCODER,
    WEIGHTS,
    affinity_from_state,
    affinity_state,
    encoder_from_state,
    encoder_state,
)
from matcher.programme import Programme

MANIFEST, SIGNATURE, REPORT = "manifest.json", "manifest.sig", "report.html"
HASHED = frozenset({WEIGHTS, ENCODER, ARRAYS, REPORT})
FILES = HASHED | {MANIFEST, SIGNATURE}


@dataclass(frozen=True, eq=False)
class Model:
    """Everything that was learned for one programme."""

    programme_id: str
    encoder: ProfileEncoder
    affinity: PairAffinity
    version: str
    manifest: Manifest
    """See `matcher.model.manifest.describe`; of a saved or loaded model also ``files``."""


def prior_model(programme: Programme, version: str) -> Model:
    """Return the model that has learned from nobody: the prior of `programme`."""
    encoder = ProfileEncoder(programme).fit([])
    affinity = PairAffinity(prior_weights(programme)).prior()
    return Model(programme.id, encoder, affinity, version, describe(programme, version, None))


def save(
    model: Model, folder: Path, signing_key: Ed25519PrivateKey, check_first: Callable[[Path], None] | None = None
) -> Manifest:
    """Write `model` into a new folder: into a temporary one beside it, flushed to disk, then renamed.

    Killed at any point it leaves no folder of that name, or the whole one.

    Parameters
    ----------
    model : Model
    folder : Path
        Must not exist; its parent is made if need be.
    signing_key : Ed25519PrivateKey
        Signs the manifest, which lists the SHA-256 of every other file.
    check_first : callable, optional
        Gets the temporary folder, complete and signed, before the rename; what it raises ends the saving.

    Returns
    -------
    dict
        The manifest as written.

    Raises
    ------
    ArtefactError
        If the folder exists or cannot be written.
    """
    if os.path.lexists(folder):
        raise ArtefactError(
            f"the folder {folder.name!r} exists; a version is never written over. Choose another version"
        )
    files, manifest = _contents(model, signing_key)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    except OSError as error:
        raise ArtefactError(f"the model cannot be written: {error.strerror}. Check the folder of models") from error
    try:
        for name, raw in files.items():
            _write(temporary / name, raw)
        _flush_folder(temporary)
        if check_first is not None:
            check_first(temporary)
        temporary.rename(folder)
        _flush_folder(folder.parent)
    except OSError as error:
        raise ArtefactError(f"the model cannot be written: {error.strerror}. Check the folder of models") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def load(folder: Path, programme: Programme, public_key: Ed25519PublicKey) -> Model:
    """Read a model, believing nothing that is not signed.

    Raises
    ------
    ArtefactError
        If anything is missing, added, changed, unsigned, of another programme, of other features or of other versions.
    """
    files = _read_all(folder)
    if not is_signed(files[MANIFEST], files[SIGNATURE], public_key):
        raise ArtefactError(
            f"{folder.name}/{SIGNATURE}: found no signature of {MANIFEST} by this installation's key; expected one. "
            "Train again, or restore the folder from a backup"
        )
    manifest = decoded(files[MANIFEST], MANIFEST)
    check(manifest, programme)
    _check_hashes(folder, files, manifest)
    encoder = encoder_from_state(files, programme)
    affinity = affinity_from_state(files, programme.features)
    return Model(programme.id, encoder, affinity, str(manifest["version"]), manifest)


def _contents(model: Model, signing_key: Ed25519PrivateKey) -> tuple[dict[str, bytes], Manifest]:
    """Return every file of the folder, and the manifest."""
    files = affinity_state(model.affinity, model.encoder.programme.features) | encoder_state(model.encoder)
    files[REPORT] = card(model.manifest, model.affinity).encode()
    manifest = {**model.manifest, "files": {name: sha256(raw) for name, raw in sorted(files.items())}}
    files[MANIFEST] = encoded(manifest)
    files[SIGNATURE] = signing_key.sign(files[MANIFEST])
    return files, manifest


def _read_all(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file, each read once: what is checked is what is used."""
    try:
        present = {entry.name for entry in os.scandir(folder)}
    except OSError as error:
        raise ArtefactError(f"the model {folder.name!r} cannot be read: {error.strerror}. Train again") from error
    for names, what in ((FILES - present, "missing"), (present - FILES, "not part of a model")):
        if names:
            raise ArtefactError(f"{folder.name}: found {', '.join(sorted(names))} {what}. Train again")
    files = {}
    for name in sorted(FILES):
        path = folder / name
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise ArtefactError(f"{folder.name}/{name}: found no plain file; expected one. Train again")
            files[name] = path.read_bytes()
        except OSError as error:
            raise ArtefactError(f"{folder.name}/{name} cannot be read: {error.strerror}. Train again") from error
    return files


def _check_hashes(folder: Path, files: Mapping[str, bytes], manifest: Manifest) -> None:
    hashes = manifest.get("files")
    if not isinstance(hashes, dict) or hashes.keys() != HASHED:
        raise ArtefactError(f"{folder.name}/{MANIFEST}, files: expected {', '.join(sorted(HASHED))}. Train again")
    for name in sorted(HASHED):
        if sha256(files[name]) != hashes[name]:
            raise ArtefactError(
                f"{folder.name}/{name}: found other bytes than were signed; expected SHA-256 {hashes[name]}. "
                "Train again, or restore the folder from a backup"
            )


def _write(path: Path, raw: bytes) -> None:
    with path.open("xb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
