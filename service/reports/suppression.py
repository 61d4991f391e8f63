"""Which counts of people are left out, so that nobody can be told from those that are given."""

from __future__ import annotations

from collections.abc import Sequence


def hidden(counts: Sequence[int], k: int) -> frozenset[int]:
    """Return which cells of a table are left out, where the sum of all cells may be known.

    Every cell below `k` is, zero among them. If that were one cell it could be computed from the sum, and if it were
    few people or the same number in each they could be guessed by whoever knows this rule. So all cells up to some
    number are left out: the least for which they are `k` people at least, and not equally many in each. Which of them
    has how many can then be turned round without a change of what is given; if all are left out, all people may be in
    any one of them.

    Parameters
    ----------
    counts : sequence of int
        Of a table whose cells have nobody in common.
    k : int
        `Programme.reason_k`.
    """
    if all(count >= k for count in counts):
        return frozenset()
    for most in (k - 1, *sorted({count for count in counts if count >= k})):
        gone = {place: count for place, count in enumerate(counts) if count <= most}
        if sum(gone.values()) >= k and len(set(gone.values())) > 1:
            return frozenset(gone)
    return frozenset(range(len(counts)))
