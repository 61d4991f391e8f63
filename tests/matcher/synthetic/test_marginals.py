"""How near the cohort is to two real surveys: OSMI 2016 (workers) and NHANES 2017–18 (a population), proxies both.

The cohort is a programme of people with cancer, which neither survey is, so it is held to be *as near to each survey as
they are to one another*, within the sampling error of the smaller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest

from matcher.synthetic import generate_members

Find: TypeAlias = Callable[[str], Path]
BODY = {"arthritis": "M19.90", "asthma": "J45.909", "heartattack": "I25.2", "liver": "K76.9"}
MIND = {
    "Mood Disorder": "F32.9",
    "Anxiety Disorder": "F41.9",
    "Attention Deficit Hyperactivity Disorder": "F90.9",
    "Post-traumatic Stress Disorder": "F43.10",
    "Obsessive-Compulsive Disorder": "F42.9",
}
OPTIONAL = ("conditions", "experiences", "gender", "region", "interests", "boundaries", "statement")


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """Enough people that the cohort's own sampling error does not count."""
    return generate_members(20_000, seed=3)


@pytest.fixture(scope="module")
def osmi(shared_data: Find) -> pd.DataFrame:
    return pd.read_csv(shared_data("osmi/osmi_2016.csv"))


@pytest.fixture(scope="module")
def nhanes(shared_data: Find) -> pd.DataFrame:
    """Adults: children are asked little of this."""
    everybody = pd.read_csv(shared_data("nhanes/nhanes18.csv.gz"))
    return everybody[everybody.age >= 20]


def osmi_diagnoses(osmi: pd.DataFrame) -> list[list[str]]:
    """Return each respondent's diagnoses, without what stands in brackets."""
    texts = osmi.professional_diagnoses.fillna("")
    return [[name.split("(")[0].strip() for name in text.split("|") if name] for text in texts]


def conditions(records: Iterable[dict[str, Any]]) -> list[list[str]]:
    return [record["profile"]["conditions"] for record in records if "conditions" in record["profile"]]


def shares(counts: Iterable[int], most: int = 5) -> np.ndarray:
    """Return the shares of 1, 2, … `most` or more conditions among those who have any."""
    found = Counter(min(count, most) for count in counts if count)
    return np.array([found[k] for k in range(1, most + 1)]) / found.total()


def test_the_number_of_conditions_a_person(
    records: list[dict[str, Any]], osmi: pd.DataFrame, nhanes: pd.DataFrame
) -> None:
    ours = shares(len(held) for held in conditions(records))
    workers = shares(len(held) for held in osmi_diagnoses(osmi))
    patients = nhanes[nhanes.cancer == "yes"]
    population = shares((patients[["cancer", *BODY]] == "yes").sum(axis=1))
    apart = np.abs(workers - population).sum() / 2
    for survey in (workers, population):
        # Total variation: as near to each as they are to one another, and 2 points for 539 patients' sampling error.
        assert np.abs(ours - survey).sum() / 2 <= apart + 0.02
    several = [1 - each[0] for each in (workers, ours, population)]
    assert several == sorted(several), "the share with two or more lies between OSMI's 55 % and NHANES' 65 %"


def log_odds(a: np.ndarray, b: np.ndarray) -> float:
    """Return the log odds ratio of two columns, with the half that keeps it finite (Haldane 1956)."""
    table = [np.sum(x & y) + 0.5 for x in (a, ~a) for y in (b, ~b)]
    return float(np.log(table[0] * table[3] / (table[1] * table[2])))


def columns(sets: Sequence[Iterable[str]], names: Iterable[str]) -> dict[str, np.ndarray]:
    return {name: np.array([name in held for held in sets]) for name in names}


@pytest.mark.parametrize("pair", list(combinations(BODY, 2)), ids="-".join)
def test_conditions_of_the_body_come_together_as_in_nhanes(
    records: list[dict[str, Any]], nhanes: pd.DataFrame, pair: tuple[str, str]
) -> None:
    ours = columns(conditions(records), BODY.values())
    survey = [
        log_odds(*((people[name] == "yes").to_numpy() for name in pair))
        for people in (nhanes, nhanes[nhanes.cancer == "yes"])
    ]
    # Between what holds for all adults (a wider mix of ages ties them more) and for patients; .3 is the standard error
    # of the latter.
    assert min(survey) - 0.3 <= log_odds(*(ours[BODY[name]] for name in pair)) <= max(survey) + 0.3


@pytest.mark.parametrize("pair", list(combinations(MIND, 2)), ids=lambda pair: f"{pair[0][:7]}-{pair[1][:7]}")
def test_conditions_of_the_mind_come_together_as_in_osmi(
    records: list[dict[str, Any]], osmi: pd.DataFrame, pair: tuple[str, str]
) -> None:
    ours = columns(conditions(records), MIND.values())
    theirs = columns(osmi_diagnoses(osmi), MIND)
    a, b = (theirs[name] for name in pair)
    both = np.sum(a & b)
    # Two standard errors, of which that of the rarest cell is nearly all: 10 people with both make .6.
    tolerance = 2 * np.sqrt(1 / (both + 0.5) + 1 / np.sum(a & ~b) + 1 / np.sum(b & ~a))
    assert log_odds(*(ours[MIND[name]] for name in pair)) == pytest.approx(log_odds(a, b), abs=max(0.5, tolerance))


def test_missing_answers(records: list[dict[str, Any]], osmi: pd.DataFrame, nhanes: pd.DataFrame) -> None:
    # What a survey's own skipping left out was not asked: only questions that everybody was asked count.
    asked = ["comfortable_coworkers", "comfortable_supervisor", "observed_bad_response", "gender"]
    also = ["edu", "income", "married", "weight", "cholesterol", "systolic"]
    survey = np.array([*osmi[asked].isna().mean(), *nhanes[also].isna().mean()])
    ours = np.array([np.mean([facet not in r["profile"] for r in records]) for facet in OPTIONAL])
    seekers = [record for record in records if "seeker" in record["roles"]]
    ours = np.append(ours, np.mean([facet not in r["profile"] for facet in ["needs"] for r in seekers]))
    # One point for boundaries, which stand at the upper end on purpose.
    assert survey.min() <= ours.min()
    assert ours.max() <= survey.max() + 0.01
    assert np.median(ours) == pytest.approx(np.median(survey), abs=0.03)


@pytest.mark.parametrize("facet", ["languages", "availability", "channel", "journey", "severity"])
def test_what_gates_is_nearly_always_answered(records: list[dict[str, Any]], facet: str) -> None:
    """A partner's form insists on them, as OSMI's did on its main questions (no answer missing)."""
    assert 0 < np.mean([facet not in record["profile"] for record in records]) < 0.03
