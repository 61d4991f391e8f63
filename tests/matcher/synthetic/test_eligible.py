"""The generator knows the rules by itself; the matcher's gates must leave the same people."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from matcher.consent import consented
from matcher.facade import Matcher
from matcher.matching import gates
from matcher.matching.seeker import Seeker
from matcher.people import Member
from matcher.programme import Programme
from matcher.synthetic import Cohort, eligible, generate_members
from matcher.synthetic.cohort import _people
from matcher.synthetic.decisions import member_id
from matcher.synthetic.views import Side


@pytest.mark.parametrize(
    ("seed", "at"),
    [
        (1, datetime(2026, 3, 2, 9, tzinfo=UTC)),
        (2, datetime(2026, 3, 25, 23, 30, tzinfo=UTC)),  # compares the week after Europe's clocks went forward
    ],
)
def test_the_same_people_are_left(programme: Programme, seed: int, at: datetime) -> None:
    members = [Member.from_dict(record, programme) for record in generate_members(400, seed, at=at)]
    matcher = Matcher(programme).fit(members, at=at)
    people, _ = _people(400, seed)
    seekers, candidates = eligible.seekers(people), eligible.candidates(people)
    allowed = eligible.eligible(Side(people, seekers, "match_serve"), Side(people, candidates, "be_shown_as_peer"), at)
    assert allowed.any(axis=1).mean() > 0.8
    for row, seeker in enumerate(seekers):
        whom = Seeker.of(consented(members[seeker], programme, at), matcher.pool_)
        left = np.flatnonzero(gates.apply(matcher.pool_, whom).alive)
        assert {matcher.pool_.ids[i] for i in left} == {member_id(int(c)) for c in candidates[allowed[row]]}


def test_no_gate_excludes_a_pair_whose_truth_is_told(cohort: Cohort, programme: Programme) -> None:
    matcher = Matcher(programme).fit([Member.from_dict(record, programme) for record in cohort.members], at=cohort.at)
    for record in cohort.truth[::40]:
        assert matcher.score(record["seeker"], record["candidate"]).gate is None
