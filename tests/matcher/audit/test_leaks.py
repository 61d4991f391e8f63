"""A figure that is too good stops the work, and says which."""

from __future__ import annotations

import pytest

from matcher.audit.leaks import AUC_BOUND, LeakSuspected, guard, implausible
from matcher.errors import ModelError


class TestGuard:
    def test_what_is_over_the_bound_is_named(self):
        with pytest.raises(LeakSuspected, match=r"learned 0\.733; expected at most 0\.650") as caught:
            guard({"random": 0.5, "learned": 0.733, "prior": None})
        assert caught.value.errors == {"learned": "0.733000"}

    def test_what_is_at_it_or_undefined_passes(self):
        guard({"learned": AUC_BOUND, "prior": None, "random": float("nan")})
        assert implausible({"a": 0.7, "b": float("nan")}, 0.65) == {"a": 0.7}

    def test_the_bound_is_that_of_the_data_at_hand(self):
        guard({"learned": 0.733}, 0.75)
        with pytest.raises(LeakSuspected):
            guard({"learned": 0.733}, 0.70)

    @pytest.mark.parametrize("bound", [0.4, 1.1, float("nan")])
    def test_a_bound_that_is_none(self, bound):
        with pytest.raises(ModelError, match="bound: found"):
            guard({}, bound)
