from __future__ import annotations

from pathlib import Path

import pytest

from matcher.errors import ProgrammeError
from service.store import feed, programmes
from service.store.programmes import UnknownProgrammeError
from tests.service.installation import NOON, Installation, write_programme


def test_a_programme_is_read_again_without_its_files(made: Installation) -> None:
    files = made.folder / "files"
    (files / "lists" / "experiences.csv").unlink()
    (files / "programme.toml").unlink()
    with made.store.reading() as session:
        again = programmes.load(session, "lantern")
        assert programmes.digest(session, "lantern") == again.digest
    assert again == made.programme
    assert again.source == made.programme.source
    assert again.limit == made.programme.limit


def test_saving_the_same_again_changes_nothing_and_another_bumps_the_pool(made: Installation) -> None:
    files = made.folder / "files"
    with made.store.transaction() as session:
        before = feed.latest(session, "lantern")
        assert not programmes.save(session, made.programme, files, now=NOON)
        assert feed.latest(session, "lantern") == before
        changed = write_programme(files, more="limit = 3")
        assert not programmes.save(session, changed, files, now=NOON)
        assert feed.latest(session, "lantern") == (before[0] + 1, before[0] + 1)
        assert programmes.load(session, "lantern").limit == 3


def test_a_vocabulary_elsewhere_is_refused(made: Installation, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text("code,label,parent\na,A,\n")
    folder = tmp_path / "files"
    text = (folder / "programme.toml").read_text().replace("lists/experiences.csv", "../elsewhere.csv")
    (folder / "programme.toml").write_text(text)
    programme = type(made.programme).from_toml(folder / "programme.toml")
    expected = r"found '../elsewhere.csv'; expected a file beside the programme file"
    with pytest.raises(ProgrammeError, match=expected), made.store.transaction() as session:
        programmes.save(session, programme, folder, now=NOON)


def test_an_unknown_programme_is_told_with_those_there_are(made: Installation) -> None:
    with made.store.reading() as session:
        with pytest.raises(UnknownProgrammeError, match="found 'other'; expected one of this database: lantern"):
            programmes.load(session, "other")
        assert programmes.digest(session, "other") is None
        assert feed.latest(session, "other") == (0, 0)
