"""For how long a worker goes by what it last saw of who waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.live.waiting_cache import WaitingCache
from tests.service.installation import Installation, record


@pytest.mark.parametrize(("took", "busy", "minutes"), [(0, False, 1), (0, True, 1), (6, False, 3), (6, True, 30)])
def test_a_look_that_takes_long_is_kept_longer(made: Installation, took: int, busy: bool, minutes: int) -> None:
    made.add(record("s-1", "seeker"))
    waits: WaitingCache = made.app.extensions["peermatch"].shortlists.waits
    begun = made.clock()
    kept = waits.fresh("lantern", begun)
    for seconds, same in ((-1, False), (0, True), (60 * minutes - 1, True), (60 * minutes, False)):
        waits._kept["lantern"] = (kept, timedelta(seconds=took))
        again = waits.recent("lantern", begun + timedelta(seconds=seconds), busy=busy)
        assert (again is kept) == same, seconds
