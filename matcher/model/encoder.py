"""`ProfileEncoder`: from consented profiles to the columns of a pool."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np

from matcher.consent import ConsentedProfile, View
from matcher.facets.base import Column, EncodeContext, Facet, Information, Side
from matcher.facets.column import Arrays
from matcher.facets.concepts import Concepts
from matcher.facets.side_codes import SideCodes
from matcher.model.estimator import Estimator
from matcher.programme import Programme


class ProfileEncoder(Estimator):
    """Learns how telling each concept is, and encodes what members consented to show.

    Parameters
    ----------
    programme : Programme

    Attributes
    ----------
    n_members_ : int
        Members it learned from: those whose ``train_model`` is on.
    information_ : dict of str to Information
        By facet of concepts.
    """

    def __init__(self, programme: Programme) -> None:
        self.programme = programme

    def fit(self, profiles: Sequence[ConsentedProfile], y: None = None) -> ProfileEncoder:
        """Learn from `profiles`, through what their ``train_model`` covers; return self.

        Raises
        ------
        TypeError
            If anything but a ConsentedProfile is among them.
        """
        views = [both for profile in checked(profiles) if (both := _training(profile))]
        self.n_members_ = len(views)
        self.information_ = {
            name: self._information(name, facet, views)
            for name, facet in self.programme.facets.items()
            if isinstance(facet, Concepts) and facet.target == name and facet.excludes is None
        }
        return self

    def _information(self, name: str, facet: Concepts, views: Sequence[tuple[View, ...]]) -> Information:
        sets: Counter[object] = Counter()
        for both in views:
            value = next((view.values[name] for view in both if name in view.values), None)
            if value:
                sets[value] += 1
        holders: Counter[str] = Counter()
        for value, members in sets.items():
            for concept in facet.up(value):
                holders[concept] += members
        return Information(self.n_members_, holders, self.programme.reason_k)

    def transform(self, profiles: Sequence[ConsentedProfile], day: date) -> dict[str, Column]:
        """Return the columns of a pool whose rows are `profiles`, as candidates.

        Parameters
        ----------
        profiles : sequence of N ConsentedProfile
            Each must have a shown view.
        day : date
            UTC day for which weeks are compared.

        Raises
        ------
        TypeError
            If anything but a ConsentedProfile is among them.
        ValueError
            If a profile has no shown view.
        """
        views = []
        profiles = checked(profiles)
        for profile in profiles:
            if profile.shown is None:
                raise ValueError("a profile without be_shown_as_peer cannot be a candidate")
            views.append(profile.shown)
        return self.encode(profiles, views, day)

    def encode(self, profiles: Sequence[ConsentedProfile], views: Sequence[View], day: date) -> dict[str, Column]:
        """Return the columns of rows that are seen through `views`, one for each of `profiles`."""
        self.check_fitted()
        facets = self.programme.facets
        bands = [profile.age_band for profile in checked(profiles)]
        sides = {name: _side_codes(facet, views, bands) for name, facet in facets.items()}
        states: dict[int, int] = {}  # most members share a few
        codes = np.fromiter((states.setdefault(id(p.state), len(states)) for p in profiles), np.intp, len(profiles))
        first = np.unique(codes, return_index=True)[1]
        distinct = [profiles[row].state for row in first.tolist()]
        context = self.context(day)
        columns: dict[str, Column] = {}
        for name, facet in facets.items():
            shows = np.array([state.covers("show_reasons", name) for state in distinct], dtype=np.bool_)
            columns[name] = facet.encode(sides, shows[codes].tolist(), context)
        for column in columns.values():
            column.link(columns)
        return columns

    def restore(
        self, arrays: Mapping[str, Arrays], words: Mapping[str, Mapping[str, list[str]]], day: date
    ) -> dict[str, Column]:
        """Return the columns whose arrays and words these are, by facet: what `encode` made for the same `day`."""
        self.check_fitted()
        context = self.context(day)
        columns = {
            name: facet.column_class.restore(facet, arrays[name], words[name], context)
            for name, facet in self.programme.facets.items()
        }
        for column in columns.values():
            column.link(columns)
        return columns

    def digest(self) -> str:
        """Return a hash in hex of what it learned: encoders with the same weigh every concept alike."""
        self.check_fitted()
        said = hashlib.blake2b()
        for name, information in sorted(self.information_.items()):
            common = sorted((c, n) for c, n in information.holders.items() if n > information.k)
            said.update(json.dumps([name, information.members, information.k, common]).encode())
        return said.hexdigest()

    def context(self, day: date) -> EncodeContext:
        """Return what columns may use that compare weeks for `day`."""
        return EncodeContext(self.information_, day, self.programme.facets)


def _side_codes(facet: Facet, views: Sequence[View], bands: Sequence[str | None]) -> SideCodes:
    """Return how each of `views` is seen in one facet; each distinct side is made once."""
    name, sourced = facet.name, facet.source is not None
    known: dict[object, int] = {}
    distinct: list[Side] = []
    codes = np.empty(len(views), dtype=np.int32)
    for row, (view, band) in enumerate(zip(views, bands, strict=True)):
        value = band if sourced else view.values.get(name)
        want = view.wants.get(name)
        key = value if want is None else (value, want)
        code = known.get(key)
        if code is None:
            code = known[key] = len(distinct)
            distinct.append(view.side(facet, band))
        codes[row] = code
    return SideCodes(codes, distinct)


def _training(profile: ConsentedProfile) -> tuple[View, ...]:
    return tuple(view for view in profile.training if view is not None)


def checked(profiles: Iterable[ConsentedProfile]) -> list[ConsentedProfile]:
    """Return `profiles` as a list; raise TypeError if anything but a ConsentedProfile is among them."""
    profiles = list(profiles)
    for profile in profiles:
        if type(profile) is not ConsentedProfile:
            raise TypeError(
                f"found {type(profile).__name__}; expected ConsentedProfile, made by matcher.consent.consented"
            )
    return profiles
