"""Introductions after a restore: what two decided since the backup stands, and no app misses an event."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from service.backup import kept_introductions, restoring
from service.store import introduction_rows, introductions
from service.store.erasure_ledger import Ledger
from service.store.introduction_rows import Kept
from tests.service.backup.backups import backed_up, content, put_back
from tests.service.backup.conftest import introduce
from tests.service.installation import Installation

PAIR = ("m-03", "m-15")


def go_on(made: Installation, kept: Kept, *acts: tuple[str, str]) -> Kept:
    """Carry out acts, a minute apart."""
    for what, by in acts:
        made.clock.turn(minutes=1)
        with made.store.transaction() as session:
            found = introduction_rows.one(session, "lantern", kept.id)
            assert found is not None
            kept = introductions.act(session, made.programme, found, what, by=by, now=made.clock())
    return kept


def state(made: Installation, kept: Kept) -> tuple[str, bool] | None:
    with made.store.reading() as session:
        found = introduction_rows.one(session, "lantern", kept.id)
    return None if found is None else (found.introduction.state, found.introduction.suspended)


def narrow(made: Installation) -> dict[str, Any]:
    """Return what follows from introductions: places, rests, and who stands apart."""
    tables = content(made)
    live = {row["member_id"]: (row["free"], row["rests_until"]) for row in tables["live"]}
    apart = {(row["member_id"], row["other_id"], row["kind"], row["takes"]) for row in tables["apart"]}
    return {"live": live, "apart": apart}


YES = (("accept", "seeker"), ("accept", "candidate"))
MOVES = {
    "declined": ((("decline", "candidate"),), ("declined", False)),
    "connected": (YES, ("connected", False)),
    "suspended": ((*YES, ("suspend", "service")), ("connected", True)),
    "ended": ((*YES, ("end", "seeker")), ("ended", False)),
    "withdrawn": ((("withdraw", "seeker"),), ("withdrawn", False)),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("there", [True, False], ids=["in the backup", "made since"])
def test_what_was_decided_since_stands(full: Installation, move: str, there: bool) -> None:
    acts, expected = MOVES[move]
    kept = introduce(full, *PAIR) if there else None
    file = backed_up(full)
    full.clock.turn(minutes=1)
    kept = go_on(full, kept or introduce(full, *PAIR), *acts)
    before = narrow(full)
    assert put_back(full, file).merged.introductions == 1
    assert state(full, kept) == expected
    assert narrow(full) == before
    assert put_back(full, file).merged.introductions == 1, "a second time, too"
    assert narrow(full) == before


def test_what_the_backup_has_further_stays(full: Installation) -> None:
    kept = introduce(full, *PAIR)
    early = backed_up(full, "early.backup")
    kept = go_on(full, kept, ("decline", "candidate"))
    late = backed_up(full)
    put_back(full, early)
    assert state(full, kept) == ("declined", False)
    assert put_back(full, late).merged.introductions == 0
    assert state(full, kept) == ("declined", False)


def test_without_putting_back_a_no_is_forgotten(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = introduce(full, *PAIR)
    file = backed_up(full)
    kept = go_on(full, kept, ("decline", "candidate"))
    monkeypatch.setattr(kept_introductions, "_is_further", lambda *_: False)
    put_back(full, file)
    assert state(full, kept) == ("offered", False)


def test_consent_that_was_withdrawn_since_closes_what_the_backup_has(full: Installation) -> None:
    kept = introduce(full, *PAIR)
    file = backed_up(full)
    full.clock.turn(hours=1)
    body = {"purpose": "be_shown_as_peer", "decision": "withdrawn"}
    assert full.call("POST", f"/v1/members/{PAIR[1]}/consents", body).status_code == 201
    put_back(full, file)
    assert state(full, kept) == ("withdrawn", False)


def test_whoever_was_erased_since_is_in_none(full: Installation) -> None:
    kept = introduce(full, *PAIR)
    file = backed_up(full)
    full.clock.turn(hours=1)
    assert full.call("DELETE", f"/v1/members/{PAIR[1]}").status_code == 200
    put_back(full, file)
    assert state(full, kept) is None
    assert not any(PAIR[1] in str(row) for name in ("introductions", "events") for row in content(full)[name])


def test_an_app_that_has_read_further_than_the_backup_misses_nothing(full: Installation) -> None:
    file = backed_up(full)
    introduce(full, *PAIR)
    read = full.call("GET", "/v1/events").get_json()
    put_back(full, file)
    introduce(full, "m-01", "m-16")
    more = full.call("GET", f"/v1/events?after={read['next']}").get_json()
    assert [event["member_id"] for event in more["events"]] == ["m-01", "m-16"]
    everything = full.call("GET", "/v1/events").get_json()["events"]
    assert everything[: len(read["events"])] == read["events"], "what was told since is there again"


def often(made: Installation) -> Any:
    """Introduce two again and again; return how they stand after the last time, which goes on."""
    for _ in range(4):  # so that one that is over is likely to come after it where nothing orders them
        go_on(made, introduce(made, *PAIR), *YES, ("end", "seeker"))
        made.clock.turn(days=60)
    introduce(made, *PAIR)
    return of_pair(made)


def of_pair(made: Installation) -> Any:
    tables = narrow(made)
    return {name: tables["live"][name] for name in PAIR}, {row for row in tables["apart"] if set(row[:2]) == set(PAIR)}


def test_a_pair_that_was_introduced_again_stands_as_the_last_time(full: Installation) -> None:
    file = backed_up(full)
    before = often(full)
    assert (*PAIR[::-1], "introduced", 1) in before[1]
    assert put_back(full, file).merged.introductions == 5
    assert of_pair(full) == before


def test_told_by_the_first_time_alone_a_place_would_be_given_twice(
    full: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = backed_up(full)
    before = often(full)
    whole = introduction_rows.between
    monkeypatch.setattr(introduction_rows, "between", lambda *asked: whole(*asked)[:1])
    put_back(full, file)
    assert of_pair(full) != before


def test_consents_that_a_restore_withdraws_hide_no_decision(full: Installation) -> None:
    kept = introduce(full, *PAIR)
    file = backed_up(full)
    kept = go_on(full, kept, ("decline", "candidate"))
    full.clock.turn(hours=1)
    anew = text("UPDATE members SET created_at = :now WHERE programme_id = 'lantern' AND member_id = :who")
    with full.store.transaction() as session:
        row = {"now": "2026-03-20 12:00:00.000000", "who": PAIR[1]}
        session.execute(anew.execution_options(every_programme=True), row)
    body = {"purpose": "be_shown_as_peer", "decision": "withdrawn"}
    assert full.call("POST", f"/v1/members/{PAIR[1]}/consents", body).status_code == 201
    assert put_back(full, file).merged.withdrawn == 1
    assert state(full, kept) == ("declined", False)


def test_nobody_has_more_offers_than_places(full: Installation) -> None:
    row = next(row for row in content(full)["live"] if row["member_id"] == PAIR[1])
    assert (row["capacity"], row["free"]) == (1, 1)
    file = backed_up(full)
    introduce(full, *PAIR)
    put_back(full, file)
    with pytest.raises(introductions.NoPlaceError):
        introduce(full, "m-01", PAIR[1])


def test_what_was_told_of_an_introduction_goes_with_it(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where only the ledger knows of an erasure, since the database that is replaced is itself an older one."""
    early = backed_up(full, "early.backup")
    kept = introduce(full, *PAIR)
    late = backed_up(full, "late.backup")
    full.clock.turn(hours=1)
    assert full.call("DELETE", f"/v1/members/{PAIR[1]}").status_code == 200
    ledger = Ledger.of(full.settings).path
    known = ledger.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(restoring.erasure, "replay", lambda *_, **__: [])
        put_back(full, late)
    told = [row["member_id"] for row in content(full)["events"] if row["introduction_id"] == kept.id]
    assert set(PAIR) <= set(told)
    ledger.write_bytes(known)
    assert put_back(full, early).erased == 1
    assert state(full, kept) is None
    assert kept.id not in {row["introduction_id"] for row in content(full)["events"]}
