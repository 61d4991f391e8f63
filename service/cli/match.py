"""``peermatch match``: one member's shortlist as a coordinator sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from matcher.errors import UnknownMemberError, shown
from matcher.matching.gates import GATES
from service.cli import context, output, pools
from service.cli.progress import Progress
from service.live.handles import Handles
from service.live.listing import LiveList
from service.live.peers import Peers
from service.live.pool_cache import PoolCache
from service.live.seeking import Seeking
from service.live.shortlists import Shortlists
from service.security import read_secret_key
from service.store import members, scene

REASONS = {
    "held": "this member is on hold",
    "no_eligible": "the gates leave nobody",
    "small_pool": "the gates leave fewer people than `min_pool`",
    "low_information": "nothing is known that both could have in common",
    "below_quality": "nobody scores above `quality_floor`",
}


@click.command(epilog=output.example("peermatch match m-000123 --programme lantern --limit 5"))
@click.argument("member_id")
@context.programme_option
@click.option("--limit", type=click.IntRange(1, 10), help="How many; the programme's own limit unless given.")
@output.json_option
def command(member_id: str, programme_id: str | None, limit: int | None, as_json: bool) -> None:
    """Show MEMBER_ID's shortlist as a coordinator sees it: who, scores, reasons, and whom each gate left out.

    The list is the one that a partner's app gets at this moment, with the same handles. Nothing is stored.
    """
    where = context.settings()
    handles = Handles(read_secret_key(where))
    with context.opened(where) as store:
        with store.reading() as session:
            programme_id = context.chosen(session, programme_id)
            if members.get(session, programme_id, member_id) is None:
                raise UnknownMemberError(
                    f"MEMBER_ID: found {shown(member_id)}; expected a member of programme {programme_id!r} (upper and "
                    "lower case differ); `peermatch import members` and PUT /v1/members/{id} add members"
                )
        with Progress("building the pool"):
            held = pools.pools(where, store)
            lists = Shortlists(held, handles)
            found = lists.of(programme_id, member_id, Peers(), limit=limit, now=context.now(), keep=False)
            excluded = {} if found.result == "held" else _excluded(held, programme_id, member_id)
    document = _document(found, excluded, handles)
    output.result(document, _lines(document, member_id, programme_id), as_json=as_json)


def _excluded(held: PoolCache, programme_id: str, member_id: str) -> Mapping[str, int]:
    """Return how many others each gate leaves out at this moment."""
    with held.store.hot.reading() as reader:
        found = scene.scene_and_member(reader, programme_id, member_id)
        if found is None or found[1] is None:
            return {}
        now = context.now()
        pool = held.current(reader, found[0], now)
        return Peers().compute(Seeking(reader, found[0], found[1], pool.programme, now), pool).excluded


def _document(found: LiveList, excluded: Mapping[str, int], handles: Handles) -> dict[str, Any]:
    return {
        "outcome": found.outcome,
        "reason": found.reason,
        "model_version": found.model_version,
        "matches": [
            {
                "rank": rank,
                "member_id": one.member_id,
                "handle": handles.of_candidate(found.programme.id, found.match_id, one.entry.id),
                "score": one.entry.score,
                "strength": one.entry.strength,
                "reasons": [{"facet": facet, "text": text} for facet, text in one.entry.reasons],
            }
            for rank, one in enumerate(found.alive, 1)
        ],
        "excluded": {gate: int(count) for gate, count in excluded.items()},
    }


def _lines(document: dict[str, Any], seeker: str, programme_id: str) -> Iterator[str]:
    matches, reason = document["matches"], document["reason"]
    why = f": {REASONS.get(reason, reason)}" if reason else ""
    count = f", {len(matches)} peers" if matches else ""
    yield f"{seeker} in {programme_id}: {document['outcome']}{count}{why} (model {document['model_version']})"
    if matches:
        yield ""
        rows = [
            (m["rank"], m["member_id"], m["score"], m["strength"], " · ".join(r["text"] for r in m["reasons"]))
            for m in matches
        ]
        yield from output.table(("rank", "member", "score", "strength", "reasons both let be told"), rows)
    if document["excluded"]:
        yield ""
        excluded = [(count, GATES.get(gate, f"{gate} does not fit")) for gate, count in document["excluded"].items()]
        yield from output.table(("left out", "because"), excluded)
