"""Refusing what is optional costs nobody their place: the same people, some of whom, drawn by lot, refuse one thing.

Consent is free only where a refusal has no price (GDPR recital 42; EDPB Guidelines 05/2020, 3.1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.common import lantern
from benchmarks.learning import ndcg
from matcher.consent import PURPOSES, consented
from matcher.errors import PeermatchError
from matcher.facade import Matcher
from matcher.matching.scoring import score
from matcher.matching.seeker import Seeker
from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from matcher.synthetic import Cohort, generate
from tests.conftest import DEEP

Floats = npt.NDArray[np.float64]
Events = dict[str, dict[str, Any]]
Change = Callable[[Events], None]

SEEDS = range(5) if DEEP else range(1)
MEMBERS = 2_000 if DEEP else 1_200
LIMIT = 5
OPTIONAL = ("fairness_audit", "fairness_balance", "outcome_followup")
FREE = ("conditions", "needs", "region", "interests") if DEEP else ("conditions",)
"""Facets that cost no exposure. What a supporter has been through is another matter: see below."""


@cache
def programme() -> Programme:
    return lantern()


@cache
def cohort(seed: int) -> Cohort:
    return generate(MEMBERS, seed)


@cache
def refusing(seed: int) -> frozenset[str]:
    """Those who refuse: half, drawn by lot, so that nothing else tells them from the others."""
    drawn = np.random.default_rng(seed).random(MEMBERS) < 0.5
    names = (record["member_id"] for record in cohort(seed).members)
    return frozenset(name for name, refuses in zip(names, drawn, strict=True) if refuses)


@dataclass(frozen=True)
class World:
    """A cohort in which everybody consents to everything, but for what some refuse."""

    people: tuple[Member, ...]
    matcher: Matcher

    def lists(self) -> dict[str, list[tuple[str, float, tuple[str, ...]]]]:
        found = {}
        for person in self.people:
            try:
                made = self.matcher.match(person.member_id, limit=LIMIT)
            except PeermatchError:
                continue  # seeks nobody
            found[person.member_id] = [
                (one.member_id, one.score, tuple(reason.text for reason in one.reasons)) for one in made
            ]
        return found


def world(seed: int, change: Change | None, *, learn: bool) -> World:
    people = tuple(_people(seed, change))
    feedback = [Feedback.from_dict(one, programme()) for one in cohort(seed).feedback] if learn else None
    return World(people, Matcher(programme()).fit(people, feedback, cohort(seed).at))


@cache
def everybody(seed: int, *, learn: bool) -> World:
    return world(seed, None, learn=learn)


def _people(seed: int, change: Change | None) -> Iterator[Member]:
    for record in cohort(seed).members:
        given = {"decision": "given", "policy_version": "2026-01", "at": "2026-01-01T00:00:00Z"}
        events: Events = {purpose: {"purpose": purpose, **given} for purpose in PURPOSES}
        if change is not None and record["member_id"] in refusing(seed):
            change(events)
        yield Member.from_dict({**record, "consents": list(events.values())}, programme())


def assert_none(effects: Floats, *, within: float) -> None:
    """Check that the mean effect is none, as equivalence is shown: its interval lies within the bounds.

    With the few people of the ordinary suite it only has to reach into them, and the mean itself to lie there.
    """
    low, high = interval(effects)
    assert abs(effects.mean()) < within
    if DEEP:
        assert -within < low
        assert high < within


def refuse(purpose: str) -> Change:
    def change(events: Events) -> None:
        events[purpose]["decision"] = "refused"

    return change


def keep_back(facet: str) -> Change:
    def change(events: Events) -> None:
        for purpose in ("match_serve", "be_shown_as_peer"):
            events[purpose]["categories"] = [name for name in programme().facets if name != facet]

    return change


def interval(values: Floats) -> tuple[float, float]:
    """Return the 99 % bootstrap interval of the mean; one value a person (Efron 1979)."""
    rng = np.random.default_rng(0)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(1000)]
    low, high = np.percentile(means, [0.5, 99.5])
    return float(low), float(high)


@pytest.mark.parametrize("purpose", OPTIONAL)
def test_a_refused_purpose_changes_no_list(purpose: str) -> None:
    """Where the model is the same, nobody's list has another person, order, score or reason."""
    assert world(0, refuse(purpose), learn=False).lists() == everybody(0, learn=False).lists()


def test_a_refused_reason_changes_reasons_alone() -> None:
    refused = world(0, refuse("show_reasons"), learn=False).lists()
    given = everybody(0, learn=False).lists()
    assert {name: [one[:2] for one in some] for name, some in refused.items()} == {
        name: [one[:2] for one in some] for name, some in given.items()
    }
    assert refused != given  # the refusal is heard


def test_a_refused_matching_purpose_does_change_lists() -> None:
    """Positive control: what is not optional is seen by the same comparison."""
    assert world(0, refuse("be_shown_as_peer"), learn=False).lists() != everybody(0, learn=False).lists()


def test_whoever_does_not_teach_the_model_is_matched_as_well_as_who_does() -> None:
    """The model is learned from fewer, for everybody alike: the change in NDCG@5 is that of those who do teach it."""
    refuse_it = refuse("train_model")
    changes = [_change_in_quality(seed, world(seed, refuse_it, learn=True)) for seed in SEEDS]
    mine, others = (np.concatenate([change[which] for change in changes]) for which in (True, False))
    assert_none(mine - others.mean(), within=0.01)


@pytest.mark.parametrize("facet", FREE)
def test_whoever_keeps_an_optional_facet_back_keeps_their_place(facet: str) -> None:
    """They get as many lists, as long, and stand in as many of others, as often as before."""
    before, after = _counted(facet)
    assert after.entries >= 0.99 * before.entries
    assert_none((after.exposure - before.exposure) / before.exposure.mean(), within=0.10)


def test_a_price_is_seen() -> None:
    """Positive control: were those who refuse ranked as if one in five did not exist, the same test would say so."""
    before, _ = _counted("conditions")
    spared = np.random.default_rng(0).random(len(before.exposure)) < 0.8
    with pytest.raises(AssertionError):
        assert_none(before.exposure * (spared - 1) / before.exposure.mean(), within=0.10)


@pytest.mark.deep
@pytest.mark.parametrize(("facet", "most"), [("experiences", 0.35), ("gender", 0.08)])
def test_what_keeping_back_costs_where_it_does(facet: str, most: float) -> None:
    """Known and bounded: whoever does not say what they have been through is not known to meet a need, and whoever
    does not say their gender fails those who must have one. Nobody gets fewer or shorter lists."""
    before, after = _counted(facet)
    assert after.entries >= 0.99 * before.entries
    assert -most <= float(after.exposure.mean() / before.exposure.mean()) - 1 < 0


def _change_in_quality(seed: int, after: World) -> dict[bool, Floats]:
    """Return by how much NDCG@5 of each seeker changes, of those who refuse and of those who do not."""
    was, now = _quality(seed, everybody(seed, learn=True)), _quality(seed, after)
    changes: dict[bool, list[float]] = {True: [], False: []}
    for name in was.keys() & now.keys():
        changes[name in refusing(seed)].append(now[name] - was[name])
    return {which: np.array(some) for which, some in changes.items()}


def _quality(seed: int, one: World) -> dict[str, float]:
    """Return NDCG@5 of each seeker's sampled candidates by their true chances of a yes on both sides."""
    truth: dict[str, list[tuple[str, float]]] = {}
    for row in cohort(seed).truth:
        truth.setdefault(row["seeker"], []).append((row["candidate"], row["mutual"]))
    pool = one.matcher.pool_
    found = {}
    for person in one.people:
        known = [(pool.find(name), gain) for name, gain in truth.get(person.member_id, ())]
        rows, gains = [row for row, _ in known if row is not None], [gain for row, gain in known if row is not None]
        if rows:
            seeker = Seeker.of(consented(person, programme(), cohort(seed).at), pool)
            scores = score(pool, one.matcher.model_.affinity, seeker, np.array(rows)).reciprocal
            found[person.member_id] = ndcg(np.array(gains), scores)
    return found


@dataclass(frozen=True)
class Counted:
    """What those who refuse get."""

    entries: int
    """In their own lists."""
    exposure: Floats
    """Of each of them who is a supporter, in the lists of others: Σ 1/log2(1 + rank)."""


def _counted(facet: str) -> tuple[Counted, Counted]:
    pairs = [(_count(seed, everybody(seed, learn=True)), _count(seed, _kept_back(seed, facet))) for seed in SEEDS]
    before, after = (
        Counted(sum(pair[at].entries for pair in pairs), np.concatenate([pair[at].exposure for pair in pairs]))
        for at in (0, 1)
    )
    return before, after


def _kept_back(seed: int, facet: str) -> World:
    return world(seed, keep_back(facet), learn=True)


def _count(seed: int, one: World) -> Counted:
    names = refusing(seed)
    exposure = {person.member_id: 0.0 for person in one.people if person.member_id in names}
    entries = 0
    for seeker, made in one.lists().items():
        entries += len(made) * (seeker in names)
        for rank, (candidate, _, _) in enumerate(made, 1):
            if candidate in exposure:
                exposure[candidate] += 1 / np.log2(1 + rank)
    supporters = sorted(p.member_id for p in one.people if "supporter" in p.roles and p.member_id in names)
    return Counted(entries, np.array([exposure[name] for name in supporters]))
