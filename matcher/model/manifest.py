"""The manifest of a model: what it was made from, with what, and what may read it.

Its form is ``docs/schemas/manifest.schema.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from importlib.metadata import version
from typing import Any, TypeAlias

import numpy as np

import matcher
from matcher.errors import ArtefactError
from matcher.facets.concepts import Concepts
from matcher.programme import Programme
from matcher.records import written

SCHEMA_VERSION = 1
"""Of the folder's form. A reader takes its own version only."""

Manifest: TypeAlias = dict[str, Any]
NO_EPSILON: Mapping[str, float | None] = {"release": None, "year": None}
"""Not differentially private: None is no promise, which is not the same as a perfect one (0)."""


def describe(
    programme: Programme,
    version: str,
    at: datetime | None,
    *,
    training_ids: Iterable[str] = (),
    consents: Mapping[str, int] | None = None,
    epsilon: Mapping[str, float | None] = NO_EPSILON,
    metrics: Mapping[str, Any] | None = None,
    verdicts: Mapping[str, str] | None = None,
) -> Manifest:
    """Return a manifest, all but the hashes of the files, which `save` adds.

    Parameters
    ----------
    programme : Programme
    version : str
        Of the model.
    at : datetime or None
        The moment whose consents and feedback it was made from; None for a prior, made from nothing.
    training_ids : iterable of str
        Keyed hashes of the members it learned from (`matcher.model.signing.training_id`).
    consents : mapping of str to int
        ``members``, and how many of them have each purpose on.
    epsilon : mapping
        ``release`` and ``year``: what this release and the year so far cost; None: not differentially private.
    metrics, verdicts : mapping
        What was measured, and PASS, FAIL or INCONCLUSIVE by check.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "programme": {"id": programme.id, "name": programme.name, "digest": programme.digest},
        "version": version,
        "created_at": None if at is None else written(at),
        "features": list(programme.features),
        "basis": basis(programme),
        "libraries": libraries(),
        "consents": dict(consents or {}),
        "training_ids": sorted(training_ids),
        "epsilon": dict(epsilon),
        "metrics": dict(metrics or {}),
        "verdicts": dict(verdicts or {}),
    }


def basis(programme: Programme) -> dict[str, str]:
    """Return what a model rests on: a hash of every feature as it is declared, and ``reason_k``.

    Weights, levels, directions, vocabularies and default importances are all part of it: with any of them changed the
    same numbers mean something else. Labels, and whether a facet may be a reason, are not.
    """
    made: dict[str, str] = {"reason_k": str(programme.reason_k)}
    for name in programme.features:
        facet = programme.facets[name]
        said = {item.name: getattr(facet, item.name) for item in fields(facet) if item.name not in ("label", "show")}
        if isinstance(facet, Concepts):
            said["vocabulary"] = facet.vocabulary.digest
        made[name] = sha256(json.dumps([facet.kind, said], sort_keys=True).encode())
    return made


def libraries() -> dict[str, str]:
    """Return the versions that make a model and must be able to read it."""
    return {"peermatch": matcher.__version__, "numpy": np.__version__, "scikit-learn": version("scikit-learn")}


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return the one way in which `document` is written: sorted keys, no NaN, a line end."""
    text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def decoded(raw: bytes, name: str) -> Any:
    """Return the JSON document of a file of a model; raise ArtefactError where it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{name}: found bytes that are no JSON; expected a JSON document. Train again") from error


def sha256(raw: bytes) -> str:
    """Return the hash under which the manifest lists a file."""
    return hashlib.sha256(raw).hexdigest()


def check(manifest: Any, programme: Programme) -> None:
    """Refuse a manifest that this installation or `programme` cannot use.

    Raises
    ------
    ArtefactError
        Naming both versions, programmes or lists of features, and the way out.
    """
    if not isinstance(manifest, dict):
        raise ArtefactError("manifest.json: found no JSON object; expected the manifest of a model. Train again")
    version = manifest.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ArtefactError(
            f"manifest.json, schema_version: found {version!r}; this Peermatch reads {SCHEMA_VERSION}. Train again"
        )
    try:
        for_programme, features = manifest["programme"]["id"], list(manifest["features"])
        made_from = dict(manifest["basis"])
        made_with = dict(manifest["libraries"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(
            "manifest.json: found a manifest without programme, features, basis or libraries; expected all. Train again"
        ) from error
    if for_programme != programme.id:
        raise ArtefactError(
            f"manifest.json, programme: found a model of {for_programme!r}; expected one of {programme.id!r}"
        )
    _check_libraries(made_with)
    _check_features(features, list(programme.features))
    _check_basis(made_from, basis(programme))


def _check_basis(then: Mapping[str, str], now: Mapping[str, str]) -> None:
    changed = [name for name in now if then.get(name) != now[name]]
    if changed:
        raise ArtefactError(
            f"manifest.json, basis: found a model made when {', '.join(changed)} said something else in the programme "
            "file; expected one made from what it says now. Train again"
        )


def _check_libraries(made_with: Mapping[str, str]) -> None:
    here = libraries()
    for name in ("numpy", "scikit-learn"):
        then = made_with.get(name)
        if not isinstance(then, str) or then.split(".")[0] != here[name].split(".")[0]:
            raise ArtefactError(
                f"the model was made with {name} {then}; here is {name} {here[name]}, whose major version differs. "
                "Train again"
            )


def _check_features(found: list[str], expected: list[str]) -> None:
    if found == expected:
        return
    parts = []
    if gone := [name for name in found if name not in expected]:
        parts.append(f"the programme no longer compares {', '.join(gone)}")
    if new := [name for name in expected if name not in found]:
        parts.append(f"the model does not know {', '.join(new)}")
    if not parts:
        parts.append("their order differs")
    raise ArtefactError(
        f"manifest.json, features: found {', '.join(found) or 'none'}; the programme has "
        f"{', '.join(expected) or 'none'}: {'; '.join(parts)}. Train again"
    )
