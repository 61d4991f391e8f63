"""Peermatch's service: Flask, flask-smorest and marshmallow around the matcher library."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings, *, clock: Callable[[], datetime] | None = None) -> Flask:
    """Make the application; see `service.application`, which is loaded only now: the commands need no Flask."""
    from service.application import create_app as create  # noqa: PLC0415
    from service.state import utc_now  # noqa: PLC0415

    return create(settings, clock=clock or utc_now)
