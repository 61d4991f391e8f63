"""What the service logs by itself teaches: no file is needed."""

from __future__ import annotations

from itertools import chain

from matcher.model.answers import SEEKER, SUPPORTER, Answers, answers
from matcher.model.feedback import Feedback
from service.store import feedback, shown
from tests.service.installation import Installation
from tests.service.introduced import act, people, propose
from tests.service.introduced import shown as asked


def learned(made: Installation) -> Answers:
    """Return what training makes of what is stored."""
    with made.store.reading() as session:
        told = chain(feedback.all_feedback(session, "lantern"), shown.events(session, "lantern"))
        events = [Feedback.from_dict(one, made.programme) for one in told]
    return answers(events, made.programme, made.clock())


def told(found: Answers) -> set[tuple[str, str, int, int]]:
    return {(one.asker, one.asked, one.role, one.label) for one in found}


def test_each_sides_answer_teaches_and_a_choice_weighs_more_where_it_was_less_likely_seen(small: Installation) -> None:
    made = people(small)
    second = list(asked(made))[1]
    act(made, propose(made, "s-1", second), "accept", second)
    found = learned(made)
    assert told(found) == {("s-1", second, SEEKER, 1), ("s-1", second, SUPPORTER, 1)}
    assert {one.role: one.weight for one in found} == {SEEKER: 2.0, SUPPORTER: 1.0}
    assert found.dropped == {"not_viewed": 1}


def test_a_supporters_no_teaches_of_the_supporter_alone(small: Installation) -> None:
    made = people(small)
    act(made, propose(made), "decline", "m-1")
    assert told(learned(made)) == {("s-1", "m-1", SEEKER, 1), ("s-1", "m-1", SUPPORTER, 0)}


def test_what_lapsed_says_nothing_of_the_supporter(small: Installation) -> None:
    made = people(small)
    propose(made)
    made.clock.turn(days=8)
    asked(made)
    assert told(learned(made)) == {("s-1", "m-1", SEEKER, 1)}


def test_who_was_seen_and_not_chosen_is_a_no_after_a_while(small: Installation) -> None:
    made = people(small)
    names = asked(made)
    made.call("POST", "/v1/feedback", {**names["m-2"], "event": "viewed"})
    propose(made)
    assert ("s-1", "m-2", SEEKER, 0) not in told(learned(made))
    made.clock.turn(days=15)
    assert ("s-1", "m-2", SEEKER, 0) in told(learned(made))
