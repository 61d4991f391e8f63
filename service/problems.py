"""Errors as RFC 9457 problem documents: one table of kinds, one place that turns an exception into a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from matcher.errors import ConsentMissingError, PeermatchError, RecordError, SeekerError, UnknownMemberError
from matcher.introductions import TransitionError
from service.live.seeking import OutdatedRecordError
from service.logs import log_failure
from service.sealing import SealError
from service.settings import SettingsError
from service.store import StoreError, UncertainError
from service.store.introductions import NoPlaceError, NotAvailableError, TooManyOpenError
from service.store.tenancy import TenancyError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5


@dataclass(frozen=True)
class Kind:
    """One kind of problem. Its `type` is stable: partners may branch on it."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URI of this kind: a name, not a place."""
        return f"urn:peermatch:problem:{self.name}"


MALFORMED = Kind("malformed-json", 400, "The body is not the JSON object this expects")
UNAUTHORISED = Kind("key-invalid", 401, "A valid API key is needed")
SCOPE_MISSING = Kind("scope-missing", 403, "The API key lacks a scope")
CONSENT_MISSING = Kind("consent-missing", 403, "Consent is missing")
NO_ADDRESS = Kind("no-such-address", 404, "There is nothing at this address")
NO_MEMBER = Kind("no-such-member", 404, "No such member")
NO_CONSENT = Kind("no-such-consent", 404, "No such consent")
NO_HOLD = Kind("no-such-hold", 404, "No such hold")
NO_GROUP = Kind("no-such-group", 404, "No such group")
NO_BLOCK = Kind("no-such-block", 404, "No such block")
NO_HANDLE = Kind("no-such-handle", 404, "No such handle")
NO_INTRODUCTION = Kind("no-such-introduction", 404, "No such introduction")
NO_REPORT = Kind("no-such-report", 404, "No such report")
NO_VOCABULARY = Kind("no-such-vocabulary", 404, "No such vocabulary")
METHOD = Kind("method-not-allowed", 405, "This address does not know this method")
TIMEOUT = Kind("request-timeout", 408, "The request did not come whole and in time")
NOT_A_SEEKER = Kind("not-a-seeker", 409, "This member does not seek")
RECORD_OUTDATED = Kind("record-outdated", 409, "The stored record no longer fits the programme")
CONSENTS_DIFFER = Kind("consents-differ", 409, "A record cannot rewrite consents")
ERASED_BEFORE = Kind("erased-before", 409, "This id was erased before")
NOT_NOW = Kind("not-allowed-now", 409, "The introduction does not allow this now")
NOT_AVAILABLE = Kind("not-available", 409, "These two cannot be introduced now")
NO_PLACE = Kind("no-place", 409, "This supporter takes nobody new at present")
TOO_MANY_OPEN = Kind("too-many-open", 409, "Another introduction is still open")
IDEMPOTENCY_RUNNING = Kind("idempotency-in-progress", 409, "The same request is under way")
PRECONDITION = Kind("precondition-failed", 412, "It has changed")
TOO_LARGE = Kind("too-large", 413, "The body is too large")
MEDIA = Kind("unsupported-media-type", 415, "The body is not JSON")
INVALID = Kind("invalid", 422, "The request is not valid")
IDEMPOTENCY_REUSED = Kind("idempotency-key-reused", 422, "This Idempotency-Key was used for another request")
RATE_LIMITED = Kind("rate-limited", 429, "Too many requests with this key")
INTERNAL = Kind("internal", 500, "Something failed inside the service")
NOT_READY = Kind("not-ready", 503, "The service cannot answer this now")

KINDS = (
    MALFORMED,
    UNAUTHORISED,
    SCOPE_MISSING,
    CONSENT_MISSING,
    NO_ADDRESS,
    NO_MEMBER,
    NO_CONSENT,
    NO_GROUP,
    NO_HOLD,
    NO_BLOCK,
    NO_HANDLE,
    NO_INTRODUCTION,
    NO_VOCABULARY,
    METHOD,
    TIMEOUT,
    NOT_A_SEEKER,
    RECORD_OUTDATED,
    CONSENTS_DIFFER,
    ERASED_BEFORE,
    NOT_NOW,
    NOT_AVAILABLE,
    NO_PLACE,
    TOO_MANY_OPEN,
    IDEMPOTENCY_RUNNING,
    PRECONDITION,
    TOO_LARGE,
    MEDIA,
    INVALID,
    IDEMPOTENCY_REUSED,
    RATE_LIMITED,
    INTERNAL,
    NOT_READY,
)

REFUSALS: tuple[tuple[type[PeermatchError], Kind, str], ...] = (
    (UnknownMemberError, NO_MEMBER, "This programme has no member of this id."),
    (ConsentMissingError, CONSENT_MISSING, "`match_serve` is not on for this member; no list can be made."),
    (OutdatedRecordError, RECORD_OUTDATED, "The programme has changed; store the member's record again with PUT."),
    (SeekerError, NOT_A_SEEKER, "This member lacks the role `seeker`; add it to `roles` with PUT."),
)
"""The first family that fits tells; a kind and the same words for all, so that nobody is told apart."""

TOLD: tuple[tuple[type[PeermatchError], Kind], ...] = (
    (TransitionError, NOT_NOW),
    (NotAvailableError, NOT_AVAILABLE),
    (NoPlaceError, NO_PLACE),
    (TooManyOpenError, TOO_MANY_OPEN),
)
"""Families whose messages are written for whoever asked: they say what may be done instead, and name nobody."""

FRAMEWORK: dict[int, tuple[Kind, str]] = {
    404: (
        NO_ADDRESS,
        "There is nothing here; `/openapi.json` lists what there is. In a path, a member_id is 1 to 64 of the "
        "characters A-Z a-z 0-9 . _ ~ - and nothing else.",
    ),
    405: (METHOD, "The header `Allow` lists the methods of this address."),
    413: (TOO_LARGE, "A body may have 64 KiB."),
    415: (MEDIA, "Send `Content-Type: application/json`."),
}


class Problem(Exception):
    """Raised anywhere below a route to answer with a problem document."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.detail = detail
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})


def answer(problem: Problem) -> Response:
    """Return the reply for a problem."""
    kind = problem.kind
    body: dict[str, object] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    # ASCII only: what a caller sent may come back in `errors`, and must be safe to print anywhere.
    reply = Response(json.dumps(body, separators=(",", ":")), kind.status, mimetype=MEDIA_TYPE)
    reply.headers.extend(problem.headers)
    return reply


def register(app: Flask) -> None:
    """Make every error of `app` a problem document."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(PeermatchError, _refused)
    app.register_error_handler(TenancyError, _failed)  # a fault of ours, whatever family it is of
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(Exception, _failed)


def not_ready(detail: str) -> Problem:
    """Return a problem that goes away by itself."""
    return Problem(NOT_READY, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def _refused(error: PeermatchError) -> Response:
    """Translate the family of errors, once. Messages that speak of files and settings stay in the log."""
    if isinstance(error, RecordError):
        return answer(Problem(INVALID, "The record is not valid; `errors` names every field.", error.errors))
    told = next((Problem(kind, detail) for family, kind, detail in REFUSALS if isinstance(error, family)), None)
    told = told or next((Problem(kind, _sentence(error)) for family, kind in TOLD if isinstance(error, family)), None)
    if told is not None:
        return answer(told)
    log_failure(error)
    if isinstance(error, UncertainError):
        return answer(not_ready("The connection to the database was lost: the change may have been made or not. Look."))
    if isinstance(error, StoreError):
        return answer(not_ready("The database is busy or away; nothing was changed. Try again."))
    if isinstance(error, (SealError, SettingsError)):
        return answer(not_ready("The keys of this installation do not fit its data; `peermatch doctor` says why."))
    return answer(not_ready("The programme's model or its files cannot be used; `peermatch doctor` says why."))


def _sentence(error: PeermatchError) -> str:
    return f"{error.message[:1].upper()}{error.message[1:]}."


def from_http(error: HTTPException) -> Response:
    """Translate the framework's own errors, with the headers they carry (``Allow`` above all)."""
    status = error.code or 500
    if status < 400:
        return Response(status=status, headers=error.get_headers())
    if status == 500:
        return _failed(error)
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    kind, detail = FRAMEWORK.get(status, (None, "The request was refused."))
    if kind is None:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "The request was refused"
        kind = Kind("refused", status, phrase)
    return answer(Problem(kind, detail, headers=headers))


def _failed(error: Exception) -> Response:
    log_failure(error)
    return answer(Problem(INTERNAL, "Nothing more is known here; the log has this request's X-Request-Id."))
