"""A pool in parts, a pool that was changed in place and a pool that was stored give the lists of one built so."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.consent import ConsentedProfile, consented
from matcher.errors import SeekerError
from matcher.matching import pool_file
from matcher.matching.pool import Circumstances, Pool
from matcher.matching.shortlist import shortlist
from matcher.model.artefact import Model
from tests.cohorts import case
from tests.conftest import examples
from tests.properties import library

COUNT = examples(40, 400)


@dataclass(frozen=True)
class Scene:
    """A generated cohort, and what is true of it."""

    model: Model
    profiles: list[ConsentedProfile]
    facts: Circumstances
    limit: int
    key: bytes
    at: Any

    def pool(self, profiles: list[ConsentedProfile], facts: Circumstances | None = None) -> Pool:
        programme, encoder = self.model.encoder.programme, self.model.encoder
        return Pool.build(programme, encoder, profiles, self.at, facts or self.facts, self.key)

    def lists(self, *pools: Pool, facts: Circumstances | None = None) -> dict[str, object]:
        """Return the list of every member, or why there is none."""
        out: dict[str, object] = {}
        for profile in self.profiles:
            standing = (facts or self.facts).standing(profile.member_id)
            try:
                found = shortlist(pools, self.model.affinity, profile, standing, self.limit, "m")
            except SeekerError as error:
                out[profile.member_id] = str(error)
            else:
                assert list(found.excluded) == sorted(found.excluded, key=list(found.excluded).index)
                out[profile.member_id] = library.plain(found)
        return out


def scene(seed: int, limit: int) -> Scene:
    this = case(seed, members=(10, 40), ease=None if seed % 3 else 1.0)
    programme = library.read_programme(this)
    members = library.read_members(this, programme)
    model, _ = library.random_model(this, programme, members)
    profiles = [consented(member, programme, this.at) for member in members]
    facts = library.read_circumstances(this)
    return Scene(model, profiles, facts, limit, f"{programme.id}:{this.random_state}".encode(), this.at)


scenes = st.builds(scene, st.integers(0, 10_000), st.sampled_from([1, 3, 10, 40, 64]))
numbers = st.randoms(use_true_random=False)


@settings(max_examples=COUNT)
@given(this=scenes, rng=numbers)
def test_parts_are_one_pool(this: Scene, rng: random.Random) -> None:
    where = [rng.choice([0, 0, 0, 1, 2]) for _ in this.profiles]
    parts = [this.pool([one for one, at in zip(this.profiles, where, strict=True) if at == part]) for part in range(3)]
    expected = this.lists(this.pool(this.profiles))
    assert this.lists(*parts) == expected
    assert this.lists(*reversed(parts)) == expected


@settings(max_examples=COUNT)
@given(this=scenes, rng=numbers)
def test_a_changed_pool_is_one_built_so(this: Scene, rng: random.Random) -> None:
    ids = [profile.member_id for profile in this.profiles]
    gone = set(rng.sample(ids, len(ids) // 4))
    held, load = {one for one in ids if rng.random() < 0.2}, {one: rng.randint(0, 3) for one in ids}
    facts = replace(this.facts, held=frozenset(held), load=load)
    left = [profile for profile in this.profiles if profile.member_id not in gone]
    changed, built = this.pool(this.profiles), this.pool(left, facts)
    for profile in this.profiles:
        row = changed.find(profile.member_id)
        if profile.member_id in gone:
            changed.forget(profile.member_id)
            assert changed.find(profile.member_id) is None
        elif row is not None:
            changed.set_held(row, profile.member_id in held)
            changed.set_free(row, profile.capacity - load[profile.member_id])
    assert this.lists(changed, facts=facts) == this.lists(built, facts=facts)
    again = this.pool([profile for profile in this.profiles if profile.member_id in gone], facts)
    assert this.lists(changed, again, facts=facts) == this.lists(this.pool(this.profiles, facts), facts=facts)


@settings(max_examples=COUNT // 2)
@given(this=scenes, rng=numbers)
def test_a_stored_pool_is_the_same(this: Scene, rng: random.Random) -> None:
    pool = this.pool(this.profiles)
    for member_id in rng.sample([profile.member_id for profile in this.profiles], 3):
        pool.forget(member_id)
    with TemporaryDirectory() as folder:
        pool_file.save(pool, Path(folder) / "p", {}, {})
        read, _, _ = pool_file.load(Path(folder) / "p", pool.programme, pool.encoder)
        assert this.lists(read) == this.lists(pool)
        row = read.find(next(iter(read.ids), ""))
        if row is not None:
            pool.retire(row)
            read.retire(row)
            assert this.lists(read) == this.lists(pool)
            other, _, _ = pool_file.load(Path(folder) / "p", pool.programme, pool.encoder)
            assert other.present[row]  # who changes a mapped pool changes nobody else's
