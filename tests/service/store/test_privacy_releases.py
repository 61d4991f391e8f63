"""What fits have cost is kept for good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from matcher.model.accounting import Noise, Spent, spent
from service.store import privacy_releases
from service.store.training_tables import PrivacyReleaseRow
from tests.service.installation import NOON, Installation, another_programme

NOISE = Noise(37.3, 100)


def test_they_are_told_as_they_were_noted_each_programmes_own(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        privacy_releases.add(session, "lantern", "2", NOISE, NOON)
        privacy_releases.add(session, "lantern", "1", Noise(4.5), NOON - timedelta(days=30))
        privacy_releases.add(session, "beacon", "1", Noise(9.0), NOON)
    with made.store.reading() as session:
        found = privacy_releases.of_programme(session, "lantern")
        row = session.get(PrivacyReleaseRow, ("lantern", "2"))
    assert found == [Spent(NOON - timedelta(days=30), Noise(4.5)), Spent(NOON, NOISE)]
    assert row is not None
    assert (row.epsilon, row.delta) == (pytest.approx(1.0, abs=0.01), 1e-5)
    assert spent(found, NOON) > row.epsilon
