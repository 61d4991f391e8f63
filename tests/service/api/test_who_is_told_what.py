"""What each of two is told of an introduction after any sequence of acts, against a model that knows only the table
of docs/reference/introductions.md: in inboxes, cards, replies and events, and what must never be told to whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import introductions as table
from service.live import cards
from tests.conftest import examples
from tests.service.api.telling import WORDS, World
from tests.service.databases import Database, sampled
from tests.service.installation import close, install, record
from tests.service.introduced import ALL

ACTS: dict[str, Callable[[World, str], None]] = {
    "propose": World.propose, "by_hand": World.by_hand, "accept": World.accept, "decline": World.decline,
    "withdraw": World.withdraw, "end": World.end, "approve": World.approve, "reject": World.reject,
    "suspend": World.suspend, "resume": World.resume, "report": World.report, "stop": World.stop, "hold": World.hold,
    "lapse": World.lapse,
}  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from(sorted(WORDS))), min_size=2, max_size=14)
NAMED = ("propose", "by_hand")


@pytest.fixture(scope="module")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    more = (
        'lists_per_day = 1000\nlists_per_30_days = "unlimited"\n[introductions]\nagain_days = 0\nper_week = "unlimited"'
    )
    made = install(tmp_path_factory.mktemp("told"), database=database, size=ALL, more=more)
    made.add(*(record(f"x-{number}", "seeker") for number in range(3)))
    yield World(made)
    close(made)


def run(world: World, steps: list[tuple[str, str]]) -> None:
    world.begin()
    for what, side in steps:
        world.made.clock.turn(minutes=1)
        ACTS[what](world, side)
        world.check_all()


@sampled("Nothing of it depends on the database; what each state tells is tested on both in test_introductions.py.")
@settings(max_examples=examples(40, 800), deadline=None)
@given(first=st.sampled_from(NAMED), steps=STEPS)
def test_each_side_is_told_what_the_document_says_and_no_more(
    world: World, first: str, steps: list[tuple[str, str]]
) -> None:
    run(world, [(first, "seeker"), *steps])


WHOLE = [
    [("propose", "seeker"), ("approve", "seeker"), ("accept", "candidate"), ("end", "seeker")],
    [("propose", "seeker"), ("reject", "seeker")],
    [("propose", "seeker"), ("approve", "seeker"), ("decline", "candidate")],
    [
        ("by_hand", "seeker"),
        ("accept", "candidate"),
        ("suspend", "seeker"),
        ("resume", "seeker"),
        ("decline", "seeker"),
    ],
    [("by_hand", "seeker"), ("accept", "seeker"), ("report", "candidate"), ("stop", "seeker")],
    [("by_hand", "seeker"), ("accept", "seeker"), ("hold", "candidate")],
    [("by_hand", "seeker"), ("accept", "candidate"), ("lapse", "seeker")],
]


@sampled("Nothing of it depends on the database; what each state tells is tested on both in test_introductions.py.")
@pytest.mark.parametrize("steps", WHOLE)
def test_whole_paths_too(world: World, steps: list[tuple[str, str]]) -> None:
    run(world, steps)
    assert world.models, "there was an introduction"


def tells_state(introduction: Any, side: str) -> str | None:
    """Tell either side what coordinators see: the fault."""
    return None if introduction.offered_at is None and side == "candidate" else str(introduction.state)


@sampled("Nothing of it depends on the database; what each state tells is tested on both in test_introductions.py.")
@pytest.mark.parametrize(
    "steps", [WHOLE[1], WHOLE[2], [("by_hand", "seeker"), ("accept", "candidate")], WHOLE[4], WHOLE[6]]
)
def test_a_side_that_is_told_more_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(cards, "seen_by", tells_state)
    with pytest.raises(AssertionError):
        run(world, steps)


@sampled("Nothing of it depends on the database; what each state tells is tested on both in test_introductions.py.")
def test_an_id_told_too_early_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "seen_by", lambda *_: "connected")
    with pytest.raises(AssertionError):
        run(world, [("by_hand", "seeker")])
    assert table.seen_by is not cards.seen_by
