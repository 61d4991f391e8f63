"""Why a model is not published, in a few lines that whoever trains can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from matcher.audit.utility import FAIL, MARGIN

PRIOR = "the programme's own weights"
WHAT_NOW = "The active model stays; look at what changed in the feedback since it was trained"


class Judged(Protocol):
    """A training that came to verdicts."""

    @property
    def verdicts(self) -> Mapping[str, str]:
        """PASS, FAIL or INCONCLUSIVE by check."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """What was measured."""


def refusal(result: Judged) -> str:
    """Return a line for each check that failed, and the figures behind them."""
    return "\n".join(_lines(result.verdicts, result.metrics))


def _lines(verdicts: Mapping[str, str], metrics: Mapping[str, Any]) -> Iterator[str]:
    if verdicts["utility"] == FAIL:
        yield f"{_worse(PRIOR, metrics['log_loss_difference'])}. {WHAT_NOW}"
    if verdicts["succession"] == FAIL:
        yield f"{_worse('the model that serves', metrics['against_active'])}. {WHAT_NOW}"
    if verdicts["safety"] == FAIL:
        broken = ", ".join(f"{rule} {count}" for rule, count in metrics["safety"]["broken"].items())
        yield (
            f"in {metrics['safety']['lists']} lists of the learned model rules of safety are broken: {broken}; "
            "expected none. The active model stays; report this, with the programme file and no personal data"
        )
    for role, found in metrics["held_out"].items():
        log_loss, auc = found["log_loss"], found["auc"]
        yield (
            f"{role}: {found['answers']} answers; log loss learned {log_loss['learned']}, prior {log_loss['prior']}; "
            f"AUC learned {auc['learned']}, prior {auc['prior']}"
        )


def _worse(than: str, difference: Mapping[str, Any]) -> str:
    low, high = difference["interval"]
    return (
        f"on people whom it had not learned from, the learned model is worse than {than}: log loss "
        f"{difference['estimate']:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}; expected one that reaches "
        f"{MARGIN:+.4f} or below"
    )
