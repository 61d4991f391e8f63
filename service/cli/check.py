"""What a check of ``peermatch doctor`` found."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Check:
    """What was found."""

    name: str
    status: str
    """``ok``, ``warn`` or ``fail``."""
    message: str
    way_out: str = ""
    """What to do; empty where there is nothing."""
