"""The whole path in a real browser: proposed, looked at, approved, accepted, connected, and a report about safety.

What a seeker and a supporter do they do through their app; everything else the coordinator does with the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.service.console.chromium import served, started, violations
from tests.service.databases import SQLITE, Database
from tests.service.installation import Installation, close, install
from tests.service.introduced import ALL, act, inbox, people, propose

pytestmark = pytest.mark.slow


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    found = people(install(tmp_path, database=Database(SQLITE), size="small"), ALL)
    yield found
    close(found)


@pytest.fixture
def page(made: Installation) -> Iterator[Page]:
    with served(made.app) as address, started() as browser:
        context = browser.new_context(base_url=address)
        context.set_default_timeout(20_000)
        opened = context.new_page()
        opened.goto("/console/sign-in")
        opened.fill("#key", made.new_key("coordinator"))
        opened.keyboard.press("Enter")
        opened.wait_for_selector("h1:has-text('Review')")
        yield opened
        context.close()


def press(page: Page, name: str) -> None:
    """Press a button with the keyboard alone."""
    page.get_by_role("button", name=name).first.focus()
    page.keyboard.press("Enter")


def test_from_a_proposal_to_a_connection_and_to_a_report(made: Installation, page: Page) -> None:
    page.wait_for_selector("text=Nothing waits for you.")
    one = propose(made)
    page.goto("/console/review")
    page.wait_for_selector("text=Driving again is what I think of.")
    assert page.get_by_role("heading", name="s-1 to m-1").count() == 1
    assert violations(page) == []
    press(page, "Approve the introduction of s-1 to m-1")
    page.wait_for_selector("[role=status]:has-text('the supporter is asked now')")
    act(made, one, "accept", "m-1")
    page.goto("/console/members?member_id=s-1")
    page.wait_for_selector("text=connected")
    body = {"introduction_id": one["introduction_id"], "member_id": "s-1", "event": "reported", "safety": True}
    assert made.call("POST", "/v1/feedback", body).status_code == 202
    page.goto("/console/review")
    page.wait_for_selector("article.flagged:has-text('Suspended')")
    assert violations(page) == []
    page.get_by_role("link", name="History of the introduction of s-1 to m-1").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("caption:has-text('Each step')")
    assert page.locator("tbody tr").count() == len(("propose", "review", "approve", "accept", "connect", "suspend"))
    assert violations(page) == []
    page.select_option("select[name=reason]", "safety")
    press(page, "End the introduction of s-1 to m-1")
    page.wait_for_selector("[role=status]:has-text('It is ended.')")
    assert [mine["state"] for mine in inbox(made, "s-1")] == ["ended"]
    page.wait_for_selector("text=Nothing waits for you.")
