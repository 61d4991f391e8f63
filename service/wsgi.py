"""The application for any WSGI server: ``gunicorn -c deploy/gunicorn.conf.py service.wsgi:app``.

It is made when it is first asked for, from the environment, so that importing this module needs nothing.
`peermatch serve` does not come this way: `service.granian_runner` can do more.
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
    from service.gated import Gated  # noqa: PLC0415

    made = make()
    made.wsgi_app = Gated(made)  # type: ignore[method-assign]
    globals()["app"] = made
    return made


def make() -> Flask:
    """Make the application of a worker: it logs to standard error, and counts where its server says."""
    from service import metrics  # noqa: PLC0415

    logs.configure()
    metrics.worker()
    return create_app(Settings.from_environment(os.environ), elsewhere=True)
