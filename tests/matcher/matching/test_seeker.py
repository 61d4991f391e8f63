"""Who may have a list, and how they are seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from matcher.consent import consented
from matcher.errors import ConsentMissingError, SeekerError
from matcher.matching.seeker import Seeker, forbids_seeking
from matcher.people import Member
from tests.properties.pairs import AT, PURPOSES, consents, fitted, person, programme

PAIRS = programme()
POOL = fitted(PAIRS, [person("a"), person("b"), person("hidden", consents=consents("match_serve"))]).pool_


def profile(of=PAIRS, **changes):
    return consented(Member.from_dict(person(changes.pop("member_id", "a"), **changes), of), of, AT)


def test_a_seeker():
    found = Seeker.of(profile(wants={"gender": {"importance": 2, "prefer": ["man"]}}), POOL)
    assert (found.row, found.adult, found.agreed) == (0, True, True)
    assert list(found.sides) == list(PAIRS.facets)
    side = found.sides["gender"]
    assert (side.value, side.importance, side.prefer, side.avoid) == ("woman", 2, ("man",), None)
    assert found.sides["mood"].importance == 1


@pytest.mark.parametrize("member_id", ["stranger", "hidden"])
def test_who_is_not_shown_has_no_row(member_id):
    assert Seeker.of(profile(member_id=member_id), POOL).row is None


@pytest.mark.parametrize(("band", "adult"), [("31+", True), ("18-30", True), ("13-17", False), (None, None)])
def test_age(band, adult):
    assert Seeker.of(profile(age_band=band), POOL).adult is adult


def test_agreement():
    assert Seeker.of(profile(agreements=[]), POOL).agreed is False


def test_seen_through_the_seeking_view():
    """What only others may see is unknown to the seeker's own search."""
    narrow = [name for name in PAIRS.facets if name != "hobbies"]
    grants = [*consents("match_serve", categories=narrow), *consents(*PURPOSES[1:])]
    one = profile(consents=grants, wants={"hobbies": {"importance": 3}})
    assert one.shown.values["hobbies"] == ("music",)
    side = Seeker.of(one, POOL).sides["hobbies"]
    assert (side.value, side.importance, side.prefer) == (None, 1, None)


@pytest.mark.parametrize(
    ("changes", "gate", "error", "message"),
    [
        ({"consents": consents("be_shown_as_peer")}, "consent", ConsentMissingError, "match_serve is not on"),
        ({"consents": []}, "consent", ConsentMissingError, "record that consent"),
        ({"roles": ["supporter"]}, "role", SeekerError, "lacks the role seeker; add it to roles"),
        ({"roles": ["supporter"], "consents": []}, "consent", ConsentMissingError, "match_serve"),
    ],
)
def test_who_may_not_seek(changes, gate, error, message):
    one = profile(**changes)
    assert forbids_seeking(one, PAIRS) == gate
    with pytest.raises(error, match=message) as caught:
        Seeker.of(one, POOL)
    assert one.member_id not in caught.value.message.split()


def test_who_may():
    assert forbids_seeking(profile(), PAIRS) is None
    assert forbids_seeking(profile(roles=["seeker"]), PAIRS) is None


def test_in_a_mutual_programme_everybody_seeks():
    mutual = replace(PAIRS, pairing="mutual")
    assert forbids_seeking(profile(roles=["supporter"]), mutual) is None


def test_a_member_of_another_programme_is_told_so():
    foreign = replace(Member.from_dict(person("a"), PAIRS), programme_id="elsewhere")
    with pytest.raises(SeekerError, match="another programme than 'pairs'"):
        Seeker.of(consented(foreign, PAIRS, AT), POOL)
