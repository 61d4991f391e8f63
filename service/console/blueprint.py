"""The console's part of the application, to which each of its pages adds its routes."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

NAME: Final = "console"
PREFIX: Final = "/console"

blueprint = Blueprint(NAME, __name__, url_prefix=PREFIX)


def is_here(path: str) -> bool:
    """Whether an address belongs to the console, whether there is anything or not."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
