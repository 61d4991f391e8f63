"""Seekers and supporters, and somebody who asks."""

from __future__ import annotations

import pytest

from tests.service.installation import Installation, record
from tests.service.live.asking import Asking, supporters


@pytest.fixture
def asking(made: Installation) -> Asking:
    """A standard programme with a seeker ``s-1`` and the supporters ``p-00`` … ``p-11``, who are all alike."""
    made.add(record("s-1", "seeker"), *supporters(12))
    return Asking(made)


@pytest.fixture
def asking_small(small: Installation) -> Asking:
    """The same in a programme of size `small`."""
    small.add(record("s-1", "seeker"), *supporters(12))
    return Asking(small)
