"""Member records: what is read, and every problem of one, by path."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.consent_events import PURPOSES
from matcher.errors import RecordError
from matcher.facets.base import Want
from matcher.people import MEMBER_ID, Member
from matcher.programme import Programme
from tests.conftest import examples
from tests.matcher.lantern import HERE, LANTERN, RECORD, member, programme, record

MUTUAL = Programme.from_text(
    """
    [programme]
    id = "carers"
    name = "Carers"
    pairing = "mutual"
    [consent]
    policy_version = "1"
    [ages]
    bands = ["18-64", "65+"]
    [facets.about]
    kind = "choice"
    values = ["parent", "partner"]
    weight = 1
    """,
    HERE,
)
MINIMAL: dict[str, Any] = {"member_id": "m-1", "roles": ["supporter"]}


def errors(raw: Any, of: Programme = LANTERN) -> dict[str, str]:
    with pytest.raises(RecordError) as caught:
        Member.from_dict(raw, of)
    return caught.value.errors


def event(**changes: Any) -> dict[str, Any]:
    return {**RECORD["consents"][0], **changes}


class TestLantern:
    """The member of the design."""

    def test_is_read(self):
        read = member()
        assert (read.programme_id, read.member_id, read.age_band) == ("lantern", "m-000123", "35-44")
        assert (read.roles, read.capacity, read.vetted) == ({"seeker"}, 2, True)
        assert read.agreements == {"agreement-2026-01"}
        assert read.profile["conditions"] == ("C50.9",)
        assert read.profile["languages"] == ("en", "pl")
        assert read.profile["journey"] == "in_treatment"
        assert read.wants == {
            "conditions": Want(importance=3),
            "experiences": Want(avoid=("palliative_care",)),
            "gender": Want(importance=2, prefer=("woman",)),
        }
        assert read.strata == {"ethnicity": "a"}
        [given_] = read.consents
        assert (given_.purpose, given_.decision, given_.policy_version) == ("match_serve", "given", "2026-01")
        assert given_.at == datetime(2026, 2, 3, 10, tzinfo=UTC)
        assert given_.valid_until == datetime(2028, 2, 3, 10, tzinfo=UTC)
        assert (given_.categories, given_.guardian) == (None, None)
        assert read.warnings == ()

    def test_round_trip(self):
        assert Member.from_dict(member().to_dict(), LANTERN) == member()
        assert json.loads(json.dumps(member().to_dict())) == member().to_dict()

    def test_the_canonical_record_is_the_one_given(self):
        assert member().to_dict() == RECORD

    def test_the_order_of_keys_does_not_matter(self):
        turned = dict(reversed(record().items()))
        turned["profile"] = dict(reversed(turned["profile"].items()))
        assert list(Member.from_dict(turned, LANTERN).profile) == list(member().profile)
        assert Member.from_dict(turned, LANTERN).to_dict() == member().to_dict()


class TestDefaults:
    def test_little_is_enough(self):
        read = Member.from_dict(MINIMAL, LANTERN)
        assert (read.age_band, read.capacity, read.vetted, read.agreements) == (None, 1, False, frozenset())
        assert (read.profile, read.wants, read.strata, read.consents) == ({}, {}, {}, ())
        assert Member.from_dict(read.to_dict(), LANTERN) == read

    def test_absent_is_unknown_and_empty_is_none(self):
        read = Member.from_dict({**MINIMAL, "profile": {"experiences": [], "channel": []}}, LANTERN)
        assert read.profile == {"experiences": (), "channel": ()}
        assert Member.from_dict(read.to_dict(), LANTERN) == read

    @pytest.mark.parametrize("roles", [{}, {"roles": ["seeker", "supporter"]}, {"roles": ["supporter", "seeker"]}])
    def test_in_a_mutual_programme_roles_are_both(self, roles):
        assert Member.from_dict({"member_id": "m", **roles}, MUTUAL).roles == {"seeker", "supporter"}

    @pytest.mark.parametrize("roles", [["seeker"], []])
    def test_in_a_mutual_programme_one_role_is_refused(self, roles):
        assert "everybody is both" in errors({"member_id": "m", "roles": roles}, MUTUAL)["roles"]


class TestIdentity:
    @pytest.mark.parametrize("name", ["a", "...", "A.b_c~d-9", "x" * 64, "-", "~"])
    def test_allowed(self, name):
        assert member(member_id=name).member_id == name

    @pytest.mark.parametrize(
        "name", ["", "x" * 65, "a b", "a/b", "a@b", "é", "a\n", "\n", ".", "..", "a%20", "\u0661", "ａ", 7, ["a"], True]
    )
    def test_refused_with_the_rule(self, name):
        message = errors(record(member_id=name))["member_id"]
        assert message.endswith("; expected 1 to 64 of A-Z a-z 0-9 . _ ~ -, and not just . or ..")

    def test_missing(self):
        assert errors(record(member_id=None))["member_id"].startswith("missing; expected 1 to 64 of ")

    @given(st.from_regex(r"[A-Za-z0-9._~-]{1,64}", fullmatch=True))
    def test_the_pattern(self, name):
        assert bool(MEMBER_ID.fullmatch(name)) == (name not in {".", ".."})


FIELDS = [
    # changes of the record, path, message
    ({"roles": []}, "roles", "found no role; expected at least one of seeker, supporter"),
    ({"roles": ["seekr"]}, "roles[0]", "found 'seekr'; expected one of seeker, supporter; did you mean 'seeker'?"),
    ({"roles": ["seeker", "seeker"]}, "roles[1]", "found 'seeker' twice; expected each value once"),
    ({"roles": "seeker"}, "roles", "found 'seeker'; expected an array of at most 100 strings"),
    ({"age_band": "35-45"}, "age_band", "found '35-45'; expected one of 13-15, "),
    ({"age_band": 35}, "age_band", "found 35; expected one of 13-15, "),
    ({"capacity": -1}, "capacity", "found -1; expected a whole number from 0 to 1000"),
    ({"capacity": 1001}, "capacity", "found 1001; expected a whole number from 0 to 1000"),
    ({"capacity": 1.0}, "capacity", "found 1.0; expected a whole number from 0 to 1000"),
    ({"capacity": True}, "capacity", "found True; expected a whole number from 0 to 1000"),
    ({"capacity": "2"}, "capacity", "found '2'; expected a whole number from 0 to 1000"),
    ({"capacity": math.nan}, "capacity", "found nan; expected a finite number"),
    ({"capacity": -math.inf}, "capacity", "found -inf; expected a finite number"),
    ({"capacity": 10**30}, "capacity", "found 10000"),
    ({"capacity": 10**5000}, "capacity", "found a number of more than 64 bits"),
    ({"vetted": 1}, "vetted", "found 1; expected true or false"),
    ({"agreements": {}}, "agreements", "found an object; expected an array"),
    ({"agreements": [""]}, "agreements[0]", "found ''; expected a non-empty string, at most 100 characters"),
    ({"agreements": ["x" * 101]}, "agreements[0]", "expected a non-empty string, at most 100 characters"),
    (
        {"agreements": [str(n) for n in range(101)]},
        "agreements",
        "found an array of 101; expected an array of at most 100",
    ),
    ({"profile": []}, "profile", "found an array of 0; expected an object"),
    ({"profile": {"gendre": "woman"}}, "profile.gendre", "unknown facet; expected one of conditions, "),
    ({"profile": {"a b\n": 1}}, r"profile.'a b\n'", "unknown facet; expected one of conditions, "),
    ({"profile": {"gender": None}}, "profile.gender", "found null; leave the key out where there is nothing to say"),
    ({"profile": {"gender": "women"}}, "profile.gender", "did you mean 'woman'?"),
    ({"profile": {"age": "35-44"}}, "profile.age", "is not told here: it is taken from age_band; leave it out"),
    ({"profile": {"conditions": "C50.9"}}, "profile.conditions", "expected an array of strings"),
    ({"profile": {"conditions": ["C50.9", 3]}}, "profile.conditions[1]", "found 3; expected a non-empty string"),
    ({"profile": {"languages": ["en", "english please"]}}, "profile.languages[1]", "expected a BCP 47 tag"),
    ({"profile": {"statement": "mail me: a@b.org"}}, "profile.statement", "contact details"),
    ({"wants": 3}, "wants", "found 3; expected an object"),
    ({"wants": {"age_band": {}}}, "wants.age_band", "unknown facet; expected one of conditions, "),
    ({"wants": {"gender": {}}}, "wants.gender", "asks nothing; expected importance, prefer or avoid"),
    ({"wants": {"gender": ["woman"]}}, "wants.gender", "found an array of 1; expected an object"),
    ({"wants": {"gender": {"importence": 2}}}, "wants.gender.importence", "did you mean 'importance'?"),
    ({"wants": {"gender": {"importance": 4}}}, "wants.gender.importance", "expected a whole number from 0 to 3"),
    ({"wants": {"gender": {"importance": 2.0}}}, "wants.gender.importance", "expected a whole number from 0 to 3"),
    ({"wants": {"gender": {"importance": None}}}, "wants.gender.importance", "found null; leave the key out"),
    ({"wants": {"gender": {"prefer": []}}}, "wants.gender.prefer", "expected at least one value"),
    ({"wants": {"gender": {"prefer": ["women"]}}}, "wants.gender.prefer[0]", "did you mean 'woman'?"),
    ({"wants": {"gender": {"avoid": []}}}, "wants.gender.avoid", "expected at least one value"),
    ({"wants": {"gender": {"avoid": None}}}, "wants.gender.avoid", "found null; leave the key out"),
    (
        {"wants": {"gender": {"prefer": ["man"], "avoid": ["man"]}}},
        "wants.gender.avoid",
        "has man, which prefer has too",
    ),
    ({"wants": {"needs": {"prefer": ["driving_again"]}}}, "wants.needs.prefer", "remove it here"),
    (
        {"wants": {"boundaries": {"importance": 1}}},
        "wants.boundaries",
        "cannot be asked of a peer; expected one of conditions",
    ),
    ({"wants": {"languages": {"importance": 1}}}, "wants.languages", "cannot be asked of a peer"),
    ({"wants": {"statement": {"importance": 1}}}, "wants.statement", "cannot be asked of a peer"),
    ({"strata": []}, "strata", "found an array of 0; expected an object"),
    ({"strata": {"ethnicity": "d"}}, "strata.ethnicity", "found 'd'; expected one of a, b, c"),
    ({"strata": {"ethnicity": None}}, "strata.ethnicity", "found null; leave the key out"),
    (
        {"strata": {"ethnicities": "a"}},
        "strata.ethnicities",
        "unknown stratum; expected one of ethnicity; did you mean",
    ),
    ({"consents": {}}, "consents", "found an object; expected an array of consent events"),
    ({"consents": ["given"]}, "consents[0]", "found 'given'; expected an object"),
    ({"programme_id": "lantern"}, "programme_id", "unknown field; expected one of member_id, roles"),
    ({"wnats": {}}, "wnats", "did you mean 'wants'?"),
    ({"vetted": "\ud800"}, "vetted", "found half of a surrogate pair; expected whole Unicode characters"),
    ({"profile": {"conditions": ["a\x00"]}}, "profile.conditions[0]", "found the character U+0000"),
    ({"profile": {"\udfff": 1}}, r"profile.'\udfff'", "found half of a surrogate pair"),
    ({"profile": {3: 1}}, "profile", "found a key of type int; expected text"),
    ({"profile": {3: "\x00"}}, "profile", "found a key of type int; expected text"),
    ({"capacity": {1, 2}}, "capacity", "found a Python set; expected a JSON value"),
    (
        {"consents": [event(at=datetime(2026, 1, 1, tzinfo=UTC))]},
        "consents[0].at",
        "found a Python datetime; expected a JSON",
    ),
]


class TestProblems:
    @pytest.mark.parametrize(("changes", "path", "message"), FIELDS)
    def test_one_by_path(self, changes, path, message):
        found = errors({**record(), **changes})
        assert list(found) == [path]
        assert message in found[path]

    @pytest.mark.parametrize("field", RECORD)
    def test_null_is_refused_everywhere(self, field):
        assert errors({**record(), field: None})[field] == "found null; leave the key out where there is nothing to say"

    @pytest.mark.parametrize("raw", [[], "x", 3, None, True, math.nan, [{}]])
    def test_what_is_no_object(self, raw):
        assert list(errors(raw)) == ["(record)"]

    def test_the_empty_object(self):
        assert list(errors({})) == ["member_id", "roles"]

    def test_every_problem_is_told_at_once(self):
        merged: dict[str, Any] = {"member_id": "a b", "capacity": -1, "profile": {}, "wants": {}, "extra": 1}
        merged["profile"] = {"gender": "women", "conditions": ["C50", 3, ""], "age": "35-44", "langauges": ["en"]}
        merged["profile"]["availability"] = {"tz": "Europe/London", "slots": ["mon 18:00-20:00", "x", "tue 9-10"]}
        merged["wants"] = {"gender": {"importance": 9, "prefer": ["woman", "x", "y"]}, "needs": {"avoid": ["x"]}}
        merged["consents"] = [event(), event(at="yesterday", purpose="x"), event(), 5]
        assert set(errors({**record(), **merged})) == {
            *("member_id", "capacity", "extra"),
            *("profile.gender", "profile.conditions[1]", "profile.conditions[2]", "profile.age", "profile.langauges"),
            *("profile.availability.slots[1]", "profile.availability.slots[2]"),
            *("wants.gender.importance", "wants.gender.prefer[1]", "wants.gender.prefer[2]", "wants.needs.avoid"),
            *("consents[1].at", "consents[1].purpose", "consents[3]"),
        }

    def test_the_message_tells_the_first_and_how_many_more(self):
        with pytest.raises(RecordError) as caught:
            Member.from_dict(record(capacity=-1, vetted=3, roles=7), LANTERN)
        assert caught.value.message == "roles: found 7; expected an array of at most 100 strings (and 2 more)"
        with pytest.raises(RecordError) as caught:
            Member.from_dict(record(capacity=-1), LANTERN)
        assert caught.value.message == "capacity: found -1; expected a whole number from 0 to 1000"

    def test_a_programme_without_strata(self):
        assert errors({"member_id": "m", "strata": {"x": "y"}}, MUTUAL)["strata.x"] == "unknown stratum; expected none"

    def test_items_of_one_value_until_none_is_left(self):
        found = errors(record(profile={"conditions": [1, "C50", 2, 3]}))
        assert list(found) == [f"profile.conditions[{place}]" for place in (0, 2, 3)]
        assert list(errors(record(profile={"conditions": [1]}))) == ["profile.conditions[0]"]

    def test_behind_an_item_something_else_may_be_wrong(self):
        week = {"tz": "Mars/North", "slots": ["x"]}
        assert "profile.availability.tz" in errors(record(profile={"availability": week}))
        twice = errors(record(profile={"conditions": [1, "C50", "C50"]}))
        assert list(twice) == ["profile.conditions[0]", "profile.conditions"]

    @pytest.mark.parametrize("depth", [20, 3000])
    def test_deep_nesting(self, depth):
        raw: Any = []
        for _ in range(depth):
            raw = [raw]
        found = errors(record(profile={"conditions": raw}))
        assert all(path.startswith("profile.conditions") for path in found)


EVENTS = [
    ({"purpose": "match"}, "purpose", "found 'match'; expected one of match_serve"),
    ({"purpose": None}, "purpose", "found null"),
    ({"decision": "yes"}, "decision", "found 'yes'; expected one of given, refused, withdrawn"),
    ({"policy_version": ""}, "policy_version", "expected the version of the policy agreed to, now '2026-01'"),
    ({"policy_version": "x" * 201}, "policy_version", "at most 200 characters"),
    ({"at": "2026-02-03T10:00:00"}, "at", "expected a date and time with its offset from UTC (RFC 3339)"),
    ({"at": "2026-02-03"}, "at", "RFC 3339"),
    ({"at": "2026-02-30T10:00:00Z"}, "at", "RFC 3339"),
    ({"at": "2026-02-03T10:00:60Z"}, "at", "RFC 3339"),
    ({"at": "2026-02-03T10:00:00+25:00"}, "at", "RFC 3339"),
    ({"at": "0001-01-01T00:00:00+10:00"}, "at", "RFC 3339"),
    ({"at": "2026-W06-2T10:00:00Z"}, "at", "RFC 3339"),
    ({"at": "\u0662026-02-03T10:00:00Z"}, "at", "RFC 3339"),
    ({"at": 1770112800}, "at", "RFC 3339"),
    ({"valid_until": "2026-02-03T10:00:00Z"}, "valid_until", "expected an instant after at, 2026-02-03T10:00:00Z"),
    (
        {"valid_until": "2026-02-03T11:00:00+02:00"},
        "valid_until",
        "found 2026-02-03T09:00:00Z; expected an instant after at",
    ),
    ({"valid_until": None}, "valid_until", "found null"),
    ({"categories": "gender"}, "categories", "expected an array"),
    (
        {"categories": ["languages", "availability", "channel", "journey"]},
        "categories",
        "omits severity, which the programme",
    ),
    ({"categories": []}, "categories", "omits availability, channel, journey, languages, severity, which"),
    ({"purpose": "show_reasons", "categories": ["gendre"]}, "categories[0]", "did you mean 'gender'?"),
    ({"guardian": ""}, "guardian", "expected evidence that a guardian agreed"),
    ({"guardian": True}, "guardian", "expected evidence that a guardian agreed"),
    ({"categorys": []}, "categorys", "unknown field; expected one of purpose"),
]


class TestConsents:
    @pytest.mark.parametrize(("changes", "key", "message"), EVENTS)
    def test_one_problem_by_path(self, changes, key, message):
        found = errors(record(consents=[event(), event(**changes)]))
        assert list(found) == [f"consents[1].{key}"]
        assert message in found[f"consents[1].{key}"]

    @pytest.mark.parametrize("key", ["purpose", "decision", "policy_version", "at"])
    def test_missing(self, key):
        short = {name: value for name, value in event().items() if name != key}
        assert errors(record(consents=[short]))[f"consents[0].{key}"].startswith("missing; expected ")

    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("2026-02-03T10:00:00Z", datetime(2026, 2, 3, 10, tzinfo=UTC)),
            ("2026-02-03t10:00:00z", datetime(2026, 2, 3, 10, tzinfo=UTC)),
            ("2026-02-03 12:30:00+02:30", datetime(2026, 2, 3, 10, tzinfo=UTC)),
            ("2026-02-03T10:00:00.25-00:00", datetime(2026, 2, 3, 10, 0, 0, 250000, tzinfo=UTC)),
        ],
    )
    def test_instants(self, text, instant):
        assert member(consents=[event(at=text)]).consents[0].at == instant

    def test_events_of_another_version_are_kept_as_they_are(self):
        old = event(policy_version="2019-05", categories=["a_facet_of_then"])
        assert member(consents=[old]).to_dict()["consents"] == [old]

    @pytest.mark.parametrize("decision", ["refused", "withdrawn"])
    def test_a_no_needs_no_categories(self, decision):
        assert member(consents=[event(decision=decision, categories=["gender"])]).consents[0].decision == decision

    @pytest.mark.parametrize("purpose", ["show_reasons", "train_model", "fairness_audit", "outcome_followup"])
    def test_other_purposes_require_no_facet(self, purpose):
        assert member(consents=[event(purpose=purpose, categories=["gender"])]).consents[0].categories == {"gender"}

    def test_everything_round_trips(self):
        full = event(categories=["availability", "channel", "journey", "languages", "severity"], guardian="form 12")
        assert member(consents=[full, event()]).to_dict()["consents"] == [full, event()]


class TestWarnings:
    def test_codes_that_the_vocabulary_lacks_are_kept_and_told(self):
        read = member(profile={"conditions": ["C50.9", "QQ1"], "experiences": ["lumpectomi"]})
        assert read.profile["conditions"] == ("C50.9", "QQ1")
        assert [warning.split(" ")[0:2] for warning in read.warnings] == [
            ["profile.conditions:", "'QQ1'"],
            ["profile.experiences:", "'lumpectomi'"],
        ]

    def test_a_minor_where_none_is_matched(self):
        separate = programme(('minors_policy = "refuse"', 'minors_policy = "separate"'))
        assert member(age_band="16-17").warnings == ("age_band: 16-17 is a minor, whom this programme never matches",)
        assert member(separate, age_band="16-17").warnings == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
WORDS = st.sampled_from(
    [
        *(
            "member_id",
            "roles",
            "age_band",
            "capacity",
            "vetted",
            "agreements",
            "profile",
            "wants",
            "strata",
            "consents",
        ),
        *LANTERN.facets,
        *("tz", "slots", "importance", "prefer", "avoid", "purpose", "decision", "at", "valid_until", "categories"),
    ]
)
LIKELY = st.recursive(
    JSON | WORDS | st.sampled_from(["woman", "C50", "seeker", "35-44", "Europe/London", "mon 18:00-20:00", "given"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


class TestAnything:
    @settings(max_examples=examples(200, 5000))
    @given(JSON | LIKELY)
    def test_any_json_is_read_or_refused(self, raw):
        self.check(raw)

    @settings(max_examples=examples(200, 5000))
    @given(
        st.fixed_dictionaries({"member_id": st.just("m"), "roles": st.just(["seeker"])}), st.dictionaries(WORDS, LIKELY)
    )
    def test_anything_in_a_field(self, sound, changes):
        self.check({**changes, **sound})

    def check(self, raw: Any) -> None:
        try:
            read = Member.from_dict(raw, LANTERN)
        except RecordError as error:
            told = [*error.errors.items(), ("message", error.message)]
        else:
            told = [("again", "the same")] if Member.from_dict(read.to_dict(), LANTERN) == read else []
        assert told
        "".join(f"{path}: {message}" for path, message in told).encode()


def subsets(values: tuple[str, ...], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=3, unique=True)


CODES = ("C50.9", "C50", "E11", "not-a-code")
LIVED = ("lumpectomy", "surgery", "driving_again", "palliative_care")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SOUND = st.fixed_dictionaries(
    {
        "member_id": st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        "roles": subsets(("seeker", "supporter"), 1),
        "profile": st.fixed_dictionaries(
            {},
            optional={
                "conditions": subsets(CODES),
                "needs": subsets(LIVED),
                "boundaries": subsets(LIVED),
                "gender": st.sampled_from(["woman", "man"]),
                "journey": st.sampled_from(["in_treatment", "long_term"]),
                "channel": subsets(("phone", "video")),
                "languages": subsets(("en", "pt-br", "SR-latn")),
                "availability": st.fixed_dictionaries(
                    {"tz": st.just("Asia/Tokyo"), "slots": subsets(("sun 22:00-02:00", "mon 08:00-09:30"))}
                ),
                "statement": st.sampled_from(["Hello.", "Zdravo", "e\u0301"]),
            },
        ),
        "wants": st.fixed_dictionaries(
            {},
            optional={
                "gender": st.just({"prefer": ["woman"], "avoid": ["man"]}),
                "age": st.just({"importance": 0}),
                "experiences": st.fixed_dictionaries({"avoid": subsets(LIVED, 1)}),
            },
        ),
        "consents": st.lists(
            st.fixed_dictionaries(
                {
                    "purpose": st.sampled_from(["match_serve", "train_model"]),
                    "decision": st.sampled_from(["given", "refused", "withdrawn"]),
                    "policy_version": st.sampled_from(["2026-01", "2025-01"]),
                    "at": MOMENTS.map(datetime.isoformat),
                }
            ),
            max_size=4,
        ),
    }
)


@given(SOUND)
def test_sound_records_round_trip(raw):
    read = Member.from_dict(raw, LANTERN)
    again = Member.from_dict(json.loads(json.dumps(read.to_dict())), LANTERN)
    assert again == read
    assert again.to_dict() == read.to_dict()


class TestReference:
    """docs/reference/records.md."""

    def test_its_record_is_one(self, root):
        page = (root / "docs" / "reference" / "records.md").read_text(encoding="utf-8")
        read = json.loads(page.split("```json\n")[1].split("```")[0])
        assert Member.from_dict(read, LANTERN).warnings == ()

    def test_it_names_every_field(self, root):
        page = (root / "docs" / "reference" / "records.md").read_text(encoding="utf-8")
        names = [*RECORD, *PURPOSES, *RECORD["consents"][0], "categories", "guardian", "importance", "prefer", "avoid"]
        assert [name for name in names if f"`{name}`" not in page] == []
