"""What can be wrong with a whole file; what is wrong with one row is in the outcome instead."""

from __future__ import annotations

from matcher.errors import PeermatchError


class IntakeError(PeermatchError):
    """A file cannot be read at all; nothing was imported."""

    title = "The file cannot be imported"


class MappingError(PeermatchError):
    """A mapping file says something that cannot be, or does not fit the file it is for."""

    title = "The mapping is not valid"
