"""Makes cohorts of people who do not exist, with hidden tastes, to try, teach and measure Peermatch with.

What it assumes and how near it is to real surveys: docs/explanation/synthetic-cohort.md. It asks no matcher.
"""

from __future__ import annotations

from matcher.synthetic.cohort import (
    Cohort,
    SyntheticError,
    check_folder,
    generate,
    generate_members,
    programme_text,
    write,
)
from matcher.synthetic.world import AT

__all__ = ["AT", "Cohort", "SyntheticError", "check_folder", "generate", "generate_members", "programme_text", "write"]
