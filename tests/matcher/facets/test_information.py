"""Information content: docs/reference/matching.md §2."""

from __future__ import annotations

import math

import pytest

from matcher.facets.base import Information


@pytest.mark.parametrize(
    ("members", "holders", "k", "expected"),
    [
        (0, 0, 10, 1.0),
        (10, 3, 10, 1.0),  # N ≤ k: nothing is told
        (11, 11, 10, 0.01),  # everybody holds it
        (11, 10, 10, math.log(1.1)),
        (11, 0, 10, math.log(1.1)),  # nobody: as rare as k
        (1000, 0, 10, math.log(100)),
        (1000, 9, 10, math.log(100)),
        (1000, 10, 10, math.log(100)),
        (1000, 500, 10, math.log(2)),
        (1000, 995, 10, 0.01),  # ln(1000/995) = .005 is below the floor
        (2, 1, 1, math.log(2)),
        (1, 1, 1, 1.0),
    ],
)
def test_by_hand(members, holders, k, expected):
    found = Information(members, {"c": holders}, k)("c")
    assert found == pytest.approx(expected, abs=1e-15)
    assert isinstance(found, float)


def test_a_concept_nobody_holds():
    assert Information(100, {}, 5)("c") == pytest.approx(math.log(20))
    assert Information()("c") == 1.0


def test_holders_are_copied():
    holders = {"c": 50}
    information = Information(100, holders, 5)
    holders["c"] = 1
    assert information("c") == pytest.approx(math.log(2))


def test_rarer_is_never_less_telling():
    values = [Information(500, {"c": holders}, 10)("c") for holders in range(501)]
    assert values == sorted(values, reverse=True)
    assert min(values) == 0.01
