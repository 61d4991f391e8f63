"""What fits have cost outlives a restore, and a training that ran meanwhile does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from matcher.model.accounting import Noise, Spent
from service.store import locks, open_store, privacy_releases
from service.store.locks import Holder, OvertakenError
from tests.service.backup.backups import backed_up, put_back
from tests.service.installation import Installation


def test_what_was_spent_since_the_backup_stays_spent(full: Installation) -> None:
    with full.store.reading() as session:
        before = privacy_releases.of_programme(session, "lantern")
    assert len(before) == 1
    file = backed_up(full)
    later = full.clock() + timedelta(hours=1)
    with full.store.transaction() as session:
        privacy_releases.add(session, "lantern", "3", Noise(5.0), later)
    put_back(full, file)
    store = open_store(full.settings)
    with store.reading() as session:
        assert privacy_releases.of_programme(session, "lantern") == [*before, Spent(later, Noise(5.0))]
    store.close()


def test_whoever_trains_during_a_restore_publishes_nothing(full: Installation) -> None:
    file = backed_up(full)
    with full.store.transaction() as session:
        token = locks.take(session, "lantern", "train", Holder.here("training lantern"), full.clock())
    put_back(full, file)
    store = open_store(full.settings)
    with pytest.raises(OvertakenError), store.transaction() as session:
        locks.confirm(session, "lantern", "train", token, full.clock())
    store.close()
