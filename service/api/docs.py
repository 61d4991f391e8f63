"""``GET /docs``: the description as a page to read: made here, without scripts and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any

from flask import Blueprint, Flask, Response, current_app
from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from service.api.description import METHODS, document
from service.problems import KINDS

blueprint = Blueprint("docs", __name__)
EXTENSION = "peermatch-docs"
OR, AND = Markup(" or "), Markup(" and ")
CODE = re.compile(r"`([^`]+)`")


@blueprint.route("/docs", endpoint="page")
def page() -> Response:
    """Return the page; no key is needed, for it says nothing of any programme."""
    reply = Response(text_of(current_app), mimetype="text/html")
    reply.headers["Content-Security-Policy"] = policy()
    return reply


def text_of(app: Flask) -> str:
    """Return the page; made when it is first asked for."""
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = render(document(app))
    text: str = app.extensions[EXTENSION]
    return text


@cache
def style() -> str:
    """Return the style sheet, which stands in the page."""
    return resources.files("service.api").joinpath("templates/docs.css").read_text("utf-8")


@cache
def policy() -> str:
    """Return the Content-Security-Policy: the one style sheet, known by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return f"{nothing}; style-src 'sha256-{digest}'"


def render(spec: Mapping[str, Any]) -> str:
    """Return the page of a description."""
    operations = list(_operations(spec))
    tags = [{**tag, "operations": [one for one in operations if tag["name"] in one["tags"]]} for tag in spec["tags"]]
    scopes: dict[str, list[dict[str, Any]]] = {}
    for operation in operations:
        for scope in operation["scopes"]:
            scopes.setdefault(scope, []).append(operation)
    return (
        _templates()
        .get_template("docs.html")
        .render(
            spec=spec,
            style=Markup(style()),  # noqa: S704 ours, and its hash must be that of what is sent
            tags=tags,
            scopes=dict(sorted(scopes.items())),
            schemas=spec["components"]["schemas"],
            problems=KINDS,
        )
    )


def _operations(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every operation as the page tells it: what it refers to is put in its place, but for schemas."""
    for address, item in spec["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            told = item[method]
            parameters = [*item.get("parameters", ()), *told.get("parameters", ())]
            yield {
                **told,
                "method": method.upper(),
                "address": address,
                "anchor": told["operationId"],
                "scopes": [scope for way in told["security"] for scopes in way.values() for scope in scopes],
                "parameters": [_resolved(spec, parameter) for parameter in parameters],
                "responses": {status: _reply(spec, reply) for status, reply in told["responses"].items()},
                "examples": list(told["x-examples"].values()),
            }


def _reply(spec: Mapping[str, Any], reply: Mapping[str, Any]) -> dict[str, Any]:
    reply = _resolved(spec, reply)
    return {**reply, "headers": {name: _resolved(spec, one) for name, one in reply.get("headers", {}).items()}}


def _resolved(spec: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return dict(value)
    found: Any = spec
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("service.api", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(told=_told, inline=_inline, json=_json, type=type_of)
    templates.globals.update(phrase=lambda status: HTTPStatus(int(status)).phrase)
    return templates


def _told(text: str) -> Markup:
    """Return a description with its code marked, a paragraph each where lines are empty."""
    paragraphs = (_inline(part.strip()) for part in text.split("\n\n") if part.strip())
    return Markup("\n").join(Markup("<p>{}</p>").format(paragraph) for paragraph in paragraphs)


def _inline(text: str) -> Markup:
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 escaped


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def type_of(schema: Mapping[str, Any]) -> Markup:
    """Return in few words what a schema lets through, with links to schemas that have a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    for several, word in (("anyOf", OR), ("oneOf", OR), ("allOf", AND)):
        if several in schema:
            return word.join(type_of(one) for one in schema[several])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return OR.join(Markup("<code>{}</code>").format(json.dumps(value)) for value in values)
    kinds = schema.get("type", "anything")
    words = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if "array" in kinds and "items" in schema:
        return Markup("{} of {}").format(words, type_of(schema["items"]))
    limits = [f"{name} {schema[name]}" for name in LIMITS if name in schema]
    return Markup("{}").format(f"{words} ({', '.join(limits)})" if limits else words)


LIMITS = ("format", "pattern", "minimum", "maximum", "minLength", "maxLength")
