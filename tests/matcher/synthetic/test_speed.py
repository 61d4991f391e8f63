"""The speed benchmark at a size that says nothing about speed: it runs, and compares like with like."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import common, speed
from benchmarks.pandas_gates import PandasGates
from matcher.consent import consented
from matcher.facade import Matcher
from matcher.facets.week import monday_from
from matcher.people import Member
from matcher.programme import Programme
from matcher.synthetic import generate_members
from matcher.synthetic.cohort import moment


def test_it_writes_every_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "OUT", tmp_path)
    monkeypatch.setattr(speed, "REPEATS", 1)
    said: list[str] = []
    speed.main([600], say=said.append)
    written = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    figures = written["600"]
    wanted = {"match_p50_ms", "match_p95_ms", "baseline_p50_ms", "times_faster", "encode_s", "bytes_a_member"}
    assert wanted <= set(figures)
    assert 0 < figures["eligible_share_of_members"] < 1
    assert figures["bytes_a_member"] > 0
    assert any("Matcher.match" in line for line in said)


def test_a_baseline_with_other_rules_is_no_comparison(monkeypatch: pytest.MonkeyPatch, programme: Programme) -> None:
    monkeypatch.setattr(speed, "REPEATS", 1)
    monkeypatch.setattr(PandasGates, "allowed", lambda self, seeker: np.zeros(len(self.members), dtype=bool))
    with pytest.raises(SystemExit, match="pandas_gates"):
        speed.measure(600, programme, say=lambda line: None)


def test_pandas_leaves_the_same_people(programme: Programme) -> None:
    members = [Member.from_dict(record, programme) for record in generate_members(700, 9)]
    matcher = Matcher(programme).fit(members, at=moment())
    profiles = [consented(member, programme, moment()) for member in members]
    tables = PandasGates(programme, profiles, monday_from(moment().date()))
    for profile in profiles:
        if profile.seeking is not None and "seeker" in profile.roles:
            assert matcher.match(profile.member_id).eligible == tables.allowed(profile).sum()
