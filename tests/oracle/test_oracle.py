"""The oracle against cases computed by hand from docs/reference/matching.md."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.oracle import Oracle, week
from tests.oracle.consent import grant, view
from tests.oracle.matcher import splitmix64

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
TREE = {"cancer": "", "breast": "cancer", "left_breast": "breast", "lung": "cancer", "heart": ""}


def programme(facets: dict[str, Any], *, pairing: str = "mentor", **sizes: Any) -> dict[str, Any]:
    return {
        "programme": {"id": "p", "pairing": pairing, "size": "small"},
        "consent": {"policy_version": "1", "required": []},
        "ages": {"bands": ["13-17", "18-30", "31+"], "minors": ["13-17"], "minors_policy": "refuse"},
        "privacy": {"reason_k": 1},
        "shortlist": {"quality_floor": 0.0, **sizes},
        "facets": facets,
    }


def member(number: int, profile: dict[str, Any], *, off: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    purposes = {"match_serve", "be_shown_as_peer", "show_reasons", "train_model"} - set(off)
    when = "2026-01-01T00:00:00Z"
    consents = [{"purpose": p, "decision": "given", "policy_version": "1", "at": when} for p in sorted(purposes)]
    head = {"member_id": f"m{number}", "roles": ["seeker", "supporter"], "age_band": "31+", "vetted": True}
    return {**head, "profile": profile, "wants": {}, "consents": consents, **more}


def oracle(facets: dict[str, Any], *members: dict[str, Any], **more: Any) -> Oracle:
    sizes = more.pop("sizes", {})
    return Oracle(programme(facets, **sizes), {"v": TREE}, list(members), AT, **more)


def logistic(z: float) -> float:
    return 1 / (1 + math.exp(-z))


AHEAD = {"kind": "ordinal", "levels": ["l0", "l1", "l2"], "direction": "ahead", "by": 1}
CONCEPTS = {"kind": "concepts", "vocabulary": "v", "weight": 1.0, "show": True}


class TestSatisfy:
    def test_concepts_with_equal_information_is_the_cosine_of_ancestor_sets(self) -> None:
        # Nobody trains, so N = 0 ≤ k and every IC is 1: {breast, cancer} · {lung, cancer} = 1 / 2.
        a, b = member(1, {"c": ["breast"]}, off=("train_model",)), member(2, {"c": ["lung"]}, off=("train_model",))
        z = math.log(0.05 / 0.95) + (math.log(9) - math.log(0.05 / 0.95)) / 1 * 0.5 / 1
        found = oracle({"c": CONCEPTS}, a, b).score("m1", "m2")
        # importance 1 halves x, and the scale doubles the weight: all satisfied at importance 1 gives .90.
        assert found["forward"] == pytest.approx(logistic(z), abs=1e-12)
        assert found["reciprocal"] == pytest.approx(found["forward"], abs=1e-12)

    def test_information_content(self) -> None:
        # Four learn, k = 1: IC(cancer) = ln(4/3), IC(breast) = ln(4/2), IC(lung) = ln(4/1), IC(never held) = ln(4/1).
        members = [
            member(1, {"c": ["breast"]}),
            member(2, {"c": ["left_breast", "lung"]}),
            member(3, {"c": ["cancer"]}),
        ]
        found = oracle({"c": CONCEPTS}, *members, member(4, {"c": []}))
        assert found.ic("c", "cancer") == pytest.approx(math.log(4 / 3))
        assert found.ic("c", "breast") == pytest.approx(math.log(2))
        assert found.ic("c", "lung") == pytest.approx(math.log(4))
        assert found.ic("c", "heart") == pytest.approx(math.log(4))
        # prefer: IC-share of what is preferred that is held.
        members[2]["wants"] = {"c": {"prefer": ["breast", "heart"]}}
        found = oracle({"c": CONCEPTS}, *members, member(4, {"c": []}))
        x = found.affinity.pair(found.people["m3"], found.people["m2"])["forward"]["contributions"]["c"]
        assert x / found.affinity.model.weight[0]["c"] == pytest.approx(0.5 * math.log(2) / (math.log(2) + math.log(4)))

    def test_everybody_holds_it_and_it_still_counts(self) -> None:
        members = [member(number, {"c": ["heart"]}) for number in range(3)]
        assert oracle({"c": CONCEPTS}, *members).ic("c", "heart") == 0.01

    def test_against_looks_at_the_other_facet(self) -> None:
        facets = {"has": {"kind": "concepts", "vocabulary": "v"}, "needs": {**CONCEPTS, "against": "has"}}
        a, b = (
            member(1, {"needs": ["breast", "heart"]}),
            member(2, {"has": ["left_breast"], "needs": ["breast", "heart"]}),
        )
        rules = oracle(facets, a, b)
        x = rules.rules.satisfy("needs", rules.people["m1"].seeking, rules.people["m2"].shown, lambda f, c: 1.0)
        assert x == (0.5, True)
        assert rules.rules.satisfy("needs", rules.people["m2"].shown, rules.people["m1"].seeking, rules.ic) == (
            None,
            False,
        )

    @pytest.mark.parametrize(
        ("direction", "by", "a", "b", "expected"),
        [
            ("same", None, "l0", "l3", 0.0), ("same", None, "l1", "l2", 2 / 3), ("ahead", None, "l1", "l2", 1.0),
            ("ahead", None, "l1", "l1", 2 / 3), ("ahead", 2, "l1", "l3", 1.0), ("ahead", 2, "l2", "l3", 1.0),
            ("ahead", 2, "l1", "l0", 0.0), ("ahead", 1, "l3", "l3", 1.0), ("more", None, None, "l1", 1 / 3),
        ],
    )  # fmt: skip
    def test_ordinal(self, direction: str, by: int | None, a: str | None, b: str, expected: float) -> None:
        facet = {"kind": "ordinal", "levels": ["l0", "l1", "l2", "l3"], "weight": 1.0, "direction": direction}
        if by:
            facet["by"] = by
        found = oracle({"o": facet}, member(1, {"o": a} if a else {}), member(2, {"o": b}))
        value, informative = found.rules.satisfy("o", found.people["m1"].seeking, found.people["m2"].shown, found.ic)
        assert value == pytest.approx(expected)
        assert informative

    def test_tags_and_choice(self) -> None:
        facets = {
            "t": {"kind": "tags", "values": ["a", "b", "c"], "weight": 1.0},
            "c": {"kind": "choice", "values": ["x", "y"], "weight": 1.0},
        }
        a, b = (
            member(1, {"t": ["a", "b"], "c": "x"}),
            member(2, {"t": ["b", "c"], "c": "y"}, wants={"t": {"prefer": ["a"]}}),
        )
        found = oracle(facets, a, b)
        one, two = found.people["m1"].seeking, found.people["m2"].shown
        assert found.rules.satisfy("t", one, two, found.ic) == (0.5, True)
        assert found.rules.satisfy("t", two, one, found.ic) == (1.0, True)
        assert found.rules.satisfy("c", one, two, found.ic) == (0.0, True)

    def test_unknown_takes_the_neutral_value_and_an_empty_list_does_not(self) -> None:
        a, b, c = member(1, {"c": ["heart"]}), member(2, {}), member(3, {"c": []})
        found = oracle({"c": CONCEPTS}, a, b, c)
        unknown, empty = found.score("m1", "m2"), found.score("m1", "m3")
        weight = found.affinity.model.weight[0]["c"]
        assert unknown["contributions"]["forward"]["c"] == pytest.approx(weight * 0.5 * 0.25)
        assert empty["contributions"]["forward"]["c"] == 0
        assert found.match("m1")["reason"] == "low_information"


class TestPrior:
    def test_everything_satisfied_at_default_importance_is_ninety_per_cent(self) -> None:
        facets = {
            "c": {"kind": "choice", "values": ["x", "y"], "weight": 3.0, "importance": 2},
            "d": {"kind": "choice", "values": ["x", "y"], "weight": 0.5},
            "e": {"kind": "choice", "values": ["x", "y"], "weight": 9.0, "importance": 0},
        }
        same = {"c": "x", "d": "y", "e": "x"}
        found = oracle(facets, member(1, same), member(2, same)).score("m1", "m2")
        assert found["forward"] == pytest.approx(0.9)

    def test_when_nothing_matters_by_default(self) -> None:
        facets = {"c": {"kind": "choice", "values": ["x", "y"], "weight": 3.0, "importance": 0}}
        asks = {"c": {"importance": 2}}
        found = oracle(facets, member(1, {"c": "x"}, wants=asks), member(2, {"c": "x"})).score("m1", "m2")
        assert found["forward"] == pytest.approx(0.9)
        assert found["backward"] == pytest.approx(0.05)


class TestConsent:
    def fold(self, *events: tuple[str, str, str], **more: str) -> bool:
        consents = [
            {"purpose": "match_serve", "decision": decision, "policy_version": version, "at": at, **more}
            for decision, at, version in events
        ]
        return grant({"consents": consents}, programme({}), "match_serve", AT) is not None

    def test_only_a_current_explicit_grant_is_on(self) -> None:
        assert self.fold(("given", "2026-03-02T12:00:00Z", "1"))
        assert not self.fold()
        assert not self.fold(("given", "2026-03-02T12:00:01Z", "1"))
        assert not self.fold(("given", "2026-01-01T00:00:00Z", "0"))
        assert not self.fold(("given", "2026-01-01T00:00:00Z", "1"), ("withdrawn", "2026-01-01T01:00:00+01:00", "1"))
        assert not self.fold(("withdrawn", "2026-01-01T00:00:00Z", "1"), ("given", "2026-01-01T00:00:00Z", "1"))
        assert not self.fold(("given", "2026-01-01T00:00:00Z", "1"), valid_until="2026-03-02T12:00:00Z")
        assert self.fold(("given", "2026-01-01T00:00:00Z", "1"), valid_until="2026-03-02T12:00:01Z")
        assert not self.fold(("given", "2026-01-01T00:00:00Z", "1"), ("given", "2027-01-01T00:00:00Z", "1"))

    def test_a_facet_outside_the_categories_was_never_written(self) -> None:
        record = member(1, {"c": ["heart"]}, wants={"c": {"importance": 3}, "age": {"prefer": ["31+"]}})
        record["consents"] = [{**event, "categories": []} for event in record["consents"]]
        sides = view(
            record, programme({"c": CONCEPTS, "age": {"kind": "ordinal", "source": "age_band"}}), "match_serve", AT
        )
        assert sides["c"] == {"value": None, "importance": 1, "prefer": None, "avoid": None}
        assert sides["age"] == {"value": "31+", "importance": 1, "prefer": ["31+"], "avoid": None}


class TestGates:
    def test_ahead_is_a_gate_from_seeker_to_supporter_only(self) -> None:
        found = oracle({"o": AHEAD, "c": CONCEPTS}, *(member(n, {"o": f"l{n}"}) for n in range(3)))
        assert [found.score(a, b)["gate"] for a, b in (("m0", "m1"), ("m1", "m0"), ("m2", "m2"))] == [None, "o", None]

    def test_the_first_gate_counts_and_the_rest_is_eligible(self) -> None:
        members = [
            member(1, {"c": ["heart"]}), member(2, {"c": ["heart"]}, vetted=False, off=("be_shown_as_peer",)),
            member(3, {"c": ["heart"]}, vetted=False), member(4, {"c": ["heart"]}, capacity=0),
            member(5, {"c": ["heart"]}, age_band="13-17"), member(6, {"c": ["heart"]}, age_band=None), member(7, {}),
        ]  # fmt: skip
        found = oracle({"c": CONCEPTS}, *members).match("m1")
        assert found["excluded"] == {"consent": 1, "vetted": 1, "capacity": 1, "age": 2}
        assert found["eligible"] == 1
        assert found["reason"] == "low_information"

    def test_boundaries_touch_descendants_of_what_is_asked_both_ways_and_never_history(self) -> None:
        facets = {
            "has": {"kind": "concepts", "vocabulary": "v"},
            "needs": {**CONCEPTS, "against": "has"},
            "limits": {"kind": "concepts", "vocabulary": "v", "excludes": "needs"},
        }
        members = [
            member(1, {"needs": ["left_breast"]}), member(2, {"limits": ["breast"]}), member(3, {"limits": ["heart"]}),
            member(4, {"has": ["breast"]}), member(5, {}, wants={"has": {"prefer": ["breast"]}}),
            member(6, {"needs": ["cancer"]}),
        ]  # fmt: skip
        found = oracle(facets, *members)
        pairs = ("m1", "m2"), ("m2", "m1"), ("m1", "m3"), ("m4", "m2"), ("m5", "m2"), ("m6", "m2")
        gates = [found.score(a, b)["gate"] for a, b in pairs]
        assert gates == ["limits", "limits", None, None, "limits", None]

    def test_musts_and_avoids_need_to_know(self) -> None:
        must, avoid = {"c": {"importance": 3}}, {"c": {"avoid": ["cancer"]}}
        members = [
            member(1, {"c": ["breast"]}, wants=must), member(2, {"c": ["left_breast"]}), member(3, {"c": ["cancer"]}),
            member(4, {}), member(5, {"c": []}, wants=avoid),
        ]  # fmt: skip
        found = oracle({"c": CONCEPTS}, *members)
        pairs = (
            ("m1", "m2"),
            ("m2", "m1"),
            ("m1", "m3"),
            ("m1", "m4"),
            ("m5", "m2"),
            ("m5", "m4"),
            ("m2", "m5"),
            ("m5", "m5"),
        )
        assert [found.score(a, b)["gate"] for a, b in pairs] == [None, None, "must", "must", *["avoid"] * 3, None]


class TestWeek:
    def test_the_first_monday(self) -> None:
        assert week.monday(datetime(2026, 3, 8, 23, 59, tzinfo=UTC)) == date(2026, 3, 9)
        assert week.monday(datetime(2026, 3, 9, tzinfo=UTC)) == date(2026, 3, 9)

    def test_quarters_round_inward_and_wrap(self) -> None:
        first = date(2026, 3, 9)
        assert week.quarters({"tz": "UTC", "slots": ["mon 00:05-00:50"]}, first) == {1, 2}
        assert week.quarters({"tz": "UTC", "slots": ["sun 23:30-00:30"]}, first) == {670, 671, 0, 1}
        assert week.quarters({"tz": "UTC", "slots": ["sun 23:30-24:00"]}, first) == {670, 671}
        assert len(week.quarters({"tz": "UTC", "slots": ["tue 09:00-09:00"]}, first)) == 96

    def test_an_hour_that_does_not_exist_is_empty(self) -> None:
        # Paris, 29 March 2026: 02:30 is read before the change (01:30 UTC), 03:30 after it (01:30 UTC).
        assert week.quarters({"tz": "Europe/Paris", "slots": ["sun 02:30-03:30"]}, date(2026, 3, 23)) == set()
        assert len(week.quarters({"tz": "Europe/Paris", "slots": ["sun 01:00-04:00"]}, date(2026, 3, 23))) == 8

    def test_runs_on_the_circle(self) -> None:
        assert week.longest_run({670, 671, 0, 5}) == 3
        assert week.longest_run(set(range(672))) == 672
        assert week.overlap({1, 2, 3}, {1, 2, 3}, 45)
        assert not week.overlap({1, 2, 3}, {1, 2, 3}, 46)


def test_splitmix64_is_the_published_generator() -> None:
    # First outputs from the states 0 and 1234567.
    assert splitmix64(0) == 0xE220A8397B1DCDAF
    assert splitmix64(1234567) == 6457827717110365317


def test_reasons_need_k_holders_and_give_way() -> None:
    a, b = member(1, {"c": ["left_breast"]}), member(2, {"c": ["left_breast"]})
    others = [member(n, {"c": ["breast"]}) for n in (3, 4)]
    found = oracle({"c": CONCEPTS}, a, b, *others)
    found.size["reason_k"] = 4
    entry = next(e for e in found.match("m1", 5)["entries"] if e["member_id"] == "m2")
    assert entry["reasons"] == [("c", "breast")]
    found.size["reason_k"] = 5
    assert all(not e["reasons"] for e in found.match("m1", 5)["entries"])
