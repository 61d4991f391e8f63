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
from matcher.programme_controller import Controller, read_controller
from matcher.programme_facets import check_facets, check_name, check_required, read_facets, statement_shown
from matcher.programme_introductions import Introductions, Waiting, read_introductions, read_waiting
from matcher.programme_numbers import read_numbers
from matcher.programme_retention import Retention, read_retention
from matcher.programme_texts import read_texts
from matcher.sizes import SIZES
from matcher.toml_lines import read_text

ID = r"[a-z][a-z0-9-]{1,38}"


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
    policy_texts: Mapping[str, str]
    """SHA-256, in lower-case hex, of the text that members agree to, by locale (a BCP 47 tag in customary case)."""
    controller: Controller | None
    """Who answers for the data; None: not told."""
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
    retention: Retention
    introductions: Introductions
    waiting: Waiting
    source: str = field(repr=False)
    """The text of the file."""
    digest: str = field(repr=False)
    """SHA-256 in hex of what the file says (not how: comments and spacing are free) and of the files that it names."""

    @classmethod
    def from_toml(cls, path: Path | str) -> Self:
        """Read a programme file; vocabularies and texts are looked for beside it.

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
            The folder in which vocabularies and texts are looked for.
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
            **_consent(root.table("consent"), facets, base),
            "facets": MappingProxyType(facets),
            "strata": MappingProxyType(_strata(root.table("strata", optional=True), facets)),
            "show_statement": statement_shown(facets) or size.show_statement,
            **read_numbers(root, size),
            "controller": read_controller(root),
            "introductions": read_introductions(root),
            "waiting": read_waiting(root, facets),
        }
        values["retention"] = read_retention(root, values["censor_days"], values["introductions"])
        root.finish()
        return cls(**values, source=text, digest=_digest(root.values, facets, values["policy_texts"]))

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


def _consent(table: Table, facets: Mapping[str, Facet], base: Path) -> dict[str, Any]:
    version = table.string("policy_version")
    required = table.strings("required", default=())
    check_required(table, required, facets)
    texts = read_texts(table.table("texts", optional=True), base)
    table.finish()
    return {"policy_version": version, "required": frozenset(required), "policy_texts": MappingProxyType(texts)}


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


def _digest(values: Mapping[str, object], facets: Mapping[str, Facet], texts: Mapping[str, str]) -> str:
    vocabularies = {name: facet.vocabulary.digest for name, facet in facets.items() if isinstance(facet, Concepts)}
    # The order of facets matters (reasons, ties), that of anything else does not. Without texts nothing is said of
    # them, so that programmes of before there were any keep their digest.
    parts = [values, list(facets), vocabularies, *([dict(texts)] if texts else [])]
    said = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()
