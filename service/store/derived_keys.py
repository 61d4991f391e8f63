"""Keys for what is told of people without naming them, derived from the installation's secret when needed."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cached_property
from typing import Final

from sqlalchemy.orm import Session

from matcher.model.signing import derive

DERIVED: Final = "peermatch_derived"
"""Where a session has them."""


class DerivedKeys:
    """Made with what reads the secret, so that opening a database needs no secret yet.

    Rotating the data keys changes none of them: entries and erasures of years ago are still recognised.
    """

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret

    @cached_property
    def chain(self) -> bytes:
        """Of the audit log's chain."""
        return derive(self._secret(), "audit-chain/1")

    @cached_property
    def _subjects(self) -> bytes:
        return derive(self._secret(), "audit-subjects/1")

    @cached_property
    def _erasures(self) -> bytes:
        return derive(self._secret(), "erasures/1")

    def subject(self, programme_id: str, member_id: str) -> str:
        """Return what stands for a member in the audit log: 128 bits in hex."""
        return _keyed(self._subjects, programme_id, member_id)[:32]

    def erasure(self, programme_id: str, member_id: str) -> str:
        """Return what stands for a member who was erased: 256 bits in hex."""
        return _keyed(self._erasures, programme_id, member_id)


def derived(session: Session) -> DerivedKeys:
    """Return the derived keys of a session."""
    keys: DerivedKeys = session.info[DERIVED]
    return keys


def _keyed(key: bytes, programme_id: str, member_id: str) -> str:
    return hmac.digest(key, f"{programme_id}\x00{member_id}".encode(), "sha256").hex()
