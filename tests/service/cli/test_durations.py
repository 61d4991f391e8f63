from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.cli.durations import length, moment

NOW = datetime(2026, 3, 4, 12, 30, 15, 999_999, UTC)
SECOND = NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0s", timedelta()),
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(days=1)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(days=14)),
        ("999999w", timedelta(weeks=999_999)),
    ],
)
def test_lengths(text: str, found: timedelta) -> None:
    assert length(text) == found


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5h", "1 d", "1d ", "1D", "1d2h", "1234567d", "١d", "1y"])
def test_what_is_no_length(text: str) -> None:
    assert length(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("90d", SECOND + timedelta(days=90)),
        ("1s", SECOND + timedelta(seconds=1)),
        ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31T10:00:00Z", datetime(2026, 12, 31, 10, tzinfo=UTC)),
        ("2026-12-31T10:00:00.9+02:00", datetime(2026, 12, 31, 8, tzinfo=UTC)),
    ],
)
def test_moments(text: str, found: datetime) -> None:
    assert moment(text, NOW) == found


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "2026-12-31T10:00:00", "20261231", "999999w", "2026-W01-1", "31.12.2026"]
)
def test_what_is_no_moment(text: str) -> None:
    assert moment(text, NOW) is None
