"""A real browser at a real server: Debian's Chromium, driven by Playwright, and one application behind a socket."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any, Final, TypeAlias

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

CI = os.environ.get("CI", "").lower() in {"1", "true"}
PACKAGE: Final = "chromium"
"""What brings the browser with apt-get."""
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 800
Found: TypeAlias = list[tuple[str, str, list[str]]]


def needed() -> str:
    """Return the path of the browser; without it skip, but fail in CI, which must have it."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = f"needs a browser, which is not installed: apt-get install {PACKAGE}"
        (pytest.fail if CI else pytest.skip)(message)
    return path


@contextmanager
def started() -> Iterator[Browser]:
    """Run a browser."""
    path = needed()
    with sync_playwright() as playwright:
        # Without its sandbox, which root has none of; it sees nothing but our own pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on a free port of this machine; yield its address."""
    server = make_server("127.0.0.1", 0, app, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def violations(page: Page) -> Found:
    """Return what axe-core finds wrong with a page: rule, impact, and where."""
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [(one["id"], one["impact"], [node["html"] for node in one["nodes"]]) for one in told["violations"]]


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def tabbed(page: Page, most: int = 200) -> list[str]:
    """Go through a page with the Tab key from its start; return what has the focus, in its order.

    Each must be seen to have it.
    """
    page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    seen: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        told = page.evaluate(_FOCUSED)
        if told is None or (len(seen) > 1 and told["path"] == seen[0]):
            break
        assert told["seen"], f"the focus cannot be seen: {told['path']}"
        if not seen or told["path"] != seen[-1]:  # a date has several stops
            seen.append(told["path"])
    return seen


_FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const index = [...document.querySelectorAll('*')].indexOf(one);
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {path: `${one.tagName.toLowerCase()} ${index} ${one.id || one.name || one.textContent.trim().slice(0, 30)}`,
          seen: outlined && box.width > 0 && box.height > 0};
}"""


def reachable(page: Page) -> int:
    """Return how many elements of a page the Tab key must reach; of the buttons of one choice it reaches one."""
    return int(
        page.evaluate(
            """() => {
  const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea')];
  const regions = [...document.querySelectorAll('[tabindex="0"]')];
  const choices = new Set(all.filter(one => one.type === 'radio').map(one => one.name));
  return all.filter(one => one.type !== 'radio').length + choices.size + regions.length;
}"""
        )
    )
