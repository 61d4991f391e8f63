from __future__ import annotations

import pytest

from service.store import StoreError, models
from service.store.models import UnknownModelError
from tests.service.installation import NOON, Installation, another_programme


def test_models_are_added_activated_and_rolled_back(made: Installation) -> None:
    with made.store.transaction() as session:
        models.add(session, "lantern", "2", {"ok": True}, now=NOON)
        assert [(one.version, one.active, one.verdict) for one in models.list_models(session, "lantern")] == [
            ("1", True, {}),
            ("2", False, {"ok": True}),
        ]
        now = models.activate(session, "lantern", "2", now=NOON)
        assert (now.version, now.previous) == ("2", "1")
        assert models.activate(session, "lantern", "2", now=NOON) == now
        back = models.rollback(session, "lantern", now=NOON)
        assert (back.version, back.previous) == ("1", "2")
        assert models.rollback(session, "lantern", now=NOON).version == "2"
        assert models.active(session, "lantern") == models.Active("2", "1", NOON)


def test_a_model_that_is_not_there_cannot_be_activated(made: Installation) -> None:
    with made.store.transaction() as session:
        with pytest.raises(UnknownModelError, match="found '9'; expected one that `peermatch models list` shows"):
            models.activate(session, "lantern", "9", now=NOON)
        with pytest.raises(UnknownModelError, match="found no model before the active one"):
            models.rollback(session, "lantern", now=NOON)
    with pytest.raises(StoreError), made.store.transaction() as session:
        models.add(session, "lantern", "1", {}, now=NOON)


def test_another_programmes_model_is_not_there(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        models.add(session, "lantern", "2", {}, now=NOON)
        with pytest.raises(UnknownModelError):
            models.activate(session, "beacon", "2", now=NOON)
        assert models.active(session, "none") is None
