"""What commands that run every day do at their end: say in the second place where the audit log ends."""

from __future__ import annotations

from datetime import datetime

from matcher.errors import PeermatchError
from service.cli import output
from service.store import Store
from service.store.audit_checkpoint import checkpoint


def sign(store: Store, programme_id: str, now: datetime) -> None:
    """Sign where a programme's audit log ends; where that fails say so on stderr: what the command did stands."""
    try:
        checkpoint(store, programme_id, now)
    except PeermatchError as error:
        output.note(error.message)
    except OSError as error:
        output.note(f"{store.heads.path}: {error.strerror}; make room, and run `peermatch refresh`")
