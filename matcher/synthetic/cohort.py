"""A whole synthetic cohort: generated from a seed, written as the files that a programme starts from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from matcher.errors import PeermatchError
from matcher.synthetic import consents, decisions, experiences, population, records, wants, world
from matcher.synthetic.decisions import Logging, Streams
from matcher.synthetic.groups import groups
from matcher.synthetic.views import People

LEAST, MOST = 10, 1_000_000


class SyntheticError(PeermatchError):
    """A cohort cannot be made, or not where it was asked for."""

    title = "No cohort was made"


@dataclass(frozen=True)
class Cohort:
    """A programme and everything that happened in it. Nobody in it exists."""

    members: list[dict[str, Any]]
    feedback: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    truth: list[dict[str, Any]]
    """Sampled pairs that no rule excludes and that were never shown, with their true chances of a yes."""
    at: datetime
    """The end of its history."""

    def counts(self) -> dict[str, int]:
        """Return how many records of each kind there are."""
        return {name: len(getattr(self, name)) for name in ("members", "feedback", "groups", "truth")}

    def files(self) -> dict[str, str]:
        """Return the text of each file by its name."""
        return {
            "programme.toml": programme_text(),
            "experiences.csv": experiences.to_csv(),
            "members.jsonl": _lines(self.members),
            "feedback.jsonl": _lines(self.feedback),
            "groups.jsonl": _lines(self.groups),
            "truth.jsonl": _lines(self.truth),
        }


def generate(members: int, seed: int, *, at: datetime | None = None, logging: Logging = "rank") -> Cohort:
    """Return the cohort of `members` people that `seed` makes.

    Parameters
    ----------
    members : int
        From 10 to 1,000,000.
    seed : int, ≥ 0
        The same seed gives the same cohort, record for record.
    at : datetime, optional
        Aware: when the cohort's history ends. `world.AT` unless given; there is no clock here.
    logging : {"rank", "uniform"}
        Whether a place in a list is looked at with probability 1/rank, or every place with the mean of those.

    Raises
    ------
    SyntheticError
        If a parameter is out of range.
    """
    end = _end(at)
    people, rng = _people(members, seed)
    streams = Streams(*(np.random.default_rng(s) for s in rng.bit_generator.seed_seq.spawn(6)))  # type: ignore[attr-defined]
    history = decisions.play(people, end, streams, logging)
    return Cohort(list(records.members(people, end)), history.feedback, groups(people, rng), history.truth, end)


def generate_members(members: int, seed: int, *, at: datetime | None = None) -> list[dict[str, Any]]:
    """Return only the member records of `generate`, which is fast at any size."""
    people, _ = _people(members, seed)
    return list(records.members(people, _end(at)))


def write(cohort: Cohort, folder: Path, *, force: bool = False) -> list[Path]:
    """Write the files of `cohort` into `folder` and return their paths.

    Raises
    ------
    SyntheticError
        If `folder` is a file, or holds anything and `force` is off. Nothing is written then.
    """
    check_folder(folder, force=force)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in cohort.files().items():
        path = folder / name
        part = path.with_name(f"{name}.part")
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
        paths.append(path)
    return paths


def check_folder(folder: Path, *, force: bool = False) -> None:
    """Raise SyntheticError unless a cohort may be written into `folder`."""
    if folder.exists() and not folder.is_dir():
        raise SyntheticError(f"--out: found the file {folder.name}; expected a folder, or a name that is free")
    if not force and folder.is_dir() and any(folder.iterdir()):
        found = f"--out: found the folder {folder.name} with files in it; expected an empty or a new one"
        raise SyntheticError(f"{found} (--force writes over a cohort that is there)")


def programme_text() -> str:
    """Return the programme file of every synthetic cohort."""
    return resources.files("matcher.synthetic").joinpath("programme.toml").read_text(encoding="utf-8")


def _people(members: int, seed: int) -> tuple[People, np.random.Generator]:
    if not LEAST <= members <= MOST:
        raise SyntheticError(f"members: found {members}; expected a number from {LEAST:,} to {MOST:,}")
    if seed < 0:
        raise SyntheticError(f"seed: found {seed}; expected a whole number ≥ 0")
    rng = np.random.default_rng(seed)
    drawn = population.draw(members, rng)
    return People(drawn, wants.draw(drawn, rng), consents.draw(drawn, rng)), rng


def moment(text: str = world.AT) -> datetime:
    """Return a moment that is written as in records; the one that cohorts end at unless told otherwise."""
    return datetime.fromisoformat(text)


def _end(at: datetime | None) -> datetime:
    if at is None:
        return moment()
    if at.tzinfo is None:
        raise SyntheticError(f"at: found {at.isoformat()} without a time zone; expected e.g. {world.AT}")
    return at.astimezone(UTC).replace(microsecond=0)


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
