"""The OpenAPI description: what flask-smorest gathers, and what is true of every operation of this service.

Resources name what is theirs (schemas, problems, examples); keys, scopes, headers and the problems that follow from
them are added here, so that no resource can forget them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from flask import Flask, Response, current_app
from flask_smorest import Api as SmorestApi  # type: ignore[import-untyped]
from werkzeug.routing import Rule

from matcher.profile_schema import DIALECT
from service import problems
from service.api import description_parts as parts
from service.api.blueprint import Blueprint, ProblemSchema
from service.api.examples import examples_of
from service.problems import Kind

EXTENSION = "peermatch-description"
ADDRESS = "api-docs.openapi_json"
"""Endpoint of the description."""
METHODS = ("get", "put", "post", "delete", "patch")
INTRODUCTION = (
    "Finds the right peer or support group for a person, with consent. Every request but the probes carries a key "
    "that belongs to one programme. Errors are RFC 9457 problem documents: branch on `type`."
)


class Api(SmorestApi):  # type: ignore[misc]
    """Gathers what resources say of themselves."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None


def describe(app: Flask, resources: tuple[Blueprint, ...]) -> None:
    """Register the resources of `app`, and ``/openapi.json``, which describes them."""
    for resource in resources:
        app.register_blueprint(resource)
    app.extensions[EXTENSION] = resources
    app.add_url_rule("/openapi.json", ADDRESS, lambda: Response(text_of(current_app), mimetype="application/json"))


def document(app: Flask) -> dict[str, Any]:
    """Return the whole description of `app`; made when it is first asked for, and not to be changed."""
    return _described(app.extensions[EXTENSION])


@cache
def _described(resources: tuple[Blueprint, ...]) -> dict[str, Any]:
    # In an application of its own: most processes are never asked, and this takes longer than all the rest of making
    # one.
    app = Flask(__name__, static_folder=None)
    app.config.update(API_TITLE="Peermatch", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = Api(app, spec_kwargs={"info": {"description": INTRODUCTION}})
    for resource in resources:
        api.register_blueprint(resource)
    return _finished(app, api.spec.to_dict())


def text_of(app: Flask) -> str:
    """Return the description of `app` as ``docs/openapi.json`` has it."""
    return json.dumps(document(app), indent=1, ensure_ascii=False) + "\n"


def schema_of(app: Flask, name: str) -> dict[str, Any]:
    """Return one of the schemas of the description as a JSON Schema of its own, with those that it refers to."""
    schemas, wanted, inner = document(app)["components"]["schemas"], [name], {}
    while wanted:
        text = json.dumps(schemas[wanted.pop()])
        wanted += [one for one in schemas if one not in inner and f'"{parts.SCHEMAS}{one}"' in text]
        inner.update({one: schemas[one] for one in wanted})
    head = {"$schema": DIALECT, "$id": f"urn:peermatch:schema:{name.lower()}", "title": name}
    whole = {**head, **schemas[name]}
    found: dict[str, Any] = json.loads(json.dumps({**whole, "$defs": inner}).replace(parts.SCHEMAS, "#/$defs/"))
    return found


def described_app(resources: tuple[Blueprint, ...]) -> Flask:
    """Return an application that can be described and nothing else: it has no installation."""
    app = Flask(__name__, static_folder=None)
    describe(app, resources)
    return app


def views(app: Flask) -> Iterator[tuple[Rule, str, Callable[..., Any]]]:
    """Return rule, method (in small letters) and view of everything that `app` answers, but HEAD."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method.lower(), view_of(app, rule.endpoint, method.lower())


def view_of(app: Flask, endpoint: str, method: str) -> Callable[..., Any]:
    """Return the view that answers a method (in small letters) at an endpoint."""
    view = app.view_functions[endpoint]
    found: Callable[..., Any] = getattr(getattr(view, "view_class", None), method, view)
    return found


def template_of(rule: Rule) -> str:
    """Return the address of a rule as OpenAPI writes it."""
    return parts.CONVERTED.sub(r"{\1}", rule.rule)


def _finished(app: Flask, spec: dict[str, Any]) -> dict[str, Any]:
    components = spec.setdefault("components", {})
    components["securitySchemes"] = parts.SECURITY
    components["headers"] = parts.HEADERS
    components["parameters"] = parts.PARAMETERS
    components["schemas"].pop("PaginationMetadata", None)  # flask-smorest's, and used by nobody
    responses = components["responses"] = {}
    for rule, method, view in views(app):
        path = spec["paths"].get(template_of(rule))
        if path is not None and method in path:
            for parameter in path.get("parameters", ()):
                parameter.update(parts.PATH_PARAMETERS.get(parameter["name"], {}))
            responses.update(_finish(path[method], rule, method, view))
    components["responses"] = dict(sorted(responses.items()))
    return spec


def _finish(operation: dict[str, Any], rule: Rule, method: str, view: Callable[..., Any]) -> dict[str, Any]:
    """Add what follows from the rules of the service, and the examples; return the replies that components hold."""
    scopes: tuple[str, ...] = getattr(view, "scopes", ())
    keyed = operation.get("security") != []
    operation["operationId"] = f"{rule.endpoint}.{method}"
    operation["security"] = ([{"key": [scope]} for scope in scopes] or [{"key": []}]) if keyed else []
    if scopes:
        told = " or ".join(f"`{scope}`" for scope in scopes)
        operation["description"] = f"{operation.get('description', '')}\n\nScope: {told}.".strip()
    kinds = {*getattr(view, "problems", ()), *_usual(operation, rule, keyed=keyed, scoped=bool(scopes))}
    if method == "post" and keyed:
        kinds |= _add_idempotency(operation, runs_again=getattr(view, "runs_again", False))
    own = operation["responses"] = {str(status): reply for status, reply in operation["responses"].items()}
    own.pop("422", None)  # flask-smorest's, of another media type
    _add_parameters(operation, method, kinds)
    for status, reply in own.items():
        reply.setdefault("headers", {}).update(parts.headers_of(int(status), keyed=keyed))
    shared = parts.problem_responses(kinds)
    for status, (name, reply) in shared.items():
        content = own.get(status, {}).get("content")
        if content is None:
            own[status] = parts.ref("responses", name)
        else:  # a probe, whose report is no problem document
            content.update(reply["content"])
            own[status]["headers"].update(reply["headers"])
    operation["responses"] = dict(sorted(own.items()))
    parts.add_examples(operation, parts.Request(method, template_of(rule)), examples_of(view))
    return dict(shared.values())


def _usual(operation: dict[str, Any], rule: Rule, *, keyed: bool, scoped: bool) -> Iterator[Kind]:
    """Return the problems that need no naming."""
    yield problems.METHOD
    yield problems.INTERNAL
    if rule.arguments:
        yield problems.NO_ADDRESS
    if keyed:
        yield problems.UNAUTHORISED
        yield problems.RATE_LIMITED
        yield problems.NOT_READY
    if scoped:
        yield problems.SCOPE_MISSING
    if "requestBody" in operation:
        yield from (problems.MALFORMED, problems.TIMEOUT, problems.TOO_LARGE, problems.MEDIA, problems.INVALID)


def _add_idempotency(operation: dict[str, Any], *, runs_again: bool) -> set[Kind]:
    """Add the header Idempotency-Key; return the problems that come with it."""
    name = "Idempotency-Key"
    operation.setdefault("parameters", []).append(
        parts.ref("parameters", f"{name}.{'again' if runs_again else 'once'}")
    )
    if runs_again:
        return {problems.INVALID}
    for status, reply in operation["responses"].items():
        if status.startswith("2"):
            reply.setdefault("headers", {})["Idempotency-Replayed"] = parts.ref("headers", "Idempotency-Replayed")
    return {problems.INVALID, problems.IDEMPOTENCY_REUSED, problems.IDEMPOTENCY_RUNNING}


def _add_parameters(operation: dict[str, Any], method: str, kinds: set[Kind]) -> None:
    """Add the request headers that the operation heeds."""
    names = ["X-Request-Id"]
    success = [reply for status, reply in operation["responses"].items() if status.startswith("2")]
    if problems.PRECONDITION in kinds:
        names += ["If-Match", "If-None-Match"]
    elif method == "get" and any("ETag" in reply.get("headers", {}) for reply in success):
        names.append("If-None-Match")
    if method == "get" and "If-None-Match" in names:
        operation["responses"]["304"] = {
            "description": "Nothing has changed since the state that `If-None-Match` names",
            "headers": {"ETag": parts.ref("headers", "ETag")},
        }
    operation.setdefault("parameters", []).extend(parts.ref("parameters", name) for name in names)
