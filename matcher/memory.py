"""What was read before, so that it need not be read again: short lists repeat between members, long ones hardly do."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeAlias, TypeVar

_Read = TypeVar("_Read")
_From = TypeVar("_From", bound=Hashable)
_Key: TypeAlias = str | tuple[Hashable, ...]

MOST: Final = 8192
"""How many things one memory holds: enough for what is common, and a bound whatever strangers send."""

LONGEST: Final = 3
"""Longer arrays are not remembered: of those that members write, most are written once."""

_OBJECT: Final = object()
"""Tells the key of an object from that of an array."""
_STRINGS: Final = {str}
_ALONE: Final = frozenset({str, int, float, bool})


class Memory(Generic[_Read]):
    """What was made of raw values. Holds at most `MOST`; when full it starts anew."""

    def __init__(self) -> None:
        self._made: dict[_Key, _Read] = {}

    def recall(self, raw: object) -> _Read | None:
        """Return what was made of a raw value before, or None."""
        key = _key(raw)
        try:
            return None if key is None else self._made.get(key)
        except TypeError:  # something inside cannot be hashed
            return None

    def keep(self, raw: object, made: _Read) -> _Read:
        """Remember what was made of a sound raw value, if it is of a kind that is remembered; return it."""
        key = _key(raw)
        if key is not None and _alone(raw):
            if len(self._made) >= MOST:
                self._made.clear()
            self._made[key] = made
        return made


class Shared(dict[_From, _Read]):
    """What a function makes of each key, made once and given to all who ask. Bounded as a `Memory` is."""

    def __init__(self, make: Callable[[_From], _Read]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _From) -> _Read:
        """Make what is not there yet."""
        if len(self) >= MOST:
            self.clear()
        made = self[key] = self._make(key)
        return made


def _key(raw: object) -> _Key | None:
    """Return what stands for text, a short array, or an object of such and of plain values; None for anything else."""
    if type(raw) is list:
        return tuple(raw) if len(raw) <= LONGEST else None
    if type(raw) is str:
        return raw
    if type(raw) is not dict:
        return None
    parts: list[Hashable] = [_OBJECT]
    for name, part in raw.items():
        if type(part) is not list:
            # True == 1 == 1.0, but they are not the same: what stands alone has its type beside it.
            parts.append((name, type(part), part))
        elif len(part) <= LONGEST:
            parts.append((name, tuple(part)))
        else:
            return None
    return tuple(parts)


def _alone(raw: object) -> bool:
    """Tell whether no other value has an equal key: whether the arrays of `raw` hold nothing but strings."""
    if type(raw) is list:
        return set(map(type, raw)) <= _STRINGS
    if type(raw) is dict:
        return all(_alone(part) if type(part) is list else type(part) in _ALONE for part in raw.values())
    return type(raw) is str
