"""Reports over HTTP: in both forms, with their days, and for whom."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from service.reports import REPORTS
from tests.service.api.replies import problem
from tests.service.installation import Installation, another_programme, consent, record
from tests.service.introduced import act, people, propose
from tests.service.store.audited import rows

MORE = '[privacy]\nreason_k = 2\n[strata]\nethnicity = ["a", "b"]'


def read(made: Installation, name: str, query: str = "", key: str | None = None) -> Any:
    reply = made.call("GET", f"/v1/reports/{name}{query}", key=key)
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return reply.get_json()


def cells(made: Installation, name: str, table: str, query: str = "") -> dict[str, Any]:
    (found,) = (one for one in read(made, name, query)["tables"] if one["table"] == table)
    return {cell.pop("cell"): cell for cell in found["cells"]}


def seeker(name: str, value: str | None = None, *, fair: bool = True) -> dict[str, Any]:
    given = [consent("match_serve"), *([consent("fairness_audit")] if fair else [])]
    return record(name, "seeker", strata={} if value is None else {"ethnicity": value}, consents=given)


def test_who_waits_is_told_by_stratum_where_they_let_it_be_looked_at(small: Installation) -> None:
    small.change_programme(more=MORE)
    small.add(*(seeker(f"a-{at}", "a") for at in range(4)), *(seeker(f"b-{at}", "b") for at in range(3)))
    small.add(seeker("n-1"), seeker("n-2", "b", fair=False))
    told = cells(small, "waiting", "by_ethnicity")
    assert told == {
        "a": {"suppressed": False, "count": 4, "median_days": 30.0, "p90_days": 30.0},
        "b": {"suppressed": False, "count": 3, "median_days": 30.0, "p90_days": 30.0},
        "not_told": {"suppressed": False, "count": 2, "median_days": 30.0, "p90_days": 30.0},
    }
    small.call("DELETE", "/v1/members/n-1")
    told = cells(small, "waiting", "by_ethnicity")
    assert [(name, cell["count"]) for name, cell in told.items()] == [("a", 4), ("b", None), ("not_told", None)]
    assert cells(small, "waiting", "all")["all"]["count"] == 8


def test_a_connection_is_in_the_reports_it_is_about(small: Installation) -> None:
    people(small, more="[privacy]\nreason_k = 1")
    small.publish("2")  # what a model may tell of hangs on `reason_k` too
    for name in ("s-1", "m-1"):
        agreed = {"purpose": "outcome_followup", "decision": "given"}
        assert small.call("POST", f"/v1/members/{name}/consents", agreed).status_code == 201
    one = propose(small)
    small.clock.turn(days=3)
    act(small, one, "accept", "m-1")
    assert cells(small, "time_to_match", "from_proposal")["all"]["median_days"] == 3.0
    assert cells(small, "time_to_match", "from_waiting")["all"]["median_days"] == 33.0
    assert cells(small, "load", "supporters")["all"]["taken"] == 1
    small.clock.turn(days=30)
    assert cells(small, "retention", "after")["1_month"]["count"] == 1
    act(small, one, "rematch", "s-1")
    told = cells(small, "rematch_rate", "ended")["all"]
    assert told["count"] == 1
    assert told["suppressed"], "nobody else ended theirs: that it was all of them would tell of each"


def test_a_supporter_with_less_capacity_than_they_have_taken_is_flagged(small: Installation) -> None:
    people(small)
    act(small, propose(small, candidate="m-2"), "accept", "m-2")
    propose(small, "s-2", "m-2")
    assert cells(small, "load", "supporters")["all"]["over_capacity"] == 0
    small.add(record("m-2", capacity=1))
    told = cells(small, "load", "supporters")["all"]
    assert (told["over_capacity"], told["places"], told["taken"], told["free"], told["most_taken"]) == (1, 2, 2, 1, 2)


def test_days_narrow_it(small: Installation) -> None:
    small.change_programme(more=MORE)
    small.add(*(seeker(f"a-{at}") for at in range(4)))
    assert cells(small, "waiting", "all", "?from=2026-02-02&to=2026-02-02")["all"]["count"] == 4
    assert cells(small, "waiting", "all", "?from=2026-02-03")["all"]["suppressed"]
    assert cells(small, "waiting", "all", "?to=2026-02-01")["all"]["suppressed"]
    told = read(small, "waiting", "?from=2026-02-02")
    assert (told["from"], told["to"], told["fewest"], told["as_of"]) == ("2026-02-02", None, 2, "2026-03-04T12:00:00Z")


@pytest.mark.parametrize("name", REPORTS)
def test_csv_says_what_json_says(small: Installation, name: str) -> None:
    small.change_programme(more=MORE)
    small.add(*(seeker(f"a-{at}", "a") for at in range(4)), record("m-1"))
    document = read(small, name)
    by_query = small.call("GET", f"/v1/reports/{name}?format=csv")
    by_header = small.call("GET", f"/v1/reports/{name}", headers={"Accept": "text/csv"})
    assert by_query.data == by_header.data
    assert (by_query.mimetype, by_header.mimetype) == ("text/csv", "text/csv")
    found = list(csv.DictReader(io.StringIO(by_query.get_data(as_text=True))))
    right = [
        (table["table"], cell["cell"], measure, "" if value is None else str(value))
        for table in document["tables"]
        for cell in table["cells"]
        for measure, value in cell.items()
        if measure not in {"cell", "suppressed"}
    ]
    assert [(row["table"], row["cell"], row["measure"], row["value"]) for row in found] == right
    assert {row["report"] for row in found} == {name}
    assert all((row["suppressed"] == "true") <= (row["value"] == "") for row in found)
    assert small.call("GET", f"/v1/reports/{name}", headers={"Accept": "application/json"}).is_json
    assert small.call("GET", f"/v1/reports/{name}?format=json", headers={"Accept": "text/csv"}).is_json


def test_that_it_was_read_is_recorded_with_its_name(small: Installation) -> None:
    read(small, "load")
    small.call("GET", "/v1/reports/waiting?format=csv")
    told = [(row.action, row.subject, row.details) for row in rows(small)]
    assert told == [("report.read", None, '{"name":"load"}'), ("report.read", None, '{"name":"waiting"}')]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("waiting?format=xml", "format"),
        ("waiting?from=today", "from"),
        ("waiting?from=2026-02-30", "from"),
        ("waiting?to=", "to"),
        ("waiting?from=2026-02-02&to=2026-02-01", "to"),
        ("load?from=2026-02-02", "from"),
        ("load?to=2026-02-02", "to"),
        ("waiting?stratum=a", "stratum"),
    ],
)
def test_what_is_no_question_is_refused_and_not_told(small: Installation, query: str, field: str) -> None:
    body = problem(small.call("GET", f"/v1/reports/{query}"), 422, "invalid")
    assert list(body["errors"]) == [field]
    assert rows(small) == []


def test_there_is_no_other_report(small: Installation) -> None:
    for name in ("weather", "Waiting", "waiting%00", "x" * 300):
        problem(small.call("GET", f"/v1/reports/{name}"), 404, "no-such-report")
    assert rows(small) == []


def test_coordinators_administrators_and_auditors_read_of_their_own_programme(small: Installation) -> None:
    small.change_programme(more=MORE)
    small.add(*(seeker(f"a-{at}") for at in range(4)))
    for scope in ("coordinator", "admin", "audit"):
        assert read(small, "waiting", key=small.new_key(scope))["tables"][0]["cells"][0]["count"] == 4
    problem(small.call("GET", "/v1/reports/waiting", key=small.new_key("members", "match")), 403, "scope-missing")
    other = another_programme(small, "beacon")
    assert read(small, "waiting", key=other)["tables"][0]["cells"][0]["suppressed"]
