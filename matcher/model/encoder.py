"""`ProfileEncoder`: from consented profiles to the columns of a pool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from matcher.consent import ConsentedProfile, View
from matcher.facets.base import Column, EncodeContext, Information, Side
from matcher.facets.concepts import Concepts
from matcher.programme import Programme


class ProfileEncoder(BaseEstimator):  # type: ignore[misc]
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
        check_is_fitted(self)
        facets = self.programme.facets
        bands = [profile.age_band for profile in checked(profiles)]
        sides: dict[str, list[Side]] = {
            name: [view.side(facet, band) for view, band in zip(views, bands, strict=True)]
            for name, facet in facets.items()
        }
        context = EncodeContext(self.information_, day, facets)
        columns: dict[str, Column] = {}
        for name, facet in facets.items():
            shows = [profile.state.covers("show_reasons", name) for profile in profiles]
            columns[name] = facet.encode(sides, shows, context)
        for column in columns.values():
            column.link(columns)
        return columns


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
