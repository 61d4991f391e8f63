"""What ranking under capacity does for a programme in 60 days: seekers arrive, get lists, choose, are answered, leave.

Four orders on the same draws: `one_sided` (the seeker's affinity alone), `reciprocal` (r), `gate` (r, and nobody
without a free place), `full` (besides, exposure and looks: what Peermatch does). The last three order by the library's
own `matcher.matching.exposure.key`. `docs/market.md` tells the rules, the figures and what they cannot tell.

Calibrated: the means and deviations of both logits, their correlation, how long an answer takes and a connection lasts
(`Setting`), so that `reciprocal` alone comes within 1.5 % of 392, 359 and 309 connections at 1.3, 1.0 and 0.7 places a
seeker and common appeal .5. Of many values that do, those were taken that bring `one_sided` and `gate` near an earlier
simulation too. All other values were given, or are defaults of the product.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from joblib import Parallel, delayed

from benchmarks import common
from benchmarks.market_days import Days, Outcome
from benchmarks.market_figures import cells, wanted
from benchmarks.market_plots import above_gate, connections
from benchmarks.market_policies import PARTS, POLICIES, Policy
from benchmarks.market_world import Setting, draw

SEEDS = 20
RATIOS = ("1.3", "1.0", "0.7")
APPEALS = ("0", "0.8")
"""Beside .5, whose figures are set."""
VARIANTS: dict[str, dict[str, Any]] = {"choices_anew": {"keeps": 0.0}, "choices_within_hours": {"thinks": 0.25}}
"""What else may be true of seekers: each look is decided by itself; a list is answered in six hours, not at night."""
COMPARED = {name: POLICIES[name] for name in ("reciprocal", "gate", "full")}
Figures = dict[str, dict[str, dict[str, Any]]]


def run(setting: Setting, seed: int, policies: Mapping[str, Policy]) -> dict[str, Outcome]:
    """Return what each policy makes of one market."""
    world = draw(setting, seed)
    return {name: Days(world, policy).run() for name, policy in policies.items()}


def study(policies: Mapping[str, Policy], seeds: int, jobs: int, **setting: Any) -> Figures:
    """Return the figures of each policy at each number of places a seeker."""
    todo = [(ratio, seed) for ratio in RATIOS for seed in range(seeds)]
    found = Parallel(n_jobs=jobs)(
        delayed(run)(Setting(ratio=float(ratio), **setting), seed, policies) for ratio, seed in todo
    )
    by_ratio: dict[str, list[dict[str, Outcome]]] = {ratio: [] for ratio in RATIOS}
    for (ratio, _), outcomes in zip(todo, found, strict=True):
        by_ratio[ratio].append(outcomes)
    return {
        ratio: cells({name: [outcomes[name] for outcomes in each] for name in policies})
        for ratio, each in by_ratio.items()
    }


def main(
    seeds: int = SEEDS, jobs: int | None = None, say: Callable[[str], None] = print, **setting: Any
) -> dict[str, Any]:
    """Measure, print the figures, write ``var/bench/market.json`` and two plots, and return the content."""
    start, jobs = time.perf_counter(), jobs or min(2, os.cpu_count() or 1)
    both = study(POLICIES | PARTS, seeds, jobs, **setting)
    figures: dict[str, Any] = {**_of(both, POLICIES)}
    _tell("appeal 0.5", both, say)
    figures["wanted"] = wanted(figures)
    figures["parts"] = _of(both, PARTS)
    figures["appeal"] = {}
    for appeal in APPEALS:
        figures["appeal"][appeal] = study(POLICIES, seeds, jobs, **setting, appeal=float(appeal))
        _tell(f"appeal {appeal}", figures["appeal"][appeal], say)
    figures["variants"] = {}
    for name, change in VARIANTS.items():
        figures["variants"][name] = study(COMPARED, seeds, jobs, **setting, **change)
        _tell(name, figures["variants"][name], say)
    seconds = round(time.perf_counter() - start, 1)
    figures |= {"seeds": seeds, "seconds": seconds, "machine": common.machine()}
    _tell_wanted(figures["wanted"], say)
    say(f"{common.write('market', figures).name} and {', '.join(_plots(figures))} written")
    return figures


def _of(found: Figures, names: Iterable[str]) -> Figures:
    return {ratio: {name: by_policy[name] for name in names} for ratio, by_policy in found.items()}


def _plots(figures: Mapping[str, Any]) -> list[str]:
    """Write the plots and return their names."""
    own = {ratio: figures[ratio] for ratio in RATIOS}
    by_appeal = {"0": figures["appeal"]["0"], "0.5": own, "0.8": figures["appeal"]["0.8"]}
    drawings = {"market-connections.svg": connections(own), "market-appeal.svg": above_gate(by_appeal)}
    for name, drawing in drawings.items():
        (common.OUT / name).write_text(drawing, encoding="utf-8")
    return list(drawings)


def _tell(title: str, found: Figures, say: Callable[[str], None]) -> None:
    say(f"{title}: connections, % against reciprocal and gate; offers to full, collisions, never shown, quality")
    for ratio, by_policy in found.items():
        for name, cell in by_policy.items():
            low, high = cell["vs_gate_interval"]
            against = f"{cell['vs_reciprocal_pct']:+6.1f} {cell['vs_gate_pct']:+6.1f} ({low:+5.1f} to {high:+5.1f})"
            rest = f"{cell['collisions']:6.0f} {cell['never_shown_pct']:5.1f} % {cell['quality']:.3f}"
            say(f"  {ratio} {name:13s} {cell['connections']:6.1f} {against} {cell['offers_to_full']:6.0f} {rest}")


def _tell_wanted(figures: Sequence[Mapping[str, Any]], say: Callable[[str], None]) -> None:
    for one in figures:
        met = "met   " if one["met"] else "MISSED"
        say(f"{met} {one['ratio']}: {one['figure']}: {one['measured']:.3g}, wanted {one['wanted']}")


if __name__ == "__main__":
    main()
