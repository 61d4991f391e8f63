"""What groups are about, and how much that is what a seeker asks for: docs/reference/groups.md §1 and §3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np

from matcher.facets.base import Column, EncodeContext, Facet, Floats, Mask, Rows, Side, Sides
from matcher.facets.choice import Choice
from matcher.facets.concepts import Concepts
from matcher.facets.tags import Tags
from matcher.group_reading import CHANNEL, channel_facet
from matcher.matching.scoring import FORWARD, HALVES
from matcher.model.affinity import NEUTRAL, PairAffinity
from matcher.model.encoder import ProfileEncoder
from matcher.programme import Programme
from matcher.support_group import Group

NOTHING_SAID = Side(importance=0)
NO_DAY = date(1970, 1, 1)
"""Weeks are no topics, so any day does."""


@dataclass(frozen=True)
class Topics:
    """What G groups are about, encoded as the values of G people who ask for nothing."""

    programme: Programme
    groups: tuple[str, ...]
    """Their ids."""
    columns: Mapping[str, Column]
    """By facet: those with topics, those that are met by one of these, and the channel."""
    spoken: Mapping[str, Mask]
    """By facet of `columns`: which groups speak of it, shape (G,)."""

    @classmethod
    def of(cls, programme: Programme, encoder: ProfileEncoder, groups: Sequence[Group]) -> Self:
        """Encode the topics and channels of `groups`, which may be of another programme: those say nothing.

        Who ranks for many seekers keeps this for as long as the records and the model stay as they are.
        """
        values = [_values(programme, group) for group in groups]
        said = {name for told in values for name in told}
        facets = {name: facet for name, facet in programme.facets.items() if target(facet) in said}
        sides = {
            name: [Side(told[name], 0) if name in told else NOTHING_SAID for told in values]
            for name in facets.keys() | said
        }
        context = EncodeContext(encoder.information_, NO_DAY, programme.facets)
        columns = {name: facet.encode(sides, [False] * len(groups), context) for name, facet in facets.items()}
        for column in columns.values():
            column.link(columns)
        spoken = {
            name: np.fromiter((target(facet) in told for told in values), np.bool_, len(groups))
            for name, facet in facets.items()
        }
        return cls(programme, tuple(group.group_id for group in groups), columns, spoken)


def target(facet: Facet) -> str:
    """Return the facet of the other side that `facet` looks at; for a boundary itself, of which nobody speaks."""
    return facet.target if isinstance(facet, Concepts) else facet.name


def _values(programme: Programme, group: Group) -> dict[str, object]:
    if group.programme_id != programme.id:
        return {}
    values = dict(group.topics)
    if group.channel is not None and channel_facet(programme) is not None:
        values[CHANNEL] = (group.channel,)
    return values


@dataclass(frozen=True)
class Likeness:
    """Topic likeness of n groups, and what it is made of."""

    likeness: Floats
    """T, shape (n,)."""
    informative: Mask
    added: Mapping[str, Floats]
    """By facet, in the programme's order: c_f · s_f where it is known and above 0, else 0; shape (n,)."""


def likeness(topics: Topics, affinity: PairAffinity, sides: Sides, rows: Rows) -> Likeness:
    """Return how much what `rows` are about is what the seeker asks for, in [0, 1]."""
    met, counted = np.zeros(rows.size), np.zeros(rows.size)
    informative = np.zeros(rows.size, dtype=np.bool_)
    added: dict[str, Floats] = {}
    heaviest = 0.0
    for at, name in enumerate(topics.programme.features):
        weight = affinity.coef_[FORWARD, at] * HALVES[sides[name].importance]
        if not weight or not may_be_topic(topics.programme, name):
            continue
        heaviest = max(heaviest, float(weight))
        if name not in topics.columns:
            continue
        satisfied = topics.columns[name].forward(sides, rows)
        assert satisfied is not None
        spoken, satisfy = topics.spoken[name][rows], satisfied.by_row()
        known = np.where(np.isnan(satisfy), affinity.neutral_[FORWARD, at], satisfy)
        met += np.where(spoken, weight * known, 0.0)
        counted += np.where(spoken, weight, 0.0)
        tells = satisfied.informative if satisfied.codes is None else satisfied.informative[satisfied.codes]
        informative |= spoken & tells
        added[name] = np.where(spoken & ~np.isnan(satisfy), weight * known, 0.0)
    shares = np.where(counted > 0, met / np.maximum(np.maximum(counted, heaviest), np.finfo(float).tiny), NEUTRAL)
    return Likeness(shares, informative, added)


def may_be_topic(programme: Programme, name: str) -> bool:
    """Whether a group could speak of a facet: concepts, tags and choices, but not the channel."""
    facet = programme.facets[name]
    return isinstance(facet, Concepts | Tags | Choice) and facet is not channel_facet(programme)
