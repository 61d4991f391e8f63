"""`ProfileEncoder` keeps scikit-learn's manners, and takes what consent lets be known and nothing else."""

from __future__ import annotations

import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from matcher.consent import ConsentedProfile, consented
from matcher.model.encoder import ProfileEncoder
from tests.matcher.lantern import LANTERN, member
from tests.properties.pairs import AT

DAY = AT.date()
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
