from __future__ import annotations

import re
from pathlib import Path

from service.store.audit_actions import ACTIONS, MEANINGS

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| ([^|]+) \|", re.MULTILINE)


def used(text: str) -> set[str]:
    """Return which actions a text names in quotation marks."""
    return {action for action in ACTIONS if f'"{action}"' in text}


def test_the_documents_tell_every_action_in_their_order() -> None:
    told = ROW.findall((ROOT / "docs" / "reference" / "audit.md").read_text("utf-8"))
    assert [action for action, _ in told] == list(ACTIONS)
    for action, said in told:
        assert said.startswith(MEANINGS[action].rstrip(".")), action


def test_every_action_is_recorded_somewhere() -> None:
    files = (ROOT / "service").rglob("*.py")
    text = "\n".join(file.read_text("utf-8") for file in files if file.name != "audit_actions.py")
    assert used(text) == set(ACTIONS)


def test_one_that_is_not_is_caught() -> None:
    assert used('audit.record(session, "lantern", "hold.placed")') == {"hold.placed"}
