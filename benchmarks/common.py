"""What the benchmarks share: the synthetic programme, where figures go, and the machine they were taken on."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from matcher.programme import Programme
from matcher.synthetic import experiences, programme_text

OUT = Path(__file__).resolve().parent.parent / "var" / "bench"


def lantern() -> Programme:
    """Return the programme of every synthetic cohort."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "programme.toml").write_text(programme_text(), encoding="utf-8")
        (folder / "experiences.csv").write_text(experiences.to_csv(), encoding="utf-8")
        return Programme.from_toml(folder / "programme.toml")


def machine() -> dict[str, Any]:
    """Return what a reader needs to judge a timing: never more than that."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "cores": os.cpu_count(),
        "blas_core_type": os.environ.get("OPENBLAS_CORETYPE", "detected"),
        "load_before": round(os.getloadavg()[0], 1),
    }


def write(name: str, figures: Mapping[str, Any]) -> Path:
    """Write `figures` to ``var/bench/<name>.json`` in one step and return the path."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(path)
    return path
