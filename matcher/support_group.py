"""A support group: what a partner's record tells of it, read and checked against the programme.

The record is told in ``docs/reference/records.md``; how groups are ranked, in ``docs/reference/groups.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from matcher.facets.base import Value
from matcher.facets.week import Week
from matcher.group_reading import (
    MOST_FACILITATORS,
    MOST_PLACES,
    check_apart,
    read_capacity,
    read_channel,
    read_languages,
    read_min_size,
    read_minors,
    read_name,
    read_people,
    read_slot,
    read_topics,
    worth_telling,
)
from matcher.people import member_id_of
from matcher.programme import Programme
from matcher.records import Fields, Problems, plain, refuse, scan, sound

_PEOPLE = ("facilitators", "members")
_PLACES = ("capacity", "min_size", "open", "minors")
_KEYS = ("group_id", "name", "topics", "slot", "tz", "channel", "languages", *_PLACES, *_PEOPLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One support group of one programme, as its record tells it."""

    programme_id: str
    group_id: str
    name: str
    topics: Mapping[str, Value]
    """Parsed values by facet, in the programme's order: what the group is about."""
    week: Week | None
    """The one slot in which it meets, in its own zone; None only where the programme knows no free time."""
    channel: str | None
    languages: tuple[str, ...] | None
    """In which it is held; None: those that its facilitators share."""
    capacity: int
    """Places for members; facilitators take none."""
    min_size: int
    open: bool
    """Whether new members may join."""
    minors: bool
    """Whether it is a group of minors, who are never with adults."""
    facilitators: tuple[str, ...]
    """Ids, sorted."""
    members: tuple[str, ...]
    """Ids, sorted."""
    warnings: tuple[str, ...] = ()
    """What was accepted but is worth telling, each after its path."""

    @classmethod
    def from_dict(cls, record: object, programme: Programme) -> Self:
        """Read a group record.

        Raises
        ------
        RecordError
            If anything is wrong; ``errors`` has every problem by its path, e.g. ``topics.conditions[1]``.
        """
        problems: Problems = {}
        readable = sound(record) or scan(record, problems)
        fields = Fields(record, "", problems, _KEYS)
        if not readable or not isinstance(record, dict):
            refuse(problems)
        topics, warnings = read_topics(fields, programme)
        facilitators = read_people(fields, "facilitators", MOST_FACILITATORS)
        members = read_people(fields, "members", MOST_PLACES)
        check_apart(fields, facilitators, members)
        capacity = read_capacity(fields)
        made = cls(
            programme_id=programme.id,
            group_id=member_id_of(fields, "group_id"),
            name=read_name(fields),
            topics=topics,
            week=read_slot(fields, programme),
            channel=read_channel(fields, programme),
            languages=read_languages(fields),
            capacity=capacity,
            min_size=read_min_size(fields, capacity),
            open=fields.boolean("open", default=False),
            minors=read_minors(fields, programme),
            facilitators=tuple(facilitators),
            members=tuple(members),
            warnings=(*warnings, *worth_telling(facilitators, members, capacity)),
        )
        refuse(problems)
        return made

    def to_dict(self) -> dict[str, object]:
        """Return the canonical record: reading it again gives an equal group."""
        optional: dict[str, object] = {}
        if self.week is not None:
            optional |= {"slot": self.week.slots[0], "tz": self.week.tz}
        if self.channel is not None:
            optional["channel"] = self.channel
        if self.languages is not None:
            optional["languages"] = list(self.languages)
        return {
            "group_id": self.group_id,
            "name": self.name,
            "facilitators": list(self.facilitators),
            "topics": {facet: plain(value) for facet, value in self.topics.items()},
            **optional,
            "capacity": self.capacity,
            "min_size": self.min_size,
            "open": self.open,
            "minors": self.minors,
            "members": list(self.members),
        }
