"""The consent fold, and that nothing outside it can be reached."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.consent import (
    PURPOSES,
    ConsentedProfile,
    ConsentEvent,
    ConsentState,
    View,
    consented,
    fold,
)
from matcher.consent_words import ALL_DECISIONS
from matcher.errors import PeermatchError
from matcher.facets.base import Side
from matcher.people import Member
from matcher.records import written
from tests.matcher.lantern import LANTERN, member, programme, record

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
REQUIRED = sorted(LANTERN.required)
SEPARATE = programme(('minors_policy = "refuse"', 'minors_policy = "separate"'))


def event(decision: str = "given", at: datetime = NOW - DAY, purpose: str = "match_serve", **more: Any) -> ConsentEvent:
    return ConsentEvent(purpose, decision, more.pop("policy_version", "2026-01"), at, **more)


def on(*events: ConsentEvent, at: datetime = NOW, purpose: str = "match_serve") -> bool:
    return fold(events, LANTERN, at).on(purpose)


def grant(purpose: str, *categories: str, **more: Any) -> dict[str, Any]:
    made = {"purpose": purpose, "decision": "given", "policy_version": "2026-01", "at": written(NOW - DAY), **more}
    return {**made, "categories": list(categories)} if categories else made


def profile(*grants: dict[str, Any], **changes: Any) -> ConsentedProfile:
    return consented(member(consents=list(grants), **changes), LANTERN, NOW)


class TestEveryState:
    """Only an explicit, current grant passes."""

    @pytest.mark.parametrize("purpose", PURPOSES)
    def test_off_until_given(self, purpose):
        assert not fold((), LANTERN, NOW).on(purpose)
        assert not fold((), LANTERN, NOW).covers(purpose, "languages")

    @pytest.mark.parametrize("purpose", PURPOSES)
    @pytest.mark.parametrize("decision", ALL_DECISIONS)
    def test_every_state_time_and_version(self, purpose, decision):
        versions = ["2026-01", "2025-01", "2027-01", "2026-01 "]
        moments = [NOW - DAY, NOW - TICK, NOW, NOW + TICK, NOW + DAY]
        ends = [None, -DAY, -TICK, timedelta(0), TICK, DAY]
        for version, at, until in itertools.product(versions, moments, ends):
            self.check(purpose, decision, version, at, until)

    def check(self, purpose: str, decision: str, version: str, at: datetime, until: timedelta | None) -> None:
        valid_until = None if until is None else NOW + until
        one = event(decision, at, purpose, policy_version=version, valid_until=valid_until)
        state = fold([one], LANTERN, NOW)
        expected = (
            decision == "given" and version == "2026-01" and at <= NOW and (until is None or until > timedelta(0))
        )
        assert state.on(purpose) is expected
        assert [other for other in PURPOSES if state.on(other)] == ([purpose] if expected else [])

    @pytest.mark.parametrize("purpose", PURPOSES)
    @pytest.mark.parametrize("decision", ALL_DECISIONS)
    def test_every_state_time_and_version_beside_a_grant(self, purpose, decision):
        """Whatever stands beside a grant that is on: before or behind it in the record, at every time and version."""
        standing = event(purpose=purpose)
        versions = ["2026-01", "2025-01", "2027-01"]
        moments = [standing.at - TICK, standing.at, standing.at + TICK, NOW - TICK, NOW, NOW + TICK, NOW + DAY]
        for version, at, behind in itertools.product(versions, moments, [False, True]):
            other = event(decision, at, purpose, policy_version=version)
            later = at > standing.at or (at == standing.at and (behind or decision != "given"))
            expected = {
                "given": not later or (version == "2026-01" and at <= NOW),
                "superseded": True,
                "expired": not (later and behind),  # it ends what stands before it
            }.get(decision, not later)
            events = [standing, other] if behind else [other, standing]
            assert on(*events, purpose=purpose) is expected, (version, at, behind)

    def test_the_latest_counts(self):
        given_, no = event(), event("withdrawn", NOW - TICK)
        assert on(given_)
        assert not on(given_, no)
        assert not on(no, given_)
        assert on(given_, no, event(at=NOW))

    @pytest.mark.parametrize("decision", ["refused", "withdrawn"])
    def test_at_the_same_instant_a_no_wins(self, decision):
        yes, no = event(), event(decision)
        for events in itertools.permutations([yes, no, yes]):
            assert not on(*events)

    def test_at_the_same_instant_the_later_grant_counts(self):
        wide, narrow = event(), event(categories=frozenset(["languages"]))
        assert not fold([wide, narrow], LANTERN, NOW).covers("match_serve", "gender")
        assert fold([narrow, wide], LANTERN, NOW).covers("match_serve", "gender")

    def test_the_same_instant_in_another_zone(self):
        zone = timezone(timedelta(hours=5))
        assert not on(event("withdrawn", (NOW - DAY).astimezone(zone)), event())

    def test_an_event_of_the_future_is_the_latest(self):
        assert not on(event(), event(at=NOW + DAY))
        assert not on(event(), event("withdrawn", NOW + DAY))
        assert on(event(), event(at=NOW + DAY), at=NOW + DAY)

    def test_a_later_grant_under_an_older_policy_is_no_grant(self):
        assert not on(event(), event(at=NOW, policy_version="2025-01"))

    def test_an_expired_grant_revives_no_earlier_one(self):
        assert not on(event(at=NOW - 2 * DAY), event(valid_until=NOW))

    def test_what_has_expired_stays_off_when_the_clock_is_set_back(self):
        events = [event(at=NOW - 2 * DAY, valid_until=NOW), event("expired", NOW)]
        for moment in (NOW - 2 * DAY, NOW - TICK, NOW, NOW + DAY):
            assert not on(*events, at=moment)
        assert on(events[0], at=NOW - TICK)
        assert on(*events, event(at=NOW + TICK), at=NOW + DAY)

    def test_that_a_policy_was_superseded_decides_nothing(self):
        note = event("superseded", NOW, policy_version="2027-01")
        assert on(event(), note)
        assert on(note, event())
        assert not on(note)
        assert not on(event("withdrawn"), note)
        assert fold([event(categories=frozenset(["gender"])), note], LANTERN, NOW).covers("match_serve", "gender")

    def test_purposes_do_not_mix(self):
        events = [event(), event("withdrawn", NOW, "be_shown_as_peer")]
        assert on(*events)
        assert not on(*events, purpose="be_shown_as_peer")

    def test_the_moment_needs_an_offset(self):
        with pytest.raises(PeermatchError, match="found 2026-06-01T00:00:00 without an offset"):
            fold([event()], LANTERN, datetime(2026, 6, 1))  # noqa: DTZ001

    @given(st.lists(st.tuples(st.sampled_from(ALL_DECISIONS), st.integers(-3, 3), st.integers(0, 4)), max_size=6))
    def test_as_the_page_says(self, rows):
        """The rule of docs/reference/matching.md §1, written as sorting."""
        events = [
            event(decision, NOW + shift * DAY, valid_until=NOW + (shift + length) * DAY if length else None)
            for decision, shift, length in rows
        ]
        people = [place for place, one in enumerate(events) if one.decision not in {"superseded", "expired"}]
        in_order = sorted(people, key=lambda place: (events[place].at, events[place].decision != "given", place))
        last = events[in_order[-1]] if in_order else None
        expected = (
            last is not None
            and last.decision == "given"
            and last.at <= NOW
            and (last.valid_until is None or last.valid_until > NOW)
            and not any(one.decision == "expired" and one.at >= last.at for one in events[in_order[-1] + 1 :])
        )
        assert on(*events) is expected


class TestMinors:
    @pytest.mark.parametrize("purpose", PURPOSES)
    @pytest.mark.parametrize("guardian", [None, "form 12"])
    @pytest.mark.parametrize("minor", [False, True])
    @pytest.mark.parametrize("policy", [LANTERN, SEPARATE])
    def test_a_guardian_is_needed_for_both_matching_purposes(self, purpose, guardian, minor, policy):
        state = fold([event(purpose=purpose, guardian=guardian)], policy, NOW, minor=minor)
        matching = purpose in {"match_serve", "be_shown_as_peer"}
        assert state.on(purpose) is not (policy is SEPARATE and minor and matching and guardian is None)

    def test_a_guardian_of_an_earlier_grant_is_none_of_a_later_one(self):
        events = [event(at=NOW - 2 * DAY, guardian="form 12"), event()]
        assert not fold(events, SEPARATE, NOW, minor=True).on("match_serve")

    @pytest.mark.parametrize(("band", "known"), [("16-17", False), ("18-24", True), (None, True)])
    def test_the_age_band_tells_who_is_one(self, band, known):
        one = Member.from_dict(record(age_band=band, consents=[grant("match_serve")]), SEPARATE)
        assert (consented(one, SEPARATE, NOW).seeking is not None) is known


class TestCategories:
    def test_narrow_the_grant(self):
        state = fold([event(categories=frozenset([*REQUIRED, "gender"]))], LANTERN, NOW)
        assert state.covers("match_serve", "gender")
        assert not state.covers("match_serve", "region")
        assert not state.covers("show_reasons", "gender")

    def test_none_are_all(self):
        assert fold([event()], LANTERN, NOW).covers("match_serve", "region")

    def test_values_and_wants_outside_are_unknown(self):
        seen = profile(grant("match_serve", *REQUIRED, "gender"), grant("be_shown_as_peer", *REQUIRED, "experiences"))
        assert seen.seeking is not None
        assert seen.shown is not None
        assert set(seen.seeking.values) == {*REQUIRED, "gender"}
        assert set(seen.seeking.wants) == {"gender"}
        assert set(seen.shown.values) == {*REQUIRED, "experiences"}
        assert set(seen.shown.wants) == {"experiences"}

    def test_facets_with_a_source_are_in_every_view(self):
        seen = profile(grant("match_serve", *REQUIRED), wants={"age": {"importance": 3}, "gender": {"importance": 3}})
        assert seen.seeking is not None
        sides = seen.seeking.sides(LANTERN, seen.age_band)
        assert sides["age"] == Side("35-44", 3)
        assert sides["gender"] == Side(None, 0)


class TestTraining:
    def test_needs_its_purpose(self):
        assert profile(grant("match_serve"), grant("be_shown_as_peer")).training == (None, None)

    def test_is_at_most_the_views(self):
        seen = profile(grant("match_serve", *REQUIRED, "gender"), grant("train_model"))
        assert seen.training == (seen.seeking, None)
        assert profile(grant("train_model")).training == (None, None)
        seen = profile(grant("be_shown_as_peer"), grant("train_model"))
        assert seen.training == (None, seen.shown)

    def test_is_narrowed_by_both(self):
        everything = [grant("match_serve", *REQUIRED, "gender"), grant("be_shown_as_peer")]
        seen = profile(*everything, grant("train_model", "gender", "conditions", "languages"))
        first, second = seen.training
        assert first is not None
        assert second is not None
        assert set(first.values) == {"gender", "languages"}
        assert set(second.values) == {"gender", "conditions", "languages"}

    def test_equal_views_are_one_object(self):
        seen = profile(grant("match_serve"), grant("be_shown_as_peer"), grant("train_model"))
        assert seen.seeking is seen.shown
        assert seen.training[0] is seen.training[1] is seen.seeking
        narrow = [grant(purpose, *REQUIRED) for purpose in ("match_serve", "be_shown_as_peer", "train_model")]
        seen = profile(*narrow)
        assert seen.seeking is seen.shown
        assert seen.training[0] is seen.training[1]


class TestProfile:
    def test_what_it_holds(self):
        seen = profile(grant("match_serve"))
        one = member()
        assert (seen.programme_id, seen.member_id, seen.roles) == (one.programme_id, one.member_id, one.roles)
        assert (seen.age_band, seen.capacity, seen.vetted) == (one.age_band, one.capacity, one.vetted)
        assert seen.agreements == one.agreements
        assert seen.seeking == View(one.profile, one.wants)
        assert seen.shown is None

    def test_strata_are_not_in_it(self):
        assert not {field.name for field in dataclasses.fields(ConsentedProfile)} & {"strata", "consents", "profile"}
        assert profile(grant("match_serve")) == profile(grant("match_serve"), strata={"ethnicity": "b"})

    def test_without_a_view_nothing_is_known(self):
        seen = profile(grant("show_reasons"), grant("train_model"))
        assert (seen.seeking, seen.shown, seen.age_band) == (None, None, None)

    def test_of_a_member_of_another_programme_nothing_is_known(self):
        other = programme(('id = "lantern"', 'id = "harbour"'))
        seen = consented(member(other, consents=[grant("match_serve")]), LANTERN, NOW)
        assert (seen.programme_id, seen.seeking, seen.shown) == ("harbour", None, None)
        assert seen.state == ConsentState({})

    def test_only_the_fold_makes_one(self):
        seen = profile(grant("match_serve"))
        fields = {field.name: getattr(seen, field.name) for field in dataclasses.fields(seen)}
        for extra in ({}, {"maker": object()}, {"maker": None}):
            with pytest.raises(TypeError, match=r"made by matcher\.consent\.consented"):
                ConsentedProfile(**{**fields, **extra})
        with pytest.raises(TypeError):
            dataclasses.replace(seen, shown=seen.seeking)
        with pytest.raises(dataclasses.FrozenInstanceError):
            seen.shown = seen.seeking  # type: ignore[misc]

    def test_a_grant_without_categories_copies_nothing(self):
        """Folding 100,000 members must cost little: their parsed values are shared, not copied."""
        one = member(consents=[grant("match_serve"), grant("be_shown_as_peer")])
        seen = consented(one, LANTERN, NOW)
        assert seen.seeking is not None
        assert seen.seeking.values is one.profile
        assert seen.seeking.wants is one.wants

    def test_members_share_states(self):
        assert profile(grant("match_serve")).state is profile(grant("match_serve"), member_id="other").state


class TestSides:
    def test_every_facet_has_one(self):
        seen = profile(grant("match_serve"))
        assert seen.seeking is not None
        sides = seen.seeking.sides(LANTERN, seen.age_band)
        assert list(sides) == list(LANTERN.facets)
        assert sides["conditions"] == Side(("C50.9",), 3)
        assert sides["experiences"] == Side(("lumpectomy",), 1, None, ("palliative_care",))
        assert sides["gender"] == Side("woman", 2, ("woman",))
        assert sides["age"] == Side("35-44")
        assert sides["boundaries"] == Side(None)

    def test_importance_is_the_facets_where_nobody_asks(self):
        view = View({"gender": "man"}, {})
        assert view.side(LANTERN.facets["gender"], None) == Side("man", 0)
        assert view.side(LANTERN.facets["age"], None) == Side(None, 1)
        assert View({}, {}).side(LANTERN.facets["gender"], None) == Side(None, 0)

    def test_unknown_with_wants(self):
        view = View({}, member(wants={"region": {"importance": 0, "avoid": ["north"]}}).wants)
        assert view.side(LANTERN.facets["region"], None) == Side(None, 0, None, ("north",))


def reachable(start: object) -> list[object]:
    """Return everything that can be reached from an object, types and modules aside."""
    seen: dict[int, object] = {}
    todo = [start]
    while todo:
        one = todo.pop()
        if id(one) not in seen and not isinstance(one, type):
            seen[id(one)] = one
            todo += gc.get_referents(one)
    return list(seen.values())


class TestNonInterference:
    """Whatever stands in a facet outside the consent, the profile is the same, and does not hold it."""

    MARKS: ClassVar = {
        "conditions": ["marked-c"],
        "experiences": ["marked-e"],
        "needs": ["marked-n"],
        "boundaries": ["marked-b"],
    }

    @pytest.mark.parametrize("seed", range(50))
    def test_nothing_else_can_be_reached(self, seed):
        rng = random.Random(seed)
        grants = []
        for purpose in PURPOSES:
            if rng.random() < 0.7:
                chosen = [facet for facet in LANTERN.facets if rng.random() < 0.5 or facet in REQUIRED]
                grants.append(grant(purpose, *chosen))
        marked = {**record()["profile"], **self.MARKS, "statement": "marked-s"}
        wants = {facet: {"avoid": [f"marked-want-{facet}"]} for facet in ("conditions", "experiences")}
        seen = profile(*grants, profile=marked, wants=wants, strata={"ethnicity": "c"})
        allowed: set[str] = set()
        for purpose in ("match_serve", "be_shown_as_peer"):
            allowed.update(facet for facet in LANTERN.facets if seen.state.covers(purpose, facet))
        texts = {one for one in reachable(seen) if isinstance(one, str) and one.startswith("marked")}
        expected = {code for facet, codes in self.MARKS.items() if facet in allowed for code in codes}
        expected |= {f"marked-want-{facet}" for facet in wants if facet in allowed}
        expected |= {"marked-s"} if "statement" in allowed else set()
        assert texts == expected
        assert not any(isinstance(one, Member | ConsentEvent) for one in reachable(seen))

        hidden = [facet for facet in marked if facet not in allowed]
        left = {facet: value for facet, value in marked.items() if facet not in hidden}
        asked = {facet: want for facet, want in wants.items() if facet in allowed}
        assert profile(*grants, profile=left, wants=asked) == seen
