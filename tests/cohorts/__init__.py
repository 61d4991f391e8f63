"""Generated programmes and cohorts, raw: everything a programme can declare, everybody it can meet.

Deterministic in the seed. Nothing here knows the implementation: the oracle and the library read the same raw case.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cohorts.members import Chances, circumstances, person
from tests.cohorts.programmes import programme, trees

Record = dict[str, Any]

# Days whose compared week holds, begins or ends with a change of clocks somewhere, an ordinary day, and a leap day.
DAYS = (
    "2026-03-08T12:00:00", "2026-03-02T00:00:00", "2026-03-29T23:59:59", "2026-03-23T08:00:00", "2026-03-24T10:00:00",
    "2026-10-19T07:30:00", "2026-10-25T00:30:00", "2026-10-31T12:00:00", "2026-04-04T12:00:00", "2026-09-21T12:00:00",
    "2026-06-17T15:00:00", "2028-02-29T15:00:00",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One generated programme with a cohort."""

    seed: int
    programme: dict[str, Any]
    parents: dict[str, dict[str, str]]
    records: tuple[Record, ...]
    foreign: frozenset[str]
    circumstances: dict[str, Any]
    at: datetime
    random_state: int
    limit: int | None
    others: tuple[Record, ...] = field(default=())
    """Members of whom the encoder learns when it learns from others than the pool."""

    @property
    def toml(self) -> str:
        """The programme file."""
        return to_toml(self.programme)

    def write(self, folder: Path) -> Path:
        """Write the programme file and its vocabularies; return the programme file."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, parent in self.parents.items():
            rows = "".join(f"{code},{code.title()},{up}\n" for code, up in parent.items())
            (folder / name).write_text("code,label,parent\n" + rows, encoding="utf-8")
        (folder / "programme.toml").write_text(self.toml, encoding="utf-8")
        return folder / "programme.toml"


def to_toml(raw: dict[str, Any]) -> str:
    """Write a programme as TOML (whose strings, numbers, booleans and arrays are JSON's)."""
    lines = []
    for section, table in raw.items():
        if section == "facets":
            for name, facet in table.items():
                lines += [f"[facets.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in facet.items())]
        else:
            lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def case(seed: int, *, members: tuple[int, int] = (10, 60), ease: float | None = None) -> Case:
    """Generate the case of a seed, with a number of members in a range; with `ease` near 1 lists are long."""
    rng = random.Random(f"case {seed}")
    parents = trees(rng)
    ease = rng.choice([0.0, 0.6, 0.85, 0.95, 1.0]) if ease is None else ease
    raw = programme(rng, parents, ease)
    at = datetime.fromisoformat(rng.choice(DAYS)).replace(tzinfo=UTC) + timedelta(minutes=rng.randrange(60))
    chances = Chances.draw(rng, ease)
    low, high = members
    count = rng.randint(low, low + (high - low) // rng.choice([5, 3, 1]))
    records = [person(rng, raw, parents, chances, at, number) for number in range(count)]
    for number, record in enumerate(records):
        if rng.random() < chances.clone:  # twins tie
            records[number] = {**json.loads(json.dumps(rng.choice(records))), "member_id": record["member_id"]}
    foreign = frozenset(r["member_id"] for r in records if rng.random() < chances.foreign)
    for record in records:
        if record["member_id"] in foreign:
            record["consents"] = [c for c in record["consents"] if c["purpose"] not in ("train_model", "show_reasons")]
    rng.shuffle(records)
    others = [person(rng, raw, parents, chances, at, 1000 + number) for number in range(15)]
    return Case(
        seed=seed,
        programme=raw,
        parents=parents,
        records=tuple(records),
        foreign=foreign,
        circumstances=circumstances(rng, [record["member_id"] for record in records], chances.trouble),
        at=at,
        random_state=rng.choice([0, 0, 1, 2026]),
        limit=rng.choice([None, None, 1, 3, 10]),
        others=tuple(others),
    )
