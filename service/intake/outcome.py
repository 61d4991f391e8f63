"""What became of an import: the same document for people, machines and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not imported."""

    line: int
    id: str | None
    """The member's id (of feedback, the seeker's), where the row told one."""
    errors: Mapping[str, str]

    def to_dict(self) -> dict[str, object]:
        """Return the refusal as JSON has it."""
        return {"line": self.line, "id": self.id, "errors": dict(self.errors)}


@dataclass(slots=True)
class Outcome:
    """What an import did, as ``docs/schemas/import.schema.json`` describes it."""

    accepted: int = 0
    """Rows that landed."""
    refused: list[Refusal] = field(default_factory=list)
    """Rows that did not, in the order of the file."""
    warnings: list[str] = field(default_factory=list)
    """What was accepted but is worth knowing."""

    def to_dict(self) -> dict[str, object]:
        """Return the outcome as JSON has it."""
        return {
            "accepted": self.accepted,
            "refused": [refusal.to_dict() for refusal in self.refused],
            "warnings": list(self.warnings),
        }


def identifier(record: object, key: str) -> str | None:
    """Return the id of a record that may be malformed, or None where it has none that can be shown."""
    value = record.get(key) if isinstance(record, Mapping) else None
    return value[:64] if isinstance(value, str) else None
