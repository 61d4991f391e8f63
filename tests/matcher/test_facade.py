"""`Matcher` as a user of the library meets it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import matcher
from matcher import Matcher, Member
from matcher.errors import ConsentMissingError, PeermatchError, SeekerError, UnknownMemberError
from matcher.matching.pool import Circumstances
from matcher.model.feedback import Feedback
from tests.properties.pairs import AT, fitted, person, programme

PAIRS = programme()


@pytest.fixture(scope="module")
def pair() -> Matcher:
    return fitted(PAIRS, [person("a"), person("b", profile={"journey": "after"}), person("c", roles=["supporter"])])


@pytest.mark.parametrize("limit", [0, 11, -1, True, "5", 2.0])
def test_a_limit_out_of_range_is_refused(pair, limit):
    with pytest.raises(PeermatchError, match=r"limit: found .*; expected a whole number from 1 to 10"):
        pair.match("a", limit)


def test_unknown_members(pair):
    for ask in (lambda: pair.match("x"), lambda: pair.score("a", "x"), lambda: pair.score("x", "a")):
        with pytest.raises(UnknownMemberError):
            ask()


def test_nobody_is_their_own_candidate(pair):
    with pytest.raises(PeermatchError, match="found the seeker"):
        pair.score("a", "a")


def test_who_does_not_seek_gets_an_error_and_no_score(pair):
    with pytest.raises(SeekerError, match="lacks the role seeker"):
        pair.match("c")
    assert pair.score("c", "a").gate == "role"
    silent = Member.from_dict(person("d", consents=[]), PAIRS)
    with pytest.raises(ConsentMissingError, match="match_serve is not on"):
        pair.match(silent)


def test_a_member_of_another_programme_is_refused(pair):
    other = programme(programme={"id": "elsewhere"})
    with pytest.raises(SeekerError, match="another programme"):
        pair.match(Member.from_dict(person("z"), other))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(PeermatchError, match="without a zone"):
        Matcher(PAIRS).fit([], at=datetime(2026, 3, 2))  # noqa: DTZ001


def test_the_same_id_twice_is_refused():
    twice = [Member.from_dict(person("a"), PAIRS)] * 2
    with pytest.raises(PeermatchError, match="found twice"):
        Matcher(PAIRS).fit(twice, at=AT)


def test_nobody_at_all():
    alone = Matcher(PAIRS).fit([Member.from_dict(person("a"), PAIRS)], at=AT).match("a")
    assert (alone.outcome, alone.reason, len(alone), alone.excluded) == ("no_match", "no_eligible", 0, {})


def test_at_is_now_where_it_is_left_out():
    before = datetime.now(UTC)
    assert before <= Matcher(PAIRS).fit([]).at_ <= datetime.now(UTC)


def test_connections_told_by_feedback_take_places():
    events = [
        Feedback.from_dict(
            {"seeker": "a", "candidate": "b", "event": "accepted", "by": by, "at": "2026-02-01T00:00:00Z"}, PAIRS
        )
        for by in ("seeker", "candidate")
    ]
    after = {"journey": "after"}
    members = [person("a"), person("b", profile=after, capacity=1), person("s")]
    people = [Member.from_dict(record, PAIRS) for record in members]
    assert "b" in [entry.member_id for entry in Matcher(PAIRS).fit(people, at=AT).match("s")]
    full = Matcher(PAIRS).fit(people, feedback=events, at=AT)
    assert full.score("s", "b").gate == "capacity"
    assert full.score("a", "b").gate == "connected"


def test_circumstances_add_up():
    one = Circumstances(held=frozenset("a"), load={"x": 1, "y": 2})
    other = Circumstances(blocks=frozenset({("a", "b")}), load={"x": 3})
    both = one | other
    assert both.held == {"a"}
    assert both.blocks == {("a", "b")}
    assert both.load == {"x": 3, "y": 2}


def test_the_package_offers_its_three_names():
    assert {name: getattr(matcher, name).__name__ for name in matcher.__all__} == {n: n for n in matcher.__all__}
    with pytest.raises(AttributeError, match="no attribute 'Nobody'"):
        _ = matcher.Nobody


def test_before_any_members_are_held():
    with pytest.raises(PeermatchError, match="call fit"):
        Matcher(PAIRS).match("a")


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_out_of_range_is_refused(year):
    with pytest.raises(PeermatchError, match=f"found the year {year}"):
        Matcher(PAIRS).fit([], at=datetime(year, 1, 1, tzinfo=UTC))


def test_a_candidate_must_be_among_the_members(pair):
    with pytest.raises(UnknownMemberError):
        pair.score("a", Member.from_dict(person("zzz"), PAIRS))
    with pytest.raises(UnknownMemberError):
        pair.match([])


def test_members_read_under_another_form_of_the_programme():
    wider = programme(facets={"gender": {"kind": "choice", "values": ["woman", "man", "other"], "weight": 1.0}})
    member = Member.from_dict(person("a", profile={"gender": "other"}), wider)
    with pytest.raises(PeermatchError, match="another form of the programme"):
        Matcher(PAIRS).fit([member], at=AT)
