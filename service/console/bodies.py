"""What servers ask of the console before they read a body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from service.console import entry
from service.console.blueprint import is_here
from service.console.cookies import token_in


def session_of(app: Flask) -> Callable[[Mapping[str, Any]], str | None] | None:
    """Return what tells the token of a form, see `service.gate.Gate`; None where an application has no console."""
    return _session_of if entry.EXTENSION in app.extensions else None


def _session_of(environ: Mapping[str, Any]) -> str | None:
    if environ.get("REQUEST_METHOD") != "POST" or not is_here(environ.get("PATH_INFO", "")):
        return None
    return token_in(environ) or ""
