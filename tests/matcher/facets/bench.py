"""Facets read from a few lines of TOML, and small pools of them: what the tests of every kind share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pytest

from matcher.config import Table
from matcher.errors import ProgrammeError
from matcher.facets import KINDS
from matcher.facets.base import Column, EncodeContext, Facet, FacetContext, Information, Side, ValueProblem
from matcher.vocabulary import Vocabulary
from matcher.vocabulary_csv import Concept

DAY = date(2026, 6, 15)
BANDS = ("16-17", "18-24", "25-34")
TREE = Vocabulary.from_concepts(
    "tree.csv",
    [
        Concept(code, code.replace("_", " ").title(), parent)
        for code, parent in {
            "treatment": "",
            "surgery": "treatment",
            "lumpectomy": "surgery",
            "mastectomy": "surgery",
            "chemotherapy": "treatment",
            "daily_life": "",
            "driving_again": "daily_life",
            "back_to_work": "daily_life",
            "grief": "",
        }.items()
    ],
)
Person = Mapping[str, Side]


def facet(kind: str, body: str = "", name: str = "f", *, mutual: bool = False, bands: Sequence[str] = BANDS) -> Any:
    """Return the facet that the lines `body` declare, as a programme file reads it."""
    table = Table.from_text(f'\n[facets."{name}"]\n{body}', "p.toml").table("facets").table(name)
    made = KINDS[kind].from_table(name, table, FacetContext(tuple(bands), mutual, lambda _: TREE))
    table.finish()
    return made


def declared_wrongly(kind: str, body: str, *parts: str, **more: Any) -> None:
    """Assert that the lines are refused, at the facet's header, with all `parts` in the message."""
    with pytest.raises(ProgrammeError) as caught:
        facet(kind, body, **more)
    for part in ("p.toml, line 2, [facets.f]", *parts):
        assert part in caught.value.message


def refused(parse: Any, raw: object, at: str, *parts: str) -> None:
    """Assert that `raw` is refused at the place `at`, with all `parts` in the message."""
    with pytest.raises(ValueProblem) as caught:
        parse(raw)
    assert caught.value.at == at
    for part in parts:
        assert part in caught.value.message


def says(of: Facet, raw: object = None, **asked: Any) -> Person:
    """Return a person who says only this; None says nothing. `asked` are importance, prefer and avoid."""
    for key in ("prefer", "avoid"):
        if key in asked:
            asked[key] = of.parse_asked(asked[key])
    return {of.name: Side(None if raw is None else of.parse(raw), asked.pop("importance", of.importance), **asked)}


def columns(
    facets: Sequence[Facet],
    rows: Sequence[Person],
    *,
    information: Information | None = None,
    day: date = DAY,
    shows: Sequence[bool] | None = None,
) -> dict[str, Column]:
    """Return the linked columns of a pool."""
    sides = {of.name: [row.get(of.name, Side(importance=of.importance)) for row in rows] for of in facets}
    context = EncodeContext(
        {of.name: information or Information() for of in facets}, day, {of.name: of for of in facets}
    )
    made = {of.name: of.encode(sides, [True] * len(rows) if shows is None else shows, context) for of in facets}
    for column in made.values():
        column.link(made)
    return made


def whole(facets: Sequence[Facet], person: Person) -> dict[str, Side]:
    """Return a seeker with a side for every facet."""
    return {of.name: person.get(of.name, Side(importance=of.importance)) for of in facets}


@dataclass(frozen=True)
class Seen:
    """What a column says of its rows, in plain Python; NaN is None."""

    satisfy: list[float | None]
    informative: list[bool]
    importance: list[int]


def _seen(found: Any, size: int) -> Seen | None:
    if found is None:
        return None

    def by_row(values: Any) -> list[Any]:
        values = np.asarray(values)
        if values.ndim and found.codes is not None:
            values = values[found.codes]
        return np.broadcast_to(values, size).tolist()

    satisfy = [None if np.isnan(value) else value for value in by_row(found.satisfy)]
    assert np.array_equal(found.by_row(), [np.nan if value is None else value for value in satisfy], equal_nan=True)
    return Seen(satisfy, by_row(found.informative), by_row(found.importance))


def forward(
    facets: Sequence[Facet], seeker: Person, rows: Sequence[Person], name: str | None = None, **more: Any
) -> Seen | None:
    """Return how well `rows` satisfy the seeker in one facet, the first unless named."""
    column = columns(facets, rows, **more)[name or facets[0].name]
    return _seen(column.forward(whole(facets, seeker), np.arange(len(rows))), len(rows))


def backward(
    facets: Sequence[Facet], seeker: Person, rows: Sequence[Person], name: str | None = None, **more: Any
) -> Seen | None:
    """Return how well the seeker satisfies `rows` in one facet, the first unless named."""
    column = columns(facets, rows, **more)[name or facets[0].name]
    return _seen(column.backward(whole(facets, seeker), np.arange(len(rows))), len(rows))


def satisfied(of: Facet, asker: Person, other: Person, **more: Any) -> float | None:
    """Return satisfy(asker → other), the same whichever of the two is the seeker."""
    one, two = forward([of], asker, [other], **more), backward([of], other, [asker], **more)
    assert one is not None
    if of.backward_feature:
        assert two is not None
        assert one.informative == two.informative
        assert one.satisfy == [value if value is None else pytest.approx(value, abs=1e-12) for value in two.satisfy]
    else:
        assert two is None
    return one.satisfy[0]


def passes(
    rule: str, facets: Sequence[Facet], a: Person, b: Person, name: str | None = None, **more: Any
) -> bool | None:
    """Return whether b passes ``permit``, ``musts`` or ``avoids`` for the seeker a; None where there is no rule."""
    mask = getattr(columns(facets, [b], **more)[name or facets[0].name], rule)(whole(facets, a))
    return None if mask is None else bool(mask[0])
