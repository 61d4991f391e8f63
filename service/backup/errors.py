"""What goes wrong with backups."""

from __future__ import annotations

import errno

from matcher.errors import PeermatchError


class BackupError(PeermatchError):
    """The backup cannot be made; there is none of this name."""

    title = "The backup cannot be made"


class RestoreError(PeermatchError):
    """The backup cannot be restored; nothing was changed."""

    title = "The backup cannot be restored"


def said(problem: OSError) -> str:
    """Return what the operating system says, without the path of a file that only we know."""
    if problem.errno == errno.ENOSPC:
        return "the disk is full: make room, or write it elsewhere"
    return problem.strerror or type(problem).__name__
