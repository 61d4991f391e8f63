"""Every figure of every report, against one that is counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.reports import REPORTS, load, report, retention, shape
from service.reports.asking import Asking, Period
from service.store.moments import micros
from tests.conftest import examples
from tests.service.databases import Database
from tests.service.installation import NOON, Installation, close, install
from tests.service.reports.by_hand import RIGHT, K
from tests.service.reports.worlds import fill

MORE = f'[privacy]\nreason_k = {K}\n[strata]\nethnicity = ["a", "b", "c"]\nfaith = ["x", "y"]'
PERIODS = [
    Period(),
    Period(first=date(2026, 1, 1)),
    Period(last=date(2026, 1, 31)),
    Period(date(2025, 9, 1), date(2026, 2, 3)),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Installation]:
    made = install(tmp_path_factory.mktemp(f"reports-{database}"), database=database, more=MORE)
    database.keep(made.folder)
    yield made
    close(made)


def told(made: Installation, name: str, period: Period) -> dict[str, dict[str, dict[str, Any]]]:
    with made.store.hot.reading() as reader:
        found = report(name, Asking(reader, made.programme, NOON, period)).to_dict()
    return {table["table"]: {cell.pop("cell"): cell for cell in table["cells"]} for table in found["tables"]}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(25, 600), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_figure_is_the_one_that_is_counted_by_hand(whole: Installation, seed: int) -> None:
    world = fill(whole, seed)
    for name in REPORTS:
        for period in PERIODS:
            assert told(whole, name, period) == RIGHT[name](world, period), (name, period)


def test_no_small_count_is_told_and_the_worlds_have_large_ones(whole: Installation) -> None:
    counts = []
    for seed in range(12):
        fill(whole, seed)
        for name in REPORTS.keys() - {"load"}:
            for table in told(whole, name, Period()).values():
                for cell in table.values():
                    people = [cell.get(measure) for measure in ("count", "going_on", "rematched")]
                    counts += [one for one in people if one is not None]
                    assert cell["count"] is not None or cell["suppressed"]
    assert min(counts) >= K
    assert len(counts) > 50


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "days": (retention, "HORIZONS", {"1_month": 31, "3_months": 91, "6_months": 182}),
    "purpose": (Asking, "allows", lambda self, member, purpose: True),
    "nothing hidden": (shape, "hidden", lambda counts, k: frozenset()),
    "gini": (load, "gini", lambda taken: 0.5),
    "p90": (shape, "NINE_TENTHS", 0.8),
    "period": (Period, "has", lambda self, at: True),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(whole: Installation, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(*FAULTS[fault])
    for seed in range(8):
        world = fill(whole, seed)
        if any(told(whole, name, period) != RIGHT[name](world, period) for name in REPORTS for period in PERIODS):
            return
    pytest.fail(f"nobody noticed: {fault}")


def test_a_day_is_one_of_utc_and_both_ends_count() -> None:
    period = Period(date(2026, 3, 1), date(2026, 3, 2))
    first = NOON.replace(day=1, hour=0)
    moments = [
        first - timedelta(microseconds=1),
        first,
        first + timedelta(days=2, microseconds=-1),
        first + timedelta(days=2),
    ]
    assert [period.has(micros(at)) for at in moments] == [False, True, True, False]
    assert all(replace(period, first=None, last=None).has(micros(at)) for at in moments)


def test_how_uneven_a_load_is() -> None:
    assert [load.gini(taken) for taken in ([], [0, 0], [2, 2], [0, 0, 0, 4])] == [None, None, 0.0, 0.75]
