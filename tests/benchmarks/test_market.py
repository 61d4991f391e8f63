"""The market at a size that says nothing of policies: it keeps its own rules, and a fault in them is seen."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks import common, market
from benchmarks.market_days import BUSY, Days, Event, Outcome
from benchmarks.market_figures import cells, half_width, wanted
from benchmarks.market_policies import PARTS, POLICIES
from benchmarks.market_world import LIST, Setting, draw

SMALL = Setting(ratio=0.7, arrivals=2.0, days=30, lasts=10.0)
EVERY = {**POLICIES, **PARTS}


@pytest.fixture(scope="module")
def world():
    return draw(SMALL, 3)


@pytest.fixture(scope="module")
def ran(world):
    found = {name: Days(world, policy) for name, policy in EVERY.items()}
    for days in found.values():
        days.run()
    return found


def faults(log: list[Event], places: list[int]) -> list[str]:
    """Return what a log breaks: a place used twice, a seeker with two at once, a declined pair offered again."""
    taken, busy, declined, found = Counter[int](), set[int](), set[tuple[int, int]](), []
    for what, _, seeker, supporter in log:
        if what == "offered":
            taken[supporter] += 1
            if taken[supporter] > places[supporter]:
                found.append("over-used")
            if seeker in busy:
                found.append("two at once")
            if (seeker, supporter) in declined:
                found.append("offered again")
            busy.add(seeker)
        elif what != "connected":
            taken[supporter] -= 1
            if what != "ended":
                busy.discard(seeker)
            if what == "declined":
                declined.add((seeker, supporter))
    return found


class TestWorld:
    def test_it_is_as_told(self):
        setting = Setting(ratio=1.3, arrivals=12.0, appeal=0.5)
        world = draw(setting, 0)
        logit = np.log(world.forward / (1 - world.forward))
        assert world.places.sum() == round(1.3 * 12 * 60)
        assert world.places.min() >= 1
        assert logit.mean() == pytest.approx(setting.forward[0], abs=0.15)
        assert logit.std() == pytest.approx(setting.forward[1], abs=0.1)
        assert logit.mean(axis=0).var() / logit.var() == pytest.approx(0.5, abs=0.07)
        assert np.corrcoef(logit.ravel(), world.forward_estimate.ravel())[0, 1] == pytest.approx(0.9, abs=0.01)
        assert world.eligible.mean() == pytest.approx(0.51, abs=0.01)
        assert world.wants.mean() == pytest.approx(world.forward.mean(), abs=0.01)

    def test_no_appeal_is_no_appeal(self):
        world = draw(replace(SMALL, appeal=0.0, arrivals=12.0), 0)
        logit = np.log(world.forward / (1 - world.forward))
        assert logit.mean(axis=0).var() / logit.var() < 0.02


class TestDays:
    def test_same_seed_same_days(self, world, ran):
        again = Days(draw(SMALL, 3), POLICIES["full"])
        assert asdict(again.run()) == asdict(ran["full"].out)
        assert again.log == ran["full"].log

    def test_other_seed_other_days(self, ran):
        assert Days(draw(SMALL, 4), POLICIES["full"]).run() != ran["full"].out

    @pytest.mark.parametrize("name", EVERY)
    def test_every_rule_holds(self, world, ran, name):
        days = ran[name]
        assert faults(days.log, world.places.tolist()) == []
        said = Counter(event.what for event in days.log)
        assert said["offered"] == days.out.offers
        assert said["connected"] == days.out.connections > 0
        assert all(said[what] > 0 for what in ("declined", "expired", "ended"))
        assert (days.free >= 0).all()

    @pytest.mark.parametrize(
        ("log", "expected"),
        [
            ([("offered", 0, 0, 0), ("offered", 0, 1, 0)], ["over-used"]),
            ([("offered", 0, 0, 0), ("connected", 1, 0, 0), ("offered", 2, 1, 0)], ["over-used"]),
            ([("offered", 0, 0, 0), ("offered", 0, 0, 1)], ["two at once"]),
            ([("offered", 0, 0, 0), ("declined", 1, 0, 0), ("offered", 2, 0, 0)], ["offered again"]),
        ],
    )
    def test_a_broken_rule_is_seen(self, log, expected):
        assert faults([Event(*event) for event in log], [1, 1]) == expected

    def test_exposure_is_that_of_the_lists_that_count(self, ran):
        days = ran["full"]
        expected = np.zeros(days.free.size)
        for made in days.lists.values():
            np.add.at(expected, made.rows, [1.0, 0.6309298, 0.5, 0.4306766, 0.3868528][: made.rows.size])
        assert days.exposure == pytest.approx(expected, abs=1e-6)
        assert expected.sum() > 0

    def test_looks_never_add_to_a_logit(self, ran):
        views = ran["full"].views
        assert views.max() == 0.0
        assert views.min() < -1.0

    def test_whoever_is_connected_asks_no_more(self, ran):
        connected = {event.seeker for event in ran["gate"].log if event.what == "connected"}
        assert all(ran["gate"].asks[seeker] == BUSY for seeker in connected)

    @pytest.mark.parametrize("name", ["gate", "full", "exposure_only", "views_only"])
    def test_a_gate_that_is_off_is_seen(self, world, ran, name):
        assert ran[name].out.offers_to_full == 0
        assert Days(world, replace(EVERY[name], gate=False)).run().offers_to_full > 0

    def test_within_hours_fewer_come_second(self):
        soon = sum(Days(draw(replace(SMALL, thinks=0.02), seed), POLICIES["gate"]).run().collisions for seed in (0, 1))
        late = sum(Days(draw(SMALL, seed), POLICIES["gate"]).run().collisions for seed in (0, 1))
        assert 0 <= soon < late


def outcome(connections: int, **more: float) -> Outcome:
    return Outcome(100, 50, connections=connections, quality=connections * 0.6, **more)


BY = {
    "reciprocal": [outcome(100), outcome(200)],
    "gate": [outcome(120, collisions=10), outcome(230, collisions=10)],
    "full": [outcome(126, collisions=6, never_shown=1), outcome(241, collisions=6)],
}


class TestFigures:
    def test_differences_are_of_the_same_seed(self):
        found = cells(BY)
        assert found["gate"]["vs_reciprocal_pct"] == pytest.approx(17.5)
        assert found["full"]["vs_gate_pct"] == pytest.approx((5 + 100 * 11 / 230) / 2)
        assert found["gate"]["vs_gate_interval"] == [0, 0]
        assert found["full"]["never_shown_pct"] == pytest.approx(1.0)
        assert found["full"]["quality"] == pytest.approx(1.0)
        assert found["full"]["collisions_of_gate"] == pytest.approx(0.6)
        assert found["full"]["collisions_of_gate_interval"] == pytest.approx([0.6, 0.6])

    def test_interval(self):
        # Student's t with 3 degrees of freedom: 3.182; standard error of 1, 2, 3, 4: 0.6455
        assert half_width(np.array([1.0, 2, 3, 4])) == pytest.approx(3.1824 * 0.6455, abs=1e-3)
        assert half_width(np.array([1.0])) == 0.0

    def test_what_is_wanted(self):
        found = cells(BY)
        assert [one["met"] for one in wanted({"1.3": found})] == [True] * 6

    @pytest.mark.parametrize(
        ("policy", "change", "figure"),
        [
            ("full", {"vs_reciprocal_pct": 14.9}, "more connections than reciprocal, %"),
            ("full", {"vs_gate_interval": [0.0, 3.0]}, "more than gate, %, low end of the interval"),
            ("gate", {"offers_to_full": 0.05}, "offers to full supporters, gate and full"),
            ("full", {"collisions_of_gate": 0.61}, "collisions, of the gate's"),
            ("full", {"never_shown_pct": 3.1}, "supporters never shown, %"),
            ("full", {"quality": 0.969}, "quality, of the gate's"),
        ],
    )
    def test_what_is_missed_is_told(self, policy, change, figure):
        found = cells(BY)
        found[policy] |= change
        assert [one["figure"] for one in wanted({"1.3": found}) if not one["met"]] == [figure]


def test_it_writes_every_figure_and_the_plots(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "OUT", tmp_path)
    said: list[str] = []
    market.main(seeds=2, jobs=1, say=said.append, arrivals=1.0, days=12)
    written = json.loads((tmp_path / "market.json").read_text(encoding="utf-8"))
    names = {"connections", "vs_reciprocal_pct", "vs_gate_pct", "vs_gate_interval", "offers_to_full", "collisions"}
    for found in (written, *written["appeal"].values()):
        for ratio in ("1.3", "1.0", "0.7"):
            assert list(found[ratio]) == ["one_sided", "reciprocal", "gate", "full"]
            for cell in found[ratio].values():
                assert names | {"never_shown_pct", "quality"} <= set(cell)
    assert set(written["appeal"]) == {"0", "0.8"}
    assert len(written["wanted"]) == 18
    for plot in ("market-connections.svg", "market-appeal.svg"):
        root = ET.parse(tmp_path / plot).getroot()
        title, description = (root.find(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
        assert title.text
        assert "places a seeker" in description.text
        assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert said[-1] == "market.json and market-connections.svg, market-appeal.svg written"
    assert LIST == 5
