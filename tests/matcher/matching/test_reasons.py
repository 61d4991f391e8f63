"""What a card says, and what it must not."""

from __future__ import annotations

import copy

import pytest

from matcher.matching.reasons import Reason
from tests.properties.pairs import EXPERIENCES, PROGRAMME, PURPOSES, consents, fitted, from_raw, person

FACETS = PROGRAMME["facets"]


def telling(k=2, card=10, **facets):
    """Return a programme in which everything may be a reason that `k` members share."""
    shown = {name: {**FACETS[name], "show": True} for name in ("experiences", "needs", "gender", "hobbies")}
    raw = copy.deepcopy(PROGRAMME)
    raw["facets"].update({**shown, **facets})
    raw["privacy"] = {"reason_k": k, "reasons_a_card": card}
    return from_raw(raw, {"experiences.csv": EXPERIENCES})


SEEKER = person("a", profile={"journey": "new", "needs": ["lumpectomy"]})


def reasons(of, *records, seeker=SEEKER, candidate="b"):
    found = {entry.member_id: entry.reasons for entry in fitted(of, [seeker, *records]).match(seeker["member_id"], 10)}
    return [(reason.facet, reason.text) for reason in found[candidate]]


def test_the_weightiest_first():
    """needs 3, experiences 2, gender and hobbies 1 each, as declared."""
    assert reasons(telling(), person("b"), person("c")) == [
        ("needs", "Has been through what you asked about: Lumpectomy"),
        ("experiences", "Experiences in common: Lumpectomy"),
        ("gender", "Gender: woman"),
        ("hobbies", "Hobbies: music"),
    ]
    wants = {"hobbies": {"importance": 2}, "needs": {"importance": 0}, "experiences": {"importance": 0}}
    found = reasons(telling(), person("b"), person("c"), seeker={**SEEKER, "wants": wants})
    assert [facet for facet, _ in found] == ["hobbies", "gender"]


def test_a_reason_is_a_sentence_about_a_facet():
    found = fitted(telling(), [SEEKER, person("b"), person("c")]).match("a")
    assert found.entries[0].reasons[2] == Reason("gender", "Gender: woman")


@pytest.mark.parametrize(("card", "expected"), [(0, []), (1, ["needs"]), (2, ["needs", "experiences"])])
def test_no_more_than_fit_on_a_card(card, expected):
    assert [facet for facet, _ in reasons(telling(card=card), person("b"), person("c"))] == expected


def test_only_what_the_programme_shows():
    of = telling(gender={**FACETS["gender"], "show": False})
    assert [facet for facet, _ in reasons(of, person("b"), person("c"))] == ["needs", "experiences", "hobbies"]


@pytest.mark.parametrize(
    ("k", "others", "expected"),
    [(1, 0, True), (2, 0, True), (3, 0, False), (3, 1, True), (4, 1, False), (4, 2, True)],
)
def test_only_what_enough_members_share(k, others, expected):
    """The seeker and b are two of them."""
    more = [person(f"c{n}") for n in range(others)]
    assert bool(reasons(telling(k=k), person("b"), *more)) is expected


def test_who_shows_no_reasons_is_not_counted():
    silent = person("c", consents=consents("match_serve", "be_shown_as_peer"))
    assert reasons(telling(k=3), person("b"), silent) == []
    hidden = person("d", consents=consents("match_serve", "show_reasons"))
    assert reasons(telling(k=3), person("b"), hidden) == []
    assert reasons(telling(k=3), person("b"), person("e")) != []


@pytest.mark.parametrize("who", ["a", "b"])
def test_both_sides_must_let_it_be_told(who):
    without = {"consents": consents("match_serve", "be_shown_as_peer", "train_model")}
    seeker = {**SEEKER, **(without if who == "a" else {})}
    candidate = person("b", **(without if who == "b" else {}))
    assert reasons(telling(k=1), candidate, person("c"), seeker=seeker) == []


def narrow(facet, record):
    """Let everything but one facet be told as a reason."""
    rest = [name for name in FACETS if name != facet]
    grants = consents(*(purpose for purpose in PURPOSES if purpose != "show_reasons"))
    return {**record, "consents": [*grants, *consents("show_reasons", categories=rest)]}


@pytest.mark.parametrize("facet", ["experiences", "gender", "hobbies"])
def test_both_sides_must_let_each_facet_be_told(facet):
    every = ["needs", "experiences", "gender", "hobbies"]
    of = telling(k=1)
    assert [name for name, _ in reasons(of, person("b"))] == every
    mine = [name for name, _ in reasons(of, person("b"), seeker=narrow(facet, SEEKER))]
    assert mine == [name for name in every if name != facet]
    theirs = [name for name, _ in reasons(of, narrow(facet, person("b")))]
    # what meets a need is the other's history: who does not tell the one does not tell the other
    assert theirs == [name for name in every if name not in ({facet, "needs"} if facet == "experiences" else {facet})]


def test_a_need_is_mine_and_the_history_theirs():
    of = telling(k=1)
    assert "needs" in [name for name, _ in reasons(of, narrow("needs", person("b")))]
    assert "needs" not in [name for name, _ in reasons(of, person("b"), seeker=narrow("needs", SEEKER))]


def test_the_rarest_concept_and_where_it_is_too_rare_the_next():
    more = [person(f"c{n}", profile={"experiences": ["surgery"]}) for n in range(3)]
    of = telling(k=2)
    assert reasons(of, person("b"), *more)[1] == ("experiences", "Experiences in common: Lumpectomy")
    of = telling(k=3)
    found = dict(reasons(of, person("b"), *more))
    assert found["experiences"] == "Experiences in common: Surgery"
    assert "needs" not in found  # of what is asked there is only the lumpectomy


def test_what_is_preferred():
    wants = {"experiences": {"prefer": ["surgery"]}, "gender": {"prefer": ["man"]}, "hobbies": {"prefer": ["chess"]}}
    b = person("b", profile={"gender": "man", "hobbies": ["music", "chess"]})
    found = dict(reasons(telling(k=1), b, seeker={**SEEKER, "wants": wants}))
    assert found["experiences"] == "Experiences in common: Surgery"
    assert found["gender"] == "Gender: man"
    assert found["hobbies"] == "Hobbies: chess"
    found = dict(reasons(telling(k=1), person("b"), seeker={**SEEKER, "wants": wants}))
    assert "gender" not in found
    assert "hobbies" not in found


@pytest.mark.parametrize(
    ("profile", "facet"),
    [
        ({"gender": "man"}, "gender"),
        ({"gender": None}, "gender"),
        ({"hobbies": []}, "hobbies"),
        ({"hobbies": None}, "hobbies"),
    ],
)
def test_nothing_is_said_of_what_is_not_shared_or_unknown(profile, facet):
    """An unknown adds to the score what is usual; that is no reason."""
    assert facet not in dict(reasons(telling(k=1), person("b", profile=profile)))
    other = {**SEEKER, "profile": {key: value for key, value in SEEKER["profile"].items() if key != facet}}
    assert facet not in dict(reasons(telling(k=1), person("b"), seeker=other))


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("same", [("high", True), ("middle", False)]), ("more", [("high", True), ("middle", False)])],
)
def test_a_level_is_a_reason_where_it_is_equal(direction, expected):
    mood = {"kind": "ordinal", "levels": ["low", "middle", "high"], "direction": direction, "weight": 1.0, "show": True}
    seeker = {**SEEKER, "profile": {**SEEKER["profile"], "mood": "high"}}
    for level, told in expected:
        found = dict(reasons(telling(k=1, mood=mood), person("b", profile={"mood": level}), seeker=seeker))
        assert found.get("mood") == ("Mood: high" if told else None)


def test_a_facet_without_weight_is_no_reason():
    mood = {"kind": "ordinal", "levels": ["low", "middle", "high"], "show": True}
    assert "mood" not in dict(reasons(telling(k=1, mood=mood), person("b")))
