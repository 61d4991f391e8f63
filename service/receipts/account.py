"""What receipts are made of: the history of one member, in the programme as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from matcher.consent import ConsentState, deciding
from matcher.facets.base import Facet
from matcher.programme import Programme
from service.store.consent_log import Recorded

_NAMES: Final = uuid5(NAMESPACE_URL, "urn:peermatch:receipts")


@dataclass(frozen=True)
class Account:
    """A member's history, and what is to be known of the programme to tell it."""

    programme: Programme
    member_id: str
    history: Sequence[Recorded]
    on: ConsentState
    """What is on now."""
    words: Mapping[str, tuple[str, str]]
    """Label and description of each purpose, in plain words."""

    @property
    def controller(self) -> str:
        """The name of who answers for the data, as far as the programme's file tells it."""
        told = self.programme.controller
        return self.programme.name if told is None else told.name

    def name_of(self, what: str) -> UUID:
        """Return what names something of this member's all over the world: ids of events are only their member's own.

        The same thing has the same name whenever it is asked for.
        """
        return uuid5(_NAMES, f"{self.programme.id}/{self.member_id}/{what}")

    def before(self, one: Recorded) -> list[Recorded]:
        """Return the events of the same purpose up to one, and that one: what was so when it was recorded."""
        purpose = one.event.purpose
        return [other for other in self.history[: one.place + 1] if other.event.purpose == purpose]

    def counts(self, one: Recorded) -> bool:
        """Whether it is by this very event that its purpose is on now."""
        purpose = one.event.purpose
        return self.on.on(purpose) and self._deciding.get(purpose) is one.event

    def covered(self, one: Recorded) -> list[Facet] | None:
        """Return the facets that an event is about; None: all of the policy of its time, which is not today's."""
        if one.event.categories is not None:
            return [facet for name, facet in self.programme.facets.items() if name in one.event.categories]
        if one.event.policy_version == self.programme.policy_version:
            return list(self.programme.facets.values())
        return None

    def sentence(self, one: Recorded) -> str:
        """Return what was decided, in plain words."""
        label, description = self.words[one.event.purpose]
        return f"{label}. {description}"

    @cached_property
    def _deciding(self) -> Mapping[str, object]:
        return deciding(one.event for one in self.history)
