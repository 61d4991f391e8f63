"""Whatever is decided, in whatever order, nobody without an active consent is returned, scored, learned from or logged.

And that this would be found, were a check left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from matcher import consent
from service.live import recheck
from service.store import consent_log, ends, growth, histories, live, programmes, recording, scene
from tests.conftest import examples
from tests.service.databases import SQLITE, only
from tests.service.installation import Installation
from tests.service.live.consent_machine import Machine, Violation


def ran(machine: type[Machine], count: int) -> None:
    """Run a machine `count` times 50 steps."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=count,
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
            report_multiple_bugs=False,
        ),
    )


@pytest.fixture
def machine(template: Callable[[str], Installation]) -> Callable[[int], type[Machine]]:
    """Return a machine of a seed, on copies of a small programme."""

    def of_seed(number: int) -> type[Machine]:
        made = type(f"Machine{number}", (Machine,), {"template": template("small")})
        return seed(number)(made)

    return of_seed


on_sqlite = only(SQLITE, "What is written is the same on both; `test_consent_log.py` and the world run on each.")
PARTS = 4


@on_sqlite
@pytest.mark.parametrize("part", range(PARTS))
def test_no_order_of_decisions_lets_anybody_be_used_without_consent(
    machine: Callable[[int], type[Machine]], part: int
) -> None:
    ran(machine(part), examples(200, 1000) // PARTS)


QUICK = 7
"""Of some seeds the one by which every fault is found soon; the others find nearly all, and take longer."""

# What it finds ------------------------------------------------------------------------------------------------------


def everybody_passes(patched: pytest.MonkeyPatch) -> None:
    """The re-check puts nobody through the gates."""
    patched.setattr(recheck, "_passing", lambda rows, *_: {row.id for row in rows})


def nothing_is_noted(patched: pytest.MonkeyPatch) -> None:
    """What has ended is not written down: a clock set back revives it."""
    patched.setattr(ends, "note", lambda *_: {})
    patched.setattr(recording, "ends", lambda *_, **__: ())
    patched.setattr(growth, "ends", lambda *_, **__: ())


def a_second_late(patched: pytest.MonkeyPatch) -> None:
    """Whatever ends does so a second late."""
    second = timedelta(seconds=1)
    real, real_due = consent.fold, histories.due

    def late(events: Any, programme: Any, at: datetime, minor: bool = False) -> Any:
        return real(events, programme, at - second, minor)

    for module in (consent, live):
        patched.setattr(module, "fold", late)
    patched.setattr(
        histories, "due", lambda events, programme, at, minor: real_due(events, programme, at - second, minor)
    )


def a_policy_changes_nothing(patched: pytest.MonkeyPatch) -> None:
    """Another policy version is stored, and nobody hears of it."""
    patched.setattr(programmes, "refold", lambda *_: None)


def the_log_forgets(patched: pytest.MonkeyPatch) -> None:
    """A withdrawal is in the record and not in the log."""
    real = consent_log.append_many

    def some(session: Any, programme: Any, added: Any, *, now: datetime) -> None:
        kept = (one for one in added if not any(event.decision == "withdrawn" for event in one.events))
        real(session, programme, kept, now=now)

    patched.setattr(consent_log, "append_many", some)


def everything_is_learned(patched: pytest.MonkeyPatch) -> None:
    """Training asks nobody."""
    patched.setattr(consent, "_training", lambda seeking, shown, *_: (seeking, shown))


def holds_are_forgotten(patched: pytest.MonkeyPatch) -> None:
    """A hold is no reason not to be shown."""
    patched.setattr(scene.Live, "may_be_shown", lambda self, _now: bool(self.accepted and self.shown))


def blocks_are_forgotten(patched: pytest.MonkeyPatch) -> None:
    """A block keeps nobody apart."""
    patched.setattr(scene, "apart", lambda *_: scene.Apart(frozenset(), frozenset(), frozenset()))


@on_sqlite
@pytest.mark.parametrize(
    "fault",
    [
        everybody_passes,
        nothing_is_noted,
        a_second_late,
        a_policy_changes_nothing,
        the_log_forgets,
        everything_is_learned,
        holds_are_forgotten,
        blocks_are_forgotten,
    ],
)
def test_a_check_that_is_left_out_is_missed(
    machine: Callable[[int], type[Machine]],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
) -> None:
    made = machine(QUICK)  # set up before anything is wrong
    fault(monkeypatch)
    with pytest.raises(Violation):
        ran(made, 200)
