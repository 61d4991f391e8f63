"""What a seeker's own lists say of candidates: whom they looked at before, and whom their list gives exposure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam, select

from matcher.matching.circumstances import Standing
from matcher.matching.exposure import view, weight
from service.live.held import HeldPool
from service.live.seeking import Seeking
from service.store import valid_lists
from service.store.hot import Statement, Transaction
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import ListRow, LiveRow
from service.store.valid_lists import Showing

Chosen = Mapping[int, frozenset[int]]
"""By list: whom of it the seeker proposed to."""
_CHOSEN: Final = Statement(
    select(ListRow.id, LiveRow.id)
    .select_from(IntroductionRow)
    .join(
        ListRow,
        (ListRow.programme_id == IntroductionRow.programme_id) & (ListRow.match_id == IntroductionRow.match_id),
    )
    .join(
        LiveRow,
        (LiveRow.programme_id == IntroductionRow.programme_id) & (LiveRow.member_id == IntroductionRow.candidate),
    )
    .where(IntroductionRow.programme_id == bindparam("programme"), IntroductionRow.seeker == bindparam("seeker"))
)


def standing(seeking: Seeking, held: HeldPool) -> Standing:
    """Return what stands between a seeker and others when a new list is ranked."""
    reader, programme_id, seeker = seeking.reader, seeking.programme.id, seeking.live.id
    lists = valid_lists.earlier(reader, programme_id, seeker, held.base.epoch)
    looks = views(lists, chosen(reader, programme_id, seeking.live.member_id)) if lists else {}
    given = held.given_by(seeker)
    names = held.names({*looks, *given})
    return replace(
        seeking.standing,
        views={names[number]: value for number, value in looks.items() if number in names},
        own_exposure={names[number]: value for number, value in given.items() if number in names},
    )


def chosen(reader: Transaction, programme_id: str, seeker: str) -> Chosen:
    """Return by list whom of it the seeker proposed to, of lists that are there and of people who are."""
    found: dict[int, set[int]] = {}
    for list_id, number in reader.all(_CHOSEN, programme=programme_id, seeker=seeker):
        found.setdefault(list_id, set()).add(number)
    return {list_id: frozenset(numbers) for list_id, numbers in found.items()}


def views(lists: Iterable[Showing], chosen: Chosen) -> dict[int, float]:
    """Return by number what lists of earlier days add to the seeker's logit, for whomever they did not choose."""
    found: dict[int, float] = {}
    for one in lists:
        of_list = chosen.get(one.id, frozenset())
        for rank, number in enumerate(one.people, 1):
            if number and number not in of_list:
                found[number] = found.get(number, 0.0) + view(weight(rank), other_chosen=bool(of_list))
    return found
