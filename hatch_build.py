"""Build hook: compiles ICD-10-CM into the small array file that `matcher.vocabulary` reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = Path("matcher", "data", "icd10cm.npz")


def concepts() -> list[tuple[bytes, str, str]]:
    """Return (code, label, parent or nothing) of all of ICD-10-CM, sorted by code."""
    import simple_icd_10_cm as icd  # takes seconds, and only a build needs it

    rows = []
    for code in sorted(set(icd.get_all_codes(True))):
        parent = icd.get_parent(code)
        if parent == code:  # a block of one category has the category's code: they are one concept
            parent = icd.get_parent(code, prioritize_blocks=True)
        rows.append((code.encode(), icd.get_description(code), parent))
    return rows


def compile_icd(path: Path) -> None:
    """Write ICD-10-CM to `path`, whole or not at all."""
    rows = concepts()
    place = {code.decode(): row for row, (code, _, _) in enumerate(rows)}
    labels = [label.strip().encode() for _, label, _ in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp.npz")
    np.savez_compressed(
        temporary,
        codes=np.array([code for code, _, _ in rows], dtype=np.bytes_),
        parents=np.array([place[parent] if parent else -1 for _, _, parent in rows], dtype=np.int32),
        labels=np.frombuffer(b"".join(labels), dtype=np.uint8),
        ends=np.cumsum([len(label) for label in labels], dtype=np.int32),
    )
    temporary.replace(path)


class IcdHook(BuildHookInterface[Any]):
    """Compiles the file for wheels and editable installs, and ships it in the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before the build; `version` is "standard" or "editable", for which the file is the same."""
        compile_icd(Path(self.root) / TARGET)
        build_data["artifacts"].append(f"/{TARGET.as_posix()}")
