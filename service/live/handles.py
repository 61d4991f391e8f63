"""Opaque names: of candidates in one seeker's lists, and of the lists themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import date

from matcher.model.signing import derive

BYTES = 16


class Handles:
    """Makes handles with keys derived from the installation's secret."""

    def __init__(self, secret_key: bytes) -> None:
        self._candidates = derive(secret_key, "handles/1")
        self._lists = derive(secret_key, "lists/1")

    def of_candidate(self, programme_id: str, seeker: str, candidate: str, epoch: date) -> str:
        """Name a candidate to one seeker on one day: 128 bits that nobody else's lists share."""
        return _name(self._candidates, [programme_id, seeker, candidate, epoch.isoformat()])

    def of_list(self, programme_id: str, seeker: str, epoch: date, content: Sequence[object]) -> str:
        """Name a list: the same content for the same seeker on the same day has the same name."""
        return _name(self._lists, [programme_id, seeker, epoch.isoformat(), content])


def _name(key: bytes, parts: Sequence[object]) -> str:
    # JSON, because joined text could be cut in two ways.
    message = json.dumps(parts, separators=(",", ":")).encode("ascii")
    return base64.urlsafe_b64encode(hmac.new(key, message, hashlib.sha256).digest()[:BYTES]).rstrip(b"=").decode()
