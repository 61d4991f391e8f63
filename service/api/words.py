"""English words for forms and screens: labels of what the API names, and what each facet of a programme does."""

from __future__ import annotations

from functools import singledispatch

from matcher.facets.base import Facet
from matcher.facets.concepts import Concepts
from matcher.facets.ordinal import Ordinal
from matcher.facets.statement import LONGEST
from matcher.facets.tags import Tags
from matcher.facets.week import WeekFacet

LABELS: dict[str, dict[str, str]] = {
    "fields": {
        "member_id": "Your pseudonym for the member",
        "roles": "Looks for a peer, or is there for others",
        "age_band": "Age",
        "capacity": "How many people at once",
        "vetted": "Vetted by the organisation",
        "agreements": "Agreements accepted",
        "profile": "About me",
        "wants": "What I would like in a peer",
        "strata": "For checks of fairness only",
        "consents": "What my data may be used for",
    },
    "roles": {"seeker": "Looks for a peer", "supporter": "Is there for others"},
    "importance": {"0": "Does not matter", "1": "Nice to have", "2": "Important", "3": "A must"},
    "wants": {"importance": "How much it matters", "prefer": "Preferred", "avoid": "Never"},
    "decisions": {"given": "Yes", "refused": "No", "withdrawn": "No longer"},
    "strength": {"strong": "A strong match", "good": "A good match", "possible": "A possible match"},
    "reason": {
        "held": "Matching is paused for this member",
        "no_eligible": "Nobody meets what is required at present",
        "small_pool": "Too few people to choose from at present",
        "low_information": "Too little is known to choose well",
        "below_quality": "Nobody fits well enough at present",
    },
}

PURPOSES: dict[str, tuple[str, str]] = {
    "match_serve": ("Find peers for me", "The profile is compared with others to make a list for this member."),
    "be_shown_as_peer": ("Suggest me to others", "The member may stand in the lists of others."),
    "show_reasons": ("Say what we have in common", "What two members share may be told to both, where both agree."),
    "train_model": ("Help the matching learn", "Answers to suggestions teach the model of this programme."),
    "fairness_audit": ("Check for fairness", "Audit attributes are used to check that nobody is passed over."),
    "fairness_balance": ("Correct unfairness", "Audit attributes are used to even out who is shown."),
    "outcome_followup": ("Ask how it went", "The member may be asked later whether the connection helped."),
}
"""Label and description of each purpose."""

ALIKE = {
    "choice": "One of these: the same makes a match closer.",
    "languages": "Languages to talk in, as BCP 47 tags: two people need one in common.",
    "statement": f"Own words for the other person, at most {LONGEST} characters without contact details. Never scored.",
}
"""What the facets of a kind do, whatever the programme says of them."""

MEANT = {"same": "the nearer, the closer the match", "more": "the higher the peer's, the better the match"}


def told(facet: Facet) -> str:
    """Return in plain sentences what a facet does."""
    sentences = [what(facet)]
    if facet.source is not None:
        sentences.append(f"Taken from {facet.source}; it is not told in the profile.")
    if facet.scorable and not facet.is_feature and not facet.gating:
        sentences.append("It makes no match closer unless a member asks for it.")
    if facet.show:
        sentences.append("What two members share in it may be told as a reason, where both agree.")
    return " ".join(sentences)


@singledispatch
def what(facet: Facet) -> str:
    """Return what a facet of a kind does."""
    return ALIKE[facet.kind]


@what.register
def _(facet: Concepts) -> str:
    if facet.excludes is not None:
        return f"Subjects the member will not talk about: kept apart from people whose {facet.excludes} touch them."
    if facet.against is not None:
        return f"What the member needs now: closer to people who name it in {facet.against}."
    return "Any number of concepts: shared ones, also broader ones above them, make a match closer."


@what.register
def _(facet: Tags) -> str:
    gate = f" At least {facet.min_shared} must be shared." if facet.min_shared else ""
    return f"Any number of these: the more are shared, the closer the match.{gate}"


@what.register
def _(facet: Ordinal) -> str:
    steps = "one step" if facet.by == 1 else f"{facet.by} steps"
    meant = MEANT.get(facet.direction, f"a supporter who is {steps} ahead makes a match closer")
    gate = f" A supporter must be {steps} ahead, or at the top." if facet.gate_ahead else ""
    guard = " Two people at the highest level are kept apart." if facet.guard else ""
    return f"One of these, in order: {meant}.{gate}{guard}"


@what.register
def _(facet: WeekFacet) -> str:
    return f"Free time in a usual week: two people need {facet.min_overlap_minutes} minutes in one piece in common."
