"""The check of the audit log: that it is as it was written, and that its second place says so too."""

from __future__ import annotations

from collections.abc import Iterator

from service.cli.check import FAIL, OK, WARN, Check
from service.store import Store
from service.store.audit_chain import verify
from service.store.audit_checkpoint import agreement

RESTORE = (
    "stop the service and keep a copy of the database and of audit.heads for whoever looks into it; then restore the "
    "last backup whose log is whole (`peermatch restore`)"
)
PUT_BACK = (
    "put audit.heads back from where it is kept. Where there is no other, keep this one apart: the next "
    "`peermatch refresh` begins another, and the log says so"
)


def log(store: Store, programme_id: str) -> Iterator[Check]:
    """Look at every entry of a programme's log, and compare where it ended with what was signed of that."""
    name = f"audit log of {programme_id}"
    with store.reading() as session:
        found = verify(session, programme_id)
    if found.broken is not None:
        said = f"entry {found.broken} was changed, added or taken out; the {found.count:,} before it are whole"
        yield Check(name, FAIL, said, RESTORE)
        return
    places = agreement(store, programme_id)
    said = f"{found.count:,} entries, whole"
    if places.problem:
        yield Check(name, FAIL, f"{said}; but {places.problem}", RESTORE if places.cut is not None else PUT_BACK)
    elif places.begun_anew is not None:
        said += f"; audit.heads was begun anew by entry {places.begun_anew}: what it said before is not compared"
        yield Check(name, WARN, said, "if nobody of yours put it aside, look into it")
    elif found.count and not places.lines:
        said += "; nothing in audit.heads says where it ends"
        yield Check(name, WARN, said, "`peermatch refresh`, which a timer should run every day, signs where it ends")
    else:
        yield Check(name, OK, f"{said}; {places.lines:,} signed heads agree")
