"""What every test may rely on: counts of generated cases, and the one rule about skipping."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
DEEP = os.environ.get("PEERMATCH_DEEP") == "1"
CI = os.environ.get("CI", "").lower() in {"1", "true"}

# The machine is shared: how long a case takes says nothing. Derandomised, so that a red suite is red again.
COMMON: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("default", max_examples=50, **COMMON)
settings.register_profile("deep", max_examples=2000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "deep" if DEEP else "default"))


def examples(ordinary: int, deep: int) -> int:
    """Return how many cases to generate: `ordinary`, or `deep` under ``make test-deep``."""
    return deep if DEEP else ordinary


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked ``deep`` to ``make test-deep``; they are deselected, not skipped."""
    if DEEP:
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    if deep:
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return a path under ``../shared/data``, or skip where these files do not lie beside the repository."""

    def find(relative: str) -> Path:
        path = ROOT.parent / "shared" / "data" / relative
        if not path.exists():
            pytest.skip(f"needs ../shared/data/{relative}, which is not here: put the data beside the repository")
        return path

    return find


@pytest.fixture(scope="session")
def system_program() -> Callable[[str], str]:
    """Return the path of a program of the system; without it skip, but fail in CI, which must have it."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            message = f"needs the program {name}, which is not installed"
            (pytest.fail if CI else pytest.skip)(message)
        return str(path)

    return find
