"""What a command creates can be read by its user only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def private_files() -> Iterator[None]:
    """Let nobody else read what is created meanwhile: it is personal data."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
