"""Print what ``make openapi`` writes: the OpenAPI description, or with ``programme`` that of a programme."""

from __future__ import annotations

import json
import sys

from service.api import RESOURCES
from service.api.description import described_app, schema_of, text_of


def main(*what: str) -> None:
    """Print the one or the other. No installation is needed."""
    app = described_app(RESOURCES)
    if what == ("programme",):
        sys.stdout.write(json.dumps(schema_of(app, "Programme"), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(text_of(app))


if __name__ == "__main__":
    main(*sys.argv[1:])
