from __future__ import annotations

import re
from datetime import date

from service.live.handles import Handles

DAY = date(2026, 3, 4)


def test_a_handle_depends_on_every_part_and_the_secret() -> None:
    handles = Handles(b"1" * 32)
    base = handles.of_candidate("p", "s", "c", DAY)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", base)
    assert base == Handles(b"1" * 32).of_candidate("p", "s", "c", DAY)
    others = {
        handles.of_candidate("q", "s", "c", DAY),
        handles.of_candidate("p", "t", "c", DAY),
        handles.of_candidate("p", "s", "d", DAY),
        handles.of_candidate("p", "s", "c", date(2026, 3, 5)),
        handles.of_candidate("p", "c", "s", DAY),
        handles.of_candidate("p", "s-c", "", DAY),
        Handles(b"2" * 32).of_candidate("p", "s", "c", DAY),
        handles.of_list("p", "s", DAY, ["c"]),
    }
    assert base not in others
    assert len(others) == 8


def test_parts_cannot_run_into_each_other() -> None:
    handles = Handles(b"1" * 32)
    assert handles.of_candidate("p", "ab", "c", DAY) != handles.of_candidate("p", "a", "bc", DAY)
    assert handles.of_list("p", "s", DAY, ["a", ["b"]]) != handles.of_list("p", "s", DAY, [["a"], "b"])
