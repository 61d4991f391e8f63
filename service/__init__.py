"""Peermatch's service: Flask, flask-smorest and marshmallow around the matcher library."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings, *, clock: Callable[[], datetime] | None = None, elsewhere: bool = False) -> Flask:
    """Make the application; see `service.application`, which is loaded only now: the commands need no Flask.

    `elsewhere` has pools built by other processes, as a server wants it, and not in the requests themselves.
    """
    from service.application import create_app as create  # noqa: PLC0415
    from service.live.pool_cache import Inline  # noqa: PLC0415
    from service.live.refresher import Elsewhere  # noqa: PLC0415
    from service.state import utc_now  # noqa: PLC0415

    return create(settings, clock=clock or utc_now, refresher=Elsewhere if elsewhere else Inline)
