"""How introductions go and who waits first: what `[introductions]` and `[waiting]` say, their defaults and bounds."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict

import pytest

from matcher.errors import ProgrammeError
from matcher.programme import Programme
from tests.matcher.lantern import HERE, LANTERN
from tests.matcher.test_programme import MINIMAL

DEFAULTS = {
    "offer_days": 7,
    "review_days": 14,
    "open_at_once": 1,
    "per_week": 2,
    "cool_down_days": 7,
    "after_loss_days": 90,
    "again_days": 30,
}
BOUNDS = {
    "offer_days": (1, 90),
    "review_days": (1, 365),
    "open_at_once": (1, 20),
    "per_week": (1, 100_000),
    "cool_down_days": (0, 3650),
    "after_loss_days": (0, 3650),
    "again_days": (0, 3650),
}
AT_HOME = 'order = "support_at_home"'


def read(*lines: str, section: str = "introductions") -> Programme:
    return Programme.from_text(MINIMAL + f"[{section}]\n" + "\n".join(lines) + "\n", HERE)


def refused(*lines: str, section: str = "introductions") -> str:
    with pytest.raises(ProgrammeError) as caught:
        read(*lines, section=section)
    return caught.value.message


class TestIntroductions:
    def test_defaults(self):
        for programme in (LANTERN, read()):
            assert asdict(programme.introductions) == DEFAULTS

    @pytest.mark.parametrize("key", DEFAULTS)
    def test_each_can_be_told(self, key):
        for value in (*BOUNDS[key], sum(BOUNDS[key]) // 2):
            assert asdict(read(f"{key} = {value}").introductions) == {**DEFAULTS, key: value}

    @pytest.mark.parametrize("key", DEFAULTS)
    @pytest.mark.parametrize("value", [-1, "below", "above", "true", "1.5", '"never"', "[]", 2**70])
    def test_what_is_refused(self, key, value):
        least, most = BOUNDS[key]
        value = {"below": least - 1, "above": most + 1}.get(value, value)
        message = refused(f"{key} = {value}")
        assert message.startswith(f"programme.toml, line 13, [introductions] {key}: found ")
        expected = f"expected a whole number from {least} to {most:g}"
        assert expected in message or "64 bits" in message

    def test_any_number_of_offers_a_week(self):
        assert read('per_week = "unlimited"').introductions.per_week is None
        assert 'or "unlimited"' in refused('per_week = "many"')

    def test_an_unknown_key_with_the_nearest(self):
        message = refused("offers_days = 7")
        assert "unknown key; expected one of offer_days, review_days, open_at_once" in message
        assert message.endswith("did you mean 'offer_days'?")


class TestWaiting:
    def test_the_longest_wait_by_default(self):
        for programme in (LANTERN, read(section="waiting"), read('order = "longest_wait"', section="waiting")):
            assert asdict(programme.waiting) == {"order": "longest_wait", "facet": None, "values": ()}

    def test_without_support_at_home(self):
        waiting = read(AT_HOME, 'facet = "colour"', 'values = ["blue", "red"]', section="waiting").waiting
        assert asdict(waiting) == {"order": "support_at_home", "facet": "colour", "values": ("blue", "red")}

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            (['order = "support_home"'], "order: found 'support_home'; expected one of 'longest_wait', 'support"),
            ([AT_HOME], "facet: found nothing; expected a facet of the kind choice: 'colour'"),
            (
                [AT_HOME, 'facet = "color"'],
                "facet: found 'color'; expected a facet of the kind choice: 'colour'; did you mean 'colour'?",
            ),
            ([AT_HOME, 'facet = ["colour"]'], "facet: found ['colour']; expected text that is not empty"),
            ([AT_HOME, 'facet = "colour"'], "values: found nothing; expected a list of distinct, non-empty texts"),
            ([AT_HOME, 'facet = "colour"', "values = []"], "values: found []; expected a list of distinct"),
            ([AT_HOME, 'facet = "colour"', 'values = ["red", "red"]'], "values: found 'red'; expected a list of"),
            (
                [AT_HOME, 'facet = "colour"', 'values = ["red", "bleu"]'],
                "values: found 'bleu'; expected one of the values of colour: 'red', 'blue'; did you mean 'blue'?",
            ),
            (
                ['facet = "colour"'],
                "facet: found 'colour'; expected nothing: it is read with order = \"support_at_home\" alone",
            ),
            (['order = "longest_wait"', 'values = ["red"]'], "values: found ['red']; expected nothing: it is read"),
        ],
    )
    def test_what_is_refused(self, lines, message):
        assert refused(*lines, section="waiting").startswith(f"programme.toml, line 13, [waiting] {message}")

    def test_an_unknown_key(self):
        assert "availability: unknown key; expected one of order" in refused("availability = 1", section="waiting")

    def test_a_facet_of_another_kind_and_a_programme_without_any(self):
        text = MINIMAL.replace('"choice"', '"tags"') + f'[waiting]\n{AT_HOME}\nfacet = "colour"\nvalues = ["red"]\n'
        with pytest.raises(ProgrammeError, match="expected a facet of the kind choice: the programme has none"):
            Programme.from_text(text, HERE)


def test_they_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        LANTERN.introductions.offer_days = 9  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        LANTERN.waiting.order = "support_at_home"  # type: ignore[misc]


def test_they_are_part_of_what_a_programme_says() -> None:
    assert read("offer_days = 8") != read("offer_days = 9")
    assert Programme.from_text(MINIMAL, HERE) != read('order = "longest_wait"', section="waiting")


def test_without_the_tables_the_digest_is_that_of_before_there_were_any() -> None:
    """Computed with the version before, of the same text."""
    assert (
        Programme.from_text(MINIMAL, HERE).digest == "12a632664634ffc5c1c20afce21bf28f5a3950773453e8cbe4860e38d0323dc3"
    )
