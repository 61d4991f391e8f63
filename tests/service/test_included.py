"""Was I in this model?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.included import learned_from
from service.settings import SettingsError
from tests.service.installation import Installation
from tests.service.learned import learn


def asked(made: Installation, version: str, member_id: str = "m-1") -> bool | None:
    return learned_from(made.settings, "lantern", version, member_id)


def test_the_manifest_tells_of_whom_it_learned(made: Installation) -> None:
    learn(made, "2", "m-1", "m-2")
    told = {name: asked(made, "2", name) for name in ("m-1", "m-2", "m-3", "M-1", "m-1 ")}
    assert told == {"m-1": True, "m-2": True, "m-3": False, "M-1": False, "m-1 ": False}
    assert asked(made, "1") is False, "a prior learned from nobody"
    assert "m-1" not in (made.settings.model_folder("lantern", "2") / "manifest.json").read_text("ascii")


def test_an_id_of_another_programme_is_another_person(made: Installation) -> None:
    learn(made, "2", "m-1", programme_id="beacon")
    assert asked(made, "2") is False


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def unsigned(folder: Path) -> None:
    (folder / "manifest.sig").unlink()


def cut_signature(folder: Path) -> None:
    (folder / "manifest.sig").write_bytes(b"short")


def planted(folder: Path) -> None:
    """Somebody writes out of the manifest that it learned from them."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["training_ids"] = []
    (folder / "manifest.json").write_text(json.dumps(manifest))


def damaged(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"{")


def of_another_version(folder: Path) -> None:
    other = folder.parent / "1"
    for name in ("manifest.json", "manifest.sig"):
        shutil.copy(other / name, folder / name)


@pytest.mark.parametrize("damage", [gone, unsigned, cut_signature, planted, damaged, of_another_version])
def test_where_nobody_can_tell_it_says_so(made: Installation, damage: Callable[[Path], None]) -> None:
    folder = learn(made, "2", "m-1")
    damage(folder)
    assert asked(made, "2") is None


def test_a_model_that_cannot_serve_any_more_is_asked_all_the_same(made: Installation) -> None:
    folder = learn(made, "2", "m-1")
    (folder / "weights.json").write_text("{}")
    made.change_programme(more="[privacy]\nreason_k = 7")
    assert asked(made, "2") is True


def test_without_the_secret_it_is_told_what_is_missing(made: Installation) -> None:
    learn(made, "2", "m-1")
    made.settings.secret_key_file.unlink()
    with pytest.raises(SettingsError):
        asked(made, "2")
