"""``/docs``: everything of the description to read, without scripts, and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from markupsafe import escape

from service import problems
from service.api import RESOURCES
from service.api.description import described_app, document
from service.api.docs import render, type_of
from tests.service.api.test_contract import operations
from tests.service.installation import Installation

SPEC = document(described_app(RESOURCES))
EMPTY = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page consists of; fails where tags are not closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "href" in given:
            self.links.append(given["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def reply(made: Installation) -> Any:
    return made.client.get("/docs")


@pytest.fixture
def page(reply: Any) -> Page:
    return Page(reply.get_data(as_text=True))


def test_it_is_open_and_tells_every_operation_with_its_examples(reply: Any, page: Page) -> None:
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    text = "".join(page.words)
    for method, address, operation in operations(SPEC):
        assert f"#{operation['operationId']}" in page.links
        assert f"{method.upper()} {address}" in re.sub(r"\s+", " ", text)
        for example in operation["x-examples"].values():
            for side in ("request", "reply"):
                body = example[side].get("body", "")
                assert (body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)) in text
        for parameter in operation["parameters"]:
            assert parameter.get("name", parameter.get("$ref", "").rpartition("/")[2].split(".")[0]) in text
    for kind in problems.KINDS:
        assert kind.name in text
    for name in SPEC["components"]["schemas"]:
        assert f"schema-{name}" in page.ids


def test_links_within_it_lead_somewhere_and_none_leads_elsewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json"}


def test_the_policy_lets_its_one_style_sheet_through_and_nothing_else(reply: Any, page: Page) -> None:
    text = reply.get_data(as_text=True)
    sheets = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(sheets) == 1
    digest = base64.b64encode(hashlib.sha256(sheets[0].encode()).digest()).decode()
    assert reply.headers["Content-Security-Policy"] == (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-{digest}'"
    )
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "svg"}
    assert not {name for name in page.attributes if name.startswith("on")} | page.attributes & {"style", "src"}
    assert "url(" not in sheets[0]
    assert "@import" not in sheets[0]


def test_it_is_read_in_the_dark_on_paper_and_by_keyboard(reply: Any, page: Page) -> None:
    text = reply.get_data(as_text=True)
    for said in ("prefers-color-scheme: dark", "color-scheme: light dark", "@media print", ":focus-visible"):
        assert said in text
    assert '<html lang="en">' in text
    assert '<a class="skip" href="#top">' in text
    # What scrolls sideways can be reached and scrolled without a mouse.
    assert text.count("<pre") == text.count('<pre tabindex="0">')
    assert {"main", "nav", "h1", "h2", "h3", "h4"} <= page.tags


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2 defines it."""

    def light(colour: str) -> float:
        digits = colour * 2 if len(colour) == 3 else colour
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_is_measured() -> None:
    assert contrast("000", "fff") == pytest.approx(21)
    assert contrast("777", "fff") < 4.5


def test_its_colours_can_be_told_apart(reply: Any) -> None:
    themes = re.findall(r":root \{([^}]*--ink[^}]*)\}", reply.get_data(as_text=True))
    assert len(themes) == 3  # light, dark, paper
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): #([0-9a-f]+)", theme))
        for ink in ("ink", "faint", "link"):
            for paper in ("paper", "shade"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (theme, ink, paper)


def test_what_the_description_says_is_text_and_never_markup() -> None:
    spec = json.loads(json.dumps(SPEC))
    evil = "<script>alert('`x`')</script>"
    spec["info"]["description"] = evil
    spec["tags"][0]["description"] = evil
    for _, _, operation in operations(spec):
        operation["summary"] = operation["description"] = evil
        for example in operation["x-examples"].values():
            example["summary"] = evil
            example["reply"]["body"] = {"a": evil}
    for schema in spec["components"]["schemas"].values():
        schema["description"] = evil
        for inner in schema.get("properties", {}).values():
            inner["pattern"] = evil
    text = render(spec)
    assert "<script" not in text
    assert escape("<script>") in text


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"enum": ["a", None]}, "<code>&#34;a&#34;</code> or <code>null</code>"),
        ({"const": 1}, "<code>1</code>"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/A"}}, 'array of <a href="#schema-A">A</a>'),
        ({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, "integer (minimum 1) or null"),
        ({}, "anything"),
    ],
)
def test_a_schema_in_few_words(schema: Any, told: str) -> None:
    assert type_of(schema) == told


def test_it_needs_no_key_and_takes_no_other_method(made: Installation) -> None:
    assert made.client.head("/docs").status_code == 200
    assert made.client.post("/docs", json={}).status_code == 405
    assert made.client.get("/docs/").status_code == 404
