"""A browser without a screen: it keeps cookies, and sends the forms of the pages it was given."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.console.blueprint import PREFIX
from tests.service.installation import Installation


class Visitor:
    """Somebody at the console of an installation."""

    def __init__(self, made: Installation, **headers: str) -> None:
        self.client: FlaskClient = made.app.test_client()
        self.headers = headers
        self.form_token = ""

    def get(self, path: str = "", **headers: str) -> TestResponse:
        return self._kept(self.client.get(f"{PREFIX}{path}", headers={**self.headers, **headers}))

    def post(self, path: str, told: dict[str, str] | None = None, **headers: str) -> TestResponse:
        """Send a form with the token of the last page that had one."""
        data = {"form_token": self.form_token, **(told or {})}
        return self._kept(self.client.post(f"{PREFIX}{path}", data=data, headers={**self.headers, **headers}))

    def sign_in(self, key: str) -> TestResponse:
        self.get("/sign-in")
        return self.post("/sign-in", {"key": key})

    @property
    def token(self) -> str:
        return str(self.cookie("peermatch_console"))

    def cookie(self, name: str, path: str = "/") -> str | None:
        found = self.client.get_cookie(name, path=path)
        return None if found is None else found.value

    def _kept(self, reply: TestResponse) -> TestResponse:
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', reply.get_data(as_text=True))
        self.form_token = found[1] if found else self.form_token
        return reply


def signed_in(made: Installation, *scopes: str, **more: Any) -> Visitor:
    """Return somebody who has signed in with a new key."""
    visitor = Visitor(made)
    assert visitor.sign_in(made.new_key(*(scopes or ("coordinator",)), **more)).status_code == 303
    return visitor


def is_sent_away(reply: TestResponse) -> bool:
    """Whether a reply sends a browser to the sign-in page, and says nothing."""
    return reply.status_code == 303 and reply.headers["Location"] == f"{PREFIX}/sign-in" and not reply.data


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words(reply: TestResponse) -> str:
    """Return what a page says, without its tags, its spaces made one."""
    parser = _Words()
    parser.feed(reply.get_data(as_text=True))
    return " ".join(" ".join(parser.words).split())
