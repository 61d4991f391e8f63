"""The `[facets.*]` tables of a programme file, and what must hold between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from matcher.config import Table, Words
from matcher.errors import ProgrammeError, VocabularyError, nearest
from matcher.facets import KINDS
from matcher.facets.base import MUST, Facet, FacetContext
from matcher.facets.concepts import Concepts
from matcher.facets.statement import Statement
from matcher.vocabulary import Vocabulary, load

NAME = re.compile(r"[a-z][a-z0-9_]{0,38}")
GATES = ("programme", "consent", "role", "vetted", "agreement", "held", "blocked", "declined", "connected", "capacity")
RESERVED = frozenset({*GATES, "must", "avoid", "base"})
"""Names of gates, and of the part of a score that no facet has."""

MOST_FEATURES = 16


def read_facets(
    declared: Table, base: Path, age_bands: tuple[str, ...], *, mutual: bool
) -> tuple[dict[str, Facet], dict[str, Table]]:
    """Return the facets that `declared` holds, and their tables, by name in the file's order."""
    vocabularies: dict[str, Vocabulary] = {}
    facets, tables = {}, declared.tables()
    for name, table in tables.items():
        check_name(declared, name)
        kind = KINDS[table.string("kind", choices=KINDS)]
        context = FacetContext(age_bands, mutual, _loader(table, base, vocabularies))
        facets[name] = kind.from_table(name, table, context)
        table.finish()
    return facets, tables


def check_name(table: Table, name: str) -> None:
    """Refuse a name of a facet or stratum that does not fit, or that a gate has."""
    if not NAME.fullmatch(name):
        table.fail(name, Words("a name that does not fit"), f"a name that matches {NAME.pattern}")
    if name in RESERVED:
        table.fail(name, Words("a reserved name"), f"another one than {', '.join(sorted(RESERVED))}")


def _loader(table: Table, base: Path, loaded: dict[str, Vocabulary]) -> Callable[[str], Vocabulary]:
    """Return the function by which a facet gets its vocabulary: once, and trouble told with its place."""

    def vocabulary(name: str) -> Vocabulary:
        if name not in loaded:
            try:
                loaded[name] = load(name, base)
            except VocabularyError as error:
                raise ProgrammeError(f"{table.place('vocabulary')}: {error.message}") from None
        return loaded[name]

    return vocabulary


def check_facets(facets: Mapping[str, Facet], tables: Mapping[str, Table], declared: Table) -> None:
    """Check what one facet cannot see by itself: targets, number of features, at most one statement."""
    for name, facet in facets.items():
        if isinstance(facet, Concepts):
            _check_target(facet, "against", facet.against, facets, tables[name])
            _check_target(facet, "excludes", facet.excludes, facets, tables[name])
    statements = [name for name, facet in facets.items() if isinstance(facet, Statement)]
    if len(statements) > 1:
        tables[statements[1]].fail("kind", "statement", f"one statement a programme, and there is {statements[0]}")
    features = sum(facet.is_feature for facet in facets.values())
    if not 1 <= features <= MOST_FEATURES:
        found = Words(f"{features} facets with a weight above 0")
        raise ProgrammeError(
            f"{declared.place()}: found {found!r}; expected 1 to {MOST_FEATURES}, for these make the score"
        )


def _check_target(facet: Concepts, key: str, target: str | None, facets: Mapping[str, Facet], table: Table) -> None:
    """Check that `against` or `excludes` names another facet of the same vocabulary that can be looked at."""
    if target is None:
        return
    fit = [
        name
        for name, other in facets.items()
        if isinstance(other, Concepts)
        and name != facet.name
        and other.vocabulary == facet.vocabulary
        and other.excludes is None
        and not (key == "against" and other.against is not None)
    ]
    if target not in fit:
        names = f": {', '.join(map(repr, fit))}" if fit else ", and there is none"
        expected = f"the name of another facet of kind concepts with vocabulary {facet.vocabulary.name!r}{names}"
        table.fail(key, target, expected, nearest(target, fit))


def check_required(table: Table, required: tuple[str, ...], facets: Mapping[str, Facet]) -> None:
    """Check that `required` names facets, and all that gate (boundaries and the age band apart)."""
    for name in required:
        if name not in facets:
            table.fail("required", name, f"names of facets: {', '.join(facets)}", nearest(name, facets))
    missing = [name for name, facet in facets.items() if _must_be_known(facet) and name not in required]
    if missing:
        expected = (
            f"every facet that gates to be listed, for unknown matches nobody; add {', '.join(map(repr, missing))}"
        )
        table.fail("required", list(required), expected)


def _must_be_known(facet: Facet) -> bool:
    boundary = isinstance(facet, Concepts) and facet.excludes is not None
    return (facet.gating or facet.importance == MUST) and not boundary and facet.source is None


def statement_shown(facets: Mapping[str, Facet]) -> str | None:
    """Return when the statement is shown, where its facet says so."""
    return next((facet.shown_when for facet in facets.values() if isinstance(facet, Statement)), None)
