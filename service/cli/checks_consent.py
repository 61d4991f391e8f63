"""The check of ``peermatch doctor`` that the consent log, the records and the live rows say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from matcher.programme import Programme
from service.cli.check import FAIL, OK, Check
from service.store import Store, consent_check


def consents(store: Store, programme: Programme, now: datetime) -> Iterator[Check]:
    """Read every history of a programme anew from its log."""
    name = f"consents of {programme.id}"
    with store.reading() as session:
        wrong = consent_check.verify(session, programme, now)
    if wrong:
        said = f"of {len(wrong):,} members the log tells another history than the record, or was changed"
        yield Check(name, FAIL, said, "stop the service and restore the database from a backup")
    else:
        yield Check(name, OK, "the log, the records and what is shown say the same")
