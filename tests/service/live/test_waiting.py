"""Where everybody stands who seeks: nobody disappears, and those who wait come in the order of the programme."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher.programme import Programme
from matcher.waiting import NAMES, REASONS
from service.live import waiting
from service.store import programmes, seekers
from service.store.hot import Transaction
from service.store.moments import moment
from service.store.seekers import Bonds, Last, Person
from tests.conftest import examples
from tests.service.databases import Database
from tests.service.installation import NOON, Installation, close, consent, install, record, write_programme
from tests.service.live.waiting_worlds import Place, fill, naive

MORE = "lists_per_day = 1\nlists_per_30_days = 2"
PAIRINGS = {"lantern": "mentor", "circle": "mutual"}
FAULT_SEEDS = range(60)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Installation]:
    """Two programmes of one installation, one of each pairing."""
    made = install(tmp_path_factory.mktemp(f"waiting-{database}"), database=database, more=MORE)
    base = made.folder / "circle"
    with made.store.transaction() as session:
        circle = write_programme(base, id="circle", pairing="mutual", more=MORE)
        programmes.save(session, circle, base, now=NOON)
    database.keep(made.folder)
    yield made
    close(made)


def found(made: Installation, programme_id: str) -> list[waiting.Stood]:
    with made.store.reading() as session:
        programme = programmes.load(session, programme_id)
    with made.store.hot.reading() as reader:
        return list(waiting.everybody(reader, programme, NOON))


def same(made: Installation, programme_id: str) -> Counter[str]:
    """Check that each seeker is somewhere, once, and where they are; return how many stand where."""
    told = found(made, programme_id)
    right = naive(made, programme_id, mutual=PAIRINGS[programme_id] == "mutual", a_day=1, a_month=2)
    assert Counter(one.person.member_id for one in told) == Counter(dict.fromkeys(right, 1))
    mine = {one.person.member_id: Place(one.state.name, one.state.reason, moment(one.since)) for one in told}
    assert mine == right
    assert {one.state.name for one in told} <= set(NAMES)
    assert all((one.state.reason in REASONS) == (one.state.name == "waiting") for one in told)
    return Counter(one.state.reason or one.state.name for one in told)


@pytest.mark.parametrize("programme_id", PAIRINGS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(60, 2000), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_seeker_is_in_exactly_one_state_and_the_right_one(
    both: Installation, programme_id: str, seed: int
) -> None:
    fill(both, programme_id, random.Random(seed))
    same(both, programme_id)


def test_the_worlds_have_every_state_and_reason(both: Installation) -> None:
    """The control: none of the comparisons above is about nothing."""
    counts: Counter[str] = Counter()
    for seed in range(150):
        programme_id = ("lantern", "circle")[seed % 2]
        fill(both, programme_id, random.Random(seed))
        counts += same(both, programme_id)
    assert set(counts) == ({*NAMES} - {"waiting"}) | set(REASONS), counts


def no_rest(self: Person, now: int) -> bool:
    return bool(self.accepted and self.shown) and self.held_until <= now and self.free > 0


def no_holds_of_others(self: Person, now: int) -> bool:
    return bool(self.accepted and self.shown) and self.rests_until <= now and self.free > 0


def full_ones(self: Person, now: int) -> bool:
    return bool(self.accepted and self.shown) and max(self.held_until, self.rests_until) <= now


def always_valid(last: Last | None, at: int) -> bool:
    return last is not None and last.outcome == "matched"


def nobody_apart(reader: Transaction, programme_id: str, member_ids: Any) -> set[tuple[str, str]]:
    return set()


def without(what: str) -> Callable[..., Bonds]:
    whole = seekers.bonds

    def bonds(reader: Transaction, programme: Programme, member_id: str | None = None) -> Bonds:
        told = whole(reader, programme, member_id)
        getattr(told, what).clear()
        return told

    return bonds


def no_budget(*_: Any, **__: Any) -> set[int]:
    return set()


def no_imports(found: Bonds, together: Any, *, mutual: bool) -> None:
    """Forget the connections that feedback tells of: the fault."""


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "rests": (Person, "takes", no_rest),
    "holds": (Person, "takes", no_holds_of_others),
    "places": (Person, "takes", full_ones),
    "validity": (waiting, "_is_valid", always_valid),
    "apart": (seekers, "apart", nobody_apart),
    "connections": (seekers, "bonds", without("connected")),
    "open": (seekers, "bonds", without("open")),
    "ended": (seekers, "bonds", without("ended")),
    "imported": (seekers, "_told", no_imports),
    "budget": (waiting, "_over_budget", no_budget),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(both: Installation, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(*FAULTS[fault])
    for seed in FAULT_SEEDS:
        for programme_id in PAIRINGS:
            fill(both, programme_id, random.Random(seed))
            try:
                same(both, programme_id)
            except AssertionError:
                return
    pytest.fail(f"nobody noticed: {fault}")


# The order ------------------------------------------------------------------------------------------------------------

HOME = """
[facets.home]
kind = "choice"
values = ["alone", "family"]
weight = 0.0
"""
AT_HOME = '[waiting]\norder = "support_at_home"\nfacet = "home"\nvalues = ["alone"]'


def waits(made: Installation) -> list[str]:
    snapshot = made.app.extensions["peermatch"].shortlists.waits.fresh("lantern", made.clock())
    return [one.waiter.member_id for one in snapshot.waiting]


def seeker(member_id: str, days: int, home: str | None = None, **covers: Any) -> dict[str, Any]:
    profile = {"experiences": ["lumpectomy"], "channel": ["phone"], "journey": "later"}
    if home is not None:
        profile["home"] = home  # type: ignore[assignment]
    given_ = consent("match_serve", at=NOON - timedelta(days=days), **covers)
    return record(member_id, "seeker", profile=profile, consents=[given_])


def test_who_has_waited_longest_comes_first_and_then_the_id_decides(made: Installation) -> None:
    made.add(seeker("s-b", 3), seeker("s-a", 3), seeker("s-c", 5), seeker("s-d", 1))
    assert waits(made) == ["s-c", "s-a", "s-b", "s-d"]


def test_without_support_at_home_comes_first_where_consent_covers_it(made: Installation, tmp_path: Path) -> None:
    made.change_programme(facets=HOME, more=AT_HOME)
    made.add(
        seeker("s-1", 9, "family"),
        seeker("s-2", 8),
        seeker("s-3", 3, "alone"),
        seeker("s-4", 5, "alone"),
        seeker("s-5", 7, "alone", categories=["channel", "experiences", "journey"]),
    )
    assert waits(made) == ["s-4", "s-3", "s-1", "s-2", "s-5"]


def test_records_are_opened_only_of_those_who_wait_and_only_where_the_order_wants_it(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.add(seeker("s-1", 9, None), seeker("s-2", 8), record("p-1"), record("p-2"))
    made.match("s-2")
    read: list[list[int]] = []
    whole = waiting.scene.records
    monkeypatch.setattr(
        waiting.scene, "records", lambda reader, name, ids: read.append(list(ids)) or whole(reader, name, ids)
    )
    assert waits(made) == ["s-1"]
    assert read == []
    made.change_programme(facets=HOME, more=AT_HOME)
    assert waits(made) == ["s-1"]
    assert [len(ids) for ids in read] == [1]
