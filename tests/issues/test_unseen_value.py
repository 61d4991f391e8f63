"""A vector of unseen values scored 0 or NaN and poisoned the order (scikit-learn 15256): it matches itself."""

from __future__ import annotations

import math

from matcher.facade import Matcher
from matcher.matching.pool import Circumstances
from matcher.people import Member
from tests.properties import pairs
from tests.properties.pairs import person

UNHEARD = ["something_new"]


def test_two_who_share_what_the_model_never_saw_still_match_on_it() -> None:
    programme = pairs.programme()
    taught = [Member.from_dict(person(f"old{number}"), programme) for number in range(9)]
    model = Matcher(programme).fit(taught, at=pairs.AT).model_
    records = [
        person("a", profile={"journey": "new", "experiences": UNHEARD, "needs": []}),
        person("z", profile={"experiences": UNHEARD}),
    ]
    records += [person(f"b{number}", profile={"experiences": ["fatigue"], "boundaries": []}) for number in range(3)]
    members = [Member.from_dict(record, programme) for record in records]
    matcher = Matcher.from_model(programme, model, members, at=pairs.AT, circumstances=Circumstances())
    found = list(matcher.match("a"))
    assert found[0].member_id == "z"
    assert found[0].score > found[1].score
    assert all(math.isfinite(entry.score) for entry in found)
    assert matcher.score("a", "z").contributions["forward"]["experiences"] > 0


def test_a_code_that_the_vocabulary_lacks_is_kept_and_told() -> None:
    member = Member.from_dict(person("a", profile={"experiences": UNHEARD}), pairs.programme())
    assert any("something_new" in warning for warning in member.warnings)
