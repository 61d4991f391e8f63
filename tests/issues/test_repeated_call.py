"""Two identical calls differed because low scores were random (peer-learning 787): a repeat has the same bytes."""

from __future__ import annotations

import json

from tests.properties import pairs
from tests.properties.library import plain
from tests.properties.pairs import person


def test_a_repeat_has_the_same_bytes_also_where_nothing_is_alike() -> None:
    unlike = {"hobbies": ["chess"], "gender": "man", "needs": ["fatigue"], "experiences": ["fatigue"]}
    seeker = person("a", profile={**unlike, "journey": "new", "boundaries": []})
    supporters = [person(f"b{number}", profile={"boundaries": []}) for number in range(12)]
    matcher = pairs.fitted(pairs.programme(), [seeker, *supporters])
    first = json.dumps(plain(matcher.match("a", 10)))
    assert json.loads(first)["outcome"] == "matched"
    assert [json.dumps(plain(matcher.match("a", 10))) for _ in range(5)] == [first] * 5
