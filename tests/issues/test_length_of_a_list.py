"""Five asked, seven returned with an exclusion (implicit 736): a list has min(limit, eligible) entries, always."""

from __future__ import annotations

import pytest

from tests.properties import pairs
from tests.properties.pairs import person


@pytest.mark.parametrize("limit", range(1, 11))
@pytest.mark.parametrize("gone", [0, 1, 4, 7, 8])
def test_every_limit_and_every_number_of_exclusions(limit: int, gone: int) -> None:
    supporters = [person(f"b{number}", vetted=number >= gone) for number in range(8)]
    matcher = pairs.fitted(pairs.programme(), [person("a", profile={"journey": "new"}), *supporters])
    found = matcher.match("a", limit)
    assert found.eligible == 8 - gone
    assert len(list(found)) == min(limit, 8 - gone)
    assert dict(found.excluded) == ({"vetted": gone} if gone else {})
    assert len({entry.member_id for entry in found}) == len(list(found))
