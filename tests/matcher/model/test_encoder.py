"""`ProfileEncoder` keeps scikit-learn's manners, and takes what consent lets be known and nothing else."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from matcher.consent import ConsentedProfile, consented
from matcher.facets.base import Side
from matcher.model.encoder import ProfileEncoder
from tests.matcher.lantern import LANTERN, member, programme
from tests.properties.pairs import AT

DAY = AT.date()
OTHER = programme(('id = "lantern"', 'id = "other"'))
GRANT = {"decision": "given", "policy_version": "2026-01", "at": "2026-01-01T00:00:00Z"}


def profile(*purposes: str, **changes) -> ConsentedProfile:
    return consented(member(consents=[{"purpose": it, **GRANT} for it in purposes], **changes), LANTERN, AT)


def test_manners():
    encoder = ProfileEncoder(LANTERN)
    assert encoder.get_params() == {"programme": LANTERN}
    assert not [name for name in vars(encoder) if name.endswith("_")]
    assert clone(encoder).programme == LANTERN
    with pytest.raises(NotFittedError):
        encoder.transform([], DAY)
    assert encoder.fit([]) is encoder
    assert encoder.n_members_ == 0


class Lookalike:
    """Has every attribute of a profile."""

    def __getattr__(self, name):
        return getattr(profile("be_shown_as_peer"), name)


@pytest.mark.parametrize("intruder", [member(), Lookalike(), {"member_id": "m"}, None])
def test_only_consented_profiles(intruder):
    encoder = ProfileEncoder(LANTERN).fit([])
    for ask in (lambda: encoder.fit([intruder]), lambda: encoder.transform([intruder], DAY)):
        with pytest.raises(TypeError, match="expected ConsentedProfile"):
            ask()


def test_nobody_is_shown_without_consent():
    with pytest.raises(ValueError, match="be_shown_as_peer"):
        ProfileEncoder(LANTERN).fit([]).transform([profile("match_serve")], DAY)


def test_it_learns_only_from_those_who_let_it():
    encoder = ProfileEncoder(LANTERN).fit([profile("match_serve", "train_model"), profile("match_serve")])
    assert encoder.n_members_ == 1
    assert encoder.information_["conditions"].holders["C50.9"] == 1
    assert set(encoder.information_) == {"conditions", "experiences"}


class TestManners:
    def test_parameters(self):
        encoder = ProfileEncoder(LANTERN)
        assert encoder.set_params(programme=OTHER) is encoder
        assert encoder.get_params(deep=False) == {"programme": OTHER}
        with pytest.raises(ValueError, match="Invalid parameter"):
            encoder.set_params(colour=1)
        with pytest.raises(TypeError):
            ProfileEncoder()

    def test_nothing_is_looked_at_before_fit(self):
        ProfileEncoder(None)  # type: ignore[arg-type]
        ProfileEncoder("nonsense")  # type: ignore[arg-type]

    def test_a_clone_is_unfitted(self):
        fitted = ProfileEncoder(LANTERN).fit([profile("match_serve", "train_model")])
        copy = clone(fitted)
        assert copy is not fitted
        with pytest.raises(NotFittedError):
            copy.transform([], DAY)
        with pytest.raises(NotFittedError):
            copy.encode([], [], DAY)
        assert fitted.n_members_ == 1
        assert repr(copy).startswith("ProfileEncoder(")

    def test_fitted_again_it_forgets(self):
        encoder = ProfileEncoder(LANTERN).fit([profile("match_serve", "train_model")] * 3)
        assert encoder.n_members_ == 3
        assert encoder.fit([]).n_members_ == 0
        assert encoder.information_["conditions"].holders == {}


def forged(kind=ConsentedProfile):
    """Make a profile, or one of a subclass, past its constructor."""
    made = object.__new__(kind)
    real = profile("match_serve", "be_shown_as_peer", "train_model")
    for field in dataclasses.fields(ConsentedProfile):
        object.__setattr__(made, field.name, getattr(real, field.name))
    return made


class Sub(ConsentedProfile):
    """Would let anybody override what consent left."""


class Pretender:
    """Says that it is of the class."""

    __class__ = ConsentedProfile  # type: ignore[assignment]


class TestOnlyConsentedProfiles:
    INTRUDERS = (
        member(), Lookalike(), forged(Sub), Pretender(), SimpleNamespace(shown=None, training=(None, None)),
        {"member_id": "m"}, "m-000123", 5, None, ConsentedProfile, profile("match_serve").seeking,
    )  # fmt: skip

    @pytest.mark.parametrize("intruder", INTRUDERS, ids=lambda it: type(it).__name__)
    @pytest.mark.parametrize("place", [0, 1])
    def test_whatever_it_looks_like(self, intruder, place):
        encoder = ProfileEncoder(LANTERN).fit([])
        real = profile("match_serve", "be_shown_as_peer")
        people = [real]
        people.insert(place, intruder)
        for ask in (
            lambda: encoder.fit(people),
            lambda: encoder.transform(people, DAY),
            lambda: encoder.encode(people, [real.shown, real.shown], DAY),
        ):
            with pytest.raises(TypeError, match=rf"found {type(intruder).__name__}; expected ConsentedProfile"):
                ask()

    def test_any_iterable_of_them(self):
        people = [profile("match_serve", "be_shown_as_peer", "train_model")] * 2
        encoder = ProfileEncoder(LANTERN).fit(iter(people))
        assert encoder.n_members_ == 2
        columns = encoder.transform(iter(people), DAY)
        assert {column.shows.size for column in columns.values()} == {2}

    def test_a_failed_fit_changes_nothing(self):
        encoder = ProfileEncoder(LANTERN).fit([profile("match_serve", "train_model")])
        with pytest.raises(TypeError):
            encoder.fit([None])
        assert encoder.n_members_ == 1

    def test_it_cannot_be_made_by_hand(self):
        real = profile("match_serve")
        values = {field.name: getattr(real, field.name) for field in dataclasses.fields(real)}
        for kind in (ConsentedProfile, Sub):
            with pytest.raises(TypeError, match="which folds the consents"):
                kind(**values)
        with pytest.raises(TypeError, match="which folds the consents"):
            dataclasses.replace(real, seeking=None)


class TestInformation:
    """docs/reference/matching.md §2: N and n by hand."""

    def learn(self, *profiles):
        return ProfileEncoder(LANTERN).fit(list(profiles))

    def person(self, *codes, purposes=("match_serve", "train_model")):
        return profile(*purposes, profile={"experiences": list(codes)})

    def test_holders_of_a_code_hold_its_ancestors(self):
        people = [self.person("lumpectomy")] * 8 + [self.person("surgery", "driving_again")] * 3 + [self.person()] * 2
        found = self.learn(*people).information_["experiences"]
        assert found.members == 13
        assert found.holders == {"lumpectomy": 8, "surgery": 11, "treatment": 11, "driving_again": 3, "daily_life": 3}
        assert found("surgery") == pytest.approx(math.log(13 / 11))
        assert found("lumpectomy") == found("unheard_of") == pytest.approx(math.log(13 / 10))

    def test_unknown_codes_count_for_themselves(self):
        assert self.learn(self.person("unheard_of")).information_["experiences"].holders == {"unheard_of": 1}

    @pytest.mark.parametrize(
        ("purposes", "members"),
        [
            (("match_serve", "train_model"), 1),
            (("be_shown_as_peer", "train_model"), 1),
            (("match_serve", "be_shown_as_peer", "train_model"), 1),
            (("train_model",), 0),
            (("match_serve", "be_shown_as_peer", "show_reasons"), 0),
            ((), 0),
        ],
    )
    def test_of_whom(self, purposes, members):
        found = self.learn(self.person("surgery", purposes=purposes))
        assert found.n_members_ == members
        assert found.information_["experiences"].holders.get("surgery", 0) == members

    def test_through_what_train_model_covers(self):
        grants = [
            {"purpose": "match_serve", **GRANT},
            {"purpose": "train_model", **GRANT, "categories": ["conditions"]},
        ]
        one = consented(member(consents=grants), LANTERN, AT)
        found = self.learn(one)
        assert found.n_members_ == 1
        assert found.information_["experiences"].holders == {}
        assert found.information_["conditions"].holders["C50.9"] == 1

    def test_through_either_view_once(self):
        """Known while seeking only: it counts, and not twice."""
        required = sorted(LANTERN.required)
        grants = [
            {"purpose": "match_serve", **GRANT},
            {"purpose": "be_shown_as_peer", **GRANT, "categories": required},
            {"purpose": "train_model", **GRANT},
        ]
        found = self.learn(consented(member(consents=grants), LANTERN, AT))
        assert found.information_["experiences"].holders["lumpectomy"] == 1

    def test_the_order_of_profiles_changes_nothing(self):
        people = [self.person("lumpectomy"), self.person("driving_again"), self.person("surgery")]
        one, two = self.learn(*people), self.learn(*reversed(people))
        assert one.information_["experiences"].holders == two.information_["experiences"].holders


class TestTransform:
    PEOPLE = (profile("be_shown_as_peer"), profile("be_shown_as_peer", "show_reasons", age_band=None, member_id="m-2"))

    def test_a_column_for_every_facet_and_a_row_for_every_profile(self):
        columns = ProfileEncoder(LANTERN).fit([]).transform(self.PEOPLE, DAY)
        assert list(columns) == list(LANTERN.facets)
        for column in columns.values():
            assert column.importance.shape == column.shows.shape == (2,)
            assert column.importance.dtype == np.uint8
            assert column.nbytes > 0
        assert columns["gender"].importance.tolist() == [2, 2]
        assert columns["conditions"].importance.tolist() == [3, 3]
        assert columns["region"].importance.tolist() == [1, 1]
        assert columns["conditions"].shows.tolist() == [False, True]

    def test_nobody(self):
        columns = ProfileEncoder(LANTERN).fit([]).transform([], DAY)
        assert list(columns) == list(LANTERN.facets)
        assert all(column.importance.size == 0 for column in columns.values())

    def test_one_without_a_shown_view_among_others(self):
        with pytest.raises(ValueError, match="be_shown_as_peer"):
            ProfileEncoder(LANTERN).fit([]).transform([*self.PEOPLE, profile()], DAY)

    def test_rows_as_they_are_while_seeking(self):
        one = profile("match_serve")
        columns = ProfileEncoder(LANTERN).fit([]).encode([one], [one.seeking], DAY)
        side = {name: one.seeking.side(facet, one.age_band) for name, facet in LANTERN.facets.items()}
        assert columns["languages"].permit(side).tolist() == [True]

    def test_as_many_views_as_profiles(self):
        with pytest.raises(ValueError, match="zip"):
            ProfileEncoder(LANTERN).fit([]).encode(self.PEOPLE, [self.PEOPLE[0].shown], DAY)

    def test_the_age_is_that_of_the_profile(self):
        columns = ProfileEncoder(LANTERN).fit([]).transform(self.PEOPLE, DAY)
        seeker = {"age": Side("35-44")}
        satisfy = columns["age"].forward(seeker, np.arange(2)).by_row()
        assert satisfy[0] == 1.0
        assert np.isnan(satisfy[1])
