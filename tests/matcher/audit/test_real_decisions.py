"""The evaluation on real decisions: speed dating (Fisman, Iyengar et al. 2006), events kept apart, sign-up answers.

A proxy: dates are not peers. What it can tell is whether the evaluation finds on real people what is known of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from matcher.audit.candidates import Candidates
from matcher.audit.evaluate import evaluate
from matcher.audit.leaks import LeakSuspected, guard
from matcher.audit.splits import by_group
from matcher.errors import ModelError
from matcher.model.affinity import PairAffinity
from tests.matcher.audit.town import by_row

TRAITS = ("attr", "sinc", "intel", "fun", "amb")
SCALES = {"age": 10, "date": 6, "go_out": 6}
FEATURES = len(SCALES) + 4 + len(TRAITS)
TOP = "learned reciprocal"


def satisfies(dates):
    """Return how far the one met is like the one who looks, or has what they ask for; shape (n, FEATURES)."""
    people = dates.drop_duplicates("iid").set_index("iid")
    mine, theirs = (people.loc[dates[who]].reset_index() for who in ("iid", "pid"))
    same = [(mine[name] == theirs[name]).astype(float) for name in ("race", "goal", "field_cd")]
    near = [1 - (mine[name] - theirs[name]).abs() / scale for name, scale in SCALES.items()]
    interests = (dates["int_corr"].reset_index(drop=True) + 1) / 2
    asked = mine[[f"{trait}1_1" for trait in (*TRAITS, "shar")]].sum(axis=1)  # in two scales, by event
    wanted = [2 * mine[f"{trait}1_1"] / asked * theirs[f"{trait}3_1"] / 10 for trait in TRAITS]
    return np.clip(np.column_stack([*same, *near, interests, *wanted]).astype(float), 0, 1)


@pytest.fixture(scope="module")
def dates(shared_data):
    found = pd.read_csv(shared_data("speed-dating/speed_dating_reduced.csv.gz"))
    return found[found["pid"].notna()].astype({"pid": int}).reset_index(drop=True)


@pytest.fixture(scope="module")
def pairs(dates):
    """Every date twice, as each of the two looks at the other."""
    place = {pair: row for row, pair in enumerate(zip(dates["iid"], dates["pid"], strict=True))}
    back = np.array([place[pair] for pair in zip(dates["pid"], dates["iid"], strict=True)])
    there, n = satisfies(dates), len(dates)
    X = np.stack([np.hstack([view, np.ones_like(view)]) for view in (there, there[back])], axis=1)
    ids = sorted(set(dates["iid"]))
    asker, asked = (np.searchsorted(ids, dates[who]) for who in ("iid", "pid"))
    y = np.column_stack([dates["dec"], dates["dec"].to_numpy()[back]])
    never = np.zeros((n, 2))
    return Candidates(X, y, np.ones((n, 2)), never, never[:, 0], asker, asked, tuple(map(str, ids)), {})


@pytest.fixture(scope="module")
def event(dates):
    return dates["wave"].to_numpy()


def evaluated(pairs, event, cluster=None):
    affinity = PairAffinity((5.0 / FEATURES,) * FEATURES)
    return evaluate(pairs, affinity, by_group(pairs, event), cluster=cluster, count=200)


@pytest.fixture(scope="module")
def found(pairs, event):
    return evaluated(pairs, event, event)


def test_what_both_answered_is_the_match(pairs, dates):
    assert pairs.mutual.tolist() == dates["match"].tolist()


def test_sign_up_answers_beat_a_coin_and_popularity_knows_nobody_new(found):
    part = found.everybody
    assert (part.pairs, part.lists, part.clusters) == (8368, 551, 21)
    for metric in ("precision@5", "ndcg@5"):
        assert part.gains["random"][metric].low > 0
    assert part.rungs["popularity"]["mutual_auc"].estimate == 0.5
    assert 0.52 < part.rungs[TOP]["mutual_auc"].estimate < 0.60


def test_what_is_learned_is_calibrated_and_the_made_up_prior_is_not(found):
    rungs = found.everybody.rungs
    assert rungs[TOP]["calibration_mutual"].estimate < 0.03 < rungs["prior reciprocal"]["calibration_mutual"].estimate


def test_intervals_over_askers_are_narrower_than_over_events(pairs, event, found):
    """Who meets at one event hangs together, so drawing askers promises too much."""
    askers, events = (part.rungs[TOP]["mutual_auc"] for part in (evaluated(pairs, event).everybody, found.everybody))
    assert askers.estimate == events.estimate
    assert events.high - events.low > 1.5 * (askers.high - askers.low)


def test_the_leak_guard_passes_it_and_stops_at_a_rating_given_after_the_date(pairs, event, dates, found):
    guard(found.aucs())
    liked = pairs.X.copy()
    liked[:, 0, 0] = np.clip(dates["like"] / 10, 0, 1)
    liked[:, 1, 0] = np.clip(dates["like_o"] / 10, 0, 1)
    with pytest.raises(LeakSuspected, match=TOP):
        guard(evaluated(replace(pairs, X=liked), event, event).aucs())


def test_a_split_of_rows_is_refused(pairs):
    with pytest.raises(ModelError, match="people both learned from and judged"):
        evaluate(pairs, PairAffinity((1.0,) * FEATURES), by_row(pairs), count=10)
