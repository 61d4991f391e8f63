"""The groups of a cohort are records that `Group` reads, and groups that seekers of the cohort are shown."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from matcher.errors import SeekerError
from matcher.facade import Matcher
from matcher.people import Member
from matcher.programme import Programme
from matcher.support_group import Group
from matcher.synthetic import AT, Cohort


def test_every_group_of_a_cohort_is_read_and_shown_to_somebody(cohort: Cohort, programme: Programme) -> None:
    groups = [Group.from_dict(record, programme) for record in cohort.groups]
    assert [group.warnings for group in groups] == [()] * len(groups)
    members = [Member.from_dict(record, programme) for record in cohort.members]
    matcher = Matcher(programme).fit(members, at=datetime.fromisoformat(AT))
    shown: Counter[str] = Counter()
    for member in members:
        try:
            found = matcher.rank_groups(member, groups, 10)
        except SeekerError:
            continue
        shown.update(entry.group_id for entry in found)
    assert set(shown) == {group.group_id for group in groups}
