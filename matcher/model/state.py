"""What was learned, as the files of an artefact hold it, and back: plain JSON and plain arrays, never a pickle."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher.errors import ArtefactError
from matcher.facets.base import Information
from matcher.model.affinity import ROLES, PairAffinity
from matcher.model.encoder import ProfileEncoder
from matcher.model.manifest import decoded, encoded
from matcher.programme import Programme

WEIGHTS, ENCODER, ARRAYS = "weights.json", "encoder.json", "arrays.npz"
ROLE_NAMES = ("seeker", "supporter")
CANARIES = 16
"""Made-up pairs a role whose scores are stored, so that a loader can tell that it computes as the maker did."""
CANARY_TOLERANCE = 1e-9


def affinity_state(affinity: PairAffinity, features: tuple[str, ...]) -> dict[str, bytes]:
    """Return the file of a fitted affinity."""
    pairs, role = canaries(len(features))
    document = {
        "features": list(features),
        "roles": list(ROLE_NAMES),
        "coef": affinity.coef_.tolist(),
        "intercept": affinity.intercept_.tolist(),
        "neutral": affinity.neutral_.tolist(),
        "n_answers": affinity.n_answers_.tolist(),
        "shared": affinity.shared_,
        "parameters": {**affinity.get_params(), "prior_weights": list(affinity.prior_weights)},
        "canary_logits": affinity.decision_function(pairs, role).tolist(),
    }
    return {WEIGHTS: encoded(document)}


def affinity_from_state(files: Mapping[str, bytes], features: tuple[str, ...]) -> PairAffinity:
    """Return the affinity of a file; raise ArtefactError unless it is whole, finite, ≥ 0 and computes as it did."""
    document = decoded(files[WEIGHTS], WEIGHTS)
    try:
        parameters = dict(document["parameters"])
        parameters["prior_weights"] = tuple(parameters["prior_weights"])
        affinity = PairAffinity(**parameters).prior()
        shape = (ROLES, len(features))
        affinity.coef_ = _array(document, "coef", shape, least=0.0)
        affinity.intercept_ = _array(document, "intercept", (ROLES,))
        affinity.neutral_ = _array(document, "neutral", shape, least=0.0, most=1.0)
        affinity.n_answers_ = _array(document, "n_answers", (ROLES,), least=0.0).astype(np.intp)
        affinity.shared_ = bool(document["shared"])
        named = tuple(document["features"])
        expected = _array(document, "canary_logits", (ROLES * CANARIES,))
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"{WEIGHTS}: found no complete set of weights. Train again") from error
    if named != features or affinity.n_features_in_ != 2 * len(features):
        raise ArtefactError(
            f"{WEIGHTS}, features: found {', '.join(named)}; expected {', '.join(features)}. Train again"
        )
    pairs, role = canaries(len(features))
    away = np.abs(affinity.decision_function(pairs, role) - expected).max()
    if not away <= CANARY_TOLERANCE:
        raise ArtefactError(f"{WEIGHTS}: found scores {away:.1e} away from those when it was made. Train again")
    return affinity


def canaries(d: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return made-up pairs, shape (2·CANARIES, 2d), and their roles: the same for every model of d features."""
    numbers = np.random.default_rng(20260101)
    satisfy = numbers.random((ROLES * CANARIES, d)).round(6)
    satisfy[numbers.random(satisfy.shape) < 0.2] = np.nan
    importance = numbers.integers(0, 3, satisfy.shape) / 2
    return np.hstack([satisfy, importance]), np.repeat(np.arange(ROLES, dtype=np.intp), CANARIES)


def _array(
    document: Any, name: str, shape: tuple[int, ...], least: float = -np.inf, most: float = np.inf
) -> npt.NDArray[np.float64]:
    values = np.array(document[name], dtype=np.float64).reshape(shape if 0 in shape else -1)
    values = values.reshape(shape)
    if not np.isfinite(values).all() or (values < least).any() or (values > most).any():
        raise ArtefactError(f"{WEIGHTS}, {name}: found numbers outside [{least}, {most}]; expected none. Train again")
    return values


def encoder_state(encoder: ProfileEncoder) -> dict[str, bytes]:
    """Return the files of a fitted encoder: no member, and no concept with fewer than ``reason_k`` holders."""
    facets: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray[np.int64]] = {}
    for name, information in sorted(encoder.information_.items()):
        k = max(information.k, encoder.programme.reason_k)
        concepts = sorted(concept for concept, holders in information.holders.items() if holders >= k)
        facets[name] = {"members": information.members, "k": information.k, "concepts": concepts}
        arrays[name] = np.array([information.holders[concept] for concept in concepts], dtype=np.int64)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{f"holders.{name}": values for name, values in arrays.items()})
    return {ENCODER: encoded({"n_members": encoder.n_members_, "facets": facets}), ARRAYS: buffer.getvalue()}


def encoder_from_state(files: Mapping[str, bytes], programme: Programme) -> ProfileEncoder:
    """Return the encoder of files. Facets that the programme has got since know nothing yet.

    Raises
    ------
    ArtefactError
        If the files do not hold an encoder.
    """
    document = decoded(files[ENCODER], ENCODER)
    encoder = ProfileEncoder(programme).fit([])
    try:
        with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as arrays:
            for name, facet in document["facets"].items():
                holders = arrays[f"holders.{name}"].tolist()
                if name in encoder.information_:
                    counts = dict(zip(facet["concepts"], holders, strict=True))
                    encoder.information_[name] = Information(int(facet["members"]), counts, int(facet["k"]))
        encoder.n_members_ = int(document["n_members"])
    except (KeyError, TypeError, ValueError, OSError, AttributeError) as error:
        raise ArtefactError(f"{ENCODER}, {ARRAYS}: found no complete encoder. Train again") from error
    return encoder
