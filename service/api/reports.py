"""``/v1/reports/{name}``: what a programme's figures say, without anybody who could be told from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

import marshmallow as ma
from flask import Response, current_app, jsonify, request
from marshmallow import validate

from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, expected
from service.api.introduction_schemas import Strict
from service.problems import INVALID, NO_REPORT, Problem
from service.reports import OF_NOW, REPORTS, report
from service.reports.asking import Asking, Period
from service.reports.shape import Report
from service.state import State, state
from service.store import audit

blueprint = Blueprint("reports", __name__, description="Figures of a programme.")

F = TypeVar("F", bound=Callable[..., Any])

CSV: Final = "text/csv"
FORMATS: Final = ("json", "csv")
A_FORMAT: Final = "json or csv"
A_DAY: Final = "a UTC day, such as 2026-03-01"
NAMES: Final = ", ".join(REPORTS)
LOAD: Final[dict[str, Any]] = {
    "report": "load",
    "as_of": "2026-03-04T12:00:00Z",
    "from": None,
    "to": None,
    "fewest": 2,
    "tables": [
        {
            "table": "supporters",
            "cells": [
                {
                    "cell": "all", "suppressed": False, "supporters": 4, "places": 4, "taken": 0, "free": 4,
                    "resting": 0, "held": 0, "full": 0, "over_capacity": 0, "most_taken": 0, "p90_taken": 0.0,
                    "gini": None,
                }
            ],
        }
    ],
}  # fmt: skip
NOTHING: Final = {"cell": "all", "suppressed": True, "count": None, "median_days": None, "p90_days": None}
FEBRUARY: Final[dict[str, Any]] = {
    "report": "time_to_match",
    "as_of": "2026-03-04T12:00:00Z",
    "from": "2026-02-01",
    "to": "2026-02-28",
    "fewest": 2,
    "tables": [{"table": "from_proposal", "cells": [NOTHING]}, {"table": "from_waiting", "cells": [NOTHING]}],
}
UNKNOWN: Final = f"There is no report of this name; expected one of {NAMES}."


class AskedSchema(Strict):
    """In which form, and about which days."""

    format = ma.fields.String(
        validate=validate.OneOf(FORMATS, error=f"expected {A_FORMAT}"),
        error_messages=expected(A_FORMAT),
        metadata={"description": f"`csv` is one row a value, as is `Accept: {CSV}`."},
    )
    first = ma.fields.Date(
        data_key="from",
        load_default=None,
        format="%Y-%m-%d",
        error_messages=expected(A_DAY),
        metadata={"description": "The first UTC day that counts; left out: from the start."},
    )
    last = ma.fields.Date(
        data_key="to",
        load_default=None,
        format="%Y-%m-%d",
        error_messages=expected(A_DAY),
        metadata={"description": "The last UTC day that counts; left out: up to now."},
    )


class CellSchema(ma.Schema):
    """What is told of some who are counted together. Its measures stand beside these two."""

    class Meta:
        """Measures differ from one report to the next."""

        unknown = ma.INCLUDE

    cell = ma.fields.String(required=True)
    suppressed = ma.fields.Boolean(
        required=True, metadata={"description": "Too few, or with them somebody could be told: measures are null."}
    )


class TableSchema(ma.Schema):
    """Cells that have nobody in common."""

    table = ma.fields.String(required=True)
    cells = ma.fields.List(ma.fields.Nested(CellSchema), required=True)


class ReportSchema(ma.Schema):
    """A report; see docs/reference/reports.md."""

    report = ma.fields.String(required=True, validate=validate.OneOf(tuple(REPORTS)))
    as_of = ma.fields.String(required=True, metadata={"format": "date-time"})
    first = ma.fields.Date(required=True, allow_none=True, data_key="from")
    last = ma.fields.Date(required=True, allow_none=True, data_key="to")
    fewest = ma.fields.Integer(required=True, metadata={"description": "Fewer than so many are not told of."})
    tables = ma.fields.List(ma.fields.Nested(TableSchema), required=True)


AS_CSV: Final = {
    "schema": {
        "type": "string",
        "description": "RFC 4180, one row a value: report, table, cell, measure, value, suppressed.",
    }
}


def also_csv(view: F) -> F:
    """Document that a view answers CSV too, where that is asked for."""
    told_too = blueprint.doc(responses={200: {"content": {CSV: AS_CSV}}})
    return cast("F", told_too(view))


@blueprint.route("/v1/reports/<name>", endpoint="report")
@needs("coordinator", "admin", "audit")
@blueprint.arguments(AskedSchema, location="query")
@blueprint.response(200, ReportSchema)
@also_csv
@blueprint.problems(problems.INVALID, problems.NO_REPORT)
@blueprint.example("load", 200, LOAD, path={"name": "load"})
@blueprint.example("as_csv", 200, path={"name": "waiting"}, query={"format": "csv"}, summary="CSV, one row a value")
@blueprint.example(
    "of_a_month", 200, FEBRUARY, path={"name": "time_to_match"}, query={"from": "2026-02-01", "to": "2026-02-28"}
)
@blueprint.example(
    "unknown", 404, told.problem("no-such-report", "No such report", 404, UNKNOWN), path={"name": "weather"}
)
def one_report(asked: dict[str, Any], name: str) -> Response:
    """Return a report; that it was read is recorded in the audit log.

    Fewer people than the programme's `reason_k` are never told of, nor what they could be computed from.
    """
    if name not in REPORTS:
        raise Problem(NO_REPORT, UNKNOWN)
    period = _period(name, asked)
    here, key = state(current_app), access()
    found = _made(here, key.programme_id, name, period)
    with here.store.transaction() as session:  # no audit, no answer
        audit.record(session, key.programme_id, "report.read", now=found.as_of, by=key.key_id, name=name)
    if _wants_csv(asked):
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return Response(found.to_csv(), mimetype=CSV, headers=headers)
    return jsonify(found.to_dict())


def _made(here: State, programme_id: str, name: str, period: Period) -> Report:
    now = here.clock()
    here.pools.let_time_pass(programme_id, now)
    with here.store.reading() as session:
        programme = here.pools.programmes.get(session, programme_id)
    with here.store.hot.reading() as reader:
        return report(name, Asking(reader, programme, now, period))


def _period(name: str, asked: Mapping[str, Any]) -> Period:
    """Return the days that are asked about.

    Raises
    ------
    Problem
        If there are none, or the report is about the present.
    """
    first, last = asked["first"], asked["last"]
    errors = {}
    if first is not None and last is not None and last < first:
        errors["to"] = "found a day before `from`; expected that day or a later one"
    elif name in OF_NOW:
        given = {"from": first, "to": last}
        errors = {key: "expected nothing: this report is about now" for key, day in given.items() if day is not None}
    if errors:
        raise Problem(INVALID, "The query parameters are not valid; `errors` names every field.", errors)
    return Period(first, last)


def _wants_csv(asked: Mapping[str, Any]) -> bool:
    """Whether the present request wants CSV: as its parameter says, or else its header ``Accept``."""
    if "format" in asked:
        return bool(asked["format"] == "csv")
    return request.accept_mimetypes.best_match(["application/json", CSV], "application/json") == CSV
