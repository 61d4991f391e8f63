"""What fits have cost in differential privacy: a record that only grows, and that no restore of a backup shortens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from matcher.model.accounting import DELTA, Noise, Spent, epsilon
from service.store.moments import micros, moment
from service.store.training_tables import PrivacyReleaseRow


def add(session: Session, programme_id: str, version: str, noise: Noise, now: datetime) -> None:
    """Note what a fit costs, before it is made: what was computed has been told, whatever becomes of it."""
    row = {"version": version, "at": micros(now), "steps": noise.times, "noise_multiplier": noise.multiplier}
    cost = {"epsilon": epsilon([noise]), "delta": DELTA}
    session.execute(insert(PrivacyReleaseRow).values(programme_id=programme_id, **row, **cost))


def of_programme(session: Session, programme_id: str) -> list[Spent]:
    """Return all fits of a programme, the first of them first."""
    query = select(PrivacyReleaseRow).where(PrivacyReleaseRow.programme_id == programme_id)
    rows = session.scalars(query.order_by(PrivacyReleaseRow.at, PrivacyReleaseRow.version))
    return [Spent(moment(row.at), Noise(row.noise_multiplier, row.steps)) for row in rows]
