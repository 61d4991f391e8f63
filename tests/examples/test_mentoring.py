"""Two files of a mentoring programme: both roles, grades ahead, and a mentor of the same identity for who asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from matcher.facade import Matcher
from matcher.people import Member
from matcher.programme import Programme
from service.intake.mapping_file import read_mapping
from service.intake.members import read_members
from tests.examples.conftest import NOW, Example

EXAMPLE = "mentoring"
FILES = ("mentor-match/mentors.csv", "mentor-match/mentees.csv")
HEADER = (
    "first name,last name,email address,both mentor and mentee,job title,grade,organisation,profession,"
    "match with similar identity,identity to match,biography\n"
)


def test_programme_and_mappings_fit_each_other(example: Example) -> None:
    programme = Programme.from_toml(example.folder / "programme.toml")
    for name in ("mentors.toml", "mentees.toml"):
        read_mapping(example.folder / name, programme, NOW)


@pytest.mark.parametrize(
    ("both", "similar", "identity", "roles", "prefer"),
    [
        ("no", "no", "Gay", {"seeker"}, None),
        ("yes", "no", "", {"seeker", "supporter"}, None),
        ("yes", "yes", "Non-binary", {"seeker", "supporter"}, ("non_binary",)),
        ("no", "yes", "", {"seeker"}, None),
    ],
)
def test_roles_and_wants_depend_on_what_was_ticked(
    example: Example,
    tmp_path: Path,
    both: str,
    similar: str,
    identity: str,
    roles: set[str],
    prefer: tuple[str, ...] | None,
) -> None:
    programme = Programme.from_toml(example.folder / "programme.toml")
    path = tmp_path / "mentees.csv"
    row = f"mentee,007,mentee.007@gov.uk,{both},Some role,AO,Department of Joy,HR,{similar},{identity},Text\n"
    path.write_text(HEADER + row, encoding="utf-8")
    member = read_members(path, programme, example.folder / "mentees.toml", NOW).members["mentee-007"]
    assert member.roles == roles
    assert member.wants["organisation"].avoid == ("Department of Joy",)
    identity_want = member.wants.get("identity")
    assert (identity_want.prefer if identity_want else None) == prefer
    assert identity_want is None or identity_want.importance == 3


def test_the_readme_runs_and_everybody_gets_a_fitting_mentor(
    example: Example, shared_data: Callable[[str], Path]
) -> None:
    for file in FILES:
        shared_data(file)
    init, mentors, mentees, match = example.commands()
    example.run(init)
    assert example.json(mentors) == {"accepted": 500, "refused": [], "warnings": []}
    document = example.json(mentees)
    assert (document["accepted"], document["refused"]) == (500, [])
    assert [warning.partition(",")[0] for warning in document["warnings"]] == [
        "wants.identity: 41 × asked for without a value to prefer"
    ]
    assert example.json(match)["outcome"] == "matched"
    programme, members = example.stored()
    roles = Counter(tuple(sorted(member.roles)) for member in members.values())
    assert roles == {("seeker",): 258, ("supporter",): 242, ("seeker", "supporter"): 500}
    assert not any("@" in member_id for member_id in members)
    check_lists(programme, members)


def check_lists(programme: Programme, members: dict[str, Member]) -> None:
    matcher = Matcher(programme).fit(members.values(), at=NOW)
    grades = list(programme.facets["grade"].values)  # type: ignore[attr-defined]
    outcomes: Counter[str] = Counter()
    for seeker in members.values():
        if "seeker" not in seeker.roles:
            continue
        shortlist = matcher.match(seeker.member_id)
        outcomes[shortlist.reason or shortlist.outcome] += 1
        own = grades.index(str(seeker.profile["grade"]))
        for entry in shortlist:
            mentor = members[entry.member_id]
            assert "supporter" in mentor.roles
            assert grades.index(str(mentor.profile["grade"])) >= min(own + 1, len(grades) - 1)
            assert mentor.profile["organisation"] != seeker.profile["organisation"]
            if "identity" in seeker.wants:
                assert set(seeker.wants["identity"].prefer or ()) & set(mentor.profile["identity"])  # type: ignore[call-overload]
            assert all(reason.facet == "profession" for reason in entry.reasons)
    assert outcomes.total() == 758
    assert outcomes["matched"] >= 0.98 * outcomes.total()
