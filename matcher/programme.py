"""A programme: what one peer-support programme compares, requires and allows, read from its TOML file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from matcher.config import Table, Words
from matcher.errors import nearest
from matcher.facets.base import Facet
from matcher.facets.concepts import Concepts
from matcher.programme_facets import check_facets, check_name, check_required, read_facets, statement_shown
from matcher.sizes import SIZES, Size
from matcher.toml_lines import read_text

ID = r"[a-z][a-z0-9-]{1,38}"
MOST_SHOWN = 10
"""No shortlist is longer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Programme:
    """One programme, immutable. Two are equal when they say the same: see `digest`.

    Made by `from_toml` or `from_text`; every key is told in ``docs/reference/programme.md``.
    """

    id: str
    name: str
    pairing: str
    """``mentor`` (seekers and supporters) or ``mutual`` (everybody is both)."""
    size: str
    review: str
    crisis_message: str | None
    confidentiality: str | None
    """The agreement that both of a pair must have accepted; None: none."""
    policy_version: str
    required: frozenset[str]
    """Facets that a consent to be matched, or shown, must cover."""
    age_bands: tuple[str, ...]
    minors: frozenset[str]
    minors_policy: str
    """``refuse``, or ``separate``: among themselves, with a guardian's consent."""
    facets: Mapping[str, Facet]
    """By name, in the order of the file."""
    strata: Mapping[str, tuple[str, ...]]
    limit: int
    min_pool: int
    quality_floor: float
    """The least reciprocal score, in [0, 1], that a shortlist shows."""
    lists_per_day: int
    lists_per_30_days: int | None
    additions: str
    reason_k: int
    reasons_a_card: int
    show_statement: str
    censor_days: int
    """Days after which shown without an answer counts as a no (if viewed), or as nothing."""
    epsilon_per_release: float
    epsilon_per_year: float
    min_exposure_ratio: float
    source: str = field(repr=False)
    """The text of the file."""
    digest: str = field(repr=False)
    """SHA-256 in hex of what the file says (not how: comments and spacing are free) and of its vocabularies."""

    @classmethod
    def from_toml(cls, path: Path | str) -> Self:
        """Read a programme file; vocabularies are looked for beside it.

        Raises
        ------
        ProgrammeError
            If the file cannot be read or says something that cannot be.
        """
        path = Path(path)
        return cls.from_text(read_text(path), path.parent, path.name)

    @classmethod
    def from_text(cls, text: str, base: Path, source: str = "programme.toml") -> Self:
        """Read the text of a programme file.

        Parameters
        ----------
        text : str
            TOML.
        base : Path
            The folder in which vocabularies are looked for.
        source : str
            What messages call the file.

        Raises
        ------
        ProgrammeError
            If the text says something that cannot be: file, line of the header, header, key, found, expected, and
            the nearest valid name.
        """
        root = Table.from_text(text, source)
        general = _general(root)
        size = SIZES[general["size"]]
        general.setdefault("review", size.review)
        ages = _ages(root.table("ages"))
        mutual = general["pairing"] == "mutual"
        declared = root.table("facets")
        facets, tables = read_facets(declared, base, ages["age_bands"], mutual=mutual)
        check_facets(facets, tables, declared)
        values: dict[str, Any] = {
            **general,
            **ages,
            **_consent(root.table("consent"), facets),
            "facets": MappingProxyType(facets),
            "strata": MappingProxyType(_strata(root.table("strata", optional=True), facets)),
            "show_statement": statement_shown(facets) or size.show_statement,
            **_numbers(root, size),
        }
        root.finish()
        return cls(**values, source=text, digest=_digest(root.values, facets))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Programme) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self  # immutable, and scikit-learn's clone copies every parameter

    @property
    def mutual(self) -> bool:
        """Whether everybody is both seeker and supporter."""
        return self.pairing == "mutual"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the facets that take part in the affinity, as declared."""
        return tuple(name for name, facet in self.facets.items() if facet.is_feature)

    @cached_property
    def sourced(self) -> frozenset[str]:
        """Names of the facets whose value is not in the profile; they are in every view."""
        return frozenset(name for name, facet in self.facets.items() if facet.source is not None)


def _general(root: Table) -> dict[str, Any]:
    table = root.table("programme")
    values: dict[str, Any] = {
        "id": table.string("id", pattern=ID),
        "name": table.string("name"),
        "pairing": table.string("pairing", choices=["mentor", "mutual"]),
        "size": table.string("size", default="standard", choices=SIZES),
        "crisis_message": table.string("crisis_message", default=None),
        "confidentiality": table.string("confidentiality", default=None),
    }
    review = table.string("review", default=None, choices=["none", "first", "all"])
    if review is not None:
        values["review"] = review
    table.finish()
    return values


def _consent(table: Table, facets: Mapping[str, Facet]) -> dict[str, Any]:
    version = table.string("policy_version")
    required = table.strings("required", default=())
    check_required(table, required, facets)
    table.finish()
    return {"policy_version": version, "required": frozenset(required)}


def _ages(table: Table) -> dict[str, Any]:
    bands = table.strings("bands", minimum=1)
    minors = table.strings("minors", default=())
    for band in minors:
        if band not in bands:
            table.fail("minors", band, f"one of bands: {', '.join(map(repr, bands))}", nearest(band, bands))
    policy = table.string("minors_policy", default="refuse", choices=["refuse", "separate"])
    table.finish()
    return {"age_bands": bands, "minors": frozenset(minors), "minors_policy": policy}


def _strata(table: Table, facets: Mapping[str, Facet]) -> dict[str, tuple[str, ...]]:
    strata = {}
    for name in table.values:
        check_name(table, name)
        if name in facets:
            table.fail(name, Words("the name of a facet"), "a name of its own: a stratum is never read by the matching")
        strata[name] = table.strings(name, minimum=2)
    return strata


def _numbers(root: Table, size: Size) -> dict[str, Any]:
    """Read `[shortlist]`, `[privacy]`, `[model]` and `[fairness]`."""
    shortlist, privacy, model, fairness = (
        root.table(name, optional=True) for name in ("shortlist", "privacy", "model", "fairness")
    )
    release = model.number("epsilon_per_release", default=1.0, minimum=0.001, maximum=100.0)
    values: dict[str, Any] = {
        "limit": shortlist.integer("limit", default=size.limit, minimum=1, maximum=MOST_SHOWN),
        "min_pool": shortlist.integer("min_pool", default=size.min_pool, minimum=1, maximum=1_000_000),
        "quality_floor": shortlist.number("quality_floor", default=0.15, minimum=0.0, maximum=1.0),
        "lists_per_day": shortlist.integer("lists_per_day", default=size.lists_per_day, minimum=1, maximum=1000),
        "lists_per_30_days": _bound(shortlist, "lists_per_30_days", size.lists_per_30_days),
        "additions": shortlist.string("additions", default=size.additions, choices=["at_once", "next_epoch"]),
        "reason_k": privacy.integer("reason_k", default=size.reason_k, minimum=1, maximum=1_000_000),
        "reasons_a_card": privacy.integer("reasons_a_card", default=size.reasons_a_card, minimum=0, maximum=10),
        "censor_days": model.integer("censor_days", default=14, minimum=1, maximum=3650),
        "epsilon_per_release": release,
        "epsilon_per_year": model.number(
            "epsilon_per_year", default=max(5.0, release), minimum=release, maximum=1000.0
        ),
        "min_exposure_ratio": fairness.number("min_exposure_ratio", default=0.8, minimum=0.0, maximum=1.0),
    }
    for table in (shortlist, privacy, model, fairness):
        table.finish()
    return values


def _bound(table: Table, key: str, default: int | None) -> int | None:
    """Return a bound that the word "unlimited" lifts."""
    value = table.values.get(key)
    if isinstance(value, str):
        if table.string(key) != "unlimited":
            table.fail(key, value, 'a whole number from 1 to 100000, or "unlimited"')
        return None
    return table.integer(key, default=default, minimum=1, maximum=100_000)


def _digest(values: Mapping[str, object], facets: Mapping[str, Facet]) -> str:
    vocabularies = {name: facet.vocabulary.digest for name, facet in facets.items() if isinstance(facet, Concepts)}
    # The order of facets matters (reasons, ties), that of anything else does not.
    said = json.dumps([values, list(facets), vocabularies], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()
