"""The first line of a backup: what it is, of when, and which key opens the rest. It names nobody."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final

from matcher.errors import shown
from matcher.model.signing import derive
from matcher.records import instant, written
from service.backup.errors import RestoreError

MAGIC: Final = "peermatch-backup"
FORMAT: Final = 1
LONGEST: Final = 4096
_SALT_BYTES: Final = 16
_START: Final = f'{{"{MAGIC}":'.encode()


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a backup says of itself."""

    revision: str
    """Of the schema."""
    created: datetime
    release: str
    """Of Peermatch."""
    key: str
    """Tells which secret opens it, and nothing of that secret."""
    salt: str
    programmes: int
    members: int
    rows: int

    def line(self) -> bytes:
        """Return the line; the rest of the file is bound to it."""
        said = {MAGIC: FORMAT, **vars(self), "created": written(self.created)}
        return json.dumps(said, separators=(",", ":")).encode("ascii") + b"\n"


def new_salt() -> str:
    """Draw what makes the key of one file another than that of every other."""
    return secrets.token_hex(_SALT_BYTES)


def key_id(secret: bytes) -> str:
    """Return what tells which installation's secret opens a file."""
    return derive(secret, "backup-id/1").hex()[:16]


def file_key(secret: bytes, salt: str) -> bytes:
    """Return the key of one file."""
    return derive(derive(secret, "backup/1"), f"backup-file/1/{salt}")


def read_header(file: IO[bytes]) -> tuple[Header, bytes]:
    """Return what the first line says, and the line itself.

    Raises
    ------
    RestoreError
        If it is not the line of a backup, or of one that another release wrote in another form.
    """
    line = file.readline(LONGEST)
    if not line.startswith(_START):
        raise RestoreError("found another kind of file; expected one that `peermatch backup` wrote")
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        raise RestoreError("its first line was changed or cut off; take another copy of the backup") from None
    form = said.pop(MAGIC)
    if form != FORMAT:
        raise RestoreError(
            f"found a backup of form {shown(form)}; this release reads form {FORMAT}: install the release that wrote "
            "it, or a newer one"
        )
    created = instant(said["created"]) if isinstance(said.get("created"), str) else None
    kinds = {name: int if name in {"programmes", "members", "rows"} else str for name in Header.__annotations__}
    if created is None or any(not isinstance(said.get(name), kind) for name, kind in kinds.items()):
        raise RestoreError("its first line was changed; take another copy of the backup")
    return Header(**{**{name: said[name] for name in kinds}, "created": created}), line
