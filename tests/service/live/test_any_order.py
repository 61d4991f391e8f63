"""Whatever happens in whatever order: a reply shows nobody who may not be shown, and a new list is the oracle's."""

from __future__ import annotations

import inspect
import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.live import attention, looks, recheck
from service.live.showing import Shown
from service.store.scene import Live
from tests.conftest import examples
from tests.service.databases import POSTGRESQL, SQLITE, Database, sampled
from tests.service.installation import Installation, close, copied
from tests.service.live.world import Violation, World

STEPS = 120
SEEDS = {SQLITE: examples(10, 400), POSTGRESQL: examples(2, 400)}
BATCHES = 2
seen: Counter[Any] = Counter()
"""What happened in all worlds of this process."""


def lived(
    template: Callable[[str], Installation], folder: Path, seed: int, often: tuple[str, ...] = ()
) -> Counter[Any]:
    """Let a world live, and return what happened in it."""
    folder.mkdir()
    made = copied(template("standard"), folder)
    world = World(made, seed, often)
    try:
        world.run(STEPS)
    finally:
        world.close()
        close(made)
    return world.counts


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_reply_is_as_the_oracle_says(
    template: Callable[[str], Installation], database: Database, tmp_path: Path, batch: int
) -> None:
    for seed in range(batch, SEEDS[database.name], BATCHES):
        seen.update(lived(template, tmp_path / str(seed), seed))


@sampled("It is of the test above, on SQLite.")
def test_everything_has_happened(template: Callable[[str], Installation], tmp_path: Path) -> None:
    """The worlds above are not vacuous: each kind of event, of result and of outcome has been there."""
    seed = 1000
    while seed < 1040 and not _everything(seen):  # another process lived through the others
        seen.update(lived(template, tmp_path / str(seed), seed))
        seed += 1
    assert _everything(seen), {key: seen[key] for key in _wanted() if seen[key] == 0}
    assert seen["exact"] >= 20
    assert seen["shown"] >= 300
    assert seen["told"] >= 50


def _wanted() -> list[Any]:
    events = [("event", name) for name, _ in World.EVENTS]
    results = [("result", kind) for kind in ("new", "repeat", "over_budget", "held")]
    return [*events, *results, ("outcome", "matched"), ("outcome", "no_match"), ("refused", "consent")]


def _everything(counts: Counter[Any]) -> bool:
    return all(counts[key] for key in _wanted()) and counts["exact"] >= 20 and counts["shown"] >= 300


# Positive controls: without one of its checks the re-check is found out ----------------------------------------------


@dataclass(frozen=True)
class Control:
    """A check that is left out, and what happens often so that this is soon found."""

    function: Any
    before: str
    after: str
    often: tuple[str, ...]


CONTROLS = {
    "holds": Control(Live.may_be_shown, "self.held_until <= now and ", "", ("hold", "lift")),
    "capacity": Control(Live.may_be_shown, " and self.places(now) > 0", "", ("connect", "capacity")),
    "rests": Control(Live.places, "0 if self.rests_until > now else ", "", ("rest", "wait")),
    "blocks": Control(recheck._alive, "row.member_id in apart or ", "", ("block", "unblock")),
    "revisions": Control(recheck._alive, "row.revision != entry.revision or ", "", ("edit",)),
    "the seeker's own edits": Control(recheck._alive, "other = again or ", "other = ", ("edit_seeker",)),
    "exposure": Control(attention.weights, "(np.round(", "(0 * np.round(", ("match",)),
    "the seeker's own list": Control(looks.standing, "held.given_by(seeker)", "{}", ("match", "import_")),
    "the list before": Control(Shown.add, "return before, showing.people", "return (), showing.people", ("match",)),
    "views": Control(looks.views, "found.get(number, 0.0) + view", "0 * view", ("match", "next_day")),
    "reasons": Control(recheck._alive, "entry._replace(reasons=()) if other else entry", "entry", ("withdraw", "edit")),
}


def leave_out(monkeypatch: pytest.MonkeyPatch, control: Control) -> None:
    """Put another function in the place of one, with one thing of its text replaced."""
    source = textwrap.dedent(inspect.getsource(control.function))
    assert control.before in source, "the text of the function has changed: so must this control"
    module = inspect.getmodule(control.function)
    assert module is not None
    namespace: dict[str, Any] = dict(vars(module))
    exec(source.replace(control.before, control.after), namespace)
    name = control.function.__name__
    outer = control.function.__qualname__.split(".")[0]
    monkeypatch.setattr(module if outer == name else getattr(module, outer), name, namespace[name])


@sampled("What is left out is no statement.")
@pytest.mark.parametrize("name", CONTROLS)
def test_a_check_left_out_is_found(
    template: Callable[[str], Installation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    leave_out(monkeypatch, CONTROLS[name])
    with pytest.raises(Violation):  # noqa: PT012 - whichever world finds it
        for seed in range(20):
            lived(template, tmp_path / str(seed), seed, often=CONTROLS[name].often)
