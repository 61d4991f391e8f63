"""The application for a WSGI server: ``granian --interface wsgi service.wsgi:app``, ``gunicorn service.wsgi:app``.

It is made when it is first asked for, from the environment, so that importing this module needs nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from service import create_app, logs
from service.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

    app: Flask


def __getattr__(name: str) -> Flask:
    """Make `app` on first use (PEP 562)."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    logs.configure()
    globals()["app"] = create_app(Settings.from_environment(os.environ))
    return globals()["app"]  # type: ignore[no-any-return]
