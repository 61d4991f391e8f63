"""A member: what a partner's record tells of one person, read and checked against the programme."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Self

from matcher.consent_events import ConsentEvent, read_event, usual_event
from matcher.errors import shown
from matcher.facets.base import Value, Want
from matcher.frozen import maker
from matcher.profile_reading import read_profile, read_wants
from matcher.programme import Programme
from matcher.records import ABSENT, Fields, Problems, found, plain, refuse, scan, sound
from matcher.stored_reading import stored_reader

MEMBER_ID: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}", re.ASCII)
"""``.`` and ``..`` are none: in the path of an address they mean another place."""

MEMBER_ID_PATTERN: Final = r"^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}$"
"""The same for JSON Schema."""

MEMBER_ID_RULE: Final = "1 to 64 of A-Z a-z 0-9 . _ ~ -, and not just . or .."
ROLES: Final = ("seeker", "supporter")
MOST_CAPACITY: Final = 1000
_BARE = ("member_id", "roles", "age_band", "capacity", "vetted", "agreements")
_KEYS = dict.fromkeys((*_BARE, "profile", "wants", "strata", "consents"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person in one programme. What may be done with it only `matcher.consent.consented` tells."""

    programme_id: str
    member_id: str
    roles: frozenset[str]
    age_band: str | None = None
    capacity: int = 1
    """Open introductions and connections at once."""
    vetted: bool = False
    agreements: frozenset[str] = frozenset()
    profile: Mapping[str, Value]
    """Parsed values by facet; absent is unknown."""
    wants: Mapping[str, Want]
    strata: Mapping[str, str]
    consents: tuple[ConsentEvent, ...] = ()
    warnings: tuple[str, ...] = ()
    """What was accepted but is worth telling, each after its path."""

    @classmethod
    def from_dict(cls, record: object, programme: Programme) -> Self:
        """Read a member record, as ``docs/reference/records.md`` describes it.

        Raises
        ------
        RecordError
            If anything is wrong; ``errors`` has every problem by its path, e.g. ``consents[2].at``.
        """
        problems: Problems = {}
        readable = sound(record) or scan(record, problems)
        fields = Fields(record, "", problems, _KEYS)
        if not readable or not isinstance(record, dict):
            refuse(problems)
        profile, warnings = read_profile(fields, programme)
        bands = programme.age_bands
        made = cls(
            programme_id=programme.id,
            member_id=member_id_of(fields),
            roles=_roles(fields, programme),
            age_band=fields.text("age_band", _one_of(bands), required=False, choices=bands),
            capacity=fields.whole("capacity", default=1, maximum=MOST_CAPACITY),
            vetted=fields.boolean("vetted", default=False),
            agreements=fields.texts("agreements") or frozenset(),
            profile=profile,
            wants=read_wants(fields, programme),
            strata=_strata(fields, programme),
            consents=_consents(fields, programme),
            warnings=warnings,
        )
        refuse(problems)
        if programme.minors_policy == "refuse" and made.age_band in programme.minors:
            return replace(
                made, warnings=(f"age_band: {made.age_band} is a minor, whom this programme never matches", *warnings)
            )
        return made

    @staticmethod
    def from_stored(record: Mapping[str, Any], programme: Programme) -> Member:
        """Read a record that `to_dict` wrote under a programme of the same digest. Nothing is checked.

        Much faster than `from_dict`, and gives an equal member but for `warnings`, which are told when a record
        comes in and are not kept: here there are none. What many members say alike they share.

        Parameters
        ----------
        record : mapping
            As JSON gives it back. It is left as it is, and nothing of it is kept that could be changed.
        programme : Programme
            Of the digest under which the record was accepted. Under another one use `from_dict`.
        """
        reader = stored_reader(programme)
        return _new_member(
            programme_id=programme.id,
            member_id=record["member_id"],
            roles=reader.names[tuple(record["roles"])],
            age_band=record.get("age_band"),
            capacity=record["capacity"],
            vetted=record["vetted"],
            agreements=reader.names[tuple(record["agreements"])],
            profile=reader.profile(record["profile"]),
            wants=reader.wants(record["wants"]),
            strata={**record["strata"]},
            consents=reader.consents(record["consents"]),
        )

    def to_dict(self) -> dict[str, object]:
        """Return the canonical record: reading it again gives an equal member."""
        record: dict[str, object] = {"member_id": self.member_id, "roles": sorted(self.roles)}
        if self.age_band is not None:
            record["age_band"] = self.age_band
        return {
            **record,
            "capacity": self.capacity,
            "vetted": self.vetted,
            "agreements": sorted(self.agreements),
            "profile": {facet: plain(value) for facet, value in self.profile.items()},
            "wants": {facet: plain(want) for facet, want in self.wants.items()},
            "strata": dict(self.strata),
            "consents": [event.to_dict() for event in self.consents],
        }


_new_member: Callable[..., Member] = maker(Member)


def member_id_of(fields: Fields, key: str = "member_id") -> str:
    """Return the member id in the field `key`, or an empty string after noting what is wrong with it."""
    value = fields.require(key, MEMBER_ID_RULE)
    if value is ABSENT:
        return ""
    if not isinstance(value, str) or not MEMBER_ID.fullmatch(value):
        fields.note(key, f"found {shown(value)}; expected {MEMBER_ID_RULE}")
        return ""
    return value


def _roles(fields: Fields, programme: Programme) -> frozenset[str]:
    """Return the roles; in a mutual programme both, whether they are told or not."""
    both = frozenset(ROLES)
    if programme.mutual:
        roles = fields.texts("roles", choices=ROLES)
        if roles is not None and roles != both:
            fields.note(
                "roles", "expected both roles, for in a mutual programme everybody is both; or leave the key out"
            )
        return both
    fields.require("roles", f"an array with at least {_one_of(ROLES)}")
    roles = fields.texts("roles", choices=ROLES)
    if fields.values.get("roles") in ([], ()):
        fields.note("roles", f"found no role; expected at least {_one_of(ROLES)}")
    return roles or frozenset()


def _strata(fields: Fields, programme: Programme) -> dict[str, str]:
    strata: dict[str, str] = {}
    raw = fields.get("strata")
    if raw is not ABSENT:
        inner = Fields(raw, "strata", fields.problems, programme.strata, "stratum")
        for name, values in programme.strata.items():
            value = inner.text(name, _one_of(values), required=False, choices=values)
            if value is not None:
                strata[name] = value
    return strata


def _consents(fields: Fields, programme: Programme) -> tuple[ConsentEvent, ...]:
    raw = fields.get("consents")
    if raw is ABSENT:
        return ()
    if not isinstance(raw, list | tuple):
        fields.note("consents", f"found {found(raw)}; expected an array of consent events")
        return ()
    events = [
        usual_event(item, programme) or read_event(item, programme, fields.problems, f"consents[{place}]")
        for place, item in enumerate(raw)
    ]
    return tuple([event for event in events if event is not None])


@lru_cache(maxsize=256)
def _one_of(names: tuple[str, ...]) -> str:
    return "one of " + ", ".join(names)
