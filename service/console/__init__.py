"""The coordinator's console: pages made on the server, for people; every one of them works without scripts."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from flask import Flask

from service.access import ENTRIES
from service.console import refusals
from service.console.blueprint import NAME, blueprint
from service.console.entry import EXTENSION, enter
from service.console.sessions import Sessions
from service.settings import Settings

PAGES: Final = ("signing_in", "static_files", "review", "waiting", "members", "loads", "models")
"""The modules that add routes to the console."""

for _page in PAGES:
    import_module(f"service.console.{_page}")


def register(app: Flask, settings: Settings, secret: bytes) -> None:
    """Add the console to an application, unless the settings say that it has none.

    Parameters
    ----------
    secret : bytes
        The installation's secret.
    """
    if not settings.console:
        return
    app.extensions[EXTENSION] = Sessions(secret, settings.run)
    app.config[ENTRIES] = {**app.config.get(ENTRIES, {}), NAME: enter}
    app.register_blueprint(blueprint)
    app.after_request(refusals.tell)
