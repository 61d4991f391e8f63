"""`Matcher` as a user of the library meets it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

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


class TestLimit:
    @pytest.mark.parametrize(
        "limit", [0, 11, -1, True, False, "5", 5.0, [5], float("nan"), pytest.param(10**5000, id="digits")]
    )
    def test_refused(self, pair, limit):
        with pytest.raises(PeermatchError) as caught:
            pair.match("a", limit)
        assert caught.value.message.startswith("limit: found ")
        assert caught.value.message.endswith("; expected a whole number from 1 to 10")
        assert len(caught.value.message) < 150

    @pytest.mark.parametrize("limit", [1, 10, None])
    def test_accepted(self, pair, limit):
        assert pair.match("a", limit).outcome == "matched"
        assert list(pair.match("a", limit=limit)) == list(pair.match("a", limit))

    def test_refused_before_the_seeker_is_looked_for(self, pair):
        with pytest.raises(PeermatchError, match="limit"):
            pair.match("x", 0)


class TestWho:
    @pytest.mark.parametrize("who", ["x", "", "A", " a", "a\x00", "\ud800", None, 5, b"a", [], object()])
    def test_unknown(self, pair, who):
        for ask in (lambda: pair.match(who), lambda: pair.score(who, "a"), lambda: pair.score("a", who)):
            with pytest.raises(UnknownMemberError, match="no such member in this programme"):
                ask()

    def test_a_member_as_they_are_now(self, pair):
        """What the pool holds of the same member is not what counts."""
        after = {"journey": "after"}
        assert [entry.member_id for entry in pair.match("a")] == ["b"]
        changed = Member.from_dict(person("a", wants={"hobbies": {"avoid": ["music"]}}), PAIRS)
        assert dict(pair.match(changed).excluded) == {"journey": 1, "avoid": 1}
        assert pair.score(changed, "b").gate == "avoid"
        assert pair.score("a", "b").gate is None
        stranger = Member.from_dict(person("z", profile=after), PAIRS)
        assert [entry.member_id for entry in pair.match(stranger)] == ["b"]
        assert pair.match(stranger).excluded == {"journey": 2}

    @pytest.mark.parametrize(
        "facet",
        ["journey", "gender", "hobbies"],
    )
    def test_a_seeker_read_under_another_form_of_the_programme(self, pair, facet):
        forms = {
            "journey": {
                "kind": "ordinal",
                "levels": ["new", "treated", "after", "long ago"],
                "direction": "ahead",
                "by": 1,
            },
            "gender": {"kind": "choice", "values": ["woman", "man", "other"], "weight": 1.0},
            "hobbies": {"kind": "tags", "values": ["music", "chess", "golf"], "weight": 1.0},
        }
        value = {"journey": "long ago", "gender": "other", "hobbies": ["golf"]}[facet]
        other = Member.from_dict(person("z", profile={facet: value}), programme(facets={facet: forms[facet]}))
        with pytest.raises(PeermatchError, match="another form of the programme"):
            pair.match(other)

    def test_oneself_as_a_member(self, pair):
        with pytest.raises(PeermatchError, match="found the seeker; expected somebody else"):
            pair.score(Member.from_dict(person("a"), PAIRS), "a")

    def test_foreign_members_are_known_and_kept_apart(self):
        foreign = replace(Member.from_dict(person("f"), PAIRS), programme_id="elsewhere")
        people = [Member.from_dict(person("a"), PAIRS), foreign]
        found = Matcher(PAIRS).fit(people, at=AT)
        assert found.match("a").excluded == {"programme": 1}
        assert found.score("a", "f").gate == "programme"
        assert found.score("f", "a").gate == "consent"  # nothing of theirs is known here
        with pytest.raises(SeekerError, match="another programme"):
            found.match("f")

    def test_one_id_in_two_programmes_is_twice_too(self):
        one = Member.from_dict(person("a"), PAIRS)
        with pytest.raises(PeermatchError, match="found twice"):
            Matcher(PAIRS).fit([one, replace(one, programme_id="elsewhere")], at=AT)

    def test_no_message_names_a_member(self, pair):
        for ask in (lambda: pair.match("secret-1"), lambda: pair.score("secret-1", "a"), lambda: pair.match("c")):
            with pytest.raises(PeermatchError) as caught:
                ask()
            assert "secret-1" not in caught.value.message


class TestScore:
    def test_of_a_pair(self, pair):
        found = pair.score("a", "b")
        assert found.gate is None
        assert found.reciprocal == pytest.approx((found.forward * found.backward) ** 0.5, abs=1e-12)
        assert pair.match("a").entries[0].score == pytest.approx(found.reciprocal, abs=1e-12)
        for side in ("forward", "backward"):
            assert list(found.contributions[side]) == ["base", *PAIRS.features]
            logit = sum(found.contributions[side].values())
            assert 1 / (1 + math.exp(-logit)) == pytest.approx(getattr(found, side), abs=1e-12)

    @pytest.mark.parametrize(("a", "b", "gate"), [("b", "a", "journey"), ("a", "c", "journey"), ("c", "a", "role")])
    def test_forbidden_is_no_number(self, pair, a, b, gate):
        found = pair.score(a, b)
        assert (found.forward, found.backward, found.reciprocal, found.contributions) == (None, None, None, {})
        assert found.gate == gate

    def test_below_the_floor_is_still_a_number(self):
        of = programme(shortlist={"quality_floor": 1.0})
        found = fitted(of, [person("a"), person("b", profile={"journey": "after"})])
        assert found.match("a").reason == "below_quality"
        assert found.score("a", "b").reciprocal > 0


class TestFit:
    def test_it_returns_itself_and_reads_any_iterable(self):
        found = Matcher(PAIRS, random_state=3)
        assert (found.programme, found.random_state) == (PAIRS, 3)
        assert not [name for name in vars(found) if name.endswith("_")]
        members = (Member.from_dict(person(it), PAIRS) for it in "ab")
        assert found.fit(members, feedback=iter(()), at=AT) is found
        assert len(found.pool_) == 2
        assert found.at_ == AT
        assert found.model_.programme_id == "pairs"

    def test_fitted_again_it_forgets(self):
        found = Matcher(PAIRS).fit([Member.from_dict(person("a"), PAIRS)], at=AT)
        found.fit([Member.from_dict(person("b"), PAIRS)], at=AT)
        with pytest.raises(UnknownMemberError):
            found.match("a")

    def test_consent_is_read_at_the_given_moment(self):
        records = [person("a"), person("b", profile={"journey": "after"})]
        assert fitted(PAIRS, records).match("a").outcome == "matched"
        early = fitted(PAIRS, records, at=datetime(2025, 12, 31, tzinfo=UTC))
        with pytest.raises(ConsentMissingError):
            early.match("a")

    def test_a_time_in_any_zone(self):
        elsewhere = AT.astimezone(timezone(timedelta(hours=14)))
        records = [person("a"), person("b", profile={"journey": "after"})]
        assert list(fitted(PAIRS, records, at=elsewhere).match("a")) == list(fitted(PAIRS, records).match("a"))

    @pytest.mark.parametrize(("by", "gate"), [("seeker", "declined"), ("candidate", "declined")])
    def test_who_declined_is_kept_apart_both_ways(self, by, gate):
        members = [Member.from_dict(person(it, profile={"journey": "after"}), PAIRS) for it in "ab"]
        event = {"seeker": "a", "candidate": "b", "event": "declined", "by": by, "at": "2026-02-01T00:00:00Z"}
        found = Matcher(PAIRS).fit(members, [Feedback.from_dict(event, PAIRS)], AT)
        assert found.score("a", "b").gate == found.score("b", "a").gate == gate
        late = Feedback.from_dict({**event, "at": "2026-04-01T00:00:00Z"}, PAIRS)
        assert Matcher(PAIRS).fit(members, [late], AT).score("a", "b").gate is None

    def test_circumstances_and_feedback_count_together(self):
        members = [Member.from_dict(person(it, profile={"journey": "after"}), PAIRS) for it in "abc"]
        event = {"seeker": "a", "candidate": "b", "event": "declined", "at": "2026-02-01T00:00:00Z"}
        facts = Circumstances(blocks=frozenset({("c", "a")}))
        found = Matcher(PAIRS).fit(members, [Feedback.from_dict(event, PAIRS)], AT, facts)
        assert found.match("a").excluded == {"blocked": 1, "declined": 1}

    def test_random_state_orders_equals(self):
        members = [Member.from_dict(person(it, profile={"journey": "after"}), PAIRS) for it in "abcdefghij"]
        orders = {
            tuple(entry.member_id for entry in Matcher(PAIRS, random_state=state).fit(members, at=AT).match("a", 10))
            for state in range(6)
        }
        assert len(orders) > 1
        assert len({frozenset(order) for order in orders}) == 1


class TestFromModel:
    def test_it_serves_without_learning(self, pair):
        members = [
            Member.from_dict(record, PAIRS) for record in (person("a"), person("b", profile={"journey": "after"}))
        ]
        found = Matcher.from_model(PAIRS, pair.model_, members, at=AT, circumstances=Circumstances(), random_state=2)
        assert found.model_ is pair.model_
        assert (found.random_state, found.at_) == (2, AT)
        assert list(found.match("a")) == list(pair.match("a"))
        assert found.match("a").model_version == pair.model_.version

    def test_defaults(self, pair):
        before = datetime.now(UTC)
        found = Matcher.from_model(PAIRS, pair.model_, [])
        assert before <= found.at_ <= datetime.now(UTC)
        assert (found.random_state, len(found.pool_)) == (0, 0)

    def test_the_same_is_refused(self, pair):
        one = Member.from_dict(person("a"), PAIRS)
        with pytest.raises(PeermatchError, match="found twice"):
            Matcher.from_model(PAIRS, pair.model_, [one, one], at=AT)
        with pytest.raises(PeermatchError, match="without a zone"):
            Matcher.from_model(PAIRS, pair.model_, [one], at=AT.replace(tzinfo=None))
