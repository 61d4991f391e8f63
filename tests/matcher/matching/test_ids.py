"""Ids held as a table of bytes, against plain Python sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matcher.matching.ids import Counted, Ids

names = st.text("abc019._~-", min_size=1, max_size=64)


@given(members=st.sets(names), others=st.lists(names | st.text(max_size=5)))
def test_ids_are_a_sorted_set(members, others):
    ids = Ids.of(members)
    assert list(ids) == [ids[row] for row in range(len(ids))] == sorted(members)
    for one in [*members, *others]:
        assert (one in ids) is (one in members)
        assert ids.find(one) == (sorted(members).index(one) if one in members else None)
    assert ids.rows(others) == [sorted(members).index(one) for one in others if one in members]
    assert ids.nbytes == ids.table.nbytes == len(members) * ids.table.itemsize


def test_a_longer_or_padded_id_is_another():
    ids = Ids.of(["ab", "abc"])
    assert [ids.find(one) for one in ("ab\0", "abc\0", "abcd", "", "\ud800")] == [None] * 5
    assert 5 not in ids


def test_equal_and_sliced():
    ids = Ids.of(["c", "a", "b"])
    assert ids == Ids.of(["a", "b", "c"]) != Ids.of(["a", "b"])
    assert hash(ids) == hash(Ids.of(["a", "b", "c"]))
    assert list(ids[1:]) == ["b", "c"]
    assert ids != ["a", "b", "c"]
    assert repr(ids) == "<3 ids>"


def test_who_is_dropped_counts_no_longer():
    counted = Counted(Ids.of(["a", "b", "c"]))
    for member in ("b", "x", "b"):
        counted.drop(member)
    assert (list(counted), len(counted), "b" in counted, "a" in counted) == (["a", "c"], 2, False, True)
    assert [counted.count(but) for but in ("a", "b", "x")] == [1, 2, 2]
    assert counted.table().tolist() == [b"a", b"c"]


@given(st.sets(names), st.lists(names | st.text(max_size=3)))
def test_many_looked_up_at_once_are_each_found(members, others):
    ids = Ids.of(members)
    wanted = [*others, *members, "", "\0", "a\0", *(f"{member}\0" for member in members)]
    rows = ids.look_up(wanted).tolist()
    assert rows == [-1 if (row := ids.find(name)) is None or not name else row for name in wanted]
