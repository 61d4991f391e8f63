"""Everything that an application answers, as methods and addresses: for tests that must hold for every route."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask import Flask

from service.access import OPEN_ENDPOINTS
from service.api import RESOURCES
from service.api.description import described_app, document, views
from service.console.blueprint import is_here

VALUES = {"member_id": "m-1", "facet": "experiences", "a": "m-1", "b": "m-2"}
"""What stands in an address; anything else is ``x-1``."""
WITH_BODY = ("post", "put", "patch")


def template(rule: str) -> str:
    """Return the address of a rule as OpenAPI writes it."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)


class Route(NamedTuple):
    """One method of one address."""

    method: str
    """In capitals."""
    rule: str
    """As Flask writes it."""
    path: str
    """With values in place of its variables."""
    open: bool
    """Answers without a key."""
    scopes: tuple[str, ...]
    """Any of which is enough; none: any key will do."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"


def address(rule: str, values: Mapping[str, str] = VALUES) -> str:
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda found: values.get(found[1], "x-1"), rule)


def routes(app: Flask) -> Iterator[Route]:
    """Yield every route of the API, HEAD apart."""
    return (route for route in _all(app) if not is_here(route.rule))


def console_routes(app: Flask) -> Iterator[Route]:
    """Yield every route of the console, HEAD apart: a session opens it, and no key does."""
    return (route for route in _all(app) if is_here(route.rule))


def _all(app: Flask) -> Iterator[Route]:
    for rule, method, view in views(app):
        scopes = getattr(view, "scopes", ())
        yield Route(method.upper(), rule.rule, address(rule.rule), rule.endpoint in OPEN_ENDPOINTS, scopes)


def with_body(app: Flask) -> list[Route]:
    """Return the routes that read a body."""
    return [route for route in routes(app) if route.method.lower() in WITH_BODY]


APP = described_app(RESOURCES)
"""What the application answers, without an installation: to name routes before a test runs."""

BODIES: dict[str, list[Any]] = {
    route.name: [
        example["request"]["body"]
        for example in document(APP)["paths"][template(route.rule)][route.method.lower()]["x-examples"].values()
        if "body" in example["request"]
    ]
    for route in with_body(APP)
}
"""The bodies of the examples of every route that reads one."""

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> list[Path]:
    """Return the paths of everything in a body."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(*path, key) for key, _ in items] + [place for key, inner in items for place in places(inner, (*path, key))]


def planted(body: Any, path: Path, value: Any) -> Any:
    """Return a body but for `value` at `path`."""
    whole: Any = copy.deepcopy(body)
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return whole
