"""The facet kinds, by the word that a programme file uses. A new kind is one file and one line here."""

from matcher.facets.base import Facet
from matcher.facets.choice import Choice
from matcher.facets.concepts import Concepts
from matcher.facets.languages import Languages
from matcher.facets.ordinal import Ordinal
from matcher.facets.statement import Statement
from matcher.facets.tags import Tags
from matcher.facets.week import WeekFacet

KINDS: dict[str, type[Facet]] = {
    kind.kind: kind for kind in (Concepts, Tags, Choice, Ordinal, WeekFacet, Languages, Statement)
}

__all__ = ["KINDS", "Facet"]
