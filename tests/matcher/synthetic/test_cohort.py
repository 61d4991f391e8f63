"""Generating and writing a cohort: what comes out is what the programme accepts, and the same each time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from matcher.synthetic import Cohort, SyntheticError, decisions, generate, generate_members, world, write
from matcher.synthetic.decisions import LIST, MEAN_PROPENSITY
from matcher.synthetic.population import CONDITIONS
from matcher.vocabulary import load_bundled

FILES = ["programme.toml", "experiences.csv", "members.jsonl", "feedback.jsonl", "groups.jsonl", "truth.jsonl"]
GROUP = "group_id name facilitators topics slot tz channel capacity min_size open members"


def test_every_record_is_accepted_without_a_warning(cohort: Cohort, programme: Programme) -> None:
    members = [Member.from_dict(record, programme) for record in cohort.members]
    assert len({member.member_id for member in members}) == 2_000
    assert not [member.warnings for member in members if member.warnings]


def test_every_event_is_accepted(cohort: Cohort, programme: Programme) -> None:
    for record in cohort.feedback[::7]:
        Feedback.from_dict(record, programme)


def test_conditions_are_codes_of_the_vocabulary() -> None:
    vocabulary = load_bundled("icd10cm")
    assert [code for code in CONDITIONS if code not in vocabulary] == []


def test_the_world_and_the_programme_file_say_the_same(programme: Programme) -> None:
    assert programme.id == world.PROGRAMME_ID
    assert programme.size == "standard"
    assert programme.policy_version == world.POLICY_VERSION
    assert programme.confidentiality == world.AGREEMENT
    assert programme.age_bands == world.AGE_BANDS
    assert programme.features == world.FEATURES
    assert {name: tuple(shares) for name, shares in world.STRATA.items()} == dict(programme.strata)
    assert set(world.REQUIRED) == programme.required


def test_the_composition_is_that_of_the_datasheet(cohort: Cohort) -> None:
    n = len(cohort.members)
    roles = Counter(tuple(record["roles"]) for record in cohort.members)
    assert roles["supporter",] + roles["seeker", "supporter"] == 0.4 * n
    assert roles["seeker", "supporter"] == 0.08 * n
    musts = sum(any(w.get("importance") == 3 for w in r.get("wants", {}).values()) for r in cohort.members)
    assert 0.10 <= musts / n <= 0.20
    supporters = [record for record in cohort.members if "supporter" in record["roles"]]
    assert any(record["capacity"] == 0 for record in supporters)
    assert any(not record["vetted"] for record in supporters)


@pytest.mark.parametrize("name", world.STRATA)
def test_strata_are_from_5_to_40_percent(cohort: Cohort, name: str) -> None:
    values = Counter(record.get("strata", {}).get(name) for record in cohort.members)
    missing = values.pop(None)
    assert set(values) == set(world.STRATA[name])
    assert 0 < missing < 0.1 * len(cohort.members)
    assert all(0.05 <= count / len(cohort.members) <= 0.42 for count in values.values())


def test_most_consented_and_some_withdrew_or_let_it_expire() -> None:
    records = generate_members(8_000, 1)
    for purpose, expected in {"show_reasons": 0.80, "train_model": 0.85, "fairness_audit": 0.70}.items():
        latest = [[e for e in record["consents"] if e["purpose"] == purpose][-1] for record in records]
        given = sum(event["decision"] == "given" for event in latest) / len(latest)
        assert given == pytest.approx(expected * (1 - world.WITHDRAWN), abs=0.02)  # four standard errors
    events = [event for record in records for event in record["consents"]]
    assert any(event["decision"] == "withdrawn" for event in events)
    assert any("valid_until" in event for event in events)
    assert any("categories" in event for event in events)


def test_a_feedback_file_is_large_enough_to_learn_from_and_small_enough_to_read(cohort: Cohort) -> None:
    kinds = Counter((record["event"], record.get("by")) for record in cohort.feedback)
    assert len(cohort.feedback) < 80_000
    assert kinds["accepted", "seeker"] + kinds["declined", "seeker"] > 5_000
    assert kinds["accepted", "candidate"] + kinds["declined", "candidate"] > 1_500
    assert kinds["viewed", None] > kinds["accepted", "seeker"] + kinds["declined", "seeker"], "some say no by silence"


def test_everything_happened_before_the_end_and_most_of_it_long_enough_ago(cohort: Cohort) -> None:
    times = [datetime.fromisoformat(record["at"]) for record in cohort.feedback]
    assert max(times) < cohort.at
    old = sum(time < cohort.at - timedelta(days=14) for time in times)
    assert old > 0.7 * len(times)
    assert times == sorted(times)


def test_places_are_looked_at_as_the_propensity_says(cohort: Cohort) -> None:
    shown, viewed = (
        Counter(record["rank"] for record in cohort.feedback if record["event"] == event)
        for event in ("shown", "viewed")
    )
    assert set(shown) == set(range(1, LIST + 1))
    for rank, count in shown.items():
        assert viewed[rank] / count == pytest.approx(1 / rank, abs=0.03)
    logged = [record for record in cohort.feedback if record["event"] != "ended"]
    assert all(record["propensity"] == round(1 / record["rank"], 6) for record in logged)


def test_nobody_supports_more_people_than_they_have_places_for(cohort: Cohort) -> None:
    capacity = {record["member_id"]: record.get("capacity", 1) for record in cohort.members}
    open_now = Counter[str]()
    ends = Counter(record["event"] for record in cohort.feedback)["ended"]
    for record in cohort.feedback:
        if record["event"] == "ended":
            open_now[record["candidate"]] -= 1
        elif record["event"] == "accepted" and record["by"] == "candidate":
            open_now[record["candidate"]] += 1
    assert ends > 1_000
    assert sum(open_now.values()) > 200
    assert all(0 <= taken <= capacity[supporter] for supporter, taken in open_now.items())


def test_no_pair_is_shown_twice_nor_told_the_truth_of(cohort: Cohort) -> None:
    shown = [(record["seeker"], record["candidate"]) for record in cohort.feedback if record["event"] == "shown"]
    assert len(shown) == len(set(shown))
    truth = {(record["seeker"], record["candidate"]) for record in cohort.truth}
    assert not truth & set(shown)


def test_uniform_logging_shows_the_same_lists_and_looks_everywhere_alike(cohort: Cohort) -> None:
    uniform = generate(2_000, seed=11, logging="uniform")
    assert uniform.members == cohort.members
    assert uniform.truth == cohort.truth
    lists = [
        [(r["seeker"], r["candidate"], r["rank"], r["at"]) for r in c.feedback if r["event"] == "shown"]
        for c in (uniform, cohort)
    ]
    assert lists[0] == lists[1]
    assert {record["propensity"] for record in uniform.feedback if "rank" in record} == {MEAN_PROPENSITY}
    looked = [sum(record["event"] == "viewed" for record in c.feedback) for c in (uniform, cohort)]
    assert looked[0] == pytest.approx(looked[1], rel=0.03)


def test_the_truth_is_told_of_enough_pairs(cohort: Cohort) -> None:
    candidates = Counter(record["seeker"] for record in cohort.truth)
    assert len(candidates) >= 200
    assert sum(count >= 40 for count in candidates.values()) >= 200
    for record in cohort.truth:
        assert 0 < record["forward"] < 1
        assert record["mutual"] == pytest.approx(record["forward"] * record["backward"], abs=1e-5)


def test_groups_are_run_by_supporters_and_joined_by_seekers(cohort: Cohort) -> None:
    roles = {record["member_id"]: record["roles"] for record in cohort.members}
    assert len(cohort.groups) == 8
    for group in cohort.groups:
        assert list(group) == GROUP.split()
        assert all("supporter" in roles[member_id] for member_id in group["facilitators"])
        assert all("seeker" in roles[member_id] for member_id in group["members"])
        assert group["min_size"] <= len(group["members"]) <= group["capacity"]


def test_the_same_seed_makes_the_same_bytes_under_any_hash_seed() -> None:
    script = (
        "import hashlib; from matcher.synthetic import generate\n"
        "print(hashlib.sha256(''.join(generate(60, 5).files().values()).encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {hashlib.sha256("".join(generate(60, 5).files().values()).encode()).hexdigest()}
    assert generate(60, 6).members != generate(60, 5).members


def test_members_alone_are_those_of_the_cohort(cohort: Cohort) -> None:
    assert generate_members(2_000, 11) == cohort.members


def test_another_end_moves_everything(programme: Programme) -> None:
    at = datetime(2027, 6, 1, 12, tzinfo=UTC)
    moved = generate(200, 3, at=at)
    assert max(datetime.fromisoformat(record["at"]) for record in moved.feedback) < at
    assert min(datetime.fromisoformat(record["at"]) for record in moved.feedback) > at - timedelta(days=60)
    assert Member.from_dict(moved.members[0], programme).consents[0].at > at - timedelta(days=61)


@pytest.mark.parametrize(
    ("members", "seed", "found"), [(9, 1, "members: found 9"), (1_000_001, 1, "1000001"), (50, -1, "seed: found -1")]
)
def test_what_is_out_of_range_is_refused(members: int, seed: int, found: str) -> None:
    with pytest.raises(SyntheticError, match=found):
        generate(members, seed)


def test_an_end_without_a_zone_is_refused() -> None:
    with pytest.raises(SyntheticError, match="without a time zone"):
        generate(50, 1, at=datetime(2026, 3, 2))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("members", [10, 11, 25])
def test_the_smallest_cohorts_are_whole(members: int, programme: Programme) -> None:
    small = generate(members, 2)
    assert [Member.from_dict(record, programme) for record in small.members]
    assert len(small.members) == members


def test_it_writes_files_that_can_be_read_again(tmp_path: Path) -> None:
    small = generate(60, 5)
    paths = write(small, tmp_path / "cohort")
    assert [path.name for path in paths] == FILES
    assert sorted(path.name for path in (tmp_path / "cohort").iterdir()) == sorted(FILES)
    lines = (tmp_path / "cohort" / "members.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == small.members
    assert Programme.from_toml(tmp_path / "cohort" / "programme.toml").id == "lantern"


def test_it_writes_over_nothing_unless_forced(tmp_path: Path) -> None:
    small = generate(60, 5)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SyntheticError, match="--force"):
        write(small, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    write(small, tmp_path, force=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(SyntheticError, match="found the file"):
        write(small, tmp_path / "notes.txt", force=True)


def test_the_cohort_in_the_repository_is_what_the_command_makes(root: Path) -> None:
    for name, text in generate(300, 7).files().items():
        kept = (root / "data" / "synthetic" / name).read_text(encoding="utf-8")
        assert kept == text, (
            f"{name} is stale: run `peermatch synth --members 300 --seed 7 --out data/synthetic --force`"
        )


def test_the_work_for_a_large_cohort_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bound in {"BLOCK": 40, "CANDIDATES": 60, "MAX_LISTS": 50}.items():
        monkeypatch.setattr(decisions, name, bound)
    large = generate(500, 4)
    shown = Counter(record["seeker"] for record in large.feedback if record["event"] == "shown")
    assert shown.total() == 50 * LIST


def test_a_programme_in_which_nobody_may_be_shown_has_no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.PURPOSES, "be_shown_as_peer", 0.0)
    alone = generate(50, 4)
    assert alone.feedback == alone.truth == alone.groups == []
