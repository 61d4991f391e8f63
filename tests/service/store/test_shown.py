from __future__ import annotations

from matcher.model.feedback import Feedback
from service.store import shown
from tests.service.installation import Installation, record


def events(made: Installation) -> list[Feedback]:
    with made.store.reading() as session:
        return [Feedback.from_dict(one, made.programme) for one in shown.events(session, "lantern")]


def test_each_is_told_once_at_the_rank_at_which_they_were_first_returned(made: Installation) -> None:
    made.add(record("s-1", "seeker"), *(record(f"p-{number}") for number in range(8)))
    key = made.new_key("match", "match:ids")
    assert events(made) == []
    first = [one["member_id"] for one in made.match("s-1", limit=3, key=key)["matches"]]
    began = made.clock()
    made.clock.turn(hours=1)
    assert made.match("s-1", limit=3, key=key)["matches"]
    assert [(one.candidate, one.rank, one.at) for one in events(made)] == [
        (name, rank, began) for rank, name in enumerate(first, 1)
    ]
    made.call("DELETE", f"/v1/members/{first[0]}")
    after = [one["member_id"] for one in made.match("s-1", limit=3, key=key)["matches"]]
    assert after[:2] == first[1:]
    told = {one.candidate: (one.rank, one.at) for one in events(made)}
    assert told == {first[1]: (2, began), first[2]: (3, began), after[2]: (3, made.clock())}
    assert {one.seeker for one in events(made)} == {"s-1"}


def test_an_erased_seeker_was_shown_nobody(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("p-1"))
    assert made.match("s-1")["matches"]
    assert len(events(made)) == 1
    made.call("DELETE", "/v1/members/s-1")
    assert events(made) == []
