"""The console's cookies: the token of the session, and a word about what was just done."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from flask import Request, Response

from service.console.sessions import is_token

PLAIN: Final = "peermatch_console"
SECURE: Final = "__Host-peermatch_console"
"""The name of the token's cookie over https: browsers take one of this name from nobody else."""
NOTICE: Final = "peermatch_notice"
"""The name of the cookie that says which notice the next page shows."""
NOTICE_SECONDS: Final = 60


def is_secure(request: Request) -> bool:
    """Whether the browser asked over https, as far as the server or the proxy before it says.

    Who forges the header has a cookie made that their own browser does not send: it harms nobody else.
    """
    # Of several proxies the outermost comes first.
    told = request.headers.get("X-Forwarded-Proto", "").partition(",")[0]
    return request.is_secure or told.strip().lower() == "https"


def token_of(request: Request) -> str | None:
    """Return the token that a browser sent, or None."""
    text = request.cookies.get(SECURE if is_secure(request) else PLAIN, "")
    return text if is_token(text) else None


def token_in(environ: Mapping[str, Any]) -> str | None:
    """Return the token of a request that the application has not seen yet, by either name."""
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    except CookieError:
        return None
    texts = [found[name].value for name in (SECURE, PLAIN) if name in found]
    return next((text for text in texts if is_token(text)), None)


def give_token(request: Request, response: Response, token: str) -> None:
    """Have the browser keep a token until it is closed, away from scripts and from other sites."""
    secure = is_secure(request)
    name = SECURE if secure else PLAIN
    response.set_cookie(name, token, path="/", secure=secure, httponly=True, samesite="Strict")


def take_token(request: Request, response: Response) -> None:
    """Have the browser forget its token."""
    secure = is_secure(request)
    name = SECURE if secure else PLAIN
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Strict")


def give_notice(request: Request, response: Response, notice: str) -> None:
    """Have the next page say what was done; `notice` is a word of ours."""
    response.set_cookie(
        NOTICE, notice, NOTICE_SECONDS, path="/console", secure=is_secure(request), httponly=True, samesite="Strict"
    )


def take_notice(request: Request, response: Response) -> None:
    """Have the browser forget it, for it was shown."""
    response.delete_cookie(NOTICE, path="/console", secure=is_secure(request), httponly=True, samesite="Strict")
