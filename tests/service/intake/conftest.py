"""A programme with every kind of field, and a way to map a few lines of CSV under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from matcher.programme import Programme
from service.intake.members import Batch, read_members

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)

PROGRAMME = """
[programme]
id = "lantern"
name = "A programme of the tests"
pairing = "mentor"

[consent]
policy_version = "1"
required = ["availability", "languages"]

[ages]
bands = ["13-17", "18-24", "25-34", "35+"]
minors = ["13-17"]

[facets.conditions]
kind = "concepts"
vocabulary = "conditions.csv"
weight = 2.0
[facets.needs]
kind = "concepts"
vocabulary = "conditions.csv"
against = "conditions"
weight = 1.0
[facets.channel]
kind = "tags"
values = ["phone", "video"]
[facets.gender]
kind = "choice"
values = ["woman", "man", "nonbinary"]
[facets.stage]
kind = "ordinal"
levels = ["new", "later", "long"]
[facets.age]
kind = "ordinal"
source = "age_band"
[facets.availability]
kind = "week"
[facets.languages]
kind = "languages"
[facets.statement]
kind = "statement"

[strata]
ethnicity = ["a", "b"]
"""
CONDITIONS = "code,label,parent\nmood,Mood,\ndepression,Depression,mood\nanxiety,Anxiety,\n"

CONSENT = """
[consent]
purposes = ["match_serve", "be_shown_as_peer"]
policy_version = "1"
at = 2026-01-01T00:00:00Z
evidence = "sign-up sheet of January"
"""
ID = '[member_id]\ncolumn = "id"\n'
ROLES = '[roles]\nvalue = ["seeker"]\n'


@pytest.fixture(scope="session")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    folder = tmp_path_factory.mktemp("programme")
    (folder / "conditions.csv").write_text(CONDITIONS, encoding="utf-8")
    return Programme.from_text(PROGRAMME, folder)


@dataclass
class Intake:
    """Reads files of members that tests write."""

    folder: Path
    programme: Programme

    def __call__(self, content: str | bytes, mapping: str | None = None, name: str = "file.csv") -> Batch:
        """Read `content`; `mapping` is the text of a mapping file."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        rules = None
        if mapping is not None:
            rules = self.folder / "mapping.toml"
            rules.write_text(mapping, encoding="utf-8")
        return read_members(path, self.programme, rules, NOW)

    def mapped(self, content: str, *sections: str) -> Batch:
        """Read `content` under a mapping with id, role and consent, and these sections."""
        return self(content, "\n".join((ID, ROLES, *sections, CONSENT)))

    def one(self, content: str, *sections: str) -> dict[str, Any]:
        """Return the record of the one row of `content`, which must be accepted."""
        batch = self.mapped(content, *sections)
        assert batch.outcome.refused == []
        (member,) = batch.members.values()
        return member.to_dict()

    def errors(self, content: str, *sections: str) -> dict[str, str]:
        """Return the errors of the one row of `content`, which must be refused."""
        batch = self.mapped(content, *sections)
        assert batch.members == {}
        (refusal,) = batch.outcome.refused
        return dict(refusal.errors)


@pytest.fixture
def intake(tmp_path: Path, programme: Programme) -> Intake:
    return Intake(tmp_path, programme)


Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file into the test's folder and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
