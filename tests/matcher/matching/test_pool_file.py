"""A stored pool: what is written, by whom it can be read, and that damage is told and never served."""

from __future__ import annotations

import json
import shutil
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.errors import PeermatchError
from matcher.matching import pool_file
from matcher.matching.pool_file import PoolFileError
from tests.properties.pairs import consents, fitted, person, programme

PAIRS = programme()
PEOPLE = [
    *(person(f"m{n}", profile={"gender": "man" if n % 3 else "woman"}, capacity=n % 4) for n in range(30)),
    person("hidden", consents=consents("match_serve")),
    person("picky", wants={"experiences": {"importance": 3, "avoid": ["fatigue"]}, "gender": {"prefer": ["man"]}}),
]
POOL = fitted(PAIRS, PEOPLE).pool_
EXTRA = {"numbers": np.arange(31, dtype=np.int64), "none": np.empty((0, 3))}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pools") / "one"
    pool_file.save(POOL, folder, EXTRA, {"model_version": "m-7", "epoch": 20})
    return folder


@pytest.fixture
def copied(stored, tmp_path):
    return shutil.copytree(stored, tmp_path / "copy")


def load(folder, of=PAIRS, encoder=POOL.encoder):
    return pool_file.load(folder, of, encoder)


def arrays_of(pool):
    own = {name: getattr(pool, name) for name in pool_file.OWN}
    return own | {
        f"{facet}.{name}": it for facet, column in pool.columns.items() for name, it in column.arrays().items()
    }


class TestWhatIsRead:
    def test_is_what_was_written(self, stored):
        pool, extra, head = load(stored)
        assert head == pool_file.read_head(stored) == {"model_version": "m-7", "epoch": 20}
        assert {name: array.tolist() for name, array in extra.items()} == {"numbers": [*range(31)], "none": []}
        assert (list(pool.ids), list(pool.hidden), list(pool.foreign)) == ([*POOL.ids], ["hidden"], [])
        assert (pool.at, pool.key, pool.nbytes) == (POOL.at, POOL.key, POOL.nbytes)
        written, read = arrays_of(POOL), arrays_of(pool)
        assert read.keys() == written.keys()
        for name, array in written.items():
            assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape), name
            assert np.array_equal(read[name], array, equal_nan=array.dtype.kind == "f"), name

    def test_is_mapped_and_aligned(self, stored):
        pool, extra, _ = load(stored)
        for array in (*arrays_of(pool).values(), extra["numbers"], pool.ids.table):
            assert not array.flags.owndata or not array.size
            assert array.flags.writeable
            assert array.ctypes.data % 64 == 0 or not array.size

    def test_changes_stay_with_who_made_them(self, stored):
        one, two = load(stored)[0], load(stored)[0]
        one.retire(3)
        one.set_held(4, True)
        one.set_free(5, 0)
        assert (two.present[3], two.held[4]) == (True, False)
        assert load(stored)[0].free[5] == POOL.free[5]

    def test_a_changed_pool_is_written_as_it_is(self, stored, tmp_path):
        pool = load(stored)[0]
        pool.forget("m4")
        pool.forget("hidden")
        pool_file.save(pool, tmp_path / "again", {}, {})
        again = load(tmp_path / "again")[0]
        assert (again.find("m4"), again.find("m5"), list(again.hidden)) == (None, pool.find("m5"), [])

    def test_nobody(self, tmp_path):
        empty = fitted(PAIRS, []).pool_
        pool_file.save(empty, tmp_path / "empty", {}, {})
        assert len(load(tmp_path / "empty", encoder=empty.encoder)[0]) == 0


class TestWriting:
    def test_only_the_owner_may_read(self, stored):
        assert stat.S_IMODE(stored.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in stored.iterdir()} == {0o600}

    def test_never_over_another(self, stored):
        with pytest.raises(FileExistsError):
            pool_file.save(POOL, stored, {}, {})

    def test_the_same_pool_is_the_same_bytes(self, stored, tmp_path):
        pool_file.save(POOL, tmp_path / "twin", EXTRA, {"model_version": "m-7", "epoch": 20})
        for name in (pool_file.HEAD, pool_file.BLOB):
            assert (tmp_path / "twin" / name).read_bytes() == (stored / name).read_bytes()


def damaged(folder):
    """Assert that the folder is refused, with the way out and without any member."""
    with pytest.raises(PoolFileError) as caught:
        load(folder)
    assert isinstance(caught.value, PeermatchError)
    assert "build the pool again" in caught.value.message
    assert "m1" not in caught.value.message


class TestDamage:
    @pytest.mark.parametrize("name", [pool_file.HEAD, pool_file.BLOB])
    def test_a_missing_file(self, copied, name):
        (copied / name).unlink()
        damaged(copied)
        with pytest.raises(FileNotFoundError):
            load(copied)

    def test_no_folder(self, tmp_path):
        damaged(tmp_path / "nowhere")
        with pytest.raises(PoolFileError):
            pool_file.read_head(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", [pool_file.HEAD, pool_file.BLOB])
    @pytest.mark.parametrize("left", [0.0, 0.3, 0.999])
    def test_a_truncated_file(self, copied, name, left):
        content = (copied / name).read_bytes()
        (copied / name).write_bytes(content[: int(len(content) * left)])
        damaged(copied)

    @pytest.mark.parametrize("name", [pool_file.HEAD, pool_file.BLOB])
    def test_a_longer_file(self, copied, name):
        with (copied / name).open("ab") as file:
            file.write(b"0")
        damaged(copied)

    @given(name=st.sampled_from([pool_file.HEAD, pool_file.BLOB]), at=st.floats(0, 1), bit=st.integers(0, 7))
    def test_any_flipped_bit(self, stored, tmp_path_factory, name, at, bit):
        folder = shutil.copytree(stored, tmp_path_factory.mktemp("flip") / "copy")
        content = bytearray((folder / name).read_bytes())
        content[min(int(at * len(content)), len(content) - 1)] ^= 1 << bit
        (folder / name).write_bytes(content)
        damaged(folder)

    @pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{}", b'{"check": 1}', b"\xff", b"[" * 100_000])
    def test_another_head(self, copied, content):
        (copied / pool_file.HEAD).write_bytes(content)
        damaged(copied)
        with pytest.raises(PoolFileError):
            pool_file.read_head(copied)

    def test_a_sound_head_of_something_else(self, copied):
        document = json.loads((copied / pool_file.HEAD).read_bytes())
        document.pop("check")
        for broken in (
            {"body": {}},
            {"body": {**document["body"], "arrays": {}}},
            {"body": {**document["body"], "at": 5}},
        ):
            changed = {**document, **broken}
            (copied / pool_file.HEAD).write_text(json.dumps({**changed, "check": pool_file.check(changed)}))
            damaged(copied)


class TestOfAnother:
    @pytest.mark.parametrize(("key", "value"), [("format", 99), ("release", "0.0.1"), ("programme", "f00")])
    def test_format_release_or_programme(self, copied, key, value):
        document = json.loads((copied / pool_file.HEAD).read_bytes())
        document.pop("check")
        document[key] = value
        (copied / pool_file.HEAD).write_text(json.dumps({**document, "check": pool_file.check(document)}))
        with pytest.raises(PoolFileError, match=f"{key}: found {value!r}; expected") as caught:
            load(copied)
        assert "build the pool again" in caught.value.message

    def test_programme(self, stored):
        with pytest.raises(PoolFileError, match="programme: found"):
            load(stored, programme(programme={"name": "Another"}))

    def test_encoder(self, stored):
        other = fitted(PAIRS, [person(f"x{n}", profile={"experiences": ["fatigue"]}) for n in range(40)])
        with pytest.raises(PoolFileError, match="encoder of the model: found"):
            load(stored, encoder=other.pool_.encoder)
