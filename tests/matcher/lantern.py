"""The programme and the member of the design, and how tests vary them."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from matcher.people import Member
from matcher.programme import Programme

HERE = Path(__file__).parent / "data" / "lantern"
TEXT = (HERE / "programme.toml").read_text(encoding="utf-8")
RECORD: dict[str, Any] = json.loads((HERE / "member.json").read_text(encoding="utf-8"))
LANTERN = Programme.from_toml(HERE / "programme.toml")


def programme(*changes: tuple[str, str]) -> Programme:
    """Return the programme after replacing one piece of its text by another, each of which must be there."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return Programme.from_text(text, HERE)


TEXTS = {"en": "texts/consent-en.txt", "pl": "texts/consent-pl.txt"}
HASHES = {locale: hashlib.sha256((HERE / name).read_bytes()).hexdigest() for locale, name in TEXTS.items()}


def with_texts(*locales: str) -> Programme:
    """Return the programme with the texts of some languages."""
    table = "".join(f'{locale} = "{TEXTS[locale]}"\n' for locale in locales)
    return programme(("[ages]", f"[consent.texts]\n{table}[ages]"))


def record(**changes: Any) -> dict[str, Any]:
    """Return the record with top-level fields replaced; None removes a field."""
    made = {**copy.deepcopy(RECORD), **changes}
    return {key: value for key, value in made.items() if value is not None}


def member(of: Programme = LANTERN, **changes: Any) -> Member:
    """Return the member after `changes` of the record."""
    return Member.from_dict(record(**changes), of)
