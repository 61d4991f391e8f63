"""Groups for a seeker: each gate broken alone, the score by hand, the order, the reasons, and what is never told."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import ClassVar

import pytest

from matcher.errors import ConsentMissingError, PeermatchError, SeekerError, UnknownMemberError
from matcher.matching.group_gates import GROUP_GATES
from matcher.matching.group_meeting import longest_run
from matcher.matching.groups import GroupState, Topics, rank_groups
from matcher.support_group import Group
from tests.properties import pairs
from tests.properties.pairs import consents, person

PROGRAMME = pairs.programme()
SIX = ("b", "c", "d", "e", "g", "h")


def record(group_id="g-1", **changes):
    return {
        "group_id": group_id,
        "name": "After surgery",
        "facilitators": ["f"],
        "topics": {"experiences": ["lumpectomy"]},
        "slot": "mon 18:00-19:30",
        "tz": "Europe/London",
        "channel": "phone",
        "capacity": 8,
        "open": True,
        "members": ["b", "c"],
        **changes,
    }


def group(of=PROGRAMME, group_id="g-1", **changes):
    return Group.from_dict(record(group_id, **changes), of)


def crowd(seeker=None, facilitator=None, **others):
    """Return the seeker a, the facilitator f, and six who could be members."""
    rest = [person(name, **copy.deepcopy(others)) for name in SIX]
    return [seeker or person("a"), facilitator or person("f"), *rest]


def ranked(groups=None, records=None, of=PROGRAMME, seeker="a", limit=None, **facts):
    matcher = pairs.fitted(of, records or crowd(), **facts)
    return matcher.rank_groups(seeker, groups or [group(of)], limit)


def names(found):
    return [entry.group_id for entry in found]


def excluded(gate, groups=None, **more):
    found = ranked(groups, **more)
    assert (found.outcome, found.reason) == ("no_match", "no_eligible")
    assert found.excluded == {gate: 1}
    assert found.eligible == 0


def matched(groups=None, **more):
    found = ranked(groups, **more)
    assert (found.outcome, found.reason, found.excluded) == ("matched", None, {})
    assert len(found) == 1


def separate(**more):
    return pairs.programme(ages={"minors_policy": "separate"}, **more)


class TestGates:
    def test_the_group_matches(self):
        matched()

    def test_programme(self):
        excluded("programme", [replace(group(), programme_id="elsewhere")])

    def test_open(self):
        excluded("open", [group(open=False)])

    def test_full(self):
        excluded("full", [group(capacity=2, min_size=2)])
        excluded("full", [group(capacity=0, members=[])])
        matched([group(capacity=3, min_size=2)])
        state = GroupState.of(group(capacity=3, min_size=2))
        excluded("full", [replace(state, members=state.members | {"somebody"})])

    def test_member(self):
        excluded("member", [group(members=["a", "b"])])
        excluded("member", [group(facilitators=["a", "f"])])

    @pytest.mark.parametrize("band", [None, "13-17"])
    def test_age_of_the_seeker(self, band):
        excluded("age", records=crowd(person("a", age_band=band)))

    @pytest.mark.parametrize("band", [None, "13-17"])
    def test_age_of_a_member(self, band):
        excluded("age", records=[*crowd()[:-1], person("h", age_band=band)], groups=[group(members=["b", "h"])])

    def test_a_member_who_is_not_shown_is_not_judged(self):
        hidden = person("h", age_band=None, consents=consents("match_serve"))
        matched(records=[*crowd()[:-1], hidden], groups=[group(members=["b", "h"])])

    def test_minors_have_groups_of_their_own(self):
        of = separate()
        guarded = consents(*pairs.PURPOSES, guardian="form 3")
        young = {"age_band": "13-17", "consents": guarded}
        records = [person("a", **young), person("f"), *(person(name, **young) for name in SIX)]
        matched([group(of, minors=True)], records=records, of=of)
        excluded("age", [group(of)], records=records, of=of)
        excluded("age", [group(of, minors=True)], records=[person("a"), *records[1:]], of=of)
        mixed = [*records[:-1], person("h")]
        excluded("age", [group(of, minors=True, members=["b", "h"])], records=mixed, of=of)
        # The same record, after the programme gave the policy up.
        excluded("age", [replace(group(of, minors=True), programme_id="pairs")], records=crowd())

    def test_agreement(self):
        excluded("agreement", records=crowd(person("a", agreements=[])))
        of = pairs.programme()
        matched(of=of, records=crowd(agreements=[]))

    @pytest.mark.parametrize("pair", [("a", "b"), ("b", "a"), ("a", "f"), ("f", "a")])
    def test_blocked(self, pair):
        excluded("blocked", blocks=frozenset({pair}))
        matched(blocks=frozenset({("c", "b"), ("a", "h")}))

    def test_what_keeps_two_people_apart_otherwise_does_not(self):
        matched(declined=frozenset({("a", "b")}), connected=frozenset({("a", "c")}))

    @pytest.mark.parametrize(
        "changes",
        [
            {"vetted": False}, {"age_band": None}, {"age_band": "13-17"}, {"agreements": []},
            {"consents": consents("match_serve")},
        ],
    )  # fmt: skip
    def test_facilitator_not_ready(self, changes):
        excluded("facilitator", records=crowd(facilitator=person("f", **changes)))
        two = [*crowd(), person("k", **changes)]
        excluded("facilitator", [group(facilitators=["f", "k"])], records=two)

    def test_facilitator_missing_unknown_held_or_away(self):
        excluded("facilitator", [group(facilitators=[])])
        excluded("facilitator", [group(facilitators=["f", "nobody"])])
        excluded("facilitator", held=frozenset({"f"}))
        excluded("facilitator", [replace(GroupState.of(group()), away=frozenset({"f"}))])
        matched(held=frozenset({"b"}))
        matched(records=crowd(facilitator=person("f", roles=["seeker"], capacity=0)))

    @pytest.mark.parametrize("mine", [["text"], [], None])
    def test_channel(self, mine):
        excluded("channel", records=crowd(person("a", profile={"channel": mine})))
        matched(records=crowd(person("a", profile={"channel": ["phone", "text"]})))

    @pytest.mark.parametrize("mine", [["pl"], [], None])
    def test_languages_of_the_group(self, mine):
        excluded("languages", [group(languages=["en", "cy"])], records=crowd(person("a", profile={"languages": mine})))

    def test_languages_share_by_primary_subtag(self):
        seeker = person("a", profile={"languages": ["en-GB"]})
        matched([group(languages=["en-US"])], records=crowd(seeker))
        matched(records=crowd(seeker))

    def test_languages_of_all_facilitators_where_the_group_names_none(self):
        def with_two(first, second, mine=("en", "pl")):
            f, k = (person(n, profile={"languages": tags}) for n, tags in (("f", first), ("k", second)))
            return [*crowd(person("a", profile={"languages": list(mine)}), f), k]

        two = [group(facilitators=["f", "k"])]
        excluded("languages", two, records=with_two(["en"], ["pl"]))
        excluded("languages", two, records=with_two(["en", "pl"], ["pl"], mine=["en"]))
        excluded("languages", two, records=with_two(["en"], []))
        matched(two, records=with_two(["en", "cy"], ["pl", "en"]))

    @pytest.mark.parametrize(
        ("free", "slot", "passes"),
        [
            (["mon 18:00-19:30"], "mon 18:00-19:30", True),
            (["mon 18:30-22:00"], "mon 18:00-19:30", True),
            (["mon 18:45-22:00"], "mon 18:00-19:30", False),
            (["mon 18:00-18:45", "mon 19:00-22:00"], "mon 18:00-19:30", False),
            (["mon 18:00-18:45", "mon 18:45-22:00"], "mon 18:00-19:30", True),
            (["mon 18:00-18:30"], "mon 18:00-18:30", True),
            (["mon 18:00-18:30"], "mon 18:00-18:45", False),
            (["mon 18:05-19:10"], "mon 18:00-19:30", False),
            (["mon 18:00-22:00"], "mon 18:00-18:10", False),
            (["mon 18:00-22:00"], "tue 18:00-19:30", False),
            (["tue 00:00-02:00"], "mon 23:30-01:30", True),
            (["mon 00:00-02:00"], "sun 23:30-01:30", True),
            (None, "mon 18:00-19:30", False),
            ([], "mon 18:00-19:30", False),
        ],
    )
    def test_time(self, free, slot, passes):
        week = None if free is None else {"tz": "UTC", "slots": free}
        records = crowd(person("a", profile={"availability": week}))
        groups = [group(slot=slot, tz="UTC")]
        matched(groups, records=records) if passes else excluded("availability", groups, records=records)

    def test_each_side_is_read_in_its_own_zone(self):
        here = {"tz": "America/New_York", "slots": ["mon 13:00-14:30"]}
        matched(records=crowd(person("a", profile={"availability": here})))
        there = {"tz": "America/New_York", "slots": ["mon 18:00-19:30"]}
        excluded("availability", records=crowd(person("a", profile={"availability": there})))

    @pytest.mark.parametrize("mine", ["man", None])
    def test_a_group_for_those_of_one_choice(self, mine):
        for_women = [group(topics={"gender": "woman"})]
        excluded("gender", for_women, records=crowd(person("a", profile={"gender": mine})))
        matched(for_women)

    @pytest.mark.parametrize(
        ("mine", "topics", "passes"),
        [
            (["music", "chess"], ["music", "chess"], True), (["music"], ["music", "chess"], False),
            (["music"], ["music"], True), (["chess"], ["music"], False), ([], ["music"], False),
            (None, ["music"], False),
        ],
    )  # fmt: skip
    def test_tags_that_must_be_shared(self, mine, topics, passes):
        of = pairs.programme(
            facets={"hobbies": {**pairs.PROGRAMME["facets"]["hobbies"], "min_shared": 2}},
            consent={"required": [*pairs.PROGRAMME["consent"]["required"], "hobbies"]},
        )
        records = crowd(person("a", profile={"hobbies": mine}))
        groups = [group(of, topics={"hobbies": topics})]
        matched(groups, records=records, of=of) if passes else excluded("hobbies", groups, records=records, of=of)
        matched([group(of)], records=records, of=of)

    @pytest.mark.parametrize(
        ("wants", "topics", "gate"),
        [
            ({"experiences": {"importance": 3}}, {"experiences": ["driving"]}, "must"),
            ({"experiences": {"importance": 3, "prefer": ["surgery"]}}, {"experiences": ["lumpectomy"]}, None),
            ({"experiences": {"importance": 3, "prefer": ["driving"]}}, {"hobbies": ["music"]}, None),
            ({"needs": {"importance": 3}}, {"experiences": ["lumpectomy"]}, "must"),
            ({"needs": {"importance": 3}}, {"experiences": ["driving"]}, None),
            ({"gender": {"importance": 3, "prefer": ["man"]}}, {"gender": "woman"}, "must"),
            ({"mood": {"importance": 3}}, {"experiences": ["driving"]}, None),
            ({"experiences": {"avoid": ["surgery"]}}, {"experiences": ["lumpectomy"]}, "avoid"),
            ({"experiences": {"avoid": ["lumpectomy"]}}, {"experiences": ["surgery"]}, None),
            ({"experiences": {"avoid": ["surgery"]}}, {"hobbies": ["music"]}, None),
            ({"hobbies": {"avoid": ["chess"]}}, {"hobbies": ["music", "chess"]}, "avoid"),
            ({"channel": {"importance": 3, "prefer": ["text"]}}, {"hobbies": ["music"]}, "must"),
            ({"channel": {"avoid": ["phone"]}}, {"hobbies": ["music"]}, "avoid"),
        ],
    )
    def test_musts_and_avoids_of_what_a_group_speaks_of(self, wants, topics, gate):
        records, groups = crowd(person("a", wants=wants)), [group(topics=topics)]
        excluded(gate, groups, records=records) if gate else matched(groups, records=records)

    @pytest.mark.parametrize(
        ("limits", "topics", "passes"),
        [
            (["lumpectomy"], ["lumpectomy"], False), (["surgery"], ["lumpectomy"], False),
            (["lumpectomy"], ["surgery"], True), (["fatigue"], ["lumpectomy"], True), ([], ["lumpectomy"], True),
            (None, ["lumpectomy"], True),
        ],
    )  # fmt: skip
    def test_boundaries(self, limits, topics, passes):
        records = crowd(person("a", profile={"boundaries": limits}))
        groups = [group(topics={"experiences": topics})]
        matched(groups, records=records) if passes else excluded("boundaries", groups, records=records)

    def test_a_group_counts_once_under_the_first_gate(self):
        groups = [
            group(group_id="shut", open=False, capacity=0, members=[]),
            group(group_id="full", capacity=2, min_size=2, channel="text"),
            group(group_id="text", channel="text", slot="tue 18:00-19:30"),
            group(group_id="fine"),
        ]
        found = ranked(groups)
        assert found.excluded == {"open": 1, "full": 1, "channel": 1}
        assert (found.eligible, names(found)) == (1, ["fine"])

    def test_every_gate_has_plain_words(self):
        from matcher.matching.group_gates import PROGRAMME_GATES

        assert list(GROUP_GATES) == [*PROGRAMME_GATES, "must", "avoid"]

    def test_who_may_not_seek_gets_an_error(self):
        with pytest.raises(ConsentMissingError):
            ranked(records=crowd(person("a", consents=consents("be_shown_as_peer"))))
        with pytest.raises(SeekerError):
            ranked(records=crowd(person("a", roles=["supporter"])))
        with pytest.raises(UnknownMemberError):
            ranked(seeker="nobody")

    @pytest.mark.parametrize("limit", [0, 11, True, 1.0, "5"])
    def test_limits_out_of_range(self, limit):
        with pytest.raises(PeermatchError, match="limit"):
            ranked(limit=limit)

    def test_a_held_seeker_gets_no_list_and_no_counts(self):
        found = ranked(held=frozenset({"a"}))
        assert (found.outcome, found.reason, found.excluded, found.eligible) == ("no_match", "held", {}, 0)


def scored_programme(**facets):
    """Two facets that weigh 3 and 1, no gates, a concept each without hierarchy."""
    raw = {
        **pairs.PROGRAMME,
        "programme": {**pairs.PROGRAMME["programme"], "confidentiality": None},
        "consent": {"policy_version": "1", "required": []},
        "facets": {
            "experiences": {"kind": "concepts", "vocabulary": "experiences.csv", "weight": 3.0, "show": True},
            "hobbies": {"kind": "tags", "values": ["music", "chess"], "weight": 1.0, "show": True},
            **facets,
        },
    }
    del raw["programme"]["confidentiality"]
    return pairs.from_raw(raw, {"experiences.csv": pairs.EXPERIENCES})


SCORED = scored_programme()


def people(**seeker):
    """Return a, and seven others who told nothing: each of their r is that of two who know nothing."""
    keep = ("experiences", "hobbies")
    blank = dict.fromkeys(pairs.person("x")["profile"])
    mine = {**blank, "experiences": ["driving"], "hobbies": ["music"], **seeker.pop("profile", {})}
    a = person("a", profile={name: value for name, value in mine.items() if name in keep or value is None}, **seeker)
    return [a, *(person(name, profile=blank) for name in ("f", *SIX))]


def score_of(topics, records=None, members=(), of=SCORED, **more):
    found = ranked([group(of, topics=topics, members=list(members))], records=records or people(), of=of, **more)
    return found.entries[0].score if found.entries else found.reason


class TestScore:
    @pytest.mark.parametrize(
        ("topics", "likeness"),
        [
            ({"experiences": ["driving"]}, 1.0),
            ({"hobbies": ["music"]}, 1 / 3),
            ({"experiences": ["driving"], "hobbies": ["music"]}, 1.0),
            ({"experiences": ["driving"], "hobbies": ["chess"]}, 3 / 4),
            ({"experiences": ["fatigue"], "hobbies": ["music"]}, 1 / 4),
            ({"experiences": ["driving", "fatigue"]}, 2**-0.5),
        ],
    )
    def test_topics_by_hand(self, topics, likeness):
        assert score_of(topics) == pytest.approx(0.7 * likeness, abs=1e-9)

    def test_importance_moves_what_weighs_most(self):
        heavy = people(wants={"hobbies": {"importance": 2}, "experiences": {"importance": 1}})
        assert score_of({"hobbies": ["music"]}, heavy) == pytest.approx(0.7 * 2 / 3, abs=1e-9)
        alone = people(wants={"experiences": {"importance": 0}})
        assert score_of({"hobbies": ["music"]}, alone) == pytest.approx(0.7, abs=1e-9)

    def test_what_the_seeker_did_not_tell_counts_as_neutral(self):
        silent = people(profile={"hobbies": None})
        both = {"experiences": ["driving"], "hobbies": ["music"]}
        assert score_of(both, silent) == pytest.approx(0.7 * (3 + 0.25) / 4, abs=1e-9)

    def test_no_information_is_no_likeness(self):
        silent = people(profile={"hobbies": None, "experiences": None})
        assert score_of({"hobbies": ["music"]}, silent) == "low_information"
        assert score_of({}) == "low_information"
        empty = people(profile={"hobbies": [], "experiences": []})
        assert score_of({"experiences": ["driving"]}, empty) == "low_information"

    def test_below_the_floor(self):
        of = scored_programme()
        floored = pairs.from_raw(
            {**_raw(of), "shortlist": {"min_pool": 1, "quality_floor": 0.3}}, {"experiences.csv": pairs.EXPERIENCES}
        )
        assert score_of({"hobbies": ["music"]}, of=floored) == "below_quality"
        assert score_of({"experiences": ["driving"]}, of=floored) == pytest.approx(0.7)

    def test_the_fit_is_a_mean_drawn_towards_nothing(self):
        members = [person(n, profile={**dict.fromkeys(person("x")["profile"]), "hobbies": ["music"]}) for n in SIX]
        records = [*people()[:2], *members]
        matcher = pairs.fitted(SCORED, records)
        r = [matcher.score("a", name).reciprocal for name in SIX]
        score = score_of({"experiences": ["driving"]}, records, SIX)
        assert score == pytest.approx(0.7 + 0.3 * sum(r) / 26, abs=1e-9)
        assert score_of({"experiences": ["driving"]}, records, SIX[:4]) == pytest.approx(
            0.7 + 0.3 * sum(r[:4]) / 24, abs=1e-9
        )

    def test_of_three_there_is_no_fit(self):
        assert score_of({"experiences": ["driving"]}, members=SIX[:3]) == pytest.approx(0.7, abs=1e-9)

    def test_fit_alone_may_show_a_group(self):
        members = [person(n, profile={**dict.fromkeys(person("x")["profile"]), "hobbies": ["music"]}) for n in SIX]
        records = [*people()[:2], *members]
        assert score_of({}, records, SIX) > 0.7 * 0.25
        assert score_of({}, records, SIX[:3]) == "low_information"

    def test_the_roster_is_frozen_and_consent_is_not(self):
        members = [person(n, profile={**dict.fromkeys(person("x")["profile"]), "hobbies": ["music"]}) for n in SIX]
        records = [*people()[:2], *members]
        state = GroupState.of(group(SCORED, topics={"experiences": ["driving"]}, members=list(SIX)))

        def score(state, records=records, **facts):
            return ranked([state], records=records, of=SCORED, **facts).entries[0].score

        all_six = score(state)
        assert score(replace(state, members=state.members - {"b"})) == all_six
        assert score(replace(state, members=state.members | {"new"})) == all_six
        assert score(state, held=frozenset({"b"})) == all_six
        assert score(replace(state, roster=state.roster | {"a"})) == all_six
        blank = dict.fromkeys(person("x")["profile"])
        hidden = [*records[:2], person("b", profile=blank, consents=consents("match_serve")), *records[3:]]
        assert score(state, hidden) < all_six
        assert score(replace(state, away=frozenset({"b"}))) == pytest.approx(score(state, hidden), abs=1e-9)

    def test_no_member_moves_a_score_by_more_than_an_eightieth(self):
        """However alike or unlike one member of the four is."""
        blank = dict.fromkeys(person("x")["profile"])
        told = [{"experiences": ["driving"], "hobbies": ["music"]}, {"experiences": ["fatigue"], "hobbies": ["chess"]}]
        scores = []
        for profile in told:
            member = person("b", profile={**blank, **profile})
            records = [*people()[:2], member, *people()[3:]]
            scores.append(score_of({"experiences": ["driving"]}, records, SIX[:4]))
        assert 0 < scores[0] - scores[1] <= 1 / 80


def _raw(of):
    import tomllib

    return tomllib.loads(of.source)


class TestOrder:
    def test_best_first_whatever_the_order_given(self):
        groups = [
            group(SCORED, "half", topics={"experiences": ["fatigue"], "hobbies": ["music"]}),
            group(SCORED, "most", topics={"experiences": ["driving"], "hobbies": ["chess"]}),
            group(SCORED, "best", topics={"experiences": ["driving"]}),
        ]
        for order in (groups, groups[::-1]):
            found = ranked(order, records=people(), of=SCORED)
            assert [(entry.group_id, entry.rank) for entry in found] == [("best", 1), ("most", 2), ("half", 3)]
            assert [entry.strength for entry in found] == ["strong", "strong", "possible"]

    def test_length(self):
        groups = [group(SCORED, f"g{n}", topics={"experiences": ["driving"]}) for n in range(7)]
        for limit in (1, 3, 7, 10):
            assert len(ranked(groups, records=people(), of=SCORED, limit=limit)) == min(limit, 7)

    def test_ties_go_by_keyed_hash(self):
        groups = [group(SCORED, f"g{n}", topics={"experiences": ["driving"]}) for n in range(9)]
        first = names(ranked(groups, records=people(), of=SCORED, limit=10))
        assert first != sorted(first)
        assert names(ranked(groups[::-1], records=people(), of=SCORED, limit=10)) == first

    def test_no_groups(self):
        matcher = pairs.fitted(SCORED, people())
        found = matcher.rank_groups("a", [])
        assert (found.outcome, found.reason, found.eligible, len(found)) == ("no_match", "no_eligible", 0, 0)

    def test_depth(self):
        matcher = pairs.fitted(SCORED, people())
        groups = [GroupState.of(group(SCORED, f"g{n}", topics={"experiences": ["driving"]})) for n in range(80)]
        model, profile = matcher.model_, matcher._members["a"]
        standing = matcher._circumstances.standing("a")
        topics = Topics.of(SCORED, model.encoder, [state.group for state in groups])

        def deep(limit):
            return rank_groups([matcher.pool_], topics, model.affinity, profile, standing, groups, limit, "m-1")

        assert (len(deep(64)), deep(64).model_version) == (64, "m-1")
        with pytest.raises(ValueError, match="limit"):
            deep(65)
        groups.reverse()
        with pytest.raises(ValueError, match="topics"):
            deep(5)


class TestReasons:
    HOLDS: ClassVar = {"experiences": ["driving"], "hobbies": ["music"]}

    def told(self, topics, holders=5, seeker=None, of=SCORED, **more):
        blank = dict.fromkeys(person("x")["profile"])
        others = [person(name, profile={**blank, **self.HOLDS}) for name in ("f", *SIX)[: holders - 1]]
        rest = [person(name, profile=blank) for name in ("f", *SIX)[holders - 1 :]]
        records = [people(**(seeker or {}))[0], *others, *rest]
        found = ranked([group(of, topics=topics, members=[])], records=records, of=of, **more)
        return [(reason.facet, reason.text) for reason in found.entries[0].reasons]

    def test_a_shared_topic_that_enough_hold(self):
        assert self.told({"experiences": ["driving"]}) == [("experiences", "The group is about Driving")]
        assert self.told({"experiences": ["driving"]}, holders=4) == []

    def test_the_weightiest_first_and_no_more_than_a_card_has(self):
        both = self.told({"experiences": ["driving"], "hobbies": ["music"]})
        assert both == [
            ("experiences", "The group is about Driving"),
            ("hobbies", "The group is about music"),
        ]

    def test_nothing_without_the_seekers_consent(self):
        off = consents("match_serve", "be_shown_as_peer")
        assert self.told({"experiences": ["driving"]}, holders=8, seeker={"consents": off}) == []
        narrow = [*off, *consents("show_reasons", categories=["hobbies"])]
        both = {"experiences": ["driving"], "hobbies": ["music"]}
        assert self.told(both, holders=8, seeker={"consents": narrow}) == [("hobbies", "The group is about music")]

    def test_nothing_of_a_facet_that_is_not_shown(self):
        of = scored_programme(hobbies={"kind": "tags", "values": ["music", "chess"], "weight": 1.0})
        assert self.told({"hobbies": ["music"]}, of=of) == []

    def test_what_is_asked_for_is_named_as_that(self):
        needs = {"kind": "concepts", "vocabulary": "experiences.csv", "against": "experiences", "weight": 3.0}
        of = scored_programme(needs={**needs, "show": True})
        blank = dict.fromkeys(person("x")["profile"])
        records = [person("a", profile={**blank, "needs": ["driving"]})]
        records += [person(name, profile={**blank, **self.HOLDS}) for name in ("f", *SIX)]
        found = ranked([group(of, topics={"experiences": ["driving"]})], records=records, of=of)
        assert [reason.text for reason in found.entries[0].reasons] == [
            "The group is about what you asked for: Driving"
        ]

    def test_nothing_from_what_members_are(self):
        """All members share more with the seeker than the group is about; no word of it."""
        assert self.told({"experiences": ["driving"]}, holders=8) == [("experiences", "The group is about Driving")]


def test_an_entry_names_nobody_and_counts_nothing():
    found = ranked()
    entry = found.entries[0]
    assert entry.__slots__ == ("group_id", "rank", "score", "strength", "reasons")


def test_longest_run():
    import numpy as np

    def run(*quarters):
        return longest_run(np.array(quarters, dtype=bool))

    assert [run(), run(0, 0), run(1), run(1, 0, 1, 1, 0), run(1, 1, 1)] == [0, 0, 1, 2, 3]
