"""From members and what happened to a published model: fit → audit → sign → publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from matcher.audit.refusals import refusal
from matcher.audit.safety import check as check_safety
from matcher.audit.successor import compare
from matcher.audit.utility import FAIL, INCONCLUSIVE, PASS, Utility, hold_out, judge
from matcher.consent import PURPOSES, ConsentedProfile, consented
from matcher.errors import ModelError
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.answers import Answer, answers
from matcher.model.artefact import Model, load, save
from matcher.model.encoder import ProfileEncoder
from matcher.model.features import Pairs, pair_features
from matcher.model.feedback import Feedback
from matcher.model.manifest import NO_EPSILON, Manifest, describe
from matcher.model.signing import signing_key, training_id, training_key
from matcher.people import Member
from matcher.programme import Programme

UNSAVED = "unsaved"
"""Version of a model that lives in memory only."""
CANARY_PAIRS = 1000
INCONCLUSIVE_YET = Utility(INCONCLUSIVE, {"log_loss_difference": None})
"""Where there is no active model to compare with."""


@dataclass(frozen=True)
class TrainResult:
    """What a training came to; its JSON form is ``docs/schemas/train.schema.json``."""

    version: str
    published: bool
    verdicts: Mapping[str, str]
    metrics: Mapping[str, Any]
    epsilon: Mapping[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "version": self.version,
            "published": self.published,
            "verdicts": dict(self.verdicts),
            "metrics": dict(self.metrics),
            "epsilon": dict(self.epsilon),
        }


@dataclass(frozen=True)
class Options:
    """What a training may be told besides."""

    affinity: PairAffinity | None = None
    """Whose parameters to fit with; None: the defaults."""
    active: Model | None = None
    """The model that serves, of this form of the programme; None: there is none to compare with."""


USUAL = Options()


class ReleaseRefused(ModelError):
    """A model was made and is not published; `result` is the table that says why. The active model stays."""

    title = "The new model is not published"

    def __init__(self, message: str, result: TrainResult) -> None:
        super().__init__(message, {name: verdict for name, verdict in result.verdicts.items() if verdict != PASS})
        self.result = result


def fit_model(
    programme: Programme, profiles: Sequence[ConsentedProfile], answers: Iterable[Answer], at: datetime
) -> Model:
    """Return a model that is neither judged nor saved. Without answers it is the prior."""
    encoder = ProfileEncoder(programme).fit(profiles)
    affinity, _ = _fitted(PairAffinity(prior_weights(programme)), programme, encoder, profiles, answers, at)
    return Model(programme.id, encoder, affinity, UNSAVED, describe(programme, UNSAVED, at))


def release(
    programme: Programme,
    members: Iterable[Member],
    feedback: Iterable[Feedback],
    *,
    at: datetime,
    version: str,
    folder: Path,
    secret: bytes,
    options: Options = USUAL,
) -> TrainResult:
    """Train on consented profiles and feedback, judge, sign and publish into `folder`.

    1. Fold consents at `at`; learn the encoder from members whose ``train_model`` is on. 2. Label the feedback; keep
    the answers of pairs who both let the model learn. 3. Fit. 4. Compare with the prior, and with the active model,
    on people kept apart. 5. Make lists, and look at everybody in them. 6. Write, sign, read back and compare; rename
    into place.

    Parameters
    ----------
    programme : Programme
    members : iterable of Member
    feedback : iterable of Feedback
        Events after `at` are ignored.
    at : datetime
        Aware.
    version : str
    folder : Path
        Must not exist.
    secret : bytes
        The installation's 32 bytes: they sign the model, and key the hashes of training ids.
    options : Options, optional

    Raises
    ------
    ReleaseRefused
        If the model is worse than the prior or the active model beyond noise, a list of it breaks a rule of safety, or
        it does not read back as it was written. Nothing is left.
    ArtefactError
        If the folder exists or cannot be written.
    ModelError
        If two members have one id, or the secret is too short.
    PeermatchError
        If `at` has no offset.
    """
    profiles = _profiles(programme, members, at)
    labelled = answers(feedback, programme, at)
    encoder = ProfileEncoder(programme).fit(profiles)
    chosen = options.affinity or PairAffinity(prior_weights(programme))
    fitted, pairs = _fitted(chosen, programme, encoder, profiles, labelled, at)
    held_out = hold_out(pairs, fitted)
    utility, succession = judge(held_out, fitted), INCONCLUSIVE_YET
    if options.active is not None:
        seen = pair_features(programme, options.active.encoder, profiles, labelled, at)
        logits = options.active.affinity.decision_function(seen.X, seen.role)[held_out.rows]
        succession = compare(held_out, logits, fitted)
    given = dict(zip(("seeker", "supporter"), fitted.n_answers_.tolist(), strict=True))
    unjudged = Model(programme.id, encoder, fitted, version, describe(programme, version, at))
    safety = check_safety(unjudged, programme, profiles, at)
    # A model whose canary fails is never in its place.
    verdicts = {
        "utility": utility.verdict, "succession": succession.verdict, "safety": safety.verdict, "canary": PASS,
    }  # fmt: skip
    metrics = {
        "answers": given,
        "dropped": {**labelled.dropped, **pairs.dropped},
        **utility.metrics,
        "against_active": succession.metrics["log_loss_difference"],
        "safety": {"lists": safety.lists, "broken": dict(safety.broken)},
    }
    result = TrainResult(version, FAIL not in verdicts.values(), verdicts, metrics, NO_EPSILON)
    if not result.published:
        raise ReleaseRefused(refusal(result), result)
    manifest = _manifest(programme, profiles, at, result, training_key(secret, programme.id))
    model = replace(unjudged, manifest=manifest)
    key = signing_key(secret)
    save(model, folder, key, _canary(model, pairs, key.public_key(), result))
    return result


def _profiles(programme: Programme, members: Iterable[Member], at: datetime) -> list[ConsentedProfile]:
    profiles = [consented(member, programme, at) for member in members]
    if len({profile.member_id for profile in profiles}) < len(profiles):
        raise ModelError("member_id: found twice among the members; expected each member once")
    return profiles


def _fitted(
    affinity: PairAffinity,
    programme: Programme,
    encoder: ProfileEncoder,
    profiles: Sequence[ConsentedProfile],
    answers: Iterable[Answer],
    at: datetime,
) -> tuple[PairAffinity, Pairs]:
    pairs = pair_features(programme, encoder, profiles, answers, at)
    return affinity.fit(pairs.X, pairs.y, sample_weight=pairs.weight, role=pairs.role), pairs


def _manifest(
    programme: Programme, profiles: Sequence[ConsentedProfile], at: datetime, result: TrainResult, key: bytes
) -> Manifest:
    counts = Counter(purpose for profile in profiles for purpose in PURPOSES if profile.state.on(purpose))
    learned_from = [profile.member_id for profile in profiles if profile.training != (None, None)]
    return describe(
        programme,
        result.version,
        at,
        training_ids=[training_id(member_id, key) for member_id in learned_from],
        consents={"members": len(profiles), **{purpose: counts[purpose] for purpose in PURPOSES}},
        epsilon=result.epsilon,
        metrics=result.metrics,
        verdicts=result.verdicts,
    )


def _canary(model: Model, pairs: Pairs, public_key: Ed25519PublicKey, result: TrainResult) -> Callable[[Path], None]:
    """Return a check that a written model verifies and scores real pairs exactly as the one in memory does."""

    def check(written: Path) -> None:
        try:
            read = load(written, model.encoder.programme, public_key)
        except ModelError as error:
            raise _misread(f"it cannot be read back: {error.message}", result) from error
        X, role = pairs.X[:CANARY_PAIRS], pairs.role[:CANARY_PAIRS]
        if not np.array_equal(read.affinity.decision_function(X, role), model.affinity.decision_function(X, role)):
            raise _misread("read back, it scores pairs otherwise than in memory", result)
        for name, information in model.encoder.information_.items():
            if any(read.encoder.information_[name](concept) != information(concept) for concept in information.holders):
                raise _misread(f"read back, it weighs concepts of {name} otherwise than in memory", result)

    return check


def _misread(message: str, result: TrainResult) -> ReleaseRefused:
    verdicts = {**result.verdicts, "canary": FAIL}
    failed = TrainResult(result.version, False, verdicts, result.metrics, result.epsilon)
    return ReleaseRefused(f"canary: {message}. Check disk and memory, then train again", failed)
