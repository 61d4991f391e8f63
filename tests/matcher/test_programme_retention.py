"""How long things are kept: what `[retention]` says, its defaults and its bounds."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict

import pytest

from matcher.errors import ProgrammeError
from matcher.programme import Programme
from matcher.programme_retention import Retention
from tests.matcher.lantern import HERE, LANTERN
from tests.matcher.test_programme import MINIMAL

DEFAULTS = {
    "lists_days": 400,
    "feedback_days": 1095,
    "introductions_days": 730,
    "events_days": 90,
    "audit_days": 1095,
    "without_consent_days": 730,
}
LEAST = {
    "lists_days": 31,
    "feedback_days": 15,
    "introductions_days": 183,
    "events_days": 30,
    "audit_days": 90,
    "without_consent_days": 30,
}


def read(*lines: str, more: str = "") -> Retention:
    return Programme.from_text(MINIMAL + more + "[retention]\n" + "\n".join(lines) + "\n", HERE).retention


def refused(*lines: str, more: str = "") -> str:
    with pytest.raises(ProgrammeError) as caught:
        read(*lines, more=more)
    return caught.value.message


def test_defaults() -> None:
    for retention in (LANTERN.retention, read()):
        assert asdict(retention) == DEFAULTS


@pytest.mark.parametrize("key", DEFAULTS)
def test_each_can_be_told(key: str) -> None:
    for days in (LEAST[key], 500, 100_000):
        assert asdict(read(f"{key} = {days}")) == {**DEFAULTS, key: days}
    assert asdict(read(f'{key} = "unlimited"')) == {**DEFAULTS, key: None}


@pytest.mark.parametrize("key", DEFAULTS)
@pytest.mark.parametrize("value", [-1, 0, "least", 100_001, "true", "1.5", '"never"', "[]"])
def test_what_is_refused(key: str, value: object) -> None:
    message = refused(f"{key} = {LEAST[key] - 1 if value == 'least' else value}")
    assert message.startswith(f"programme.toml, line 13, [retention] {key}: found ")
    assert f"; expected a whole number from {LEAST[key]} to 100000" in message


@pytest.mark.parametrize(("value", "expected"), [('""', "text that is not empty"), ("nan", "a finite number")])
def test_what_no_key_takes(value: str, expected: str) -> None:
    assert refused(f"lists_days = {value}").endswith(f"; expected {expected}")


def test_the_word_is_named() -> None:
    assert refused('audit_days = "never"').endswith('expected a whole number from 90 to 100000, or "unlimited"')


def test_an_unknown_key_with_the_nearest() -> None:
    assert "unknown key; expected one of lists_days, feedback_days" in refused("list_days = 50")
    assert "did you mean 'lists_days'?" in refused("list_days = 50")


def test_feedback_is_kept_for_longer_than_an_answer_may_take() -> None:
    slow = "[model]\ncensor_days = 2000\n"
    assert read(more=slow).feedback_days == 2001
    assert read("feedback_days = 2001", more=slow).feedback_days == 2001
    assert "feedback_days: found 2000; expected a whole number from 2001" in refused("feedback_days = 2000", more=slow)


@pytest.mark.parametrize("key", ["cool_down_days", "after_loss_days", "again_days"])
def test_introductions_are_kept_for_longer_than_anybody_rests_by_them(key: str) -> None:
    for days, least, default in ((100, 183, 730), (400, 401, 730), (900, 901, 901)):
        slow = f"[introductions]\n{key} = {days}\n"
        assert read(more=slow).introductions_days == default
        assert read(f"introductions_days = {least}", more=slow).introductions_days == least
        message = refused(f"introductions_days = {least - 1}", more=slow)
        assert f"introductions_days: found {least - 1}; expected a whole number from {least}" in message


def test_it_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        LANTERN.retention.lists_days = None  # type: ignore[misc]


def test_it_is_part_of_what_a_programme_says() -> None:
    one, other = (Programme.from_text(f"{MINIMAL}[retention]\naudit_days = {days}\n", HERE) for days in (90, 91))
    assert one.digest != other.digest
