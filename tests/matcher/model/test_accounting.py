"""What noise costs, how much a cost needs, and a budget that refuses; against closed forms written anew here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from matcher.errors import PeermatchError
from matcher.model.accounting import (
    DELTA,
    YEAR,
    Noise,
    PrivacyBudgetError,
    Spent,
    afford,
    epsilon,
    multiplier,
    spent,
)
from tests.conftest import examples

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def closed_form(sigma: float, delta: float = DELTA) -> float:
    """Return the ε of the Gaussian mechanism with sensitivity 1 (Balle & Wang 2018, theorem 8)."""

    def beyond(eps: float) -> float:
        a, b = 1 / (2 * sigma), eps * sigma
        return norm.cdf(a - b) - np.exp(eps + norm.logcdf(-a - b)) - delta

    return float(brentq(beyond, 0.0, 1000.0)) if beyond(0.0) > 0 else 0.0


class TestEpsilon:
    @pytest.mark.parametrize("sigma", [0.5, 0.8, 1.0, 2.0, 3.73, 10.0, 50.0])
    def test_of_noise_once_it_is_the_closed_form(self, sigma):
        assert epsilon([Noise(sigma)]) == pytest.approx(closed_form(sigma), rel=0.01)

    @pytest.mark.parametrize(("sigma", "times"), [(10.0, 10), (37.3, 100), (52.7, 200)])
    def test_of_noise_again_and_again_it_is_that_of_its_precision(self, sigma, times):
        assert epsilon([Noise(sigma, times)]) == pytest.approx(closed_form(sigma / times**0.5), rel=0.01)

    def test_it_is_less_than_the_sum(self):
        one = epsilon([Noise(3.73)])
        year = epsilon([Noise(3.73)] * 12)
        assert one == pytest.approx(1.0, abs=0.01)
        assert year == pytest.approx(4.02, abs=0.02), "twelve releases of ε 1, as others measured"
        assert year < 12 * one

    def test_noise_of_several_kinds(self):
        assert epsilon([Noise(4.0), Noise(3.0, 2)]) == pytest.approx(closed_form((1 / 16 + 2 / 9) ** -0.5), rel=0.01)

    def test_nothing_costs_nothing(self):
        assert epsilon([]) == 0.0

    @given(sigma=st.floats(0.5, 40), times=st.integers(1, 300))
    @settings(max_examples=examples(15, 200))
    def test_more_noise_costs_less_and_more_often_costs_more(self, sigma, times):
        cost = epsilon([Noise(sigma, times)])
        assert epsilon([Noise(1.1 * sigma, times)]) < cost < epsilon([Noise(sigma, 2 * times)])


class TestMultiplier:
    @pytest.mark.parametrize("wanted", [0.1, 0.5, 1.0, 2.0, 5.0])
    def test_it_is_the_least_that_is_enough(self, wanted):
        sigma = multiplier(wanted)
        assert epsilon([Noise(sigma)]) <= wanted < epsilon([Noise(0.995 * sigma)])

    @pytest.mark.parametrize("wanted", [0.0, -1.0, float("nan"), float("inf"), 20.1])
    def test_what_is_no_cost_is_refused(self, wanted):
        with pytest.raises(PeermatchError, match="expected a number above 0, at most 20"):
            multiplier(wanted)

    def test_so_little_that_no_noise_is_enough(self, monkeypatch):
        monkeypatch.setattr("matcher.model.accounting.epsilon", lambda *_: 1.0)
        with pytest.raises(PeermatchError, match="no noise is enough"):
            multiplier(0.0123)  # none that is remembered


def monthly(count: int, sigma: float = 3.73) -> list[Spent]:
    return [Spent(NOW - 30 * DAY * number, Noise(sigma)) for number in range(1, count + 1)]


class TestBudget:
    def test_a_year_counts_to_the_instant(self):
        tick = timedelta(microseconds=1)
        assert spent([Spent(NOW - YEAR + tick, Noise(3.73))], NOW) == pytest.approx(1.0, abs=0.01)
        assert spent([Spent(NOW - YEAR, Noise(3.73))], NOW) == 0.0

    def test_a_clock_that_was_set_back_gives_nothing_back(self):
        assert spent([Spent(NOW + 100 * DAY, Noise(3.73))], NOW) > 0.9

    def test_twelve_a_year_are_within_five(self):
        told = [afford(monthly(number), Noise(3.73), 5.0, NOW) for number in range(12)]
        assert told == sorted(told)
        assert told[0] == pytest.approx(1.0, abs=0.01)
        assert told[11] == pytest.approx(4.02, abs=0.02)

    def test_one_too_many_is_refused_with_the_day_on_which_there_is_room(self):
        releases = [Spent(NOW - number * 20 * DAY, Noise(3.73)) for number in range(1, 18)]
        with pytest.raises(PrivacyBudgetError) as refused:
            afford(releases, Noise(3.73), 5.0, NOW)
        message = refused.value.message
        assert message.startswith("epsilon_per_year: found ε 4.9")
        assert "expected at most 5." in message
        day = datetime.fromisoformat(message.partition("room again on ")[2][:10]).replace(tzinfo=UTC) + DAY
        assert afford(releases, Noise(3.73), 5.0, day) <= 5.0
        with pytest.raises(PrivacyBudgetError):
            afford(releases, Noise(3.73), 5.0, day - 3 * DAY)

    def test_one_that_is_too_dear_by_itself(self):
        with pytest.raises(PrivacyBudgetError, match="lower epsilon_per_release, or raise epsilon_per_year"):
            afford([], Noise(0.5), 1.0, NOW)

    def test_costs_are_not_added_up(self):
        """Control: added up, five of ε 1 would be all that a year allows."""
        assert afford(monthly(7), Noise(3.73), 5.0, NOW) < 5.0
