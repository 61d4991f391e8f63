"""The table of introductions against a second writing of the rules, in every state and along random ways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import waiting
from matcher.introduction_record import Introduction, Step, after, first
from matcher.introduction_table import GOING, SUSPENDED, Row
from matcher.introductions import (
    ACTS,
    END_REASONS,
    FINAL,
    HOLDING,
    OPEN,
    PARTIES,
    SIDES,
    STATES,
    TransitionError,
    advance,
    allowed,
    let_time_pass,
    propose,
    replay,
    seen_by,
    takes_place,
)
from tests.conftest import examples
from tests.matcher.introduction_model import DAY, NOW, RULES, TICK, WORDS, Naive

TRIES = sorted(product(ACTS, PARTIES))
BEGINNINGS = [("seeker", False), ("seeker", True), ("coordinator", False), ("coordinator", True)]


def begun(by: str, reviewed: bool) -> tuple[Introduction, Naive]:
    return propose("a", "b", RULES, by=by, at=NOW, reviewed=reviewed), Naive(by, reviewed, NOW)


def tried(introduction: Introduction, act: str, by: str, at: datetime) -> Introduction | None:
    """What becomes of it; None: refused. Anything but TransitionError fails the test."""
    try:
        return advance(introduction, act, by=by, at=at, rules=RULES)
    except TransitionError:
        return None


def same(introduction: Introduction, naive: Naive) -> bool:
    return (introduction.state, introduction.yes, introduction.suspended, introduction.until) == (
        naive.state,
        naive.yes,
        naive.suspended,
        naive.until,
    )


def redone(way: tuple[tuple[str, str], ...], by: str, reviewed: bool) -> Naive:
    naive = Naive(by, reviewed, NOW)
    for step in way:
        naive.do(*step, NOW)
    return naive


def ways() -> Iterator[tuple[Introduction, Naive, tuple[tuple[str, str], ...], tuple[str, bool]]]:
    """Every situation that acts lead to without time passing, with the shortest way there."""
    for beginning in BEGINNINGS:
        start, naive = begun(*beginning)
        met = {situation(start)}
        queue = [(start, naive, ())]
        while queue:
            introduction, naive, way = queue.pop(0)
            yield introduction, naive, way, beginning
            for act, by in sorted(naive.may()):
                following = tried(introduction, act, by, NOW)
                if following is not None and situation(following) not in met:
                    met.add(situation(following))
                    longer = (*way, (act, by))
                    queue.append((following, redone(longer, *beginning), longer))


def situation(introduction: Introduction) -> tuple[Any, ...]:
    return introduction.state, introduction.yes, introduction.suspended, introduction.by


def disagreements() -> list[str]:
    """Everything on which the library and the second writing differ, in every situation, for every act of everybody."""
    found = []
    for introduction, naive, way, beginning in ways():
        if not same(introduction, naive):
            found.append(f"{way}: {introduction.state}, expected {naive.state}")
        for act, by in TRIES:
            expected = redone(way, *beginning)
            went = expected.do(act, by, NOW)
            following = tried(introduction, act, by, NOW)
            if went != (following is not None) or (following is not None and not same(following, expected)):
                found.append(f"{introduction.state}, {way}: {act} by {by}")
    return found + after_a_lapse()


def after_a_lapse() -> list[str]:
    """Everything on which the two differ of what lapsed, and of what was reported after that."""
    found, late = [], NOW + 20 * DAY
    for beginning in BEGINNINGS:
        for before in ((), (("suspend", "service"),)):
            for act, by in TRIES:
                introduction, naive = begun(*beginning)
                for step in (*before, (act, by)):
                    following = tried(introduction, *step, late)
                    went = naive.do(*step, late)
                    introduction = let_time_pass(introduction, late) if following is None else following
                    if went != (following is not None) or not same(introduction, naive):
                        found.append(f"lapsed, {before}: {step}")
    return found


class TestEverySituation:
    def test_the_two_agree(self):
        assert disagreements() == []

    def test_every_state_was_met(self):
        met = {introduction.state for introduction, *_ in ways()}
        assert met == set(STATES) - {"proposed", "expired"}
        assert len({situation(introduction) for introduction, *_ in ways()}) > 25

    def test_the_words_are_the_same(self):
        assert set(ACTS) == WORDS
        assert len(ACTS) == len(WORDS)

    @pytest.mark.parametrize("at", [NOW, NOW + 7 * DAY, NOW + 14 * DAY, NOW - DAY], ids=str)
    def test_what_is_allowed_is_what_goes(self, at):
        for introduction, *_ in ways():
            for by in PARTIES:
                goes = [act for act in ACTS if tried(introduction, act, by, max(at, NOW)) is not None]
                noted = let_time_pass(introduction, at) is not introduction
                assert list(allowed(introduction, by, at)) == [act for act in goes if not (noted and act == "expire")]

    def test_nothing_leaves_a_final_state_and_all_that_is_left_is_a_report(self):
        lapsed = [let_time_pass(introduction, NOW + 700 * DAY) for introduction, *_ in ways()]
        over = [introduction for introduction in lapsed if introduction.state in FINAL]
        assert {introduction.state for introduction in over} == FINAL
        at = NOW + 701 * DAY
        for introduction in over:
            left = {(act, by) for by in PARTIES for act in allowed(introduction, by, at)}
            reports, answers = {"suspend"}, {"resume", "end"}
            assert {act for act, _ in left} == (answers if introduction.suspended else reports)
            assert {by for _, by in left} == {"coordinator"} | (set() if introduction.suspended else {"service"})
            for act, by in left:
                moved = advance(introduction, act, by=by, at=at, rules=RULES)
                assert (moved.state, moved.since, moved.until) == (introduction.state, introduction.since, None)
                assert [seen_by(moved, side) for side in SIDES] == [seen_by(introduction, side) for side in SIDES]

    def test_before_review_too(self):
        start = first("a", "b", Step("propose", "seeker", None, "proposed", NOW))
        went = {(act, by) for act, by in TRIES if tried(start, act, by, NOW) is not None}
        mine = {(act, by) for (state, act), row in GOING.items() if state == "proposed" for by in row.who}
        assert went == mine - {("decline", "seeker")}


AT_REST = [key for key in GOING if key[0] != "proposed" and key[1] != "expire"]
WITHOUT_CONNECT = [key for key in AT_REST if key[1] != "connect"]


def found_out() -> bool:
    """Whether the comparison sees that the table is wrong; the library may itself stumble over it."""
    try:
        return bool(disagreements())
    except (AssertionError, KeyError):
        return True


class TestControls:
    """A table that is wrong is found out, whichever line it is."""

    def test_the_right_one_is_not(self):
        assert not found_out()

    @pytest.mark.parametrize("key", AT_REST, ids=" ".join)
    def test_a_missing_row(self, key, monkeypatch):
        monkeypatch.delitem(GOING, key)
        assert found_out()

    @pytest.mark.parametrize("key", SUSPENDED, ids=" ".join)
    def test_a_missing_row_while_suspended(self, key, monkeypatch):
        monkeypatch.delitem(SUSPENDED, key)
        assert found_out()

    @pytest.mark.parametrize("key", AT_REST, ids=" ".join)
    def test_a_wrong_next_state(self, key, monkeypatch):
        wrong = "declined" if "rejected" in {key[0], GOING[key].state} else "rejected"
        monkeypatch.setitem(GOING, key, Row(GOING[key].who, wrong))
        assert found_out()

    @pytest.mark.parametrize("key", WITHOUT_CONNECT, ids=" ".join)
    def test_somebody_too_many_or_too_few(self, key, monkeypatch):
        who, state = GOING[key].who, GOING[key].state
        for party in PARTIES:
            # That both sides may decline in review says nothing: a seeker in review has said yes by proposing.
            if (key, party) != (("in_review", "decline"), "seeker"):
                monkeypatch.setitem(GOING, key, Row(who ^ {party}, state))
                assert found_out(), party

    def test_a_lapse_that_is_missing(self, monkeypatch):
        start, _ = begun("seeker", False)
        monkeypatch.delitem(GOING, ("offered", "expire"))
        with pytest.raises(KeyError):
            let_time_pass(start, NOW + 7 * DAY)


HOURS = st.one_of(st.just(0), st.integers(-3, 60), st.integers(100, 400))
MOVES = st.lists(st.tuples(st.sampled_from(TRIES), HOURS), max_size=14)
USUAL = st.lists(
    st.tuples(
        st.sampled_from(
            [
                ("approve", "coordinator"),
                ("accept", "seeker"),
                ("accept", "candidate"),
                ("suspend", "service"),
                ("resume", "coordinator"),
                ("end", "seeker"),
                ("rematch", "candidate"),
                ("withdraw", "service"),
            ]
        ),
        HOURS,
    ),
    max_size=10,
)


@given(beginning=st.sampled_from(BEGINNINGS), moves=st.one_of(MOVES, USUAL))
@settings(max_examples=examples(200, 2000))
def test_any_way(beginning, moves):
    introduction, naive = begun(*beginning)
    at = NOW
    for (act, by), hours in moves:
        at += timedelta(hours=hours)
        before = let_time_pass(introduction, max(at, introduction.history[-1].at))
        following = tried(introduction, act, by, at)
        went = naive.do(act, by, at)
        assert went == (following is not None), (act, by)
        introduction = before if following is None else following
        assert same(introduction, naive)
        check(introduction)


def check(introduction: Introduction) -> None:
    """What is true of every introduction, however it came to be."""
    history = introduction.history
    assert replay(history, seeker="a", candidate="b") == introduction
    assert [step.at for step in history] == sorted(step.at for step in history)
    assert [step.before for step in history] == [None, *(step.state for step in history[:-1])]
    assert introduction.since == next(step.at for step in history if step.state == introduction.state)
    assert sum(step.state == "offered" and step.before != "offered" for step in history) <= 1
    assert (introduction.state in OPEN) + (introduction.state == "connected") + (introduction.state in FINAL) == 1
    if takes_place(introduction.state):
        assert introduction.offered_at is not None
    if introduction.connected_at is not None:
        assert introduction.yes == {"seeker", "candidate"}
        assert introduction.state in {"connected", "ended"}
    assert takes_place(introduction.state) == (introduction.state in HOLDING)
    for length in range(1, len(history)):
        replay(history[:length], seeker="a", candidate="b")


@given(beginning=st.sampled_from(BEGINNINGS), moves=USUAL, data=st.data())
@settings(max_examples=examples(200, 2000))
def test_a_history_that_was_tampered_with_is_refused(beginning, moves, data):
    introduction, _ = begun(*beginning)
    for (act, by), hours in moves:
        introduction = tried(introduction, act, by, introduction.history[-1].at + timedelta(hours=abs(hours))) or (
            introduction
        )
    history = list(introduction.history)
    place = data.draw(st.integers(0, len(history) - 1))
    step = history[place]
    wrong = data.draw(
        st.sampled_from(
            [
                Step("propose" if place else "offer", step.by, step.before, step.state, step.at, step.until),
                Step(step.act, "somebody", step.before, step.state, step.at, step.until),
                Step(step.act, step.by, "rejected", step.state, step.at, step.until),
                Step(step.act, step.by, step.before, "rejected", step.at, step.until),
                Step(step.act, step.by, step.before, step.state, step.at, step.at - TICK if step.until else step.at),
                Step(step.act, step.by, step.before, step.state, step.at, step.until, "because"),
            ]
        )
    )
    history[place] = wrong
    with pytest.raises(TransitionError, match=f"^history, step {place + 1}: found {wrong.act}; it cannot follow"):
        replay(history, seeker="a", candidate="b")


def told(introduction: Introduction, side: str, at: datetime) -> tuple[Any, ...]:
    """Everything that a side may learn: the word, what it may do, and each refusal."""
    messages = []
    for act in ACTS:
        try:
            advance(introduction, act, by=side, at=at, rules=RULES)
        except TransitionError as error:
            messages.append(error.message)
    return seen_by(introduction, side), allowed(introduction, side, at), messages


class TestSilence:
    """What one side does cannot be told from what the other reads."""

    @pytest.mark.parametrize(("side", "other"), [("seeker", "candidate"), ("candidate", "seeker")])
    def test_a_yes_is_not_told_before_both_have_said_it(self, side, other):
        start, _ = begun("coordinator", False)
        answered = advance(start, "accept", by=other, at=NOW + DAY, rules=RULES)
        assert answered.state == "accepted"
        assert told(start, side, NOW + DAY) == told(answered, side, NOW + DAY)
        assert told(start, other, NOW + DAY) != told(answered, other, NOW + DAY)
        paused = [advance(one, "suspend", by="service", at=NOW + DAY, rules=RULES) for one in (start, answered)]
        assert told(paused[0], side, NOW + DAY) == told(paused[1], side, NOW + DAY)

    @pytest.mark.parametrize("beginning", BEGINNINGS[:3])
    def test_every_end_of_the_others_is_closed(self, beginning):
        at = NOW + DAY
        for introduction, *_ in ways():
            if introduction.connected_at or introduction.state in FINAL:
                continue
            for side, other in (("seeker", "candidate"), ("candidate", "seeker")):
                ends = [let_time_pass(introduction, NOW + 20 * DAY)]
                ends += [tried(introduction, act, by, at) for act, by in TRIES if by != side and act != "accept"]
                over = [end for end in ends if end is not None and end.state in FINAL]
                words = {str(told(end, side, at)) for end in over}
                assert len(words) == 1, (side, other)
                hidden = side == "candidate" and introduction.offered_at is None
                assert seen_by(over[0], side) == (None if hidden else "closed")

    def test_a_suspension_does_not_say_who_asked_for_it(self):
        for introduction, *_ in ways():
            for side in ("seeker", "candidate"):
                both = [tried(introduction, "suspend", by, NOW) for by in ("service", "coordinator")]
                if all(both):
                    assert len({str(told(one, side, NOW)) for one in both if one}) == 1

    def test_no_message_holds_an_id(self):
        names = {"seeker": "s-4711", "candidate": "c-0815"}
        for introduction, *_ in ways():
            renamed = replay(introduction.history, **names)
            for side in names:
                assert not any(name in str(told(renamed, side, NOW)) for name in names.values())
            assert not any(name in repr(renamed) for name in names.values())


def test_after_does_not_ask() -> None:
    """The control of `replay`: without its checks a step that cannot be is simply taken."""
    start, _ = begun("seeker", False)
    assert after(start, Step("approve", "candidate", "in_review", "connected", NOW)).state == "connected"


class TestReference:
    """docs/reference/introductions.md says what the table says."""

    def test_who_may_do_what(self, root):
        page = (root / "docs" / "reference" / "introductions.md").read_text(encoding="utf-8")
        section = page.split("## Who may do what\n")[1].split("\n\n")[0]
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()[2:]]
        told = {(state, act): (frozenset(who.split(", ")), then) for state, act, who, then in lines}
        rows = {key: (row.who, row.state) for key, row in GOING.items()}
        rows |= {(f"{state}, suspended", act): (row.who, row.state) for (state, act), row in SUSPENDED.items()}
        assert told == rows
        assert len(lines) == len(rows)

    def test_every_word_of_the_waiting_list_and_every_reason(self, root):
        page = (root / "docs" / "reference" / "introductions.md").read_text(encoding="utf-8")
        words = [*waiting.NAMES, *waiting.REASONS, *END_REASONS]
        assert [word for word in words if f"`{word}`" not in page] == []
