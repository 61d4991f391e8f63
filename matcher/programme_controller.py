"""Who answers for a programme's data: the `[controller]` table of its file, which receipts and exports repeat."""

from __future__ import annotations

from dataclasses import dataclass

from matcher.config import Table

ADDRESS = r"https?://\S{1,2000}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """The organisation that decides what the data is used for: the controller of data protection law."""

    name: str
    contact: str
    """How people reach it about their data: an address, a telephone number."""
    privacy_notice: str | None
    """The web address of its privacy notice."""
    country: str | None
    """ISO 3166-1, two capital letters."""


def read_controller(root: Table) -> Controller | None:
    """Return what `[controller]` says; None where the file has none."""
    table = root.table("controller", optional=True)
    if "controller" not in root:
        return None
    controller = Controller(
        name=table.string("name"),
        contact=table.string("contact"),
        privacy_notice=table.string("privacy_notice", default=None, pattern=ADDRESS),
        country=table.string("country", default=None, pattern="[A-Z]{2}"),
    )
    table.finish()
    return controller
