"""A second, naive matcher, written from docs/reference/matching.md alone: dicts and loops, nothing of `matcher`."""

from tests.oracle.affinity import OracleModel
from tests.oracle.matcher import Oracle

__all__ = ["Oracle", "OracleModel"]
