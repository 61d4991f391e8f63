"""The check of ``peermatch doctor`` that introductions, who is kept apart by them, and places say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from matcher.programme import Programme
from service.cli.check import FAIL, OK, Check
from service.store import Store, introduction_check

SAID: Final = {
    "unreadable": "{} cannot be read",
    "columns": "of {} the history says something else than what they are looked up by",
    "pairs": "{} pairs are not kept apart as their introductions say",
    "places": "of {} members the free places are not their capacity less what is taken",
}


def introductions(store: Store, programme: Programme) -> Iterator[Check]:
    """Read every introduction of a programme anew from its history."""
    name = f"introductions of {programme.id}"
    with store.reading() as session:
        found = introduction_check.verify(session, programme)
    if found.wrong:
        said = "; ".join(SAID[kind].format(f"{count:,}") for kind, count in found.wrong.items())
        yield Check(name, FAIL, said, "stop the service and restore the database and data.keys from a backup")
    else:
        yield Check(name, OK, f"{found.introductions:,}; who is kept apart, and the places, follow from them")
