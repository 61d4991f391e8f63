"""Examples of requests and replies: named beside the view they show, told in the description, run by a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar, Unpack
from urllib.parse import quote, urlencode

F = TypeVar("F", bound=Callable[..., Any])


class Asked(TypedDict, total=False):
    """What an example may say of its request, and of itself."""

    body: Any
    """JSON value; left out: no body."""
    path: Mapping[str, str]
    """Values of what stands in braces in the address."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Besides ``Authorization`` and ``Content-Type``, which are added."""
    scopes: tuple[str, ...]
    """Of the key; left out: all but ``match:ids``."""
    summary: str
    """One line for readers; left out: the name in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One request, and the reply it gets from the installation that the tests prepare."""

    name: str
    status: int
    answer: Any
    body: Any = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] | None = None
    summary: str = ""

    @property
    def title(self) -> str:
        """The summary, or the name in words."""
        return self.summary or self.name.replace("_", " ").capitalize()

    def address(self, template: str) -> str:
        """Return the address of the request, of one such as ``/v1/members/{member_id}``."""
        for name, value in self.path.items():
            template = template.replace(f"{{{name}}}", quote(value, safe="~"))
        return f"{template}?{urlencode(self.query)}" if self.query else template


def add_example(name: str, status: int = 200, answer: Any = None, **asked: Unpack[Asked]) -> Callable[[F], F]:
    """Show one request to a view, and its reply.

    Every view needs an example; `tests/service/api/test_contract.py` runs them all.

    Parameters
    ----------
    name : str
        Distinct among the examples of the view, in letters and underscores.
    status : int
        Of the reply.
    answer : JSON value, optional
        Of the reply; None: no body. The true reply must have the same keys and types; where an example has ``{}``,
        any object is fine.
    **asked
        See `Asked`.
    """
    example = Example(name=name, status=status, answer=answer, **asked)

    def decorate(view: F) -> F:
        # Decorators run from below upwards. Those further out copy this with `wraps`.
        view.examples = (example, *examples_of(view))  # type: ignore[attr-defined]
        return view

    return decorate


def examples_of(view: object) -> tuple[Example, ...]:
    """Return the examples of a view, in the order in which they are written."""
    found: tuple[Example, ...] = getattr(view, "examples", ())
    return found
