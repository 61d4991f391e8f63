"""Lists of a model keep what must not be broken; each rule that the ranking would lose is found out."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.audit import safety
from matcher.audit.safety import check
from matcher.audit.utility import FAIL, INCONCLUSIVE, PASS
from matcher.consent import consented
from matcher.matching import gates
from matcher.matching.shortlist import Entry, Shortlist
from matcher.release import fit_model
from tests.matcher.model.village import AT, VILLAGE, members, people, programme

CAREFUL = programme(
    ('pairing = "mentor"', 'pairing = "mentor"\nconfidentiality = "promise"'),
    ('bands = ["18-39", "40+"]', 'bands = ["13-17", "18-39", "40+"]\nminors = ["13-17"]\nminors_policy = "separate"'),
)


def profiles_of(records, where=VILLAGE):
    return [consented(member, where, AT) for member in members(records, where)]


@pytest.fixture(scope="module")
def mixed():
    """People of whom one in four breaks each rule: too young, not vetted, without the agreement, or without a place."""
    rng = np.random.default_rng(3)
    made = []
    for one in people(40, 60, seed=4):
        young = rng.random() < 0.25
        consents = [{**event, **({"guardian": "form 7"} if young else {})} for event in one["consents"]]
        if rng.random() < 0.25:
            consents = [event for event in consents if event["purpose"] != "be_shown_as_peer"]
        changes = {
            "age_band": "13-17" if young else "40+",
            "vetted": bool(rng.random() < 0.75),
            "agreements": ["promise"] if rng.random() < 0.75 else [],
            "capacity": int(rng.random() < 0.75),
            "consents": consents,
        }
        made.append({**one, **changes})
    return profiles_of(made, CAREFUL)


@pytest.fixture(scope="module")
def model(mixed):
    return fit_model(CAREFUL, mixed, [], AT)


def test_lists_as_they_are_made_are_safe(model, mixed):
    found = check(model, CAREFUL, mixed, AT)
    assert (found.verdict, found.broken) == (PASS, {})
    assert found.lists > 20


@pytest.mark.parametrize("rule", ["role", "age", "vetted", "agreement", "capacity"])
def test_a_gate_that_is_left_open_is_found(model, mixed, monkeypatch, rule):
    monkeypatch.setitem(gates.PROGRAMME_GATES, rule, lambda *_: True)
    found = check(model, CAREFUL, mixed, AT)
    assert found.verdict == FAIL
    assert found.broken[rule] > 0


def entry(member_id, score, rank=1):
    return Entry(member_id, rank, score, "good", ())


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        (lambda ids: [entry(ids[0], 0.5), entry(ids[0], 0.4)], "twice"),
        (lambda ids: [entry("nobody", 0.5)], "consent"),
        (lambda ids: [entry(ids[0], float("nan"))], "quality_floor"),
        (lambda ids: [entry(ids[0], 0.01)], "quality_floor"),
        (lambda ids: [entry(ids[0], 0.4), entry(ids[1], 0.5)], "order"),
    ],
)
def test_a_list_that_is_wrong_in_itself_is_found(monkeypatch, entries, rule):
    everybody = profiles_of(people(20, 20, seed=1))
    supporters = [profile.member_id for profile in everybody if "supporter" in profile.roles]
    made = Shortlist("", "matched", None, tuple(entries(supporters)))
    monkeypatch.setattr(safety, "shortlist", lambda _p, _a, who, *_: Shortlist(who.member_id, *made_parts(made)))
    found = check(fit_model(VILLAGE, everybody, [], AT), VILLAGE, everybody, AT)
    assert found.verdict == FAIL
    assert set(found.broken) == {rule}


def made_parts(made):
    return made.outcome, made.reason, made.entries


def test_somebody_whose_consent_is_off_is_found(model, mixed, monkeypatch):
    hidden = [profile for profile in mixed if not profile.state.on("be_shown_as_peer")]
    made = (entry(hidden[0].member_id, 0.5),)
    monkeypatch.setattr(safety, "shortlist", lambda _p, _a, who, *_: Shortlist(who.member_id, "matched", None, made))
    assert set(check(model, CAREFUL, mixed, AT).broken) == {"consent"}


def test_where_nobody_seeks_nothing_is_claimed():
    nobody = profiles_of(people(0, 20))
    assert check(fit_model(VILLAGE, nobody, [], AT), VILLAGE, nobody, AT).verdict == INCONCLUSIVE
