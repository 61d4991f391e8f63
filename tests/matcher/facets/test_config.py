"""What each kind refuses in a programme file, and that the message names key, found and expected."""

from __future__ import annotations

import pytest

from matcher.errors import ProgrammeError
from tests.matcher.lantern import programme

CHANNEL = 'values = ["phone", "video", "text", "in_person"]'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight = 3.0", 'weight = "heavy"', "[facets.conditions] weight: found 'heavy'; expected a number"),
        ("weight = 3.0", "weight = -1", "[facets.conditions] weight: found -1; expected a number"),
        ("weight = 3.0", "wieght = 3.0", "did you mean 'weight'?"),
        (
            "importance = 0",
            "importance = 4",
            "[facets.gender] importance: found 4; expected a whole number from 0 to 3",
        ),
        ("show = true", "show = 1", "[facets.conditions] show: found 1; expected true or false"),
        (CHANNEL, "values = []", "[facets.channel] values: found []"),
        (
            "min_shared = 1",
            "min_shared = 5",
            "[facets.channel] min_shared: found 5; expected a whole number from 0 to 4",
        ),
        ('direction = "ahead"', 'direction = "forward"', "expected one of 'same', 'ahead', 'more'"),
        ('direction = "ahead"', 'direction = "same"', "[facets.journey] by: found 1"),
        ("by = 1", "by = 4", "[facets.journey] by: found 4; expected a whole number from 1 to 3"),
        ('pairing = "mentor"', 'pairing = "mutual"', "[facets.journey] direction: found 'ahead'"),
        ('guard = "not_both_highest"', 'guard = "none"', "expected one of 'not_both_highest'"),
        ('levels = ["low", "moderate", "high"]', 'levels = ["low"]', "[facets.severity] levels"),
        ('source = "age_band"', 'source = "birthday"', "[facets.age] source: found 'birthday'"),
        ('source = "age_band"', 'source = "age_band"\nlevels = ["a", "b"]', "[facets.age] levels: found ['a', 'b']"),
        ("min_overlap_minutes = 60", "min_overlap_minutes = 5", "[facets.availability] min_overlap_minutes: found 5"),
        ('against = "experiences"', 'against = "experiences"\nexcludes = "needs"', "either against or excludes"),
        ('excludes = "needs"', 'excludes = "needs"\nweight = 1.0', "a boundary is a gate, never a score"),
        ('kind = "languages"', 'kind = "languages"\nweight = 1.0', "[facets.languages] weight: unknown key"),
        ('show = "after_offer"', 'show = "always"', "[facets.statement] show: found 'always'"),
    ],
)
def test_refused(old, new, message):
    with pytest.raises(ProgrammeError) as caught:
        programme((old, new))
    assert message in caught.value.message
    assert caught.value.message.startswith("programme.toml, line ")


def test_ages_need_two_bands_to_be_a_facet():
    bands = '["13-15", "16-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+"]'
    with pytest.raises(ProgrammeError, match="at least two"):
        programme((bands, '["18+"]'), ('minors = ["13-15", "16-17"]', "minors = []"))
