"""What a member has not consented to changes no byte of anybody's output: every list, score, count and reason."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from matcher.consent import consented
from matcher.facade import Matcher
from matcher.model.encoder import ProfileEncoder
from matcher.people import Member
from matcher.programme import Programme
from tests.cohorts import Case, case
from tests.cohorts.members import Chances, value_of, want_of
from tests.oracle import consent
from tests.properties import library

DEEP = os.environ.get("PEERMATCH_DEEP") == "1"
BATCHES, COHORTS, VARIANTS = 10, 200 if DEEP else 10, 5
USES = ("match_serve", "be_shown_as_peer")
Cell = tuple[str, str]
"""A member and one of their facets."""


class Poison:
    """A value that cannot even be looked at."""

    def _refuse(self, *_: object) -> NoReturn:
        raise AssertionError("a facet without consent was read")

    __eq__ = __iter__ = __len__ = __getitem__ = __contains__ = __bool__ = __str__ = __repr__ = __getattr__ = _refuse
    __hash__ = _refuse


def narrowed(this: Case, rng: random.Random) -> Case:
    """Return the case with most grants narrowed to some of the optional facets."""
    required = set(this.programme["consent"]["required"])
    records = []
    for record in this.records:
        consents = []
        for event in record["consents"]:
            kept = [name for name in this.programme["facets"] if name in required or rng.random() < 0.5]
            narrow = event["decision"] == "given" and rng.random() < 0.6
            consents.append({**event, "categories": kept} if narrow else event)
        records.append({**record, "consents": consents})
    return dataclasses.replace(this, records=tuple(records))


def cells(this: Case, *, covered: bool) -> list[Cell]:
    """Return the facets of members that are covered by some use, or by none."""
    out = []
    for record in this.records:
        for name, facet in this.programme["facets"].items():
            if facet.get("source"):
                continue
            used = any(consent.covers(record, this.programme, purpose, name, this.at) for purpose in USES)
            if used == covered:
                out.append((record["member_id"], name))
    return out


def flipped(this: Case, chosen: list[Cell], rng: random.Random, how: str) -> list[dict[str, Any]]:
    """Return the records with other values and wants, or none, in the chosen cells."""
    chances = Chances.draw(rng, 0.5)
    records = {r["member_id"]: {**r, "profile": dict(r["profile"]), "wants": dict(r["wants"])} for r in this.records}
    for member_id, name in chosen:
        record, facet = records[member_id], this.programme["facets"][name]
        record["profile"].pop(name, None)
        record["wants"].pop(name, None)
        if how == "flip":
            record["profile"][name] = value_of(rng, facet, this.parents, chances)
            want = want_of(rng, facet, this.parents, chances)
            if want:
                record["wants"][name] = want
    return list(records.values())


def corrupted(members: list[Member], chosen: list[Cell]) -> list[Member]:
    """Return the members with something unreadable in the chosen cells."""
    out = []
    for member in members:
        mine = {name: Poison() for member_id, name in chosen if member_id == member.member_id}
        poisoned: Any = {"profile": {**member.profile, **mine}, "wants": {**member.wants, **mine}}
        out.append(dataclasses.replace(member, **poisoned) if mine else member)
    return out


def variants(
    this: Case, programme: Programme, members: list[Member], free: list[Cell], rng: random.Random
) -> Iterator[list[Member]]:
    """Yield cohorts that differ only where nobody may look."""
    for number in range(VARIANTS):
        chosen = free if number == 0 else rng.sample(free, rng.randint(1, min(len(free), 4)))
        how = ("corrupt", "flip", "remove")[number % 3]
        if how == "corrupt":
            yield corrupted(members, chosen)
        else:
            yield library.read_members(this, programme, flipped(this, chosen, rng, how))


def output(this: Case, matcher: Matcher) -> dict[str, str]:
    """Return everything that anybody could see of a cohort."""
    ids = [record["member_id"] for record in this.records]
    return library.everything(matcher, ids, list(zip(ids, ids[1:] + ids[:1], strict=True)))


def prepared(seed: int) -> tuple[Case, Programme, list[Member], random.Random]:
    """Return a case with narrow consents, read."""
    rng = random.Random(f"interference {seed}")
    this = narrowed(case(100_000 + seed, members=(8, 20), ease=rng.choice([0.85, 0.95, 1.0])), rng)
    programme = library.read_programme(this)
    return this, programme, library.read_members(this, programme), rng


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_byte_depends_on_what_was_not_consented_to(batch: int) -> None:
    compared = cohorts = 0
    for seed in itertools.count(batch * 10_000):
        this, programme, members, rng = prepared(seed)
        free = cells(this, covered=False)
        if not free:
            continue
        # Some cohorts with a fitted model, which takes longer.
        feedback = library.random_feedback(this, programme) if cohorts % 5 == 0 else None
        before = output(this, library.fit(this, programme, members, feedback=feedback))
        for other in variants(this, programme, members, free, rng):
            assert output(this, library.fit(this, programme, other, feedback=feedback)) == before, f"seed {seed}"
            compared += 1
        cohorts += 1
        if cohorts == COHORTS:
            break
    assert compared == COHORTS * VARIANTS


def test_what_is_known_only_while_seeking_is_nothing_to_others() -> None:
    compared = 0
    for seed in range(20_000, 20_030):
        this, programme, members, rng = prepared(seed)
        only = {purpose: cells_only(this, purpose) for purpose in USES}
        before = output(this, library.fit(this, programme, members))
        for purpose in USES:
            if not only[purpose]:
                continue
            member_id, name = rng.choice(only[purpose])
            other = library.read_members(this, programme, flipped(this, [(member_id, name)], rng, "flip"))
            after = output(this, library.fit(this, programme, other))
            if purpose == "match_serve":
                mine = {member_id} | {key for key in before if key.startswith(f"{member_id} ")}
                assert {k: v for k, v in after.items() if k not in mine} == {
                    k: v for k, v in before.items() if k not in mine
                }, f"seed {seed}"
            else:
                assert bare(after[member_id]) == bare(before[member_id]), f"seed {seed}"
            compared += 1
    assert compared > 30


def cells_only(this: Case, purpose: str) -> list[Cell]:
    """Return the facets that one use covers, and neither the other one nor training."""
    out = []
    for record in this.records:
        for name, facet in this.programme["facets"].items():
            on = {p for p in (*USES, "train_model") if consent.covers(record, this.programme, p, name, this.at)}
            if on == {purpose} and not facet.get("source"):
                out.append((record["member_id"], name))
    return out


def bare(text: str) -> Any:
    """Return a serialised list without its reasons: these count holders, whoever they are."""
    if not text.startswith("{"):
        return text
    found = json.loads(text)
    return {**found, "entries": [{**entry, "reasons": None} for entry in found["entries"]]}


def test_strata_change_nothing() -> None:
    for seed in range(30_000, 30_020):
        this, programme, members, _ = prepared(seed)
        before = output(this, library.fit(this, programme, members))
        for values in ({"ethnicity": "c"}, {}):
            records = [{**record, "strata": values} for record in this.records]
            after = output(this, library.fit(this, programme, library.read_members(this, programme, records)))
            assert after == before


def test_what_was_consented_to_does_change_something() -> None:
    """The positive control: the tests above would see a difference."""
    changed: Counter[str] = Counter()
    for seed in range(40_000, 40_030):
        this, programme, members, rng = prepared(seed)
        used = cells(this, covered=True)
        before = output(this, library.fit(this, programme, members))
        for how in ("flip", "remove"):
            other = library.read_members(this, programme, flipped(this, used, rng, how))
            changed[how] += output(this, library.fit(this, programme, other)) != before
    assert changed["flip"] >= 25
    assert changed["remove"] >= 25


def test_the_poison_is_poisonous() -> None:
    this, programme, members, _ = prepared(3)
    with pytest.raises(AssertionError, match="without consent"):
        output(this, library.fit(this, programme, corrupted(members, cells(this, covered=True))))


def test_the_encoder_takes_nothing_but_what_consent_left() -> None:
    this, programme, members, _ = prepared(5)
    encoder = ProfileEncoder(programme)
    with pytest.raises(TypeError, match="ConsentedProfile"):
        encoder.fit(members)  # type: ignore[arg-type]
    encoder.fit([consented(member, programme, this.at) for member in members])
    with pytest.raises(TypeError, match="ConsentedProfile"):
        encoder.transform(members, this.at.date())  # type: ignore[arg-type]
