from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from matcher.errors import ProgrammeError
from matcher.programme import Programme
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


TEXT = "\ufeffZgadzam się.\r\nYou may stop at any time.\n"
TEXTED = '[consent.texts]\nen = "texts/consent.txt"\npl = "consent-pl.txt"\n'


def write_texts(folder: Path, text: str = TEXT) -> Programme:
    """Write the programme with two texts that its members agree to, one of them in a folder below."""
    (folder / "texts").mkdir(exist_ok=True)
    (folder / "texts" / "consent.txt").write_text(text, encoding="utf-8", newline="")
    (folder / "consent-pl.txt").write_text("Można przerwać.", encoding="utf-8", newline="")
    return write_programme(folder, more=TEXTED)


def test_a_programme_is_read_again_with_its_texts_on_a_machine_without_them(made: Installation) -> None:
    files = made.folder / "files"
    programme = write_texts(files)
    with made.store.transaction() as session:
        assert not programmes.save(session, programme, files, now=NOON)
    for name in ("texts/consent.txt", "consent-pl.txt", "lists/experiences.csv", "programme.toml"):
        (files / name).unlink()
    with made.store.reading() as session:
        again = programmes.load(session, "lantern")
    assert again == programme
    assert again.policy_texts == programme.policy_texts
    assert again.policy_texts["en"] == hashlib.sha256(TEXT.encode()).hexdigest()


def test_a_text_that_people_agreed_to_is_changed_with_its_version_only(made: Installation) -> None:
    files = made.folder / "files"
    with made.store.transaction() as session:
        programmes.save(session, write_texts(files), files, now=NOON)
        before = programmes.load(session, "lantern")
        changed = write_texts(files, TEXT + " ")
        assert changed != before
        with pytest.raises(ProgrammeError, match=r"\[consent.texts\] en: found another text"):
            programmes.save(session, changed, files, now=NOON)
        toml = (files / "programme.toml").read_text("utf-8").replace('policy_version = "1"', 'policy_version = "2"')
        (files / "programme.toml").write_text(toml, "utf-8")
        programmes.save(session, Programme.from_toml(files / "programme.toml"), files, now=NOON)
        after = programmes.load(session, "lantern")
        assert after.policy_texts["en"] == hashlib.sha256(f"{TEXT} ".encode()).hexdigest()
        assert programmes.digest(session, "lantern") == after.digest


def test_an_unknown_programme_is_told_with_those_there_are(made: Installation) -> None:
    with made.store.reading() as session:
        with pytest.raises(UnknownProgrammeError, match="found 'other'; expected one of this database: lantern"):
            programmes.load(session, "other")
        assert programmes.digest(session, "other") is None
        assert feed.latest(session, "other") == (0, 0)
