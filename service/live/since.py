"""Since when something is stale: kept beside the pools, so that it is known after a restart, and to every worker."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path


class Since:
    """One small file for each thing that is stale.

    Where nothing can be written, what is stale is known to each process for itself.

    Parameters
    ----------
    run : Path or None
        The folder of what can be rebuilt.
    """

    def __init__(self, run: Path | None) -> None:
        self._folder = None if run is None else run / "stale"

    def note(self, kind: str, programme_id: str, what: str, now: datetime) -> datetime:
        """Return since when `what` of a programme is stale: `now`, unless it was noted before."""
        file = self._file(kind, programme_id)
        if file is None:
            return now
        with suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(file.read_bytes())
            since = datetime.fromisoformat(known["since"])
            if known["what"] == what and since.tzinfo is not None:
                return min(since, now)
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside = file.with_suffix(f".{os.getpid()}")
            aside.write_text(json.dumps({"what": what, "since": now.isoformat()}), "utf-8")
            aside.replace(file)
        return now

    def forget(self, kind: str, programme_id: str) -> None:
        """Note that it is stale no more."""
        file = self._file(kind, programme_id)
        if file is not None:
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def _file(self, kind: str, programme_id: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{programme_id}.{kind}.json"
