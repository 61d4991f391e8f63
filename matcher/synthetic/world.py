"""What the synthetic world is made of: conditions, shares, words.

Where the shares come from: docs/explanation/synthetic-cohort.md.
"""

from __future__ import annotations

from typing import NamedTuple

PROGRAMME_ID = "lantern"
POLICY_VERSION = "2026-01"
AGREEMENT = "agreement-2026-01"
AT = "2026-03-02T09:00:00Z"
"""The moment a cohort is made for unless told otherwise: there is no clock in the library."""

AGE_BANDS = ("13-15", "16-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+")
AGE_SHARES = (0.0, 0.0, 0.03, 0.09, 0.16, 0.22, 0.25, 0.18, 0.07)
JOURNEY = ("newly_diagnosed", "in_treatment", "after_treatment", "long_term")
JOURNEY_SEEKER = (0.34, 0.38, 0.20, 0.08)
JOURNEY_SUPPORTER = (0.0, 0.08, 0.34, 0.58)
GENDERS = ("woman", "man", "nonbinary")
GENDER_SHARES = (0.57, 0.40, 0.03)
CHANNELS = ("phone", "video", "text", "in_person")
CHANNEL_SHARES = (0.72, 0.62, 0.5, 0.3)
REGIONS = ("north", "south", "east", "west")
REGION_SHARES = (0.30, 0.34, 0.20, 0.16)
SEVERITY = ("low", "moderate", "high")
SEVERITY_SEEKER = (0.40, 0.42, 0.18)
SEVERITY_SUPPORTER = (0.66, 0.30, 0.04)
LANGUAGES = ("en", "cy", "fr", "hi", "pl", "es")
LANGUAGE_SHARES = (0.97, 0.04, 0.06, 0.06, 0.06, 0.04)
INTERESTS = (
    "gardening",
    "cooking",
    "walking",
    "music",
    "reading",
    "football",
    "crafts",
    "films",
    "dogs",
    "games",
    "swimming",
    "faith",
)
INTEREST_SHARES = (0.16, 0.15, 0.18, 0.12, 0.12, 0.1, 0.09, 0.1, 0.08, 0.06, 0.05, 0.04)

ZONES = ("Europe/London", "Europe/Dublin", "Europe/Paris", "Europe/Warsaw", "America/New_York", "Asia/Kolkata")
ZONE_SHARES = (0.64, 0.10, 0.07, 0.07, 0.07, 0.05)
SLOTS = (
    *(f"{day} 18:00-20:30" for day in ("mon", "tue", "wed", "thu")),
    *(f"{day} 19:30-22:00" for day in ("mon", "wed", "thu")),
    *(f"{day} 09:00-12:00" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
    *(f"{day} 12:15-13:15" for day in ("tue", "thu", "fri")),
    *(f"{day} 14:00-17:00" for day in ("tue", "fri", "sat", "sun")),
    "fri 22:00-01:00",
    "sun 23:00-00:30",
)
SLOT_WEIGHTS = (3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1.5, 1.5, 2, 2, 0.5, 0.3)

STRATA: dict[str, dict[str, float]] = {
    "ethnicity": {"a": 0.40, "b": 0.38, "c": 0.22},
    "education": {"school": 0.38, "college": 0.30, "degree": 0.25, "other": 0.07},
}


class Condition(NamedTuple):
    """A code with its place in ICD-10-CM as this generator sees it: category, block, chapter."""

    code: str
    family: tuple[str, ...]
    share: float
    """Within its site, or among everybody for what people have besides."""


SITES: dict[str, tuple[float, float, tuple[Condition, ...]]] = {
    # site: share among women, share among men, codes
    "breast": (
        0.40,
        0.005,
        (
            Condition("C50.9", ("C50", "C50-C50", "II"), 0.6),
            Condition("C50.4", ("C50", "C50-C50", "II"), 0.2),
            Condition("C50", ("C50-C50", "II"), 0.2),
        ),
    ),
    "prostate": (0.0, 0.30, (Condition("C61", ("C60-C63", "II"), 1.0),)),
    "bowel": (
        0.11,
        0.15,
        (
            Condition("C18.9", ("C18", "C15-C26", "II"), 0.5),
            Condition("C18.7", ("C18", "C15-C26", "II"), 0.2),
            Condition("C20", ("C15-C26", "II"), 0.3),
        ),
    ),
    "lung": (
        0.08,
        0.10,
        (
            Condition("C34.90", ("C34.9", "C34", "C30-C39", "II"), 0.7),
            Condition("C34.1", ("C34", "C30-C39", "II"), 0.3),
        ),
    ),
    "skin": (
        0.06,
        0.07,
        (Condition("C43.9", ("C43", "C43-C44", "II"), 0.8), Condition("C43.5", ("C43", "C43-C44", "II"), 0.2)),
    ),
    "lymphoma": (
        0.06,
        0.08,
        (
            Condition("C81.90", ("C81.9", "C81", "C81-C96", "II"), 0.3),
            Condition("C82.90", ("C82.9", "C82", "C81-C96", "II"), 0.3),
            Condition("C83.30", ("C83.3", "C83", "C81-C96", "II"), 0.4),
        ),
    ),
    "leukaemia": (
        0.03,
        0.05,
        (
            Condition("C92.00", ("C92.0", "C92", "C81-C96", "II"), 0.5),
            Condition("C91.10", ("C91.1", "C91", "C81-C96", "II"), 0.5),
        ),
    ),
    "myeloma": (0.02, 0.03, (Condition("C90.00", ("C90.0", "C90", "C81-C96", "II"), 1.0),)),
    "gynaecological": (
        0.14,
        0.0,
        (
            Condition("C56.9", ("C56", "C51-C58", "II"), 0.4),
            Condition("C54.1", ("C54", "C51-C58", "II"), 0.4),
            Condition("C53.9", ("C53", "C51-C58", "II"), 0.2),
        ),
    ),
    "urinary": (
        0.03,
        0.07,
        (Condition("C67.9", ("C67", "C64-C68", "II"), 0.6), Condition("C64.9", ("C64", "C64-C68", "II"), 0.4)),
    ),
    "head_and_neck": (
        0.02,
        0.05,
        (
            Condition("C10.9", ("C10", "C00-C14", "II"), 0.6),
            Condition("C02.9", ("C02", "C00-C14", "II"), 0.4),
        ),
    ),
    "brain": (0.02, 0.03, (Condition("C71.9", ("C71", "C69-C72", "II"), 1.0),)),
    "thyroid": (0.03, 0.01, (Condition("C73", ("C73-C75", "II"), 1.0),)),
    "testicular": (0.0, 0.055, (Condition("C62.90", ("C62.9", "C62", "C60-C63", "II"), 1.0),)),
}


class Comorbidity(NamedTuple):
    """What people have besides: share in middle age, how it grows a band, and how far it follows the common burden."""

    code: str
    family: tuple[str, ...]
    share: float
    by_age: float
    """Added to the probit for each age band above 45–54."""
    body: float
    """Loading on the burden of the body, which has unit variance over people."""
    mind: float
    """Loading on the burden of the mind."""


COMORBIDITIES = (
    Comorbidity("M19.90", ("M19.9", "M19", "M15-M19", "XIII"), 0.26, 0.26, 0.45, 0.0),
    Comorbidity("J45.909", ("J45.90", "J45.9", "J45", "J40-J47", "X"), 0.11, -0.02, 0.35, 0.1),
    Comorbidity("I25.2", ("I25", "I20-I25", "IX"), 0.04, 0.22, 0.4, 0.0),
    Comorbidity("K76.9", ("K76", "K70-K77", "XI"), 0.05, 0.02, 0.35, 0.1),
    Comorbidity("F32.9", ("F32", "F30-F39", "V"), 0.16, -0.06, 0.05, 0.75),
    Comorbidity("F41.9", ("F41", "F40-F48", "V"), 0.14, -0.08, 0.05, 0.75),
    Comorbidity("F90.9", ("F90", "F90-F98", "V"), 0.03, -0.12, 0.0, 0.4),
    Comorbidity("F43.10", ("F43.1", "F43", "F40-F48", "V"), 0.03, -0.05, 0.0, 0.6),
    Comorbidity("F42.9", ("F42", "F40-F48", "V"), 0.015, -0.05, 0.0, 0.6),
)

# Share of members who do not answer. The optional ones lie between those of OSMI's (0.2–20 %) and NHANES' (0.2–38 %)
# optional questions.
UNTOLD = {
    "age": 0.004,
    "conditions": 0.02,
    "experiences": 0.05,
    "needs": 0.06,
    "gender": 0.04,
    "region": 0.07,
    "interests": 0.12,
    "boundaries": 0.38,
    "statement": 0.36,
    "journey": 0.01,
    "availability": 0.01,
    "languages": 0.005,
    "channel": 0.01,
    "severity": 0.02,
    "ethnicity": 0.06,
    "education": 0.04,
}

OPTIONAL = ("conditions", "experiences", "needs", "gender", "region", "interests", "boundaries", "statement")
REQUIRED = ("languages", "availability", "channel", "journey", "severity")
FEATURES = ("conditions", "experiences", "needs", "age", "gender", "region", "interests")

PURPOSES = {
    # purpose: share of those asked who gave it
    "match_serve": 0.985,
    "be_shown_as_peer": 0.975,
    "show_reasons": 0.80,
    "train_model": 0.85,
    "fairness_audit": 0.70,
    "fairness_balance": 0.55,
    "outcome_followup": 0.75,
}
WITHDRAWN, EXPIRED, NARROWED = 0.015, 0.01, 0.04
"""Shares of given consents that ended since, and of members who left a facet out of one."""
UNVETTED, NOT_AGREED = 0.04, 0.02
CAPACITY_SHARES = (0.04, 0.30, 0.36, 0.20, 0.10)

STATEMENTS = (
    "Happy to talk about the practical side.",
    "I like a calm conversation over a cup of tea.",
    "Ask me anything about getting through treatment.",
    "I would rather listen first and talk later.",
    "Looking for somebody who has been through the same.",
    "Small steps helped me most, and a sense of humour.",
    "I can share what I wish somebody had told me.",
    "Mornings are best for me, I tire in the evening.",
    "I am still finding words for all this.",
    "It helped me to speak to a person who did not need explanations.",
    "Glad to go for a walk and talk on the way.",
    "No advice needed, just good company.",
)
