"""One cohort for all tests that only read one, and its programme."""

from __future__ import annotations

import pytest

from benchmarks.common import lantern
from matcher.programme import Programme
from matcher.synthetic import Cohort, generate


@pytest.fixture(scope="session")
def programme() -> Programme:
    """The programme that every synthetic cohort has."""
    return lantern()


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    """A cohort as large as the ones that learning is measured on."""
    return generate(2_000, seed=11)
