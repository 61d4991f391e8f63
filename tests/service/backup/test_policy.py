"""A programme file that was changed since the backup stays so, and what people agreed to follows from it."""

from __future__ import annotations

from matcher.programme import Programme
from service.store import programmes
from tests.service.backup.backups import backed_up, content, put_back
from tests.service.backup.test_since import shown
from tests.service.installation import CONCEPTS, Installation


def bump(made: Installation) -> None:
    """Give the programme another policy version, with the text as it was."""
    folder = made.folder / "bumped"
    (folder / "lists").mkdir(parents=True)
    (folder / "lists" / "experiences.csv").write_text(CONCEPTS, encoding="utf-8", newline="")
    with made.store.transaction() as session:
        source = programmes.load(session, "lantern").source
        changed = source.replace('policy_version = "1"', 'policy_version = "2"')
        assert changed != source
        (folder / "programme.toml").write_text(changed, encoding="utf-8")
        programmes.save(session, Programme.from_toml(folder / "programme.toml"), folder, now=made.clock())


def test_a_policy_that_came_since_holds_after_the_restore(full: Installation) -> None:
    assert shown(full)
    file = backed_up(full)
    full.clock.turn(hours=1)
    bump(full)
    before = {row["member_id"]: row["shown"] for row in content(full)["live"] if row["programme_id"] == "lantern"}
    rows = content(full)["programmes"]
    done = put_back(full, file).merged
    assert (done.programmes, done.decisions, done.withdrawn) == (["lantern"], 0, 0)
    assert content(full)["programmes"] == rows
    after = {row["member_id"]: row["shown"] for row in content(full)["live"] if row["programme_id"] == "lantern"}
    assert after == before
    assert not any(after.values())


def test_a_programme_that_did_not_change_is_not_told_of(full: Installation) -> None:
    assert put_back(full, backed_up(full)).merged.programmes == []
