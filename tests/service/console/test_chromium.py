"""The rule about the browser: without it tests are skipped, and in CI they fail."""

from __future__ import annotations

import pytest

from tests.service.console import chromium


@pytest.mark.parametrize(("in_ci", "outcome"), [(False, pytest.skip.Exception), (True, pytest.fail.Exception)])
def test_without_a_browser(monkeypatch: pytest.MonkeyPatch, in_ci: bool, outcome: type[BaseException]) -> None:
    monkeypatch.setattr(chromium, "CI", in_ci)
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    with pytest.raises(outcome, match="apt-get install chromium"):
        chromium.needed()


def test_whatever_it_is_called_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium.shutil, "which", lambda name: f"here/{name}" if name == "google-chrome" else None)
    assert chromium.needed() == "here/google-chrome"
