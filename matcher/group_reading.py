"""Reading the parts of a group record: topics, when and how a group meets, places and people."""

from __future__ import annotations

import unicodedata
from typing import Final

from matcher.errors import shown
from matcher.facets.base import Facet, Value, ValueProblem
from matcher.facets.choice import Choice
from matcher.facets.concepts import Concepts
from matcher.facets.languages import Languages
from matcher.facets.tags import Tags
from matcher.facets.week import Week, WeekFacet
from matcher.people import MEMBER_ID, MEMBER_ID_RULE
from matcher.profile_reading import parsed
from matcher.programme import Programme
from matcher.records import ABSENT, Fields, found, join, note

CHANNEL: Final = "channel"
"""Name of the facet of tags whose values are the ways in which a group may meet."""

LONGEST_NAME: Final = 120
LONGEST_CHANNEL: Final = 60
MOST_PLACES: Final = 1000
MOST_FACILITATORS: Final = 20
USUAL_MINIMUM: Final = 4
"""People below whom a group is hardly one, where the record does not say."""

_WEEK: Final = WeekFacet(name="slot", label="Slot")
_LANGUAGES: Final = Languages(name="languages", label="Languages")


def channel_facet(programme: Programme) -> Tags | None:
    """Return the programme's facet of channels, if it has one."""
    facet = programme.facets.get(CHANNEL)
    return facet if isinstance(facet, Tags) else None


def topical(programme: Programme) -> dict[str, Facet]:
    """Return the facets that a group may have topics of, by name: concepts, tags and choices that people have.

    A facet with ``against`` asks and one with ``excludes`` forbids: neither is anything to be about.
    """
    told = {
        name: facet
        for name, facet in programme.facets.items()
        if isinstance(facet, Concepts | Tags | Choice) and facet is not channel_facet(programme)
    }
    return {
        name: facet
        for name, facet in told.items()
        if not (isinstance(facet, Concepts) and (facet.against or facet.excludes))
    }


def read_name(fields: Fields) -> str:
    """Return what the group is called, in NFC."""
    raw = fields.text("name", "what the group is called", limit=LONGEST_NAME) or ""
    name = unicodedata.normalize("NFC", raw).strip()
    if not name.isprintable():
        fields.note("name", "found a control character; expected plain text on one line")
    return name


def read_topics(fields: Fields, programme: Programme) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the parsed topics by facet, in the programme's order, and what is worth a warning."""
    raw = fields.get("topics")
    if raw is ABSENT:
        return {}, ()
    facets = topical(programme)
    inner = Fields(raw, "topics", fields.problems, tuple(facets), "topic")
    topics: dict[str, Value] = {}
    warnings: list[str] = []
    for name, facet in facets.items():
        given = inner.get(name)
        if given in ([], ()):
            inner.note(name, "found an empty array; expected at least one topic, or leave the facet out")
        elif (value := parsed(facet.parse, given, inner, name)) is not None:
            topics[name] = value
            warnings += [f"{join(inner.path, name)}: {message}" for message in facet.warnings(value)]
    return topics, tuple(warnings)


def read_slot(fields: Fields, programme: Programme) -> Week | None:
    """Return when the group meets; required where members of the programme tell when they are free."""
    timed = any(isinstance(facet, WeekFacet) for facet in programme.facets.values())
    slot, tz = fields.get("slot"), fields.get("tz")
    if slot is ABSENT and tz is ABSENT and not timed:
        return None
    slot = fields.require("slot", "when the group meets, such as 'tue 18:00-19:30'")
    tz = fields.require("tz", "the IANA time zone of the slot, such as Europe/London")
    # One at a time, each beside a sound other, so that what is wrong with either is told.
    for one, other, key in ((slot, "UTC", "slot"), ("mon 00:00-01:00", tz, "tz")):
        if ABSENT in (one, other):
            continue
        try:
            _WEEK.parse({"tz": other, "slots": [one]})
        except ValueProblem as problem:
            fields.note(key, problem.message)
    sound = ABSENT not in (slot, tz) and not {"slot", "tz"} & fields.problems.keys()
    week = _WEEK.parse({"tz": tz, "slots": [slot]}) if sound else None
    return week if isinstance(week, Week) else None


def read_channel(fields: Fields, programme: Programme) -> str | None:
    """Return how the group meets: a value of the channel facet, or any words where there is no such facet."""
    facet = channel_facet(programme)
    if facet is None:
        return fields.text("channel", "how the group meets", required=False, limit=LONGEST_CHANNEL)
    return fields.text("channel", "one of " + ", ".join(facet.values), choices=facet.values)


def read_languages(fields: Fields) -> tuple[str, ...] | None:
    """Return the languages in which the group is held, or None where that is left to its facilitators."""
    raw = fields.get("languages")
    if raw is ABSENT:
        return None
    if raw in ([], ()):
        fields.note(
            "languages", "found an empty array; expected at least one, or leave it out: the facilitators' count"
        )
        return None
    tags = parsed(_LANGUAGES.parse, raw, fields, "languages")
    return tags if isinstance(tags, tuple) else None


def read_capacity(fields: Fields) -> int:
    """Return how many members there is room for."""
    fields.require("capacity", f"how many members the group has room for, 0 to {MOST_PLACES}")
    return fields.whole("capacity", default=0, maximum=MOST_PLACES)


def read_min_size(fields: Fields, capacity: int) -> int:
    """Return the least number of members with whom the group is one."""
    size = fields.whole("min_size", default=min(USUAL_MINIMUM, capacity), maximum=MOST_PLACES)
    if size > capacity and "capacity" not in fields.problems:
        fields.note("min_size", f"found {size}; expected at most the capacity, {capacity}")
    return size


def read_minors(fields: Fields, programme: Programme) -> bool:
    """Return whether it is a group of minors."""
    minors = fields.boolean("minors", default=False)
    if minors and programme.minors_policy != "separate":
        fields.note("minors", "found true; this programme matches no minors: expected false, or leave it out")
    return minors


def read_people(fields: Fields, key: str, most: int) -> list[str]:
    """Return ids, sorted; who among them is a member of the programme is not known here."""
    raw = fields.get(key)
    if raw is ABSENT:
        return []
    if not isinstance(raw, list | tuple) or len(raw) > most:
        fields.note(key, f"found {found(raw)}; expected an array of at most {most} member ids")
        return []
    good: set[str] = set()
    for place, item in enumerate(raw):
        if not isinstance(item, str) or not MEMBER_ID.fullmatch(item):
            note(fields.problems, f"{key}[{place}]", f"found {shown(item)}; expected {MEMBER_ID_RULE}")
        elif item in good:
            note(fields.problems, f"{key}[{place}]", "found the same id twice; expected each person once")
        else:
            good.add(item)
    return sorted(good)


def check_apart(fields: Fields, facilitators: list[str], members: list[str]) -> None:
    """Note that somebody is both: a facilitator takes no place, and a member does."""
    if set(facilitators) & set(members):
        fields.note("members", "has somebody whom facilitators has too; expected each person in one of them")


def worth_telling(facilitators: list[str], members: list[str], capacity: int) -> list[str]:
    """Return warnings about the people of a group."""
    warnings = []
    if not facilitators:
        warnings.append("facilitators: there is none, and a group without one is shown to nobody")
    if len(members) > capacity:
        warnings.append(f"members: there are more than the capacity, {capacity}; nobody else is shown the group")
    return warnings
