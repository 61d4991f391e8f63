"""The one family of errors: the command line and the HTTP layer each translate it once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class PeermatchError(Exception):
    """Base of every error that a user may meet.

    Parameters
    ----------
    message : str
        Names the field, what was found, what was expected and the way out. Never personal data.
    errors : mapping of str to str, optional
        One message per path, where several things are wrong at once.
    """

    title = "Peermatch cannot do this"

    def __init__(self, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors: dict[str, str] = dict(errors or {})


class ProgrammeError(PeermatchError):
    """A programme file says something that cannot be."""

    title = "The programme file is not valid"


class VocabularyError(PeermatchError):
    """A vocabulary is missing, malformed, or lacks a code that was required."""

    title = "The vocabulary is not valid"


class RecordError(PeermatchError):
    """A record (member, feedback, block, group) is malformed; ``errors`` has every problem by path."""

    title = "The record is not valid"


class SeekerError(PeermatchError):
    """A list was asked for somebody who cannot have one."""

    title = "No list can be made for this member"


class UnknownMemberError(SeekerError):
    """No such member: unknown, foreign and erased are told in the same words."""

    title = "No such member"


class ConsentMissingError(SeekerError):
    """The purpose this needs is not on for the member."""

    title = "Consent is missing"


class ModelError(PeermatchError):
    """A model cannot be fitted, or does not fit this programme."""

    title = "The model cannot be used"


class ArtefactError(ModelError):
    """A stored model is damaged, unsigned, or of another version."""

    title = "The stored model cannot be loaded"


def shown(value: object, limit: int = 60) -> str:
    """Return `value` as it may appear in a message: short, and safe to print."""
    try:
        text = ascii(value)
    except ValueError:  # Python refuses to write integers of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of `valid`, or an empty string."""
    close = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
