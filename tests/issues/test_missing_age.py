"""A missing age passed an "18+" filter (thryve): unknown never satisfies a rule."""

from __future__ import annotations

import pytest

from tests.properties import pairs
from tests.properties.pairs import ids, person


@pytest.mark.parametrize("policy", ["refuse", "separate"])
def test_unknown_age_is_never_matched(policy: str) -> None:
    programme = pairs.programme(ages={"minors_policy": policy})
    seeker, other = person("a", profile={"journey": "new"}), person("b")
    assert ids(pairs.fitted(programme, [seeker, other]), "a") == ["b"]
    for records in ([{**seeker, "age_band": None}, other], [seeker, {**other, "age_band": None}]):
        dropped = [{key: value for key, value in record.items() if value is not None} for record in records]
        matcher = pairs.fitted(programme, dropped)
        assert ids(matcher, "a") == []
        assert dict(matcher.match("a").excluded) == {"age": 1}
