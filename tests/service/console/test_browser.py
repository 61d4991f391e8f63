"""Every page in a real browser: axe-core, the keyboard alone, 200 %, dark and light, and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from service.store import apart
from tests.service.console.chromium import HEIGHT, WIDTH, overflow, reachable, served, started, tabbed, violations
from tests.service.databases import SQLITE, Database
from tests.service.installation import Installation, close, install, record

GROUP = {
    "name": "After surgery",
    "facilitators": ["m-over"],
    "topics": {"experiences": ["lumpectomy"]},
    "channel": "phone",
    "capacity": 8,
    "open": True,
    "members": ["s-0"],
}
LONG = "m-" + "x" * 62
PAGES = {
    "sign-in": "/console/sign-in",
    "review": "/console/review",
    "waiting": "/console/waiting",
    "members": "/console/members",
    "member": "/console/members?member_id=m-over",
    "long": f"/console/members?member_id={LONG}",
    "nobody": "/console/members?member_id=nobody",
    "loads": "/console/loads",
    "loads-2": "/console/loads?sort=member&page=2",
    "models": "/console/models",
    "model": "/console/models?version=1",
    "refusal": "/console/nonsense",
}
pytestmark = pytest.mark.slow
EACH = pytest.mark.parametrize("name", PAGES)
TOLD = "document.documentElement.outerHTML"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as running:
        yield running


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with something on every page. What a page looks like does not depend on the database."""
    made = install(tmp_path_factory.mktemp("browser"), database=Database(SQLITE), size="small")
    made.add(record("m-over", capacity=2), record(LONG), *(record(f"s-{number}", "seeker") for number in range(3)))
    made.add(*(record(f"m-{number:03}", capacity=number % 4) for number in range(60)))
    with made.store.transaction() as session:
        for seeker in ("s-0", "s-1"):
            apart.introduce(session, "lantern", ("m-over", seeker), {"m-over"})
    made.add(record("m-over", capacity=1))
    made.call("PUT", "/v1/groups/g-1", GROUP)
    made.call("POST", "/v1/members/m-over/holds", {"kind": "pause"})
    yield made
    close(made)


@pytest.fixture(scope="module")
def address(full: Installation) -> Iterator[str]:
    with served(full.app) as found:
        yield found


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, full: Installation, address: str) -> Iterator[Open]:
    """Return what opens a page, signed in unless it is where one signs in; no page may fail in the browser."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(path: str, *, key: str | None = None, **options: object) -> Page:
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, base_url=address, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda told: faults.append(told.text) if "Content Security" in told.text else None)
        page.on("request", lambda asked: None if asked.url.startswith(address) else faults.append(asked.url))
        if not path.endswith("sign-in"):
            sign_in(page, key or full.new_key("coordinator"))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def sign_in(page: Page, key: str) -> None:
    page.goto("/console/sign-in")
    page.fill("#key", key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/review")


@EACH
def test_a_page_can_be_read_and_used_by_everybody(opened: Open, name: str) -> None:
    page = opened(PAGES[name])
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
    seen = tabbed(page)
    assert len(set(seen)) == len(seen) == reachable(page), "the Tab key reaches everything, and shows where it is"
    assert "Skip to the page" in seen[0]
    page.set_viewport_size({"width": WIDTH // 2, "height": HEIGHT // 2})
    assert overflow(page) == 0, "200 %"
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 600})
    assert overflow(page) == 0, "400 %"


def test_the_skip_link_goes_to_the_page(opened: Open) -> None:
    page = opened(PAGES["loads"])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_dark_is_dark_and_light_is_light(opened: Open) -> None:
    def paper(scheme: str) -> int:
        told = opened(PAGES["sign-in"], color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in told.removeprefix("rgb(").rstrip(")").split(","))

    assert paper("dark") < 120
    assert paper("light") > 700


@pytest.mark.parametrize("scripts", [True, False])
def test_with_the_keyboard_alone_a_member_is_found_held_and_let_go(
    opened: Open, full: Installation, address: str, scripts: bool
) -> None:
    page = opened(PAGES["sign-in"], java_script_enabled=scripts)
    page.focus("#key")
    page.keyboard.type(full.new_key("coordinator"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/review")
    page.get_by_role("link", name="Members").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/members")
    page.focus("#member_id")
    page.keyboard.type("m-001")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Nothing holds them.")
    page.focus("#kind-crisis")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("#kind-pause").is_checked()
    page.focus("#until")
    page.keyboard.press("Tab")
    while page.locator("button:focus").count() == 0:
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]:has-text('The member is held')")
    assert page.locator("table:has(caption:text('Holds that run')) tbody tr").count() == 1
    page.get_by_role("button", name="Lift the hold: pause, 1 of 1").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]:has-text('The hold is lifted.')")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/sign-in")
    page.goto("/console/loads")
    assert page.url == f"{address}/console/sign-in"


def test_sorting_replaces_the_page_in_place_and_keeps_the_focus(opened: Open) -> None:
    page = opened(PAGES["loads"])
    page.evaluate("window.here = 1")
    page.focus("#sort-member")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/loads?sort=member")
    page.wait_for_selector("th[aria-sort] #sort-member")
    assert page.evaluate("window.here") == 1, "the page was not loaded anew"
    assert page.evaluate("document.activeElement.id") == "sort-member"
    assert violations(page) == []
    page.focus("#page-after")
    page.keyboard.press("Enter")
    page.wait_for_url("**page=2")
    page.wait_for_selector("text=51 to 62 of 62")
    page.go_back()
    page.wait_for_selector("text=1 to 50 of 62")


def test_a_script_that_finds_the_session_over_goes_to_sign_in(opened: Open) -> None:
    page = opened(PAGES["loads"])
    page.context.clear_cookies()
    page.focus("#sort-member")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/sign-in")


def test_nothing_is_kept_in_the_browser(opened: Open) -> None:
    page = opened(PAGES["loads"])
    page.click("#sort-member")
    page.wait_for_url("**/console/loads?sort=member")
    kept = page.evaluate("[...Object.values(localStorage), ...Object.values(sessionStorage)].join()")
    assert "m-0" not in kept
    assert page.evaluate("document.cookie") == ""


def test_a_script_in_the_page_does_not_run(browser: Browser, full: Installation, address: str) -> None:
    """The control of the policy: what it forbids is seen to be refused."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda told: refused.append(told.text))
    page.goto("/console/sign-in")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert page.evaluate("window.ran === undefined")
    assert any("Content Security Policy" in told for told in refused)
    context.close()


def planted(page: Page, text: str) -> None:
    page.evaluate(f"document.querySelector('main').insertAdjacentHTML('beforeend', {text!r})")


def test_what_is_wrong_is_found(opened: Open) -> None:
    """The control of the checks: an input without a label, a link that is too wide, a button that Tab passes over."""
    page = opened(PAGES["models"])
    assert violations(page) == []
    planted(page, '<input id="bare">')
    assert [rule for rule, _, _ in violations(page)] == ["label"]
    planted(page, f"<pre>{'x' * 400}</pre>")
    assert overflow(page) > 0
    planted(page, '<button tabindex="-1">Never</button>')
    assert len(tabbed(page)) == reachable(page) - 1


def test_pictures_for_whoever_looks(opened: Open, tmp_path: Path) -> None:
    """A page is not blank, in either scheme."""
    for scheme in ("light", "dark"):
        page = opened(PAGES["loads"], color_scheme=scheme)
        assert len(page.screenshot(path=tmp_path / f"{scheme}.png")) > 10_000
