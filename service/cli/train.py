"""``peermatch train``: learn from what became of suggestions, and let the new model serve once it is proved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, TypeVar

import click

from matcher.errors import ModelError, PeermatchError, RecordError
from matcher.model.artefact import Model
from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from matcher.release import Options, ReleaseRefused, TrainResult, release
from service.cli import context, heads, output
from service.cli.lease import Lease, leased
from service.cli.progress import Progress, track
from service.cli.publishing import kept_if_recorded, load_model, new_version
from service.security import read_secret_key
from service.settings import Settings
from service.store import Store, audit, feedback, members, models, programmes, shown

_Read = TypeVar("_Read", Member, Feedback)


class TrainError(PeermatchError):
    """The training came to nothing; the active model stays."""

    title = "No model was trained"


@dataclass
class Material:
    """What is learned from."""

    programme: Programme
    members: list[Member]
    feedback: list[Feedback]
    skipped: int = 0
    """Stored records that the programme no longer accepts."""


@click.command(epilog=output.example("peermatch train --programme lantern"))
@context.programme_option
@output.json_option
def command(programme_id: str | None, as_json: bool) -> None:
    """Learn a new model from the feedback of members who consent to it, and publish it.

    The new model is compared with the programme's own weights on people it has not learned from, signed, read back,
    and only then becomes the active one. If it is worse it is refused, exit code 1, and nothing changes. Without
    feedback the model is the prior. One training of a programme at a time.
    """
    where = context.settings()
    now = context.now()
    with context.opened(where) as store:
        with store.reading() as session:
            programme_id = context.chosen(session, programme_id)
        with leased(store, where.home, programme_id, "train", f"training {programme_id}", now) as lease:
            try:
                result = train(where, store, programme_id, now, lease)
            except ReleaseRefused as refusal:
                if not as_json:
                    raise
                output.note(refusal.message)
                output.write_json(refusal.result.to_dict())
                raise click.exceptions.Exit(1) from None
        heads.sign(store, programme_id, now)
    output.result(result.to_dict(), _lines(result, programme_id), as_json=as_json)


def train(where: Settings, store: Store, programme_id: str, now: datetime, lease: Lease) -> TrainResult:
    """Train on what the store holds, publish the files, then let one transaction make the model active.

    Raises
    ------
    ReleaseRefused
        If the model is worse than the programme's own weights or the active model, or breaks a rule of safety.
    OvertakenError
        If another training has taken over since.
    PeermatchError
        If it cannot be made, written or recorded. In every case the active model stays, and no files are left.
    """
    secret = read_secret_key(where)
    material = _read(store, programme_id, now)
    if material.skipped:
        output.note(
            f"{material.skipped:,} stored records do not fit the programme and are left out; `peermatch doctor` and "
            "`peermatch programme apply FILE.toml --dry-run` say more"
        )
    version = new_version(now)
    folder = where.model_folder(programme_id, version)
    options = Options(active=_active(where, store, material.programme))
    with Progress("training"):
        result = release(
            material.programme,
            material.members,
            material.feedback,
            at=now,
            version=version,
            folder=folder,
            secret=secret,
            options=options,
        )
    with kept_if_recorded(folder), store.transaction() as session:
        lease.confirm(session, context.now())
        if programmes.digest(session, programme_id) != material.programme.digest:
            raise TrainError(f"programme {programme_id!r} was changed during the training; run `peermatch train` again")
        models.add(session, programme_id, version, result.verdicts, now=now)
        models.activate(session, programme_id, version, now=now)
        audit.record(session, programme_id, "model.published", now=now, by=audit.COMMAND, version=version)
    return result


def _active(where: Settings, store: Store, programme: Programme) -> Model | None:
    """Return the model that serves; None: there is none that can be compared with, as after a change of the facets."""
    with store.reading() as session:
        active = models.active(session, programme.id)
    if active is None:
        return None
    try:
        return load_model(where, programme, active.version)
    except ModelError as error:
        output.note(f"the active model {active.version} cannot be compared with: {error.message}")
        return None


def _read(store: Store, programme_id: str, now: datetime) -> Material:
    """Read everything as of one moment. Members whom others do not see yet are not learned from yet either."""
    with store.reading() as session:
        programme = programmes.load(session, programme_id)
        found = Material(programme, [], [])
        visible = members.visible_members(session, programme_id, now.astimezone(UTC).date())
        records = track((stored.record for stored in visible), "reading members", members.count(session, programme_id))
        found.members.extend(_parsed(records, found, Member))
        told = chain(feedback.all_feedback(session, programme_id), shown.events(session, programme_id))
        found.feedback.extend(_parsed(track(told, "reading feedback"), found, Feedback))
    return found


def _parsed(records: Iterable[Mapping[str, Any]], found: Material, kind: type[_Read]) -> Iterator[_Read]:
    for record in records:
        try:
            yield kind.from_dict(record, found.programme)
        except RecordError:
            found.skipped += 1


def _lines(result: TrainResult, programme_id: str) -> Iterator[str]:
    answers = result.metrics["answers"]
    learned = " and ".join(f"{count:,} answers of {role}s" for role, count in answers.items())
    yield f"{programme_id}: {result.version} is published and serves. It learned from {learned}."
    yield from output.table(("check", "verdict"), sorted(result.verdicts.items()))
    release_cost, year = result.epsilon["release"], result.epsilon["year"]
    if release_cost is None:
        yield "Not differentially private."
    else:
        yield f"Differential privacy: ε {release_cost:g} this release, {year or 0:g} this year."
