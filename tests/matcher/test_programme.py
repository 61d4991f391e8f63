"""Programme files: what they say, and every way in which one is refused."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError

import pytest
from sklearn.base import clone

from matcher.config import Table
from matcher.errors import ProgrammeError
from matcher.facets.concepts import Concepts
from matcher.programme import Programme
from matcher.sizes import SIZES
from tests.matcher.lantern import HERE, LANTERN, TEXT, programme

MINIMAL = """\
[programme]
id = "tiny"
name = "Tiny"
pairing = "mutual"
[consent]
policy_version = "1"
[ages]
bands = ["18+"]
[facets.colour]
kind = "choice"
values = ["red", "blue"]
weight = 1
"""


def line_of(text: str, header: str) -> int:
    return text[: text.index(header)].count("\n") + 1


def refused(*changes: tuple[str, str]) -> str:
    with pytest.raises(ProgrammeError) as caught:
        programme(*changes)
    return caught.value.message


class TestLantern:
    """The file of the design says what the design says."""

    def test_general(self):
        assert (LANTERN.id, LANTERN.name, LANTERN.pairing) == ("lantern", "Lantern cancer buddies", "mentor")
        assert not LANTERN.mutual
        assert LANTERN.crisis_message == "If you are in danger call 999."
        assert LANTERN.confidentiality == "agreement-2026-01"
        assert LANTERN.policy_version == "2026-01"
        assert LANTERN.required == {"languages", "availability", "channel", "journey", "severity"}
        assert LANTERN.age_bands[0] == "13-15"
        assert LANTERN.minors == {"13-15", "16-17"}
        assert LANTERN.minors_policy == "refuse"
        assert LANTERN.strata == {"ethnicity": ("a", "b", "c")}
        assert LANTERN.source == TEXT

    def test_facets_as_declared(self):
        names = "conditions experiences needs journey age gender availability languages channel region severity"
        assert list(LANTERN.facets) == [*names.split(), "boundaries", "statement"]
        assert LANTERN.features == ("conditions", "experiences", "needs", "age", "gender", "region")
        assert LANTERN.sourced == {"age"}
        gating = {name for name, facet in LANTERN.facets.items() if facet.gating}
        assert gating == LANTERN.required | {"boundaries"}

    def test_a_vocabulary_is_loaded_once(self):
        needs, experiences = LANTERN.facets["needs"], LANTERN.facets["experiences"]
        assert isinstance(needs, Concepts)
        assert isinstance(experiences, Concepts)
        assert needs.vocabulary is experiences.vocabulary
        assert needs.against == "experiences"

    def test_defaults_of_its_size(self):
        assert (LANTERN.size, LANTERN.review) == ("standard", "first")
        assert (LANTERN.limit, LANTERN.min_pool, LANTERN.quality_floor) == (5, 10, 0.15)
        assert (LANTERN.reason_k, LANTERN.reasons_a_card, LANTERN.show_statement) == (10, 1, "after_offer")
        assert (LANTERN.lists_per_day, LANTERN.lists_per_30_days, LANTERN.additions) == (4, 50, "next_epoch")
        assert (LANTERN.censor_days, LANTERN.epsilon_per_release, LANTERN.epsilon_per_year) == (14, 1.0, 5.0)
        assert LANTERN.min_exposure_ratio == 0.8

    def test_it_does_not_change(self):
        with pytest.raises(FrozenInstanceError):
            LANTERN.limit = 10  # type: ignore[misc]
        with pytest.raises(TypeError):
            LANTERN.facets["x"] = LANTERN.facets["age"]  # type: ignore[index]
        with pytest.raises(TypeError):
            LANTERN.strata["x"] = ()  # type: ignore[index]


class TestMinimal:
    def test_is_enough(self):
        tiny = Programme.from_text(MINIMAL, HERE)
        assert tiny.mutual
        assert (tiny.size, tiny.crisis_message, tiny.confidentiality) == ("standard", None, None)
        assert (tiny.required, tiny.minors, tiny.minors_policy) == (frozenset(), frozenset(), "refuse")
        assert tiny.strata == {}
        assert tiny.features == ("colour",)

    @pytest.mark.parametrize("section", ["[programme]", "[consent]", "[ages]", "[facets.colour]"])
    def test_no_section_can_be_missing(self, section):
        start = MINIMAL.index(section)
        end = MINIMAL.find("\n[", start)
        text = MINIMAL[:start] + ("" if end < 0 else MINIMAL[end + 1 :])
        name = section.replace(".colour", "")
        with pytest.raises(ProgrammeError, match=rf"programme.toml, \{name[:-1]}\]: found nothing; expected a table"):
            Programme.from_text(text, HERE)

    def test_the_empty_file(self):
        with pytest.raises(ProgrammeError, match=r"x.toml, \[programme\]: found nothing"):
            Programme.from_text("", HERE, "x.toml")


class TestSizes:
    @pytest.mark.parametrize("name", SIZES)
    def test_defaults(self, name):
        size = SIZES[name]
        made = Programme.from_text(MINIMAL.replace("[consent]", f'size = "{name}"\n[consent]'), HERE)
        for key in size.__slots__:
            assert getattr(made, key) == getattr(size, key), key

    def test_the_table_of_the_design(self):
        rows = {name: (size.limit, size.min_pool, size.reason_k, size.reasons_a_card) for name, size in SIZES.items()}
        assert rows == {"small": (5, 1, 5, 2), "standard": (5, 10, 10, 1), "open": (5, 20, 10, 1)}
        lists = {name: (size.lists_per_day, size.lists_per_30_days) for name, size in SIZES.items()}
        assert lists == {"small": (6, None), "standard": (4, 50), "open": (3, 30)}
        rest = {name: (size.show_statement, size.additions, size.review) for name, size in SIZES.items()}
        assert rest == {
            "small": ("shortlist", "at_once", "all"),
            "standard": ("after_offer", "next_epoch", "first"),
            "open": ("after_offer", "next_epoch", "none"),
        }

    def test_every_key_can_be_overridden(self):
        text = MINIMAL.replace("[consent]", 'size = "small"\nreview = "none"\n[consent]') + (
            "[facets.words]\nkind = 'statement'\nshow = 'after_offer'\n"
            "[shortlist]\nlimit = 10\nmin_pool = 3\nquality_floor = 0\nlists_per_day = 9\n"
            "lists_per_30_days = 99\nadditions = 'next_epoch'\n"
            "[privacy]\nreason_k = 7\nreasons_a_card = 0\n"
            "[model]\ncensor_days = 7\nepsilon_per_release = 0.5\nepsilon_per_year = 2\n"
            "[fairness]\nmin_exposure_ratio = 0.9\n"
        )
        made = Programme.from_text(text, HERE)
        assert (made.review, made.limit, made.min_pool, made.quality_floor) == ("none", 10, 3, 0.0)
        assert (made.lists_per_day, made.lists_per_30_days, made.additions) == (9, 99, "next_epoch")
        assert (made.reason_k, made.reasons_a_card, made.show_statement) == (7, 0, "after_offer")
        assert (made.censor_days, made.epsilon_per_release, made.epsilon_per_year) == (7, 0.5, 2.0)
        assert made.min_exposure_ratio == 0.9

    def test_no_bound_on_lists(self):
        text = MINIMAL + '[shortlist]\nlists_per_30_days = "unlimited"\n'
        assert Programme.from_text(text, HERE).lists_per_30_days is None

    def test_a_release_may_cost_more_than_the_usual_year(self):
        made = Programme.from_text(MINIMAL + "[model]\nepsilon_per_release = 8\n", HERE)
        assert made.epsilon_per_year == 8.0


TABLE = [
    # what is replaced, by what, header, key, found, expected
    ('id = "lantern"', 'id = "Lantern"', "[programme]", "id", "'Lantern'", "text that matches [a-z][a-z0-9-]{1,38}"),
    ('id = "lantern"', "", "[programme]", "id", "nothing", "text that matches"),
    ('id = "lantern"', f'id = "{"a" * 40}"', "[programme]", "id", "'aaaa", "text that matches"),
    (
        'pairing = "mentor"',
        'pairing = "mentors"',
        "[programme]",
        "pairing",
        "'mentors'",
        "'mutual'; did you mean 'mentor'?",
    ),
    ('size = "standard"', 'size = "large"', "[programme]", "size", "'large'", "one of 'small', 'standard', 'open'"),
    ('review = "first"', "review = true", "[programme]", "review", "True", "one of 'none', 'first', 'all'"),
    ('name = "Lantern cancer buddies"', 'name = ""', "[programme]", "name", "''", "text that is not empty"),
    ('policy_version = "2026-01"', "policy_version = 2026", "[consent]", "policy_version", "2026", "text"),
    ('"channel", "journey"', '"chanel", "journey"', "[consent]", "required", "'chanel'", "; did you mean 'channel'?"),
    ('"channel", "journey", ', "", "[consent]", "required", "['languages'", "matches nobody; add 'journey', 'channel'"),
    ('minors = ["13-15"', 'minors = ["13-14"', "[ages]", "minors", "'13-14'", "; did you mean '13-15'?"),
    ('bands = ["13-15",', 'bands = ["75+",', "[ages]", "bands", "'75+'", "distinct"),
    ('minors_policy = "refuse"', 'minors_policy = "allow"', "[ages]", "minors_policy", "'allow'", "one of 'refuse'"),
    ("weight = 3.0  ", "weight = 'heavy'  ", "[facets.conditions]", "weight", "'heavy'", "a number"),
    ("weight = 3.0  ", "weight = nan  ", "[facets.conditions]", "weight", "nan", "a finite number"),
    ('kind = "week"', 'kind = "weak"', "[facets.availability]", "kind", "'weak'", "; did you mean 'week'?"),
    ('kind = "week"', "", "[facets.availability]", "kind", "nothing", "one of 'concepts', 'tags'"),
    (
        'against = "experiences"',
        'against = "needs"',
        "[facets.needs]",
        "against",
        "'needs'",
        "another facet of kind concepts",
    ),
    (
        'against = "experiences"',
        'against = "experience"',
        "[facets.needs]",
        "against",
        "'experience'",
        "mean 'experiences'?",
    ),
    (
        'against = "experiences"',
        'against = "conditions"',
        "[facets.needs]",
        "against",
        "'conditions'",
        ": 'experiences'",
    ),
    (
        'against = "experiences"',
        'against = "boundaries"',
        "[facets.needs]",
        "against",
        "'boundaries'",
        ": 'experiences'",
    ),
    (
        'excludes = "needs"',
        'excludes = "journey"',
        "[facets.boundaries]",
        "excludes",
        "'journey'",
        ": 'experiences', 'needs'",
    ),
    ('ethnicity = ["a", "b", "c"]', 'ethnicity = ["a", "a"]', "[strata]", "ethnicity", "'a'", "distinct"),
    ('ethnicity = ["a", "b", "c"]', 'ethnicity = ["a"]', "[strata]", "ethnicity", "['a']", "at least 2"),
    ("ethnicity =", "gender =", "[strata]", "gender", "the name of a facet", "never read by the matching"),
    ("ethnicity =", "Ethnicity =", "[strata]", "Ethnicity", "a name that does not fit", "[a-z][a-z0-9_]{0,38}"),
    ("ethnicity =", "vetted =", "[strata]", "vetted", "a reserved name", "another one than agreement"),
]


class TestRefused:
    @pytest.mark.parametrize(("old", "new", "header", "key", "found", "expected"), TABLE)
    def test_by_header_line_key_found_and_expected(self, old, new, header, key, found, expected):
        message = refused((old, new))
        line = line_of(TEXT, header)
        assert message.startswith(f"programme.toml, line {line}, {header} {key}: found {found}")
        assert expected in message

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("review =", "reviews =", "[programme] reviews: unknown key; expected one of id, name, pairing, size"),
            (
                "minors_policy =",
                "minors_rule =",
                "[ages] minors_rule: unknown key; expected one of bands, minors, minors_policy",
            ),
            ("min_shared =", "min_share =", "min_share: unknown key; expected one of kind, values, min_shared"),
            ("[strata]", "[stratum]", "[stratum]: unknown section; expected one of [programme], [ages], [facets]"),
            ("[strata]", "[shortlist]\nlimits = 3\n[strata]", "[shortlist] limits: unknown key; "),
        ],
    )
    def test_unknown_names_with_the_nearest(self, old, new, message):
        told = refused((old, new))
        assert message in told
        assert "; did you mean '" in told

    @pytest.mark.parametrize("name", ["Colour", "9lives", "a" * 40, "", "two words", "consent", "base", "must"])
    def test_names_of_facets(self, name):
        text = MINIMAL.replace("facets.colour", f'facets."{name}"')
        with pytest.raises(ProgrammeError, match=r"found a (reserved name|name that does not fit); expected a"):
            Programme.from_text(text, HERE)

    @pytest.mark.parametrize(
        ("section", "message"),
        [
            ("[shortlist]\nlimit = 11", "limit: found 11; expected a whole number from 1 to 10"),
            ("[shortlist]\nlimit = 0", "limit: found 0; expected a whole number from 1 to 10"),
            ("[shortlist]\nlimit = true", "limit: found True; expected a whole number"),
            ("[shortlist]\nquality_floor = 1.1", "quality_floor: found 1.1; expected a number from 0 to 1"),
            ("[shortlist]\nlists_per_30_days = 'none'", "found 'none'; expected a whole number from 1 to 100000, or"),
            ("[shortlist]\nlists_per_30_days = 0", "lists_per_30_days: found 0; expected a whole number"),
            ("[privacy]\nreason_k = 0", "reason_k: found 0; expected a whole number"),
            ("[model]\nepsilon_per_release = inf", "epsilon_per_release: found inf; expected a finite number"),
            ("[model]\nepsilon_per_year = 0.5", "epsilon_per_year: found 0.5; expected a number from 1 to 1000"),
            ("[fairness]\nmin_exposure_ratio = -1", "min_exposure_ratio: found -1; expected a number from 0 to 1"),
        ],
    )
    def test_numbers_out_of_bounds(self, section, message):
        with pytest.raises(ProgrammeError) as caught:
            Programme.from_text(f"{MINIMAL}{section}\n", HERE)
        assert f"programme.toml, line 13, {section.split()[0]} " in caught.value.message
        assert message in caught.value.message

    def test_no_feature(self):
        with pytest.raises(ProgrammeError, match=r"\[facets\]: found 0 facets with a weight above 0; expected 1 to 16"):
            Programme.from_text(MINIMAL.replace("weight = 1", ""), HERE)

    def test_too_many_features(self):
        facet = "[facets.f{}]\nkind = 'choice'\nvalues = ['a']\nweight = 1\n"
        most = MINIMAL + "".join(facet.format(number) for number in range(15))
        assert len(Programme.from_text(most, HERE).features) == 16
        with pytest.raises(ProgrammeError, match=r"found 17 facets with a weight above 0; expected 1 to 16"):
            Programme.from_text(most + facet.format(99), HERE)

    def test_ahead_in_a_mutual_programme(self):
        message = refused(('pairing = "mentor"', 'pairing = "mutual"'))
        assert f"line {line_of(TEXT, '[facets.journey]')}, [facets.journey] direction: found 'ahead'" in message

    def test_two_statements(self):
        text = MINIMAL + "[facets.a]\nkind = 'statement'\n[facets.b]\nkind = 'statement'\n"
        with pytest.raises(ProgrammeError, match=r"\[facets.b\] kind: found 'statement'; expected one statement"):
            Programme.from_text(text, HERE)

    def test_no_facet_to_be_against(self):
        facet = "[facets.needs]\nkind = 'concepts'\nvocabulary = 'experiences.csv'\nagainst = 'colour'\n"
        with pytest.raises(ProgrammeError, match=r"against: found 'colour'; expected .*, and there is none"):
            Programme.from_text(MINIMAL + facet, HERE)

    @pytest.mark.parametrize("name", ["missing.csv", "icd10", "../lantern/nothing.csv"])
    def test_a_vocabulary_that_is_not_there(self, name):
        message = refused(('vocabulary = "icd10cm"', f'vocabulary = "{name}"'))
        assert message.startswith(
            f"programme.toml, line {line_of(TEXT, '[facets.conditions]')}, [facets.conditions] voc"
        )

    def test_facets_is_no_table(self):
        text = "facets = 3\n" + MINIMAL.replace("[facets.colour]", "[x]")
        with pytest.raises(ProgrammeError, match="found 3; expected a table"):
            Programme.from_text(text, HERE)


class TestRequired:
    def test_the_age_band_need_not_be_listed(self):
        made = programme(('source = "age_band"', 'source = "age_band"\nguard = "not_both_highest"'))
        assert "age" not in made.required

    def test_a_facet_that_does_not_gate_may_be(self):
        assert "region" in programme(('required = ["languages"', 'required = ["region", "languages"')).required


class TestFiles:
    def test_a_file_is_called_by_its_name(self, tmp_path):
        (tmp_path / "mine.toml").write_text(MINIMAL.replace("tiny", "Tiny"))
        with pytest.raises(ProgrammeError) as caught:
            Programme.from_toml(tmp_path / "mine.toml")
        assert caught.value.message.startswith("mine.toml, line 1, [programme] id: found 'Tiny'")

    def test_the_path_may_be_text(self):
        assert Programme.from_toml(str(HERE / "programme.toml")) == LANTERN

    def test_no_such_file(self, tmp_path):
        with pytest.raises(ProgrammeError, match="found no readable file"):
            Programme.from_toml(tmp_path / "programme.toml")


class TestDigest:
    def test_only_what_is_said_counts(self):
        assert Programme.from_text(f"# a comment\n\n{TEXT}", HERE) == LANTERN
        assert hash(Programme.from_text(f"{TEXT}\n", HERE)) == hash(LANTERN)
        assert LANTERN != "lantern"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("weight = 3.0", "weight = 3.5"),
            ('"north", "south"', '"south", "north"'),
            ("999", "112"),
            ("[strata]", "[model]\n[strata]"),
        ],
    )
    def test_every_change_counts(self, old, new):
        assert programme((old, new)).digest != LANTERN.digest

    def test_the_order_of_facets_counts(self):
        other = '[facets.size]\nkind = "choice"\nvalues = ["a", "b"]\nweight = 1\n'
        head, tail = MINIMAL.split("[facets.colour]")
        first = Programme.from_text(f"{head}{other}[facets.colour]{tail}", HERE)
        second = Programme.from_text(f"{head}[facets.colour]{tail}{other}", HERE)
        assert first.digest != second.digest

    def test_the_vocabulary_counts(self, tmp_path):
        (tmp_path / "experiences.csv").write_text("code,label,parent\na,A,\n")
        text = TEXT.replace("icd10cm", "experiences.csv")
        one = Programme.from_text(text, tmp_path).digest
        (tmp_path / "experiences.csv").write_text("code,label,parent\na,B,\n")
        assert Programme.from_text(text, tmp_path).digest != one

    def test_it_is_the_same_in_every_process(self):
        tiny = Programme.from_text(MINIMAL, HERE)
        assert tiny.digest == "12a632664634ffc5c1c20afce21bf28f5a3950773453e8cbe4860e38d0323dc3"


class TestCopies:
    def test_a_copy_is_the_same_object(self):
        """scikit-learn's clone copies every parameter, and a mapping proxy cannot be copied."""
        assert copy.deepcopy(LANTERN) is LANTERN
        assert clone(LANTERN, safe=False) is LANTERN


class TestReference:
    """docs/reference/programme.md."""

    def test_its_file_is_one(self, root):
        page = (root / "docs" / "reference" / "programme.md").read_text(encoding="utf-8")
        made = Programme.from_text(page.split("```toml\n")[1].split("```")[0], HERE)
        assert made.id == "carers"

    def test_it_names_every_key(self, root, monkeypatch):
        asked: set[str] = set()
        absent = Table._absent
        monkeypatch.setattr(Table, "_absent", lambda table, key: asked.add(key) or absent(table, key))
        everything = "[controller]\nname = 'a'\ncontact = 'b'\n[consent.texts]\nen = 'texts/consent-en.txt'\n[ages]"
        programme(("[ages]", everything))
        page = (root / "docs" / "reference" / "programme.md").read_text(encoding="utf-8")
        keys = asked - set(LANTERN.facets) - set(LANTERN.strata) - {"facets", "strata", "consent", "ages", "en"}
        assert {"texts", "privacy_notice", "lists_days"} <= keys
        assert [key for key in sorted(keys) if f"`{key}`" not in page and f"[{key}]" not in page] == []
