"""The check of erasures: that nobody who was erased is back, and that the file says what the database does."""

from __future__ import annotations

from collections.abc import Iterator

from service.cli.check import FAIL, OK, WARN, Check
from service.settings import Settings
from service.store import Store, erasure, programmes
from service.store.erasure_ledger import NAME, Ledger

NAME_OF_CHECK = "erasures"
AGAIN = "run `peermatch migrate`: it erases them again, and lets the database know of all that the file tells"
WRITE = f"`peermatch retention`, which a timer should run every day, writes {NAME}; keep a copy of it elsewhere"


def erasures(where: Settings, store: Store) -> Iterator[Check]:
    """Compare the file of erasures with the database, and both with who is stored."""
    ledger = Ledger.of(where).read()
    with store.reading() as session:
        known = set(erasure.entries(session))
        told = known.union(ledger.entries)
        back = sum(erasure.revived(session, one, told) for one in programmes.identifiers(session))
    newest = {(one.programme, one.digest): one.erased_at for one in sorted(known, key=lambda one: one.erased_at)}
    unknown = sum(newest.get((one.programme, one.digest), -1) < one.erased_at for one in ledger.entries)
    missing = len(known.difference(ledger.entries))
    if back:
        said = f"{back:,} who were erased are stored again: an old copy of the database was put in its place"
        yield Check(NAME_OF_CHECK, FAIL, said, AGAIN)
    elif unknown:
        yield Check(NAME_OF_CHECK, WARN, f"{NAME} tells of {unknown:,} that the database does not know of", AGAIN)
    elif ledger.damaged:
        said = f"{ledger.damaged:,} lines of {NAME} are not as this installation wrote them, and tell nothing"
        yield Check(NAME_OF_CHECK, WARN, said, "put back a copy of the file from where it is kept")
    elif missing:
        yield Check(NAME_OF_CHECK, WARN, f"{NAME} lacks {missing:,} of {len(known):,}", WRITE)
    else:
        said = f"{len(known):,}, all in {NAME}, and nobody of them is back" if known else "nobody was ever erased"
        yield Check(NAME_OF_CHECK, OK, said)
