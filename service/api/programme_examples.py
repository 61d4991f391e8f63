"""Examples of the programme's description: the programme `lantern` of the tests."""

from __future__ import annotations

from typing import Any

from service.api.example_data import problem
from service.api.words import LABELS, PURPOSES


def _values(*values: str) -> list[dict[str, str]]:
    return [{"value": value, "label": value} for value in values]


def _facet(name: str, kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "label": name.capitalize(),
        "description": description,
        "source": None,
        "show": False,
        "scored": False,
        "gating": False,
        "importance": 1,
        "wantable": True,
        "preferable": True,
        "values": None,
        "vocabulary": None,
        **more,
    }


SHOWN = "What two members share in it may be told as a reason, where both agree."
FACETS = [
    _facet(
        "experiences",
        "concepts",
        "Any number of concepts: shared ones, also broader ones above them, make a match closer. " + SHOWN,
        show=True,
        scored=True,
        vocabulary={"name": "experiences.csv", "size": 3},
    ),
    _facet(
        "channel",
        "tags",
        "Any number of these: the more are shared, the closer the match. At least 1 must be shared.",
        gating=True,
        values=_values("phone", "video"),
    ),
    _facet(
        "journey",
        "ordinal",
        "One of these, in order: the nearer, the closer the match. " + SHOWN,
        show=True,
        scored=True,
        values=_values("new", "later", "long"),
    ),
    _facet(
        "statement",
        "statement",
        "Own words for the other person, at most 280 characters without contact details. Never scored.",
        importance=None,
        wantable=False,
        preferable=False,
    ),
]
PROGRAMME: dict[str, Any] = {
    "id": "lantern",
    "name": "A programme of the tests",
    "pairing": "mentor",
    "size": "standard",
    "policy_version": "1",
    "crisis_message": None,
    "confidentiality": None,
    "age_bands": ["13-17", "18-34", "35-64"],
    "minors": {"bands": ["13-17"], "policy": "refuse"},
    "purposes": [
        {
            "name": name,
            "label": label,
            "description": description,
            "required_facets": ["channel"] if name in ("match_serve", "be_shown_as_peer") else [],
        }
        for name, (label, description) in PURPOSES.items()
    ],
    "facets": FACETS,
    "strata": [],
    "labels": LABELS,
    "record_schema": {},
}
FOUND = {"concepts": [{"code": "lumpectomy", "label": "Lumpectomy"}]}
NO_VOCABULARY = problem(
    "no-such-vocabulary",
    "No such vocabulary",
    404,
    "This programme has no facet of kind `concepts` of this name.",
)
