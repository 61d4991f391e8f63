"""The experiences that people in the synthetic programme have been through: a small hierarchy with plain labels."""

from __future__ import annotations

import csv
import io

# Domain, groups, leaves; the number of a leaf is its popularity.
TREE: dict[tuple[str, str], dict[tuple[str, str], dict[str, float]]] = {
    ("treatment", "Treatment"): {
        ("surgery", "Surgery"): {
            "lumpectomy": 5,
            "mastectomy": 4,
            "prostatectomy": 4,
            "bowel_resection": 4,
            "stoma": 3,
            "lymph_node_removal": 4,
            "head_and_neck_surgery": 2,
        },
        ("drug_treatment", "Drug treatment"): {
            "chemotherapy": 9,
            "hormone_therapy": 5,
            "immunotherapy": 4,
            "targeted_therapy": 3,
            "clinical_trial": 3,
        },
        ("radiation", "Radiation"): {"radiotherapy": 6, "brachytherapy": 2},
        ("transplant", "Transplant"): {"stem_cell_transplant": 3, "graft_versus_host": 1.5},
    },
    ("body", "The body"): {
        ("side_effects", "Side effects"): {
            "fatigue": 7,
            "hair_loss": 5,
            "neuropathy": 4,
            "nausea": 4,
            "lymphoedema": 4,
            "brain_fog": 5,
            "sleep_problems": 5,
            "lasting_pain": 4,
            "weight_change": 4,
        },
        ("appearance", "Appearance"): {"scars": 4, "reconstruction": 3, "prosthesis": 2},
        ("intimacy", "Intimacy"): {"early_menopause": 3, "incontinence": 3, "sexual_health": 4, "fertility": 3},
    },
    ("mind", "The mind"): {
        ("worry", "Worry"): {"waiting_for_scans": 6, "fear_of_recurrence": 6, "panic": 3},
        ("mood", "Mood"): {"low_mood": 5, "anger": 3, "grief": 3, "loneliness": 4},
        ("meaning", "Meaning"): {"faith": 3, "changed_priorities": 4},
    },
    ("everyday", "Everyday life"): {
        ("moving", "Moving about"): {"driving_again": 3, "exercise": 5, "travel": 3},
        ("home", "At home"): {"eating_well": 4, "housework": 3, "living_alone": 3},
    },
    ("people", "Other people"): {
        ("family", "Family"): {
            "telling_children": 4,
            "partner_support": 4,
            "caring_for_parents": 3,
            "young_children": 3,
            "dating": 2,
        },
        ("friends", "Friends"): {"friends_drift_away": 3, "asking_for_help": 4},
    },
    ("work_and_money", "Work and money"): {
        ("work", "Work"): {"back_to_work": 5, "reduced_hours": 3, "self_employed": 2, "studying": 2},
        ("money", "Money"): {"benefits": 3, "insurance": 3, "debt": 2},
    },
    ("future", "What comes next"): {
        ("after", "After treatment"): {"follow_up_checks": 5, "life_after_treatment": 5},
        ("serious", "Serious news"): {"recurrence": 3, "palliative_care": 2, "end_of_life_planning": 1.5},
    },
}

LABELS = {
    "stoma": "Living with a stoma",
    "hormone_therapy": "Hormone therapy",
    "graft_versus_host": "Graft-versus-host disease",
    "early_menopause": "Early menopause",
    "waiting_for_scans": "Waiting for scans and results",
    "fear_of_recurrence": "Fear that it comes back",
    "faith": "Faith and doubt",
    "telling_children": "Telling my children",
    "partner_support": "Support from a partner",
    "young_children": "Bringing up young children",
    "recurrence": "It came back",
    "back_to_work": "Going back to work",
    "end_of_life_planning": "Planning the end of life",
}

# Which leaves people with a cancer of this site meet far more often than others.
BY_SITE: dict[str, tuple[str, ...]] = {
    "breast": (
        "lumpectomy",
        "mastectomy",
        "hormone_therapy",
        "lymphoedema",
        "reconstruction",
        "early_menopause",
        "hair_loss",
    ),
    "prostate": ("prostatectomy", "brachytherapy", "hormone_therapy", "incontinence", "sexual_health"),
    "bowel": ("bowel_resection", "stoma", "eating_well", "neuropathy", "weight_change"),
    "lung": ("immunotherapy", "targeted_therapy", "exercise", "palliative_care", "panic"),
    "skin": ("immunotherapy", "scars", "lymph_node_removal", "follow_up_checks"),
    "lymphoma": ("chemotherapy", "fatigue", "waiting_for_scans", "studying"),
    "leukaemia": ("stem_cell_transplant", "graft_versus_host", "chemotherapy", "nausea", "fertility"),
    "myeloma": ("stem_cell_transplant", "lasting_pain", "clinical_trial", "recurrence"),
    "gynaecological": ("early_menopause", "fertility", "brachytherapy", "sexual_health", "lymphoedema"),
    "urinary": ("stoma", "incontinence", "follow_up_checks", "clinical_trial"),
    "head_and_neck": ("head_and_neck_surgery", "radiotherapy", "eating_well", "prosthesis", "weight_change"),
    "brain": ("brain_fog", "driving_again", "radiotherapy", "end_of_life_planning"),
    "thyroid": ("hormone_therapy", "scars", "fatigue", "follow_up_checks"),
    "testicular": ("fertility", "chemotherapy", "dating", "sexual_health"),
}


def _label(code: str) -> str:
    return LABELS.get(code, code.replace("_", " ").capitalize())


def _concepts() -> list[tuple[str, str, str]]:
    """Return (code, label, parent) of every concept, parents first."""
    rows: list[tuple[str, str, str]] = []
    for (domain, domain_label), groups in TREE.items():
        rows.append((domain, domain_label, ""))
        for (group, group_label), leaves in groups.items():
            rows.append((group, group_label, domain))
            rows.extend((leaf, _label(leaf), group) for leaf in leaves)
    return rows


CONCEPTS: tuple[tuple[str, str, str], ...] = tuple(_concepts())
LEAVES: dict[str, float] = {
    leaf: share for groups in TREE.values() for leaves in groups.values() for leaf, share in leaves.items()
}
PARENT: dict[str, str] = {code: parent for code, _, parent in CONCEPTS}


def to_csv() -> str:
    """Return the vocabulary as ``code,label,parent``, the form in which a programme file names it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "label", "parent"))
    writer.writerows(CONCEPTS)
    return text.getvalue()
