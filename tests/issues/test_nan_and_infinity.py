"""NaN and Infinity were accepted and emitted (flask 6114): refused on the way in, in every number, and never sent."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from matcher.errors import RecordError
from matcher.json_reading import parse_json
from matcher.people import Member
from tests.service.api.test_members import problem
from tests.service.installation import Installation, record
from tests.service.routes import APP, BODIES, Route, places, planted, with_body

WRITTEN = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"]
MARK = "here-it-stands"


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("route", with_body(APP), ids=lambda route: route.name)
def test_refused_wherever_it_stands_in_a_body(made: Installation, route: Route, written: str) -> None:
    headers = {"Authorization": f"Bearer {made.key}"}
    for body in BODIES[route.name]:
        for path in [*places(body), ("a field that does not exist",)]:
            text = json.dumps(planted(body, path, MARK)).replace(f'"{MARK}"', written)
            reply = made.client.open(
                route.path, method=route.method, data=text, content_type="application/json", headers=headers
            )
            problem(reply, 400, "malformed-json")


@pytest.mark.parametrize("written", WRITTEN)
def test_refused_in_a_file(written: str) -> None:
    with pytest.raises(RecordError, match="finite"):
        parse_json(f'{{"capacity": {written}}}')


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_refused_by_the_library_in_every_number(made: Installation, value: float) -> None:
    whole = record("m-1", capacity=1, wants={"experiences": {"importance": 2}})
    for path in [("capacity",), ("wants", "experiences", "importance"), ("vetted",), ("profile", "experiences", 0)]:
        with pytest.raises(RecordError, match=r"finite|nan|inf"):
            Member.from_dict(planted(whole, path, value), made.programme)


def test_never_sent(made: Installation) -> None:
    with made.app.app_context(), pytest.raises(ValueError, match="not JSON compliant"):
        made.app.json.dumps({"score": math.nan})


def test_a_query_parameter_is_no_number_either(made: Installation) -> None:
    path = "/v1/programme/vocabularies/experiences?q=a&limit="
    told: Any = [problem(made.call("GET", path + written), 422, "invalid") for written in WRITTEN]
    assert {tuple(one["errors"]) for one in told} == {("limit",)}
