"""What may be learned from: arrays are refused by name, with what was found and what was expected."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.errors import ModelError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]


def checked_pairs(X: npt.ArrayLike, d: int) -> tuple[Floats, Floats]:
    """Return satisfy and importance/2, each (n, d), as they may be computed with, or raise ModelError."""
    pairs = _numbers("X", X)
    if pairs.ndim != 2 or pairs.shape[1] != 2 * d:
        raise ModelError(
            f"X: found shape {pairs.shape}; expected (n, {2 * d}): satisfy and importance/2 of {d} features"
        )
    satisfy, importance = pairs[:, :d], pairs[:, d:]
    outside = (satisfy < -1e-9) | (satisfy > 1 + 1e-9)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ModelError(
            f"X[{row}, {column}]: found satisfy {satisfy[row, column]}; expected 0 to 1, or NaN for unknown"
        )
    wrong = ~np.isin(importance, (0.0, 0.5, 1.0))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ModelError(f"X[{row}, {column + d}]: found importance/2 {importance[row, column]}; expected 0, 0.5 or 1")
    return np.clip(satisfy, 0.0, 1.0) + 0.0, importance + 0.0  # + 0.0: a new array without −0.0


def checked_weights(sample_weight: npt.ArrayLike, n: int) -> Floats:
    """Return 1/propensity of n answers, ≥ 0 and possibly infinite, or raise ModelError."""
    weights = _numbers("sample_weight", sample_weight)
    if weights.shape != (n,):
        raise ModelError(f"sample_weight: found shape {weights.shape}; expected ({n},), one weight an answer")
    wrong = np.isnan(weights) | (weights < 0)
    if wrong.any():
        raise ModelError(f"sample_weight: found {weights[wrong][0]}; expected 1/propensity, a number ≥ 0")
    return weights


def checked_codes(name: str, values: npt.ArrayLike, n: int) -> Ints:
    """Return an array of n zeros and ones, or raise ModelError."""
    codes = _numbers(name, values)
    if codes.shape != (n,):
        raise ModelError(f"{name}: found shape {codes.shape}; expected ({n},), one for each row of X")
    wrong = ~np.isin(codes, (0.0, 1.0))
    if wrong.any():
        raise ModelError(f"{name}: found {codes[wrong][0]}; expected 0 or 1 in every row")
    return codes.astype(np.intp)


def _numbers(name: str, values: npt.ArrayLike) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{name}: found values that are no numbers; expected an array of numbers") from error
