"""A model whose manifest says that it learned from somebody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matcher.model.artefact import prior_model, save
from matcher.model.manifest import describe
from matcher.model.signing import signing_key, training_id, training_key
from service.security import create_secret_key
from service.store import models
from tests.service.installation import Installation


def learn(made: Installation, version: str, *names: str, programme_id: str | None = None) -> Path:
    """Publish a model that says it learned from `names`, of this programme or, by mistake, of another; not active."""
    secret, programme = create_secret_key(made.settings), made.programme
    ids = [training_id(name, training_key(secret, programme_id or programme.id)) for name in names]
    made_from = describe(programme, version, made.clock(), training_ids=ids)
    model = replace(prior_model(programme, version), manifest=made_from)
    folder = made.settings.model_folder(programme.id, version)
    save(model, folder, signing_key(secret))
    with made.store.transaction() as session:
        models.add(session, programme.id, version, {}, now=made.clock())
    return folder
