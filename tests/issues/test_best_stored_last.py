"""The first page was cut before scoring (thryve): of 30 candidates the best, stored last, is rank 1."""

from __future__ import annotations

from tests.properties import pairs
from tests.properties.pairs import ids, person


def test_the_best_of_thirty_is_first_wherever_it_is_stored() -> None:
    seeker = person("a", profile={"journey": "new", "needs": ["surgery"]})
    plain = {"hobbies": ["chess"], "experiences": ["driving"], "boundaries": []}
    others = [person(f"b{number:02}", profile=plain) for number in range(29)]
    best = person("z", profile={"experiences": ["lumpectomy"]})
    for records in ([seeker, *others, best], [best, seeker, *others], [*others[:15], best, *others[15:], seeker]):
        for limit in (1, 5):
            assert ids(pairs.fitted(pairs.programme(), records), "a", limit)[0] == "z"
