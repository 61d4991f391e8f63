"""One invariant a gate: a pair that matches, exactly that gate broken, and the pair is excluded under its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from matcher.errors import ConsentMissingError, SeekerError, UnknownMemberError
from matcher.facade import Matcher
from matcher.people import Member
from matcher.programme import Programme
from tests.properties import pairs
from tests.properties.pairs import consents, person


@pytest.fixture(scope="module")
def mentor() -> Programme:
    return pairs.programme()


@pytest.fixture(scope="module")
def mutual() -> Programme:
    facets = {"journey": {"kind": "choice", "values": ["new", "treated", "after"]}}
    consent = {"required": ["availability", "languages", "channel", "severity"]}
    return pairs.programme(programme={"pairing": "mutual"}, facets=facets, consent=consent)


def seeker(**changes: Any) -> dict[str, Any]:
    return person(
        "a", **{**changes, "profile": {"journey": "new", "needs": ["lumpectomy"], **changes.pop("profile", {})}}
    )


def supporter(**changes: Any) -> dict[str, Any]:
    return person("b", **changes)


def excluded(matcher: Matcher, gate: str) -> None:
    """Assert that b is excluded from a's list under `gate`, and that `score` says so too."""
    found = matcher.match("a")
    assert (found.outcome, found.reason) == ("no_match", "no_eligible")
    assert dict(found.excluded) == {gate: 1}
    assert found.eligible == 0
    score = matcher.score("a", "b")
    assert score.gate == gate
    assert (score.forward, score.backward, score.reciprocal) == (None, None, None)
    assert not score.contributions


def matched(matcher: Matcher) -> None:
    found = matcher.match("a")
    assert (found.outcome, found.reason, [entry.member_id for entry in found]) == ("matched", None, ["b"])
    assert dict(found.excluded) == {}
    assert matcher.score("a", "b").gate is None


def test_the_pair_matches(mentor: Programme, mutual: Programme) -> None:
    matched(pairs.fitted(mentor, [seeker(), supporter()]))
    matched(pairs.fitted(mutual, [seeker(), supporter()]))


def test_programme(mentor: Programme) -> None:
    a, b = Member.from_dict(seeker(), mentor), Member.from_dict(supporter(), mentor)
    excluded(Matcher(mentor).fit([a, replace(b, programme_id="elsewhere")], at=pairs.AT), "programme")
    with pytest.raises(SeekerError):
        Matcher(mentor).fit([replace(a, programme_id="elsewhere"), b], at=pairs.AT).match("a")


def test_consent(mentor: Programme) -> None:
    excluded(pairs.fitted(mentor, [seeker(), supporter(consents=consents("match_serve", "show_reasons"))]), "consent")
    with pytest.raises(ConsentMissingError):
        pairs.fitted(mentor, [seeker(consents=consents("be_shown_as_peer")), supporter()]).match("a")


def test_role(mentor: Programme, mutual: Programme) -> None:
    excluded(pairs.fitted(mentor, [seeker(), supporter(roles=["seeker"])]), "role")
    with pytest.raises(SeekerError):
        pairs.fitted(mentor, [seeker(roles=["supporter"]), supporter()]).match("a")
    matched(pairs.fitted(mutual, [seeker(roles=None), supporter(roles=None)]))


@pytest.mark.parametrize(
    ("a", "b"), [(None, "31+"), ("31+", None), ("13-17", "31+"), ("31+", "13-17"), ("13-17", "13-17")]
)
def test_age_where_minors_are_refused(mentor: Programme, a: str | None, b: str | None) -> None:
    excluded(pairs.fitted(mentor, [seeker(age_band=a), supporter(age_band=b)]), "age")


@pytest.mark.parametrize(
    ("a", "b", "passes"), [("13-17", "31+", False), ("31+", "13-17", False), ("13-17", "13-17", True)]
)
def test_age_where_minors_are_separate(a: str, b: str, passes: bool) -> None:
    programme = pairs.programme(ages={"minors_policy": "separate"})
    guarded = consents(*pairs.PURPOSES, guardian="form 3")
    matcher = pairs.fitted(programme, [seeker(age_band=a, consents=guarded), supporter(age_band=b, consents=guarded)])
    matched(matcher) if passes else excluded(matcher, "age")


def test_a_minor_without_guardian_is_not_shown_and_may_not_ask() -> None:
    programme = pairs.programme(ages={"minors_policy": "separate"})
    guarded = consents(*pairs.PURPOSES, guardian="form 3")
    a, b = seeker(age_band="13-17", consents=guarded), supporter(age_band="13-17")
    excluded(pairs.fitted(programme, [a, b]), "consent")
    with pytest.raises(ConsentMissingError):
        pairs.fitted(programme, [a, b]).match("b")


def test_vetted(mentor: Programme, mutual: Programme) -> None:
    for programme in (mentor, mutual):
        excluded(pairs.fitted(programme, [seeker(), supporter(vetted=False)]), "vetted")
        excluded(pairs.fitted(programme, [seeker(), supporter(vetted=None)]), "vetted")
    matched(pairs.fitted(mentor, [seeker(vetted=False), supporter()]))
    excluded(pairs.fitted(mutual, [seeker(vetted=False), supporter()]), "vetted")


def test_agreement(mentor: Programme) -> None:
    excluded(pairs.fitted(mentor, [seeker(), supporter(agreements=["agreement-0"])]), "agreement")
    excluded(pairs.fitted(mentor, [seeker(agreements=[]), supporter()]), "agreement")


def test_held(mentor: Programme) -> None:
    excluded(pairs.fitted(mentor, [seeker(), supporter()], held=frozenset({"b"})), "held")
    found = pairs.fitted(mentor, [seeker(), supporter()], held=frozenset({"a"})).match("a")
    assert (found.outcome, found.reason, list(found)) == ("no_match", "held", [])


@pytest.mark.parametrize("gate", ["blocked", "declined", "connected"])
@pytest.mark.parametrize("pair", [("a", "b"), ("b", "a")])
def test_what_happened_between_them_works_both_ways(mentor: Programme, gate: str, pair: tuple[str, str]) -> None:
    facts = {{"blocked": "blocks"}.get(gate, gate): frozenset({pair})}
    excluded(pairs.fitted(mentor, [seeker(), supporter()], **facts), gate)


def test_capacity(mentor: Programme) -> None:
    excluded(pairs.fitted(mentor, [seeker(), supporter(capacity=0)]), "capacity")
    excluded(pairs.fitted(mentor, [seeker(), supporter(capacity=2)], load={"b": 2}), "capacity")
    excluded(pairs.fitted(mentor, [seeker(), supporter(capacity=1)], load={"b": 2}), "capacity")
    matched(pairs.fitted(mentor, [seeker(capacity=0), supporter(capacity=2)], load={"b": 1, "a": 5}))


EVENING = {"tz": "Europe/London", "slots": ["mon 18:00-18:59"]}


@pytest.mark.parametrize(
    ("facet", "a", "b"),
    [
        ("languages", ["pl"], ["en"]),
        ("languages", [], ["en"]),
        ("languages", None, ["en"]),
        ("channel", ["text"], ["phone"]),
        ("channel", None, ["phone"]),
        ("availability", EVENING, {"tz": "Europe/London", "slots": ["mon 18:00-20:00"]}),
        (
            "availability",
            {"tz": "Europe/Paris", "slots": ["mon 18:00-19:30"]},
            {"tz": "UTC", "slots": ["mon 18:00-20:00"]},
        ),
        ("availability", None, EVENING),
        ("severity", "high", "high"),
        ("severity", None, "low"),
    ],
)
def test_facet_gates_work_both_ways(mentor: Programme, facet: str, a: Any, b: Any) -> None:
    for mine, theirs in ((a, b), (b, a)):
        excluded(pairs.fitted(mentor, [seeker(profile={facet: mine}), supporter(profile={facet: theirs})]), facet)


def test_a_facet_gate_fails_on_what_may_not_be_shown(mentor: Programme) -> None:
    """Unknown is what consent leaves, whatever was written."""
    programme = pairs.programme(facets={"extra": {"kind": "tags", "values": ["x"], "weight": 1.0}})
    some = [name for name in programme.facets if name != "extra"]
    asks = {"extra": {"importance": 3}}
    a, b = seeker(profile={"extra": ["x"]}, wants=asks), supporter(profile={"extra": ["x"]}, wants=asks)
    matched(pairs.fitted(programme, [a, b]))
    for purpose, change in (("match_serve", a), ("be_shown_as_peer", b)):
        narrow = [
            {**event, "categories": some} if event["purpose"] == purpose else event for event in change["consents"]
        ]
        changed = [{**record, "consents": narrow} if record is change else record for record in (a, b)]
        excluded(pairs.fitted(programme, changed), "must")


@pytest.mark.parametrize(
    ("a", "b", "passes"),
    [
        ("new", "new", False), ("new", "treated", True), ("after", "treated", False),
        ("after", "after", True), (None, "after", False), ("new", None, False),
    ],
)  # fmt: skip
def test_journey_is_a_gate_from_seeker_to_supporter(
    mentor: Programme, a: str | None, b: str | None, passes: bool
) -> None:
    matcher = pairs.fitted(mentor, [seeker(profile={"journey": a}), supporter(profile={"journey": b})])
    matched(matcher) if passes else excluded(matcher, "journey")


MUSTS: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("experiences", ["surgery"], ["driving"], {}),
    ("experiences", ["lumpectomy"], ["surgery"], {}),
    ("experiences", ["surgery"], ["lumpectomy"], {"prefer": ["driving"]}),
    ("experiences", ["lumpectomy"], None, {}),
    ("experiences", None, ["lumpectomy"], {}),
    ("experiences", [], ["lumpectomy"], {}),
    ("gender", "woman", "man", {}),
    ("gender", "woman", "woman", {"prefer": ["man"]}),
    ("gender", None, "woman", {}),
    ("gender", "woman", None, {"prefer": ["woman"]}),
    ("hobbies", ["music"], ["chess"], {}),
    ("hobbies", ["music"], ["music"], {"prefer": ["chess"]}),
    ("mood", "high", "middle", {}),
    ("mood", None, "high", {}),
    ("mood", "low", "low", {"prefer": ["high", "middle"]}),
]


@pytest.mark.parametrize(("facet", "mine", "theirs", "asked"), MUSTS)
def test_must_of_either_side(mentor: Programme, facet: str, mine: Any, theirs: Any, asked: dict[str, Any]) -> None:
    wants = {facet: {"importance": 3, **asked}}
    excluded(
        pairs.fitted(mentor, [seeker(profile={facet: mine}, wants=wants), supporter(profile={facet: theirs})]), "must"
    )
    excluded(
        pairs.fitted(mentor, [seeker(profile={facet: theirs}), supporter(profile={facet: mine}, wants=wants)]), "must"
    )


@pytest.mark.parametrize(
    ("facet", "mine", "theirs", "asked"),
    [
        ("experiences", ["surgery"], ["lumpectomy"], {}), ("gender", None, "man", {"prefer": ["man"]}),
        ("experiences", None, ["lumpectomy"], {"prefer": ["surgery"]}), ("mood", None, "high", {"prefer": ["high"]}),
        ("hobbies", ["music", "chess"], ["chess"], {}), ("mood", "low", "high", {}),
    ],
)  # fmt: skip
def test_a_must_that_holds(mentor: Programme, facet: str, mine: Any, theirs: Any, asked: dict[str, Any]) -> None:
    wants = {facet: {"importance": 3, **asked}}
    matched(pairs.fitted(mentor, [seeker(profile={facet: mine}, wants=wants), supporter(profile={facet: theirs})]))
    matched(pairs.fitted(mentor, [seeker(profile={facet: theirs}), supporter(profile={facet: mine}, wants=wants)]))


def test_a_must_on_a_need_looks_at_the_history_of_the_other(mentor: Programme) -> None:
    wants = {"needs": {"importance": 3}}
    for history, passes in ((["lumpectomy"], True), (["surgery"], False), ([], False), (None, False)):
        b = supporter(profile={"experiences": history, "needs": ["lumpectomy"]})
        matcher = pairs.fitted(mentor, [seeker(wants=wants), b])
        matched(matcher) if passes else excluded(matcher, "must")


@pytest.mark.parametrize(
    ("facet", "avoid", "theirs"),
    [
        ("experiences", ["surgery"], ["lumpectomy"]), ("experiences", ["surgery"], None), ("gender", ["man"], "man"),
        ("gender", ["man"], None), ("hobbies", ["chess"], ["music", "chess"]), ("hobbies", ["chess"], None),
        ("mood", ["low"], "low"), ("mood", ["low"], None),
    ],
)  # fmt: skip
def test_avoid_of_either_side(mentor: Programme, facet: str, avoid: list[str], theirs: Any) -> None:
    wants = {facet: {"avoid": avoid, "importance": 0}}
    excluded(pairs.fitted(mentor, [seeker(wants=wants), supporter(profile={facet: theirs})]), "avoid")
    excluded(pairs.fitted(mentor, [seeker(profile={facet: theirs}), supporter(wants=wants)]), "avoid")


def test_an_empty_list_passes_an_avoid(mentor: Programme) -> None:
    wants = {"experiences": {"avoid": ["surgery"]}, "hobbies": {"avoid": ["chess"]}}
    profile: dict[str, Any] = {"experiences": [], "hobbies": []}
    matched(pairs.fitted(mentor, [seeker(wants=wants), supporter(profile=profile)]))


def test_an_avoid_of_a_leaf_spares_its_parent(mentor: Programme) -> None:
    wants = {"experiences": {"avoid": ["lumpectomy"]}}
    matched(pairs.fitted(mentor, [seeker(wants=wants), supporter(profile={"experiences": ["surgery"]})]))


def test_boundaries_work_both_ways(mentor: Programme) -> None:
    for limit in (["lumpectomy"], ["surgery"]):
        excluded(pairs.fitted(mentor, [seeker(), supporter(profile={"boundaries": limit})]), "boundaries")
    for limit in (["driving"], ["fatigue", "driving"]):
        excluded(pairs.fitted(mentor, [seeker(profile={"boundaries": limit}), supporter()]), "boundaries")
    asks = {"experiences": {"prefer": ["lumpectomy"]}}
    excluded(pairs.fitted(mentor, [seeker(profile={"boundaries": ["surgery"]}), supporter(wants=asks)]), "boundaries")


def test_boundaries_leave_the_others_history_and_the_unknown_alone(mentor: Programme) -> None:
    matched(pairs.fitted(mentor, [seeker(profile={"boundaries": ["surgery"]}), supporter()]))
    matched(pairs.fitted(mentor, [seeker(profile={"boundaries": None}), supporter(profile={"boundaries": None})]))
    matched(pairs.fitted(mentor, [seeker(), supporter(profile={"boundaries": []})]))


def test_self_never(mentor: Programme) -> None:
    found = pairs.fitted(mentor, [seeker()]).match("a")
    assert (found.outcome, found.reason, found.eligible, dict(found.excluded)) == ("no_match", "no_eligible", 0, {})
    matcher = pairs.fitted(mentor, [seeker(), supporter()])
    again = Member.from_dict(seeker(), mentor)
    assert [entry.member_id for entry in matcher.match(again)] == ["b"]


def test_unknown_members_are_refused(mentor: Programme) -> None:
    with pytest.raises(UnknownMemberError):
        pairs.fitted(mentor, [seeker(), supporter()]).match("c")
    with pytest.raises(UnknownMemberError):
        pairs.fitted(mentor, [seeker(), supporter()]).score("a", "c")


@pytest.mark.parametrize(("a", "b", "passes"), [("low", "low", False), ("low", "middle", True), ("high", "high", True)])
def test_a_must_on_a_direction_looks_ahead_whoever_asks(a: str, b: str, passes: bool) -> None:
    levels = ["low", "middle", "high"]
    programme = pairs.programme(facets={"mood": {"kind": "ordinal", "levels": levels, "direction": "ahead"}})
    wants = {"mood": {"importance": 3}}
    for mine, theirs in ((wants, {}), ({}, wants)):
        records = [seeker(profile={"mood": a}, wants=mine), supporter(profile={"mood": b}, wants=theirs)]
        matched(pairs.fitted(programme, records)) if passes else excluded(pairs.fitted(programme, records), "must")
