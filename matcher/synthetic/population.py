"""Draws the people of a synthetic programme as arrays: row i of each is one member. Records are written from these."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.synthetic import experiences as tree
from matcher.synthetic import world

Mask: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

CONDITIONS: tuple[str, ...] = (
    *(condition.code for _, _, codes in world.SITES.values() for condition in codes),
    *(other.code for other in world.COMORBIDITIES),
)
CONCEPTS: tuple[str, ...] = tuple(code for code, _, _ in tree.CONCEPTS)
LEAVES: Ints = np.array([CONCEPTS.index(leaf) for leaf in tree.LEAVES])
SITES = tuple(world.SITES)
WOMAN, MAN, NONBINARY = range(3)
COARSE = 0.05
"""Share of members who name one of their experiences by its group only."""


@dataclass(frozen=True)
class Population:
    """N people: what is true of them, and which of it they told (`told`)."""

    seeker: Mask
    supporter: Mask
    age: Ints
    gender: Ints
    site: Ints
    journey: Ints
    severity: Ints
    region: Ints
    conditions: Mask
    """(N, len(CONDITIONS)), as written in the record."""
    experiences: Mask
    """(N, len(CONCEPTS)), as written: without ancestors."""
    needs: Mask
    boundaries: Mask
    interests: Mask
    channel: Mask
    languages: Mask
    zone: Ints
    slots: Mask
    statement: Ints
    capacity: Ints
    vetted: Mask
    agreed: Mask
    strata: dict[str, Ints]
    told: dict[str, Mask]

    def __len__(self) -> int:
        return len(self.seeker)


def draw(n: int, rng: np.random.Generator) -> Population:
    """Return `n` people drawn with `rng`."""
    seeker, supporter = _roles(n, rng)
    gender = rng.choice(3, n, p=world.GENDER_SHARES)
    site = _site(gender, rng)
    age = _age(site, rng)
    journey = np.where(supporter, rng.choice(4, n, p=world.JOURNEY_SUPPORTER), rng.choice(4, n, p=world.JOURNEY_SEEKER))
    severity = np.where(
        supporter, rng.choice(3, n, p=world.SEVERITY_SUPPORTER), rng.choice(3, n, p=world.SEVERITY_SEEKER)
    )
    strata = {name: rng.choice(len(shares), n, p=list(shares.values())) for name, shares in world.STRATA.items()}
    region = _region(strata["ethnicity"], rng)
    experiences, needs, boundaries = _experiences(site, seeker, supporter, journey, rng)
    told = {name: rng.random(n) >= share for name, share in world.UNTOLD.items()}
    told["needs"] &= seeker  # a supporter is not asked what help they need
    return Population(
        seeker=seeker,
        supporter=supporter,
        age=age,
        gender=gender,
        site=site,
        journey=journey,
        severity=severity,
        region=region,
        conditions=_conditions(site, age, rng),
        experiences=experiences,
        needs=needs,
        boundaries=boundaries,
        interests=_some(n, np.log(world.INTEREST_SHARES), 1 + rng.poisson(1.4, n), rng),
        channel=_at_least_one(rng.random((n, 4)) < world.CHANNEL_SHARES, rng),
        languages=_languages(strata["ethnicity"], rng),
        zone=rng.choice(len(world.ZONES), n, p=world.ZONE_SHARES),
        slots=_some(n, np.log(world.SLOT_WEIGHTS), 2 + rng.poisson(2.5, n), rng),
        statement=rng.integers(len(world.STATEMENTS), size=n),
        capacity=rng.choice(5, n, p=world.CAPACITY_SHARES),
        vetted=supporter & (rng.random(n) >= world.UNVETTED),
        agreed=rng.random(n) >= world.NOT_AGREED,
        strata=strata,
        told=told,
    )


def _roles(n: int, rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Return who seeks and who supports: exactly 40 % support, a fifth of those seek as well."""
    order = rng.permutation(n)
    supporter = order < round(0.4 * n)
    return order >= round(0.32 * n), supporter


def _site(gender: Ints, rng: np.random.Generator) -> Ints:
    women, men = (np.array([shares[i] for shares in world.SITES.values()]) for i in (0, 1))
    shares = np.stack([women / women.sum(), men / men.sum(), (women + men) / (women + men).sum()])
    return _pick(shares[gender], rng)


def _age(site: Ints, rng: np.random.Generator) -> Ints:
    """Return age bands; testicular and Hodgkin-like cancers come early, prostate and lung late."""
    shares = np.tile(np.array(world.AGE_SHARES), (len(SITES), 1))
    bands = np.arange(len(world.AGE_BANDS))
    for name, tilt in {"testicular": -0.8, "lymphoma": -0.2, "thyroid": -0.25, "prostate": 0.5, "lung": 0.35}.items():
        shares[SITES.index(name)] *= np.exp(tilt * bands)
    return _pick((shares / shares.sum(axis=1, keepdims=True))[site], rng)


def _conditions(site: Ints, age: Ints, rng: np.random.Generator) -> Mask:
    """Return the main cancer of each, and what they have besides through a probit with two common burdens."""
    n = len(site)
    held = np.zeros((n, len(CONDITIONS)), dtype=bool)
    start = 0
    for number, (_, _, codes) in enumerate(world.SITES.values()):
        rows = np.flatnonzero(site == number)
        held[rows, start + rng.choice(len(codes), len(rows), p=[code.share for code in codes])] = True
        start += len(codes)
    body, mind = rng.standard_normal((2, n))
    for column, other in enumerate(world.COMORBIDITIES, start):
        mean = NormalDist().inv_cdf(other.share) + other.by_age * (age - world.AGE_BANDS.index("45-54"))
        own = np.sqrt(1 - other.body**2 - other.mind**2) * rng.standard_normal(n)
        held[:, column] = mean + other.body * body + other.mind * mind + own > 0
    return held


def _experiences(
    site: Ints, seeker: Mask, supporter: Mask, journey: Ints, rng: np.random.Generator
) -> tuple[Mask, Mask, Mask]:
    """Return experiences, needs and boundaries: what is common at one's site is more likely in all three."""
    n = len(site)
    by_site = np.array([[3.5 if leaf in tree.BY_SITE[name] else 1.0 for leaf in tree.LEAVES] for name in SITES])
    liking = np.log(np.array(list(tree.LEAVES.values())) * by_site)[site]
    count = np.where(supporter, 3 + rng.poisson(2.6, n), 1 + journey + rng.poisson(0.9, n))
    leaves = _some(n, liking, count, rng)
    wanted = _some(n, liking - 1.5 * leaves, 1 + rng.binomial(2, 0.45, n), rng)
    needs = _widen(wanted & seeker[:, None], np.zeros(n, dtype=bool))
    return _widen(leaves, rng.random(n) < COARSE), needs, _boundaries(n, rng)


def _boundaries(n: int, rng: np.random.Generator) -> Mask:
    """Return subjects that people will not talk about: most have none, and heavy ones are named most."""
    heavy = {
        "serious": 5,
        "palliative_care": 4,
        "money": 4,
        "intimacy": 4,
        "faith": 3,
        "work": 1.5,
        "telling_children": 2,
    }
    columns = np.array([CONCEPTS.index(code) for code in heavy])
    chosen = _some(n, np.log(list(heavy.values())), rng.choice(3, n, p=(0.7, 0.22, 0.08)), rng)
    subjects = np.zeros((n, len(CONCEPTS)), dtype=bool)
    subjects[:, columns] = chosen
    return subjects


def _widen(leaves: Mask, coarse: Mask) -> Mask:
    """Return columns for all concepts; members in `coarse` name the first of their leaves by its group instead."""
    held = np.zeros((len(leaves), len(CONCEPTS)), dtype=bool)
    held[:, LEAVES] = leaves
    for row in np.flatnonzero(coarse):
        leaf = int(np.argmax(held[row]))
        group = CONCEPTS.index(tree.PARENT[CONCEPTS[leaf]]) if leaf in LEAVES else leaf
        held[row, leaf] = False
        held[row, group] = True
    return held


def _region(ethnicity: Ints, rng: np.random.Generator) -> Ints:
    """Return regions; the smallest ethnic stratum lives in the south and west more often."""
    shares = np.tile(np.array(world.REGION_SHARES), (3, 1))
    shares[2] *= (0.6, 1.3, 0.8, 1.6)
    return _pick((shares / shares.sum(axis=1, keepdims=True))[ethnicity], rng)


def _languages(ethnicity: Ints, rng: np.random.Generator) -> Mask:
    """Return languages; second languages are more common in the smallest ethnic stratum."""
    shares = np.tile(np.array(world.LANGUAGE_SHARES), (3, 1))
    shares[2, 1:] *= 2.5
    return _at_least_one(rng.random((len(ethnicity), shares.shape[1])) < shares[ethnicity], rng)


def _pick(shares: Floats, rng: np.random.Generator) -> Ints:
    """Return one column a row, drawn with the row's shares."""
    below: Ints = (rng.random((len(shares), 1)) > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)
    return below


def _some(n: int, log_weights: Floats, count: Ints, rng: np.random.Generator) -> Mask:
    """Return `count` columns a row without replacement, by weight (Gumbel top-k: Vieira 2014)."""
    width = log_weights.shape[-1]
    noisy = log_weights + rng.gumbel(size=(n, width))
    ordered = np.argsort(-noisy, axis=1)
    chosen = np.zeros((n, width), dtype=bool)
    np.put_along_axis(chosen, ordered, np.arange(width) < count[:, None], axis=1)
    return chosen


def _at_least_one(held: Mask, rng: np.random.Generator) -> Mask:
    """Give rows that hold nothing one random column."""
    empty = np.flatnonzero(~held.any(axis=1))
    held[empty, rng.integers(held.shape[1], size=len(empty))] = True
    return held
