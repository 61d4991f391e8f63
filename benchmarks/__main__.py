"""Runs the benchmarks that are named, or the ones that `make bench` runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks import console, http, learning, market, private, speed

RUNS: dict[str, Callable[[], object]] = {
    "speed": speed.main,
    "http": http.main,
    "learning": learning.main,
    "console": console.main,
    "market": market.main,
    "private": private.main,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(RUNS)}; speed and http unless given")
    names = parser.parse_args().names or ["speed", "http"]
    if unknown := [name for name in names if name not in RUNS]:
        parser.error(f"found {unknown[0]!r}; expected some of {', '.join(RUNS)}")
    for name in names:
        RUNS[name]()


if __name__ == "__main__":
    main()
