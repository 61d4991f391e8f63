"""The library's side of a generated case: the same raw programme and records, read by `matcher`."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from matcher.consent import consented
from matcher.errors import PeermatchError
from matcher.facade import Matcher
from matcher.matching.pool import Circumstances
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.artefact import Model
from matcher.model.encoder import ProfileEncoder
from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from tests.cohorts import Case
from tests.oracle import Oracle, OracleModel

ELSEWHERE = "elsewhere"


def read_programme(case: Case) -> Programme:
    """Read the case's programme file."""
    with tempfile.TemporaryDirectory() as folder:
        return Programme.from_toml(case.write(Path(folder)))


def read_members(case: Case, programme: Programme, records: Sequence[dict[str, Any]] | None = None) -> list[Member]:
    """Read the case's records; some belong to another programme of the same form."""
    found = [Member.from_dict(record, programme) for record in (case.records if records is None else records)]
    return [replace(m, programme_id=ELSEWHERE) if m.member_id in case.foreign else m for m in found]


def read_circumstances(case: Case) -> Circumstances:
    """Read what has happened between the members."""
    facts = case.circumstances
    return Circumstances(
        held=frozenset(facts["held"]),
        blocks=frozenset(facts["blocks"]),
        declined=frozenset(facts["declined"]),
        connected=frozenset(facts["connected"]),
        load=dict(facts["load"]),
    )


def fit(case: Case, programme: Programme, members: Sequence[Member], **more: Any) -> Matcher:
    """Fit a matcher with the prior."""
    matcher = Matcher(programme, random_state=more.pop("random_state", case.random_state))
    return matcher.fit(list(members), at=case.at, circumstances=read_circumstances(case), **more)


def oracle_of(case: Case, model: OracleModel | None = None, **more: Any) -> Oracle:
    """Make the naive matcher of a case."""
    return Oracle(
        case.programme,
        case.parents,
        list(case.records),
        case.at,
        circumstances=case.circumstances,
        foreign=case.foreign,
        random_state=case.random_state,
        model=model,
        **more,
    )


def random_model(case: Case, programme: Programme, learners: Sequence[Member]) -> tuple[Model, OracleModel]:
    """Return a model with random weights for both roles, and the same one for the oracle."""
    rng = random.Random(f"model {case.seed}")
    names = programme.features
    affinity = PairAffinity(prior_weights(programme)).prior()
    affinity.coef_ = np.array([[rng.choice([0.0, rng.uniform(0, 6)]) for _ in names] for _ in range(2)])
    affinity.intercept_ = np.array([rng.uniform(-3, 1) for _ in range(2)])
    affinity.neutral_ = np.array([[rng.random() for _ in names] for _ in range(2)])
    encoder = ProfileEncoder(programme).fit([consented(member, programme, case.at) for member in learners])
    weight, neutral = (
        [dict(zip(names, row, strict=True)) for row in part.tolist()] for part in (affinity.coef_, affinity.neutral_)
    )
    base = affinity.intercept_.tolist()
    naive = OracleModel((base[0], base[1]), (weight[0], weight[1]), (neutral[0], neutral[1]))
    return Model(programme.id, encoder, affinity, "random", {}), naive


def random_feedback(case: Case, programme: Programme, events: int = 120) -> list[Feedback]:
    """Return what might have happened after lists were shown."""
    rng = random.Random(f"feedback {case.seed}")
    ids = sorted(record["member_id"] for record in case.records)
    out = []
    for _ in range(events):
        seeker, candidate = rng.sample(ids, 2)
        rank, days = rng.randint(1, 5), rng.randint(1, 60)
        pair = {"seeker": seeker, "candidate": candidate}
        out.append({**pair, "event": "shown", "rank": rank, "at": (case.at - timedelta(days=days)).isoformat()})
        later = (case.at - timedelta(days=days - 1)).isoformat()
        if rng.random() < 0.5:
            out.append({**pair, "event": "viewed", "at": later})
        if rng.random() < 0.6:
            decision, by = rng.choice(["accepted", "declined"]), rng.choice(["seeker", "candidate"])
            out.append({**pair, "event": decision, "by": by, "at": later})
    return [Feedback.from_dict(event, programme) for event in out]


def may_seek(case: Case, oracle: Oracle, member_id: str) -> bool:
    """Tell whether a list may be asked for this member at all."""
    person = oracle.people[member_id]
    seeks = case.programme["programme"]["pairing"] == "mutual" or "seeker" in person.record["roles"]
    return person.home and person.on["match_serve"] and seeks


def plain(shortlist: Any) -> dict[str, Any]:
    """Return a shortlist as data."""
    return {
        "outcome": shortlist.outcome,
        "reason": shortlist.reason,
        "eligible": shortlist.eligible,
        "excluded": dict(shortlist.excluded),
        "entries": [
            {
                "member_id": entry.member_id,
                "rank": entry.rank,
                "score": entry.score,
                "strength": entry.strength,
                "reasons": [(reason.facet, reason.text) for reason in entry.reasons],
            }
            for entry in shortlist
        ],
    }


def everything(matcher: Matcher, member_ids: Sequence[str], pairs: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
    """Serialise all lists, errors, and the scores of some pairs: what anybody could see."""
    out = {}
    for member_id in member_ids:
        try:
            out[member_id] = json.dumps(plain(matcher.match(member_id)))
        except PeermatchError as error:
            out[member_id] = f"{type(error).__name__}: {error}"
    for a, b in pairs:
        try:
            found = matcher.score(a, b)
            out[f"{a} {b}"] = repr((found.forward, found.backward, found.reciprocal, found.contributions, found.gate))
        except PeermatchError as error:
            out[f"{a} {b}"] = f"{type(error).__name__}: {error}"
    return out
