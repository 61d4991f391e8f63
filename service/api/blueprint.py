"""The edge to flask-smorest, which has no types: the decorators that a resource uses, and how bodies are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar, cast

import marshmallow as ma
from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint  # type: ignore[import-untyped]
from webargs.flaskparser import FlaskParser

from matcher.errors import nearest
from matcher.people import MEMBER_ID, MEMBER_ID_RULE
from matcher.records import join
from service import problems
from service.api.body import json_object
from service.api.examples import add_example
from service.problems import INVALID, Problem

F = TypeVar("F", bound=Callable[..., Any])


class ProblemSchema(ma.Schema):
    """RFC 9457."""

    type = ma.fields.String(required=True, metadata={"description": "Stable; branch on this."})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    errors = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.String(), metadata={"description": "Message by path in the body."}
    )


class StrictParser(FlaskParser):
    """Reads JSON bodies strictly, and says what is wrong by path."""

    # Each schema says what it does with unknown fields.
    DEFAULT_UNKNOWN_BY_LOCATION: Any = MappingProxyType({})

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Return the body, which must be one JSON object."""
        return json_object(req)

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Answer 422 with one message a path."""
        # By location, which webargs adds: one.
        where, messages = next(iter(cast("dict[str, Any]", error.messages).items()))
        what = "body is" if where == "json" else "query parameters are"
        raise Problem(
            INVALID, f"The {what} not valid; `errors` names every field.", _with_hints(by_path(messages), schema)
        )


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A resource: its routes, what they take and what they answer."""

    ARGUMENTS_PARSER = StrictParser()
    example = staticmethod(add_example)

    def route(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view function or class at `rule`."""
        return cast("Callable[[F], F]", super().route(rule, **options))

    def arguments(self, schema: type[ma.Schema], **options: Any) -> Callable[[F], F]:
        """Read the body with `schema` and pass it as the first argument."""
        # One instance for all requests: making one takes as long as reading a body with it.
        return cast("Callable[[F], F]", super().arguments(schema(), **options))

    def response(
        self, status_code: int, schema: type[ma.Schema] | ma.Schema | Mapping[str, Any] | None = None, **options: Any
    ) -> Callable[[F], F]:
        """Document a reply, and dump it with `schema` unless the view returns a `Response`."""
        return cast("Callable[[F], F]", super().response(status_code, schema, **options))

    def open(self) -> Callable[[F], F]:
        """Document that a view needs no key; `service.access` decides."""
        return cast("Callable[[F], F]", super().doc(security=[]))

    def runs_again(self, view: F) -> F:
        """Mark a POST that may be sent any number of times: it heeds no Idempotency-Key, for its reply is made anew."""
        view.runs_again = True  # type: ignore[attr-defined]
        return view

    def problems(self, *kinds: problems.Kind) -> Callable[[F], F]:
        """Document the problems a view answers with, besides those of every key, scope, body and Idempotency-Key."""

        def decorate(view: F) -> F:
            view.problems = (*getattr(view, "problems", ()), *kinds)  # type: ignore[attr-defined]
            return view

        return decorate


def expected(what: str) -> dict[str, Any]:
    """Return the messages of a field that wants `what`."""
    message = f"expected {what}"
    wrong = dict.fromkeys(("invalid", "invalid_utf8", "too_large", "special"), message)
    return {**wrong, "required": f"found nothing; {message}", "null": f"found null; {message}"}


def check_member_id(value: str) -> None:
    """Refuse what is no `member_id`; for marshmallow's `validate`."""
    if not MEMBER_ID.fullmatch(value):
        raise ma.ValidationError(f"expected {MEMBER_ID_RULE}")


def _with_hints(errors: dict[str, str], schema: ma.Schema) -> dict[str, str]:
    """Name, for every field that does not exist, the nearest one that does."""
    unknown = schema.error_messages["unknown"]
    known = f"expected none but {', '.join(schema.fields)}"
    return {
        path: f"found a field that does not exist; {known}{nearest(path, schema.fields)}" if text == unknown else text
        for path, text in errors.items()
    }


def by_path(messages: Any, path: str = "") -> dict[str, str]:
    """Flatten marshmallow's nested messages into one text a path, such as ``profile.languages[1]``."""
    if isinstance(messages, Mapping):
        found: dict[str, str] = {}
        for key, value in messages.items():
            inside = f"{path}[{key}]" if isinstance(key, int) else join(path, str(key))
            found.update(by_path(value, path if key == "_schema" else inside))
        return found
    texts = messages if isinstance(messages, list) else [messages]
    return {path or "(body)": " ".join(map(str, texts))}
