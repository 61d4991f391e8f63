"""What an evaluation says to people and to machines."""

from __future__ import annotations

import json

import numpy as np

from matcher.audit.evaluation import Evaluation, Figure, Part
from matcher.audit.metrics import Reliability

NAN = float("nan")
RELIABILITY = Reliability.of(np.array([1, 0]), np.array([0.8, 0.2]), np.ones(2), bins=2)


def part(auc=0.6):
    rungs = {
        "random": {"mutual_auc": Figure(0.5, 0.4, 0.6), "calibration_mutual": Figure(NAN, NAN, NAN)},
        "learned": {"mutual_auc": Figure(auc, NAN, NAN), "calibration_mutual": Figure(NAN, NAN, NAN)},
    }
    gains = {"random": {"mutual_auc": Figure(0.1, -0.05, 0.2), "calibration_mutual": Figure(NAN, NAN, NAN)}}
    return Part(20, 5, 4, rungs, gains, {"learned": {"mutual": RELIABILITY}})


def evaluation(new=None):
    return Evaluation(part(), new, {"top": "learned", "confidence": 0.95, "replicates": 100, "k": [5]})


class TestText:
    def test_is_a_table_of_rungs_and_metrics(self):
        assert str(evaluation()).splitlines() == [
            "Everybody judged: 20 pairs, 5 lists, 4 clusters",
            "         mutual_auc",
            "random   0.500 [0.400, 0.600]",
            "learned  0.600",
            "",
            "learned less each other",
            "        mutual_auc",
            "random  0.100 [-0.050, 0.200]",
            "",
            "In brackets: 95% intervals, bootstrap over clusters, 100 draws. –: undefined",
        ]

    def test_new_members_stand_apart(self):
        text = str(evaluation(part(0.7)))
        assert text.index("Everybody judged") < text.index("New members: 20 pairs") < text.index("0.700")

    def test_a_figure(self):
        assert [str(figure) for figure in (Figure(NAN, NAN, NAN), Figure(0.25, NAN, NAN), Figure(0.5, 0.25, 1.0))] == [
            "–",
            "0.250",
            "0.500 [0.250, 1.000]",
        ]


class TestJson:
    def test_holds_no_nan_and_everything_else(self):
        document = json.loads(json.dumps(evaluation().to_dict(), allow_nan=False))
        everybody = document["everybody"]
        assert document["new_members"] is None
        assert (everybody["pairs"], everybody["lists"], everybody["clusters"]) == (20, 5, 4)
        assert everybody["rungs"]["random"]["mutual_auc"] == {"estimate": 0.5, "interval": [0.4, 0.6]}
        assert everybody["rungs"]["learned"]["mutual_auc"] == {"estimate": 0.6, "interval": None}
        assert everybody["rungs"]["learned"]["calibration_mutual"]["estimate"] is None
        assert everybody["gains"]["random"]["mutual_auc"]["interval"] == [-0.05, 0.2]
        assert everybody["reliability"]["learned"]["mutual"] == [
            {"predicted": 0.2, "observed": 0.0, "weight": 1.0},
            {"predicted": 0.8, "observed": 1.0, "weight": 1.0},
        ]

    def test_new_members_are_there(self):
        assert evaluation(part(0.7)).to_dict()["new_members"]["rungs"]["learned"]["mutual_auc"]["estimate"] == 0.7


def test_what_a_leak_guard_looks_at():
    assert evaluation(part(0.7)).aucs() == {
        "random": 0.5,
        "learned": 0.6,
        "random (new members)": 0.5,
        "learned (new members)": 0.7,
    }
