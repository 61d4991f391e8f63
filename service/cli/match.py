"""``peermatch match``: one member's shortlist as a coordinator sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from matcher.errors import UnknownMemberError, shown
from matcher.matching.gates import GATES
from service.cli import context, output, pools
from service.cli.progress import Progress
from service.live.handles import Handles
from service.live.shortlists import LiveShortlist, shortlist_for
from service.security import read_secret_key
from service.store import members

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
            found = shortlist_for(pools.pools(where, store), programme_id, member_id, limit=limit, now=context.now())
    document = _document(found, programme_id, member_id, handles)
    output.result(document, _lines(document, member_id, programme_id), as_json=as_json)


def _document(found: LiveShortlist, programme_id: str, seeker: str, handles: Handles) -> dict[str, Any]:
    shortlist = found.shortlist
    return {
        "outcome": shortlist.outcome,
        "reason": shortlist.reason,
        "model_version": shortlist.model_version,
        "matches": [
            {
                "rank": entry.rank,
                "member_id": entry.member_id,
                "handle": handles.of_candidate(programme_id, seeker, entry.member_id, found.pool.epoch),
                "score": float(entry.score),
                "strength": entry.strength,
                "reasons": [{"facet": reason.facet, "text": reason.text} for reason in entry.reasons],
            }
            for entry in found.entries
        ],
        "excluded": {gate: int(count) for gate, count in shortlist.excluded.items()},
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
