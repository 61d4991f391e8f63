"""The order of gates and what they count; that each works both ways is in tests/properties/test_gates.py."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from matcher.consent import consented
from matcher.facade import Matcher
from matcher.matching import gates
from matcher.matching.pool import Circumstances
from matcher.matching.seeker import Seeker
from matcher.people import Member
from tests.properties.pairs import AT, PURPOSES, consents, fitted, person, programme

PAIRS = programme()
BROKEN = {
    "programme": {},
    "consent": {"consents": consents("match_serve")},
    "role": {"roles": ["seeker"]},
    "age": {"age_band": None},
    "vetted": {"vetted": False},
    "agreement": {"agreements": []},
    "held": {},
    "blocked": {},
    "declined": {},
    "connected": {},
    "capacity": {"capacity": 0},
    "journey": {"profile": {"journey": "new"}},
    "availability": {"profile": {"availability": {"tz": "UTC", "slots": []}}},
    "languages": {"profile": {"languages": ["fr"]}},
    "channel": {"profile": {"channel": []}},
    "severity": {"profile": {"severity": "high"}},
    "must": {"profile": {"gender": "man"}},
    "avoid": {"profile": {"hobbies": ["chess"]}},
    "boundaries": {"profile": {"boundaries": ["driving"]}},
}
"""In the order of docs/reference/matching.md §4: what of b breaks each gate alone."""
ORDER = list(BROKEN)
PAIR_GATES = {"blocked": "blocks", "declined": "declined", "connected": "connected"}
SEEKER = person(
    "a",
    profile={"journey": "new", "severity": "high"},
    wants={"gender": {"importance": 3}, "hobbies": {"avoid": ["chess"]}},
)


def cohort(broken):
    """Return a matcher of the seeker and of others, each of whom breaks some gates, by id."""
    members, facts = (
        [Member.from_dict(SEEKER, PAIRS)],
        {"held": set(), "blocks": set(), "declined": set(), "connected": set()},
    )
    for name, which in broken.items():
        changes, profile = {}, {}
        for gate in which:
            profile.update(BROKEN[gate].get("profile", {}))
            changes.update({key: value for key, value in BROKEN[gate].items() if key != "profile"})
            if gate == "held":
                facts["held"].add(name)
            elif gate in PAIR_GATES:
                facts[PAIR_GATES[gate]].add((name, "a") if len(facts["held"]) % 2 else ("a", name))
        member = Member.from_dict(person(name, profile=profile, **changes), PAIRS)
        members.append(replace(member, programme_id="elsewhere") if "programme" in which else member)
    circumstances = Circumstances(**{name: frozenset(some) for name, some in facts.items()})
    return Matcher(PAIRS).fit(members, at=AT, circumstances=circumstances)


def test_every_gate_alone_and_all_in_plain_words():
    matcher = cohort({f"b-{gate}": [gate] for gate in ORDER} | {"free": []})
    found = matcher.match("a")
    assert dict(found.excluded) == dict.fromkeys(ORDER, 1)
    assert [entry.member_id for entry in found] == ["free"]
    assert found.eligible == 1
    for gate in ORDER:
        assert matcher.score("a", f"b-{gate}").gate == gate
    assert set(ORDER) <= {*gates.GATES, *PAIRS.facets}
    assert all(text for text in gates.GATES.values())


@pytest.mark.parametrize("at", range(len(ORDER) - 1))
def test_the_first_gate_counts(at):
    """Who breaks a gate and all later ones is counted under the first, once."""
    later = [gate for gate in ORDER[at:] if not (gate == "programme" and at)]
    matcher = cohort({"b": later, "free": []})
    found = matcher.match("a")
    assert dict(found.excluded) == {ORDER[at]: 1}
    assert matcher.score("a", "b").gate == ORDER[at]


def test_counts_add_up():
    rng = random.Random(11)
    for _ in range(30):
        broken = {f"m{n}": rng.sample(ORDER, rng.choice([0, 0, 1, 2, 5])) for n in range(12)}
        matcher = cohort(broken)
        found = matcher.match("a")
        assert found.eligible + sum(found.excluded.values()) == 12
        first = {name: min(which, key=ORDER.index, default=None) for name, which in broken.items()}
        assert dict(found.excluded) == {g: n for g in ORDER if (n := list(first.values()).count(g))}
        assert list(found.excluded) == sorted(found.excluded, key=ORDER.index)
        assert all(count > 0 for count in found.excluded.values())
        for name, gate in first.items():
            assert matcher.score("a", name).gate == gate


def test_a_stranger_is_not_among_the_members():
    matcher = cohort({"b": ["vetted"], "free": []})
    stranger = Member.from_dict({**SEEKER, "member_id": "stranger"}, PAIRS)
    found = matcher.match(stranger)
    assert found.eligible + sum(found.excluded.values()) == 3
    assert found.excluded["journey"] == 1  # a herself is not ahead of the stranger


@pytest.mark.parametrize("grants", [PURPOSES, ("match_serve",)])
def test_the_seeker_never_counts(grants):
    matcher = fitted(PAIRS, [{**SEEKER, "consents": consents(*grants)}, person("b")])
    found = matcher.match("a")
    assert dict(found.excluded) == {}
    assert found.eligible == 1
    seeker = Seeker.of(consented(Member.from_dict(SEEKER, PAIRS), PAIRS, AT), matcher.pool_)
    gated = gates.apply(matcher.pool_, seeker)
    assert (gated.eligible, gated.excluded) == (1, {})
    assert [matcher.pool_.ids[row] for row in gated.alive.nonzero()[0]] == ["b"]
    assert gates.first_gate(matcher.pool_, seeker, "b") is None


@pytest.mark.parametrize(
    ("seeker", "gate"),
    [({"age_band": ""}, "age"), ({"age_band": "13-17"}, "age"), ({"agreements": []}, "agreement")],
)
def test_a_seeker_whom_a_gate_keeps_from_everybody(seeker, gate):
    record = {key: value for key, value in {**SEEKER, **seeker}.items() if value != ""}
    matcher = fitted(PAIRS, [record, person("b"), person("c", vetted=False)])
    found = matcher.match("a")
    assert found.eligible == 0
    assert found.reason == "no_eligible"
    assert found.excluded[gate] >= 1
    assert sum(found.excluded.values()) == 2


def test_a_held_seeker_scores_with_nobody():
    matcher = fitted(PAIRS, [SEEKER, person("b")], held=frozenset({"a"}))
    assert matcher.score("a", "b").gate == "held"
    assert dict(matcher.match("a").excluded) == {}


def test_blocks_with_members_elsewhere_change_nothing():
    matcher = fitted(PAIRS, [SEEKER, person("b")], blocks=frozenset({("a", "gone"), ("gone", "b"), ("x", "y")}))
    assert [entry.member_id for entry in matcher.match("a")] == ["b"]


def test_musts_of_several_facets_are_one_gate():
    wants = {"gender": {"importance": 3}, "hobbies": {"importance": 3}}
    records = [
        {**SEEKER, "wants": wants},
        person("b", profile={"gender": "man"}),
        person("c", profile={"hobbies": ["chess"]}),
        person("d", profile={"gender": "man", "hobbies": []}),
        person("e"),
    ]
    found = fitted(PAIRS, records).match("a")
    assert dict(found.excluded) == {"must": 3}
    assert found.eligible == 1
