"""Folders of models after a restore that was killed while it put them in their place."""

from __future__ import annotations

from typing import Any

import pytest

from service.backup.models import Folders
from tests.service.backup.backups import backed_up, files, put_back
from tests.service.installation import Installation


class Killed(BaseException):
    """Stands for the end of the process."""


def marked(made: Installation) -> dict[str, bytes]:
    """Add to each model's folder a file that no backup has; return all files."""
    models = made.settings.home / "models"
    for folder in models.glob("*/*"):
        (folder / "marked").write_bytes(b"as it was")
    return files(models)


def kill(monkeypatch: pytest.MonkeyPatch, made: Installation, file: Any, method: str, *, after: bool) -> None:
    """Have a restore end in a method of `Folders`, without anything being tidied up."""
    whole = getattr(Folders, method)

    def die(self: Folders, *some: Any) -> None:
        if after:
            whole(self, *some)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Folders, "undo", lambda _: None)
        patched.setattr(Folders, method, die)
        with pytest.raises(Killed):
            put_back(made, file)


def test_folders_that_were_never_committed_are_put_back(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    file = backed_up(full)
    before = marked(full)
    kill(monkeypatch, full, file, "place", after=True)
    models = full.settings.home / "models"
    assert files(models) != before
    with pytest.raises(Exception, match="programmes already"):
        put_back(full, file, replace=False)
    assert files(models) == before


def test_folders_that_were_committed_stay(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    models = full.settings.home / "models"
    whole = files(models)
    file = backed_up(full)
    marked(full)
    kill(monkeypatch, full, file, "done", after=False)
    assert files(models) != whole
    with pytest.raises(Exception, match="programmes already"):
        put_back(full, file, replace=False)
    assert files(models) == whole


def test_folders_that_were_being_written_are_removed(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    file = backed_up(full)
    before = files(full.settings.home / "models")
    kill(monkeypatch, full, file, "place", after=False)
    assert [path for path in full.settings.home.rglob("*") if "restoring-" in path.name]
    put_back(full, file)
    assert files(full.settings.home / "models") == before
    assert not [path for path in full.settings.home.rglob("*") if "restoring-" in path.name]
