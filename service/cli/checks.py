"""The checks of ``peermatch doctor``. Each looks at one thing; none changes anything; what fails ends only itself."""

from __future__ import annotations

import os
import shutil
import time
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from matcher import vocabulary
from matcher.errors import PeermatchError, SeekerError
from matcher.programme import Programme
from service.cli import checks_audit, checks_consent, checks_erasures, checks_introductions, context, pools
from service.cli.check import FAIL, OK, WARN, Check
from service.cli.publishing import load_model
from service.live.held import HeldPool
from service.live.peers import Peers
from service.live.seeking import Seeking
from service.security import read_secret_key
from service.settings import Settings
from service.store import Store, members, models, programmes, scene
from service.store.hot import Transaction
from service.store.moments import day, micros
from service.store.scene import Scene

VOCABULARY_MS = 100.0
FREE_BYTES = 200_000_000
CANARIES = 10
FAR_ZONES = ("Pacific/Auckland", "Pacific/Honolulu", "Europe/London")


def run(now: datetime) -> Iterator[Check]:
    """Yield every check that can be made; a later one that needs what failed is left out."""
    yield from _guarded("time zones", _time_zones)
    yield from _guarded("vocabulary", _vocabulary)
    try:
        where = context.settings()
    except PeermatchError as error:
        yield Check("settings", FAIL, error.message, "correct the variable in the environment")
        return
    yield Check("settings", OK, f"home {where.home}, database {where.url.render_as_string(hide_password=True)}")
    yield from _guarded("home", lambda: _home(where))
    yield from _guarded("secret key", lambda: _secret_key(where))
    try:
        with context.opened(where) as store:
            yield from _guarded("database", lambda: _database(where, store))
            with store.reading() as session:
                known = programmes.identifiers(session)
            if not known:
                yield Check("programmes", FAIL, "there is none", "`peermatch init FILE.toml` adds the first")
            yield from _guarded("erasures", lambda: checks_erasures.erasures(where, store))
            for programme_id in known:
                yield from _programme(where, store, programme_id, now)
    except PeermatchError as error:
        yield Check("database", FAIL, error.message)


def _guarded(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield what `look` finds; an error of ours, or of the file system, is what it found."""
    try:
        yield from look()
    except PeermatchError as error:
        yield Check(name, FAIL, error.message)
    except OSError as error:
        yield Check(name, FAIL, f"{error.filename or ''}: {error.strerror}", "check the folder and its permissions")


def _time_zones() -> Iterator[Check]:
    missing = []
    for zone in FAR_ZONES:
        try:
            zoneinfo.ZoneInfo(zone)
        except zoneinfo.ZoneInfoNotFoundError:
            missing.append(zone)
    if missing:
        yield Check("time zones", FAIL, f"no data for {', '.join(missing)}", "install the package tzdata")
    else:
        yield Check("time zones", OK, f"{len(zoneinfo.available_timezones())} zones")


def _vocabulary() -> Iterator[Check]:
    began = time.perf_counter()
    loaded = vocabulary.load_bundled("icd10cm")
    ms = (time.perf_counter() - began) * 1000
    said = f"icd10cm: {len(loaded):,} concepts in {ms:.0f} ms"
    if ms > VOCABULARY_MS:
        yield Check("vocabulary", WARN, said, f"more than {VOCABULARY_MS:.0f} ms: the disk or the machine is busy")
    else:
        yield Check("vocabulary", OK, said)


def _home(where: Settings) -> Iterator[Check]:
    home = where.home
    if not home.is_dir():
        yield Check(
            "home", FAIL, f"there is no folder {home}", "`peermatch init FILE.toml` makes it, or set PEERMATCH_HOME"
        )
    elif not os.access(home, os.W_OK | os.X_OK):
        yield Check("home", FAIL, f"{home} cannot be written", "give this user the right to write it")
    elif (free := shutil.disk_usage(home).free) < FREE_BYTES:
        yield Check("home", WARN, f"{free / 1e6:.0f} MB free in {home}", "make room: models and the database need it")
    else:
        yield Check("home", OK, f"{home} can be written, {free / 1e9:.1f} GB free")


def _secret_key(where: Settings) -> Iterator[Check]:
    read_secret_key(where)
    mode = where.secret_key_file.stat().st_mode & 0o777
    yield Check("secret key", OK, f"{where.secret_key_file}, mode {mode:04o}")


def _database(where: Settings, store: Store) -> Iterator[Check]:
    file = where.database_file
    if file is None:
        yield Check("database", OK, "reachable, of this release's schema")
        return
    with store.reading() as session:
        verdict = session.scalar(text("PRAGMA quick_check(1)"))
        orphans = session.execute(text("PRAGMA foreign_key_check")).first()
    if verdict != "ok" or orphans is not None:
        yield Check("database", FAIL, f"{file} is damaged", "stop the service and restore the file from a backup")
    elif (mode := file.stat().st_mode & 0o777) & 0o077:
        way_out = f"chmod 600 {file}*"
        yield Check("database", WARN, f"{file}: found mode {mode:04o}; others may read personal data", way_out)
    else:
        yield Check("database", OK, f"{file}: of this release's schema, intact, {file.stat().st_size / 1e6:.1f} MB")


def _programme(where: Settings, store: Store, programme_id: str, now: datetime) -> Iterator[Check]:
    name = f"programme {programme_id}"
    try:
        with store.reading() as session:
            programme = programmes.load(session, programme_id)
            total = members.count(session, programme_id)
            today = now.astimezone(UTC).date()
            waiting = total - sum(1 for _ in members.visible_members(session, programme_id, today))
    except PeermatchError as error:
        yield Check(name, FAIL, error.message, "correct its file and run `peermatch programme apply FILE.toml`")
        return
    said = f"{programme.name}: {len(programme.facets)} facets, {total:,} members"
    later = f", {waiting:,} of them visible from tomorrow (`peermatch refresh`: at once)" if waiting else ""
    yield Check(name, OK, said + later)
    yield from _guarded(f"models of {programme_id}", lambda: _models(where, store, programme))
    yield from _guarded(f"pool of {programme_id}", lambda: _pool(where, store, programme_id, now))
    yield from _guarded(f"consents of {programme_id}", lambda: checks_consent.consents(store, programme, now))
    of_introductions = f"introductions of {programme_id}"
    yield from _guarded(of_introductions, lambda: checks_introductions.introductions(store, programme))
    yield from _guarded(f"audit log of {programme_id}", lambda: checks_audit.log(store, programme_id))


def _models(where: Settings, store: Store, programme: Programme) -> Iterator[Check]:
    name = f"models of {programme.id}"
    retrain = f"`peermatch train --programme {programme.id}`, or `peermatch models rollback --programme {programme.id}`"
    with store.reading() as session:
        active = models.active(session, programme.id)
        recorded = {model.version for model in models.list_models(session, programme.id)}
    if active is None:
        yield Check(name, FAIL, "none is active", retrain)
        return
    try:
        load_model(where, programme, active.version)
    except PeermatchError as error:
        yield Check(name, FAIL, f"{active.version} (active): {error.message}", retrain)
        return
    yield Check(name, OK, f"{active.version} is active and verified; {len(recorded)} in all")
    folder = where.model_folder(programme.id, active.version).parent
    stray = sorted(path.name for path in _folders(folder) if path.name not in recorded)
    if stray:
        said = f"left over from an interrupted command: {', '.join(stray)}"
        yield Check(name, WARN, said, f"if no training runs now, remove these folders in {folder}")


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir())


def _pool(where: Settings, store: Store, programme_id: str, now: datetime) -> Iterator[Check]:
    name = f"pool of {programme_id}"
    began = time.perf_counter()
    cache = pools.pools(where, store)
    with store.hot.reading() as reader:
        seen = scene.scene(reader, programme_id)
        assert seen is not None  # it was loaded just now
        held = cache.current(reader, seen, now)
        said = f"{len(held):,} who may be shown, built in {time.perf_counter() - began:.1f} s"
        asked = _ask(reader, seen, held, now)
    said += f"; {asked} lists tried" if asked else "; nobody in it seeks"
    if skipped := held.base.skipped:
        way_out = "correct these records with PUT or import; `peermatch programme apply FILE.toml --dry-run` tells why"
        yield Check(name, WARN, f"{said}; {skipped:,} stored records cannot be read and are in no list", way_out)
    else:
        yield Check(name, OK, said)


def _ask(reader: Transaction, seen: Scene, held: HeldPool, now: datetime) -> int:
    """Make the lists of the first few who seek, as canaries: whatever cannot be computed raises here."""
    asked = 0
    for live, _ in scene.everybody(reader, seen.programme_id, day(now), micros(now)):
        if asked == CANARIES:
            break
        try:
            Peers().compute(Seeking(reader, seen, live, held.programme, now), held)
        except SeekerError:
            continue
        asked += 1
    return asked
