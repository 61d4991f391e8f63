from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from service.console.charts import WIDTH, bars
from service.console.loads_data import Load, counted, loads
from service.console.paging import Page, number_of
from service.store import apart
from service.store.live_tables import LiveRow
from service.store.moments import micros
from tests.service.console.visiting import Visitor, signed_in, words
from tests.service.installation import NOON, Installation, another_programme, record


def introduced(made: Installation, supporter: str, *seekers: str) -> None:
    with made.store.transaction() as session:
        for seeker in seekers:
            apart.introduce(session, "lantern", (supporter, seeker), {supporter})


def names(visitor: Visitor, query: str = "") -> list[str]:
    reply = visitor.get(f"/loads{query}")
    assert reply.status_code == 200
    return re.findall(r'member_id=([^"]+)">', reply.get_data(as_text=True))


@pytest.fixture
def visitor(made: Installation) -> Visitor:
    made.add(
        record("a-none", capacity=2),
        record("b-over", capacity=2),
        record("c-full", capacity=1),
        record("d-some", capacity=3),
        record("e-zero", capacity=0),
        record("f-hidden", consents=[]),
        *(record(f"s-{number}", "seeker") for number in range(4)),
    )
    introduced(made, "b-over", "s-0", "s-1")
    introduced(made, "c-full", "s-2")
    introduced(made, "d-some", "s-0")
    made.add(record("b-over", capacity=1))
    return signed_in(made)


def found(made: Installation) -> dict[str, Load]:
    with made.store.reading() as session:
        return {one.member_id: one for one in loads(session, made.programme, made.clock())}


def test_supporters_are_those_who_agree_or_give_a_place(made: Installation, visitor: Visitor) -> None:
    told = found(made)
    assert list(told) == ["a-none", "b-over", "c-full", "d-some", "e-zero"], "no seekers, and nobody who is not shown"
    assert {name: (one.taken, one.capacity, one.kind) for name, one in told.items()} == {
        "a-none": (0, 2, "none"),
        "b-over": (2, 1, "over"),
        "c-full": (1, 1, "full"),
        "d-some": (1, 3, "some"),
        "e-zero": (0, 0, "no-places"),
    }
    made.call("POST", "/v1/members/c-full/consents", {"purpose": "be_shown_as_peer", "decision": "withdrawn"})
    assert not found(made)["c-full"].shown, "who gives a place is there whatever they agree to now"


def test_whoever_is_over_capacity_is_flagged_and_first(visitor: Visitor) -> None:
    reply = visitor.get("/loads")
    assert names(visitor)[0] == "b-over"
    assert "Over capacity by 1 : nobody new until places are free" in words(reply)
    assert reply.get_data(as_text=True).count('class="flagged"') == 1
    assert "Of these 1 give more places than they have now" in words(reply)


def test_rests_and_holds_are_told(made: Installation, visitor: Visitor) -> None:
    until = micros(NOON + timedelta(days=3))
    with made.store.transaction() as session:
        of = (LiveRow.programme_id == "lantern", LiveRow.member_id == "d-some")
        session.execute(update(LiveRow).where(*of).values(rests_until=until))
    made.call("POST", "/v1/members/a-none/holds", {"kind": "pause"})
    said = words(visitor.get("/loads"))
    assert "2026-03-07 12:00 UTC Some places taken" in said
    assert "Nobody yet; held" in said
    assert "1 rest" in said
    assert names(visitor, "?sort=rests")[0] == "d-some"


@pytest.mark.parametrize(
    ("order", "first"), [("member", "a-none"), ("taken", "b-over"), ("capacity", "d-some"), ("nonsense", "b-over")]
)
def test_it_is_sorted_by_each_column(visitor: Visitor, order: str, first: str) -> None:
    told = names(visitor, f"?sort={order}")
    assert told[0] == first
    assert len(told) == 5


def test_the_chart_says_in_words_what_it_shows(made: Installation, visitor: Visitor) -> None:
    told = visitor.get("/loads").get_data(as_text=True)
    in_words = "Nobody yet: 1; Some places taken: 1; Full: 1; Over capacity: 1; Offers no place: 1"
    assert f'<desc id="full-told">{in_words}</desc>' in told
    assert f"{in_words}.</figcaption>" in told
    assert told.count(f'width="{WIDTH}"') == 5
    assert sum(counted(found(made).values()).values()) == 5


def test_it_comes_in_pages(made: Installation) -> None:
    made.add(*(record(f"m-{number:03}") for number in range(120)))
    visitor = signed_in(made)
    pages = [names(visitor, f"?sort=member&page={number}") for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert sorted(name for page in pages for name in page) == [f"m-{number:03}" for number in range(120)]
    assert names(visitor, "?sort=member&page=99") == pages[2]
    for wrong in ("0", "-1", "x", "é", "9" * 40, "²"):
        assert names(visitor, f"?sort=member&page={wrong}") == pages[0]
    assert "51 to 100 of 120" in words(visitor.get("/loads?page=2"))


def test_nobody_of_another_programme_is_there(made: Installation, visitor: Visitor) -> None:
    key = another_programme(made, "beacon")
    made.call("PUT", "/v1/members/b-1", record("b-1"), key=key)
    assert "b-1" not in names(visitor)
    other = Visitor(made)
    other.sign_in(key)
    assert names(other) == ["b-1"]


def test_in_a_mutual_programme_everybody_supports(made: Installation) -> None:
    made.change_programme(pairing="mutual")
    made.add(*(record(name, "seeker", "supporter") for name in ("m-1", "m-2")))
    assert list(found(made)) == ["m-1", "m-2"]


def test_nobody_yet(made: Installation) -> None:
    assert "There are none yet." in words(signed_in(made).get("/loads"))


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 10**6), max_size=6))
def test_bars_are_as_long_as_their_numbers(numbers: dict[str, int]) -> None:
    chart = bars(numbers)
    assert [bar.number for bar in chart.bars] == list(numbers.values())
    most = max(numbers.values(), default=0)
    for bar in chart.bars:
        assert bar.length == (round(WIDTH * bar.number / most, 1) if most else 0)
        assert 0 <= bar.length <= WIDTH
        assert 0 <= bar.top < chart.height


@given(st.integers(0, 200), st.integers(1, 300), st.integers(1, 60))
def test_pages_have_every_row_once(rows: int, number: int, size: int) -> None:
    everything = list(range(rows))
    first = Page.of(everything, 1, size)
    told = [row for at in range(1, first.last + 1) for row in Page.of(everything, at, size).rows]
    assert told == everything
    page = Page.of(everything, number, size)
    assert page.number == min(number, first.last)
    assert page.rows or not rows


def test_a_page_is_a_small_number() -> None:
    assert [number_of({"page": text}) for text in ("7", "", "0", "1.5", "1e3", "٣")] == [7, 1, 1, 1, 1, 1]
