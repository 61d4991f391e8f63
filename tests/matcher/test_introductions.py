"""How introductions go: the usual ways, what is refused and in which words, and what time does.

That every line of the table is right is shown in test_introduction_model.py.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from matcher.errors import PeermatchError
from matcher.introductions import (
    END_REASONS,
    HOLDING,
    OPEN,
    REASONS,
    STATES,
    Introduction,
    Step,
    TransitionError,
    advance,
    allowed,
    let_time_pass,
    needs_review,
    past_of,
    propose,
    replay,
    seen_by,
    side_of,
    takes_place,
)
from tests.matcher.introduction_model import DAY, NOW, RULES, TICK


def proposed(by: str = "seeker", reviewed: bool = False, at: datetime = NOW) -> Introduction:
    return propose("s-1", "c-1", RULES, by=by, at=at, reviewed=reviewed)


def after(introduction: Introduction, *acts: str, at: datetime = NOW) -> Introduction:
    """Acts written as ``accept by candidate``, or ``end by seeker: moved``."""
    for act in acts:
        what, _, reason = act.partition(": ")
        name, _, by = what.partition(" by ")
        introduction = advance(introduction, name, by=by, at=at, rules=RULES, reason=reason or None)
    return introduction


def refused(introduction: Introduction, act: str, at: datetime = NOW) -> str:
    with pytest.raises(TransitionError) as caught:
        after(introduction, act, at=at)
    return caught.value.message


CONNECTED = after(proposed(), "accept by candidate")


class TestPropose:
    def test_by_the_seeker_is_their_yes(self):
        made = proposed()
        assert (made.seeker, made.candidate, made.by, made.state) == ("s-1", "c-1", "seeker", "offered")
        assert made.yes == {"seeker"}
        assert (made.since, made.until) == (NOW, NOW + 7 * DAY)
        assert made.history == (
            Step("propose", "seeker", None, "proposed", NOW),
            Step("offer", "service", "proposed", "offered", NOW, NOW + 7 * DAY),
        )
        assert made.offered_at == NOW
        assert made.connected_at is None
        assert not made.suspended

    def test_in_review_no_place_is_taken(self):
        made = proposed(reviewed=True)
        assert (made.state, made.until, made.offered_at) == ("in_review", NOW + 14 * DAY, None)
        assert not takes_place(made.state)
        approved = after(made, "approve by coordinator", at=NOW + 3 * DAY)
        assert (approved.state, approved.until) == ("offered", NOW + 10 * DAY)
        assert takes_place(approved.state)

    @pytest.mark.parametrize("reviewed", [False, True])
    def test_by_a_coordinator_both_are_asked_and_nobody_reviews(self, reviewed):
        made = proposed("coordinator", reviewed)
        assert (made.state, made.yes, made.by) == ("offered", frozenset(), "coordinator")

    @pytest.mark.parametrize(
        ("review", "first", "others"), [("none", False, False), ("first", True, False), ("all", True, True)]
    )
    def test_who_is_reviewed(self, review, first, others):
        assert needs_review(review, first_of_either=True) is first
        assert needs_review(review, first_of_either=False) is others

    def test_to_oneself_is_refused(self):
        with pytest.raises(TransitionError, match=r"^candidate: found the seeker; expected another member"):
            propose("m-1", "m-1", RULES, by="seeker", at=NOW, reviewed=False)

    @pytest.mark.parametrize("by", ["candidate", "service", "m-1", ""])
    def test_others_propose_nothing(self, by):
        with pytest.raises(TransitionError, match="only these two propose"):
            propose("s-1", "c-1", RULES, by=by, at=NOW, reviewed=False)

    def test_it_does_not_change(self):
        with pytest.raises(FrozenInstanceError):
            proposed().state = "connected"  # type: ignore[misc]


class TestYes:
    def test_the_candidate_connects_what_the_seeker_proposed(self):
        made = after(proposed(), "accept by candidate", at=NOW + DAY)
        assert (made.state, made.since, made.until) == ("connected", NOW + DAY, None)
        assert made.yes == {"seeker", "candidate"}
        assert made.history[2:] == (
            Step("accept", "candidate", "offered", "accepted", NOW + DAY, NOW + 7 * DAY),
            Step("connect", "service", "accepted", "connected", NOW + DAY),
        )
        assert made.connected_at == NOW + DAY

    @pytest.mark.parametrize("sides", [("seeker", "candidate"), ("candidate", "seeker")])
    def test_what_a_coordinator_proposed_needs_both(self, sides):
        one = after(proposed("coordinator"), f"accept by {sides[0]}", at=NOW + DAY)
        assert (one.state, one.yes, one.until) == ("accepted", {sides[0]}, NOW + 7 * DAY)
        assert takes_place(one.state)
        both = after(one, f"accept by {sides[1]}", at=NOW + 2 * DAY)
        assert (both.state, both.connected_at) == ("connected", NOW + 2 * DAY)
        assert [step.act for step in both.history] == ["propose", "offer", "accept", "accept", "connect"]

    def test_the_first_yes_lapses_with_the_offer(self):
        one = after(proposed("coordinator"), "accept by seeker", at=NOW + 6 * DAY)
        assert let_time_pass(one, NOW + 7 * DAY).state == "expired"

    def test_twice_is_refused(self):
        assert refused(proposed(), "accept by seeker") == (
            "accept by the seeker: found that the seeker has said yes already; "
            "allowed now for the seeker: withdraw. Choose one of these"
        )
        one = after(proposed("coordinator"), "accept by candidate")
        assert refused(one, "accept by candidate") == (
            "accept by the candidate: found that the candidate has said yes already; "
            "allowed now for the candidate: end. Choose one of these"
        )
        assert refused(CONNECTED, "accept by candidate") == (
            "accept by the candidate: found an introduction that is connected; "
            "allowed now for the candidate: end, rematch. Choose one of these"
        )


class TestNo:
    @pytest.mark.parametrize("acts", [(), ("accept by seeker",)])
    def test_a_decline_is_final(self, acts):
        made = after(proposed("coordinator"), *acts, "decline by candidate")
        assert (made.state, made.until, takes_place(made.state)) == ("declined", None, False)
        assert refused(made, "accept by candidate").endswith(
            "found an introduction that is declined; it is over. The seeker may choose somebody else"
        )

    def test_declining_after_a_yes_is_refused(self):
        one = after(proposed("coordinator"), "accept by candidate")
        assert "has said yes already; allowed now for the candidate: end" in refused(one, "decline by candidate")
        assert "an introduction that is connected" in refused(CONNECTED, "decline by candidate")

    def test_who_said_yes_may_still_leave(self):
        one = after(proposed("coordinator"), "accept by candidate")
        left = after(one, "end by candidate: other")
        assert (left.state, left.connected_at, left.reason) == ("ended", None, "other")
        assert (seen_by(left, "candidate"), seen_by(left, "seeker")) == ("ended", "closed")

    def test_the_seeker_takes_it_back_before_the_connection_alone(self):
        for reviewed in (False, True):
            assert after(proposed(reviewed=reviewed), "withdraw by seeker").state == "withdrawn"
        assert "connected" in refused(CONNECTED, "withdraw by seeker")
        assert "connected" in refused(CONNECTED, "withdraw by service")
        assert "offered" in refused(proposed(), "withdraw by candidate")
        assert "offered" in refused(proposed(), "withdraw by coordinator")

    def test_an_accept_after_the_other_left_is_told_in_neutral_words(self):
        for act in ("withdraw by seeker", "withdraw by service", "end by coordinator"):
            assert refused(after(proposed(), act), "accept by candidate") == (
                "accept by the candidate: found an introduction that is closed; "
                "it is over. The seeker may choose somebody else"
            )

    def test_a_coordinator_rejects_with_a_reason(self):
        made = after(proposed(reviewed=True), "reject by coordinator: safety")
        assert (made.state, made.reason) == ("rejected", "safety")
        assert (seen_by(made, "seeker"), seen_by(made, "candidate")) == ("closed", None)


class TestEnd:
    @pytest.mark.parametrize("by", ["seeker", "candidate", "coordinator", "service"])
    @pytest.mark.parametrize("reason", [None, *END_REASONS])
    def test_by_anybody_for_any_reason_of_the_list(self, by, reason):
        made = after(CONNECTED, f"end by {by}" + (f": {reason}" if reason else ""), at=NOW + DAY)
        assert (made.state, made.reason, made.since) == ("ended", reason, NOW + DAY)
        assert {seen_by(made, side) for side in ("seeker", "candidate")} == {"ended"}

    def test_the_reasons_are_these(self):
        assert set(END_REASONS) == {"finished", "no_contact", "not_a_fit", "bereavement", "moved", "other", "safety"}
        assert set(REASONS) == {"end", "rematch", "reject"}

    def test_other_words_are_refused_and_not_repeated(self):
        message = refused(CONNECTED, "end by seeker: they told my mother")
        assert message == f"reason: found another; expected one of {', '.join(END_REASONS)}, or none"
        assert refused(proposed(), "decline by candidate: moved") == (
            "reason: found another; expected none: decline has no reason"
        )

    def test_a_rematch_is_an_end_of_its_own(self):
        made = after(CONNECTED, "rematch by seeker: not_a_fit")
        assert (made.state, made.history[-1].act, made.reason) == ("ended", "rematch", "not_a_fit")
        assert "connected" in refused(CONNECTED, "rematch by service")


class TestTime:
    def test_an_offer_lapses_at_its_until_and_not_before(self):
        made = proposed()
        assert let_time_pass(made, NOW + 7 * DAY - TICK) is made
        for late in (timedelta(0), TICK, 300 * DAY):
            gone = let_time_pass(made, NOW + 7 * DAY + late)
            assert (gone.state, gone.since, gone.until) == ("expired", NOW + 7 * DAY, None)
            assert gone.history[-1] == Step("expire", "service", "offered", "expired", NOW + 7 * DAY)

    def test_an_accept_in_time_goes_and_one_at_the_end_does_not(self):
        made = proposed()
        assert after(made, "accept by candidate", at=NOW + 7 * DAY - TICK).state == "connected"
        for at in (NOW + 7 * DAY, NOW + 8 * DAY):
            unnoted = refused(made, "accept by candidate", at=at)
            noted = refused(let_time_pass(made, at), "accept by candidate", at=at)
            assert unnoted == noted
            assert "found an introduction that is closed" in unnoted
            assert allowed(made, "candidate", at) == ()

    def test_the_service_notes_it_and_nobody_hurries_it(self):
        made = proposed()
        at = NOW + 9 * DAY
        assert after(made, "expire by service", at=at) == let_time_pass(made, at)
        assert "found that it has not lapsed yet" in refused(made, "expire by service", at=NOW + DAY)
        assert "found an introduction that is expired" in refused(let_time_pass(made, at), "expire by service", at=at)
        for by in ("seeker", "candidate", "coordinator"):
            refused(made, f"expire by {by}", at=at)

    def test_a_review_lapses_too(self):
        made = proposed(reviewed=True)
        assert let_time_pass(made, NOW + 14 * DAY).state == "expired"
        assert "expired" in refused(made, "approve by coordinator", at=NOW + 14 * DAY)

    def test_connections_do_not(self):
        assert let_time_pass(CONNECTED, NOW + 10_000 * DAY) is CONNECTED

    def test_a_clock_that_lags_writes_nothing_before_the_last_step(self):
        made = after(proposed(), "accept by candidate", at=NOW - DAY)
        assert (made.state, made.connected_at) == ("connected", NOW)

    def test_days_are_24_hours_in_every_zone(self):
        berlin = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))  # clocks change on the 29th
        made = proposed(at=berlin)
        assert made.until == berlin.astimezone(UTC) + 7 * DAY
        assert {step.at.tzinfo for step in made.history} == {UTC}
        same = proposed(at=berlin.astimezone(timezone(timedelta(hours=-9))))
        assert same == made

    def test_a_moment_without_an_offset_is_refused(self):
        naive = NOW.replace(tzinfo=None)
        for call in (
            lambda: proposed(at=naive),
            lambda: after(proposed(), "accept by candidate", at=naive),
            lambda: let_time_pass(proposed(), naive),
            lambda: allowed(proposed(), "seeker", naive),
        ):
            with pytest.raises(TransitionError, match="found a moment without an offset"):
                call()


class TestSuspended:
    @pytest.mark.parametrize("by", ["service", "coordinator"])
    def test_nothing_goes_but_to_leave_or_a_coordinator(self, by):
        made = after(CONNECTED, f"suspend by {by}", at=NOW + DAY)
        assert (made.state, made.suspended, made.since) == ("connected", True, NOW)
        assert takes_place(made.state)
        who = {by: allowed(made, by, NOW + DAY) for by in ("seeker", "candidate", "coordinator", "service")}
        assert who == {
            "seeker": ("end", "rematch"),
            "candidate": ("end", "rematch"),
            "coordinator": ("end", "rematch", "resume"),
            "service": ("end",),
        }
        assert {seen_by(made, side) for side in ("seeker", "candidate")} == {"paused"}
        assert refused(made, "suspend by service") == (
            "suspend by the service: found an introduction that is connected, and suspended; "
            "allowed now for the service: end. A coordinator looks at it, and resumes or ends it"
        )

    def test_an_accept_waits(self):
        made = after(proposed(), "suspend by service")
        assert refused(made, "accept by candidate") == (
            "accept by the candidate: found an introduction that is paused; "
            "allowed now for the candidate: end. A coordinator looks at it, and resumes or ends it"
        )
        assert after(made, "resume by coordinator", "accept by candidate").state == "connected"

    def test_nobodys_time_runs_meanwhile(self):
        made = after(proposed(), "suspend by service", at=NOW + 5 * DAY)
        assert made.until is None
        assert let_time_pass(made, NOW + 400 * DAY) is made
        made = after(made, "resume by coordinator", at=NOW + 100 * DAY)
        assert (made.suspended, made.until, made.since) == (False, NOW + 102 * DAY, NOW)
        again = after(made, "suspend by coordinator", at=NOW + 101 * DAY)
        assert after(again, "resume by coordinator", at=NOW + 200 * DAY).until == NOW + 201 * DAY

    def test_a_connection_goes_on_without_an_end(self):
        made = after(CONNECTED, "suspend by service", "resume by coordinator")
        assert (made.state, made.suspended, made.until) == ("connected", False, None)

    def test_it_is_not_lifted_by_leaving(self):
        made = after(CONNECTED, "suspend by service", "end by candidate")
        assert (made.state, made.suspended) == ("ended", True)
        assert seen_by(made, "seeker") == "ended"

    @pytest.mark.parametrize("act", ["end by coordinator: safety", "rematch by coordinator"])
    def test_a_coordinator_who_ends_it_has_looked(self, act):
        made = after(CONNECTED, "suspend by service", act)
        assert (made.state, made.suspended, made.reported) == ("ended", False, True)

    def test_in_review_a_report_waits_too(self):
        made = after(proposed(reviewed=True), "suspend by service", at=NOW + DAY)
        assert (made.state, made.suspended, made.until) == ("in_review", True, None)
        assert (seen_by(made, "seeker"), seen_by(made, "candidate")) == ("paused", None)
        assert after(made, "resume by coordinator", at=NOW + 50 * DAY).until == NOW + 63 * DAY
        assert after(made, "reject by coordinator: safety").suspended is False

    def test_what_lapsed_is_reported_all_the_same(self):
        made = after(proposed(), "suspend by service", at=NOW + 7 * DAY)
        assert (made.state, made.suspended, made.until) == ("expired", True, None)
        assert [seen_by(made, side) for side in ("seeker", "candidate")] == ["closed", "closed"]


class TestReportOfWhatIsOver:
    OVER = after(CONNECTED, "end by candidate: bereavement", at=NOW + DAY)

    def test_it_stays_as_it_is_and_is_marked(self):
        made = after(self.OVER, "suspend by service", at=NOW + 2 * DAY)
        assert (made.state, made.since, made.suspended) == ("ended", NOW + DAY, True)
        assert made.reason == "bereavement"
        assert [seen_by(made, side) for side in ("seeker", "candidate")] == ["ended", "ended"]
        assert allowed(made, "coordinator", NOW + 2 * DAY) == ("end", "resume")
        assert refused(made, "suspend by service").endswith("A coordinator looks at it, and resumes or ends it")

    @pytest.mark.parametrize(("act", "reported"), [("resume by coordinator", False), ("end by coordinator", True)])
    def test_a_coordinator_closes_it(self, act, reported):
        made = after(self.OVER, "suspend by service", act, at=NOW + 3 * DAY)
        assert (made.state, made.since, made.suspended) == ("ended", NOW + DAY, False)
        assert (made.reported, made.reason, past_of(made)) == (reported, "bereavement", past_of(self.OVER))

    def test_an_offer_that_was_withdrawn_while_suspended_gets_no_time_back(self):
        made = after(proposed(), "suspend by service", "withdraw by seeker", "resume by coordinator")
        assert (made.state, made.until, seen_by(made, "seeker")) == ("withdrawn", None, "withdrawn")


class TestWords:
    def test_a_third_party_takes_no_part(self):
        for by in ("m-9", "supporter", ""):
            message = refused(proposed(), f"accept by {by}")
            assert message.startswith("by: found somebody who takes no part; expected one of seeker, candidate")
        assert [side_of(CONNECTED, member) for member in ("s-1", "c-1")] == ["seeker", "candidate"]
        with pytest.raises(TransitionError, match=r"^member: found somebody on neither side") as caught:
            side_of(CONNECTED, "m-9")
        assert "m-9" not in caught.value.message
        with pytest.raises(TransitionError, match="expected seeker or candidate"):
            seen_by(CONNECTED, "coordinator")

    def test_an_unknown_act_with_the_nearest(self):
        assert refused(proposed(), "acept by candidate").endswith("; did you mean 'accept'?")

    def test_to_propose_again_is_no_act(self):
        assert "found an introduction that is offered" in refused(proposed(), "propose by seeker")

    def test_errors_are_of_the_family(self):
        assert issubclass(TransitionError, PeermatchError)
        assert TransitionError.title == "The introduction does not allow this now"

    def test_which_states_take_a_place(self):
        assert [state for state in STATES if takes_place(state)] == ["offered", "accepted", "connected"]
        assert frozenset({"offered", "accepted", "connected"}) == HOLDING
        assert frozenset({"proposed", "in_review", "offered", "accepted"}) == OPEN

    @pytest.mark.parametrize(
        ("introduction", "seeker", "candidate"),
        [
            (proposed(reviewed=True), "in_review", None),
            (proposed(), "offered", "offered"),
            (after(proposed("coordinator"), "accept by candidate"), "offered", "accepted"),
            (after(proposed("coordinator"), "accept by seeker"), "accepted", "offered"),
            (CONNECTED, "connected", "connected"),
            (after(proposed(), "decline by candidate"), "closed", "declined"),
            (after(proposed(), "withdraw by seeker"), "withdrawn", "closed"),
            (after(proposed(), "withdraw by service"), "closed", "closed"),
            (after(proposed(reviewed=True), "withdraw by seeker"), "withdrawn", None),
            (after(proposed(reviewed=True), "decline by candidate"), "closed", "declined"),
            (let_time_pass(proposed(), NOW + 7 * DAY), "closed", "closed"),
        ],
    )
    def test_what_each_side_reads(self, introduction, seeker, candidate):
        assert (seen_by(introduction, "seeker"), seen_by(introduction, "candidate")) == (seeker, candidate)


class TestReplay:
    def test_of_nothing(self):
        with pytest.raises(TransitionError, match=r"^history: found no step"):
            replay([], seeker="s-1", candidate="c-1")

    def test_a_history_without_its_end_is_still_one(self):
        made = after(CONNECTED, "end by seeker: moved")
        assert replay(made.history[:-1], seeker="s-1", candidate="c-1") == CONNECTED

    def test_a_step_after_the_offer_lapsed_is_none(self):
        history = [*proposed().history, Step("decline", "candidate", "offered", "declined", NOW + 7 * DAY)]
        with pytest.raises(TransitionError, match=r"^history, step 3: found decline; it cannot follow"):
            replay(history, seeker="s-1", candidate="c-1")
        history[2] = Step("decline", "candidate", "offered", "declined", NOW + 7 * DAY - TICK)
        assert replay(history, seeker="s-1", candidate="c-1").state == "declined"

    def test_an_end_of_time_at_another_moment_is_none(self):
        history = [*proposed().history, Step("expire", "service", "offered", "expired", NOW + 6 * DAY)]
        with pytest.raises(TransitionError, match="step 3: found expire"):
            replay(history, seeker="s-1", candidate="c-1")
