"""How fast one process answers, on one thread: a list for a seeker never asked before, at 10,000 and 100,000 members.

In the same run, seeker by seeker, the same is asked of pandas and scikit-learn (`benchmarks.baseline`). Both variants
of that are timed, and the faster one counts.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.baseline import Baseline
from benchmarks.common import lantern, machine, write
from matcher.consent import ConsentedProfile, consented
from matcher.facade import Matcher
from matcher.facets.week import monday_from
from matcher.matching.pool import Circumstances, Pool, Standing
from matcher.matching.shortlist import Shortlist, shortlist
from matcher.model.encoder import ProfileEncoder
from matcher.people import Member
from matcher.programme import Programme
from matcher.synthetic import generate_members
from matcher.synthetic.cohort import moment

SIZES = (10_000, 100_000)
SEEKERS, WARM, REPEATS, LIMIT = 120, 10, 3, 5
DEEP = 40
"""A list as deep as the service keeps it, with the reasons of all."""
WAYS = {
    "match": "Matcher.match",
    "deep": f"{DEEP} deep",
    "filter_first": "pandas, then sklearn",
    "filter_last": "sklearn, then pandas",
}


def measure(size: int, programme: Programme, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Return the figures for a cohort of `size` members."""
    at = moment()
    start = time.perf_counter()
    records = generate_members(size, seed=1)
    generated = time.perf_counter() - start
    start = time.perf_counter()
    members = [Member.from_dict(record, programme) for record in records]
    parsed = time.perf_counter() - start
    del records
    encoding, pool = _encode(programme, members)
    matcher = Matcher(programme).fit(members, at=at)
    profiles = [consented(member, programme, at) for member in members]
    del members
    gc.collect()
    gc.freeze()
    seekers = _seekers(profiles)
    baseline = Baseline(programme, profiles, monday_from(at.date()))
    timed = _times(matcher, baseline, seekers)
    lists = [_checked(matcher, baseline, seeker) for seeker in seekers[WARM:]]
    gc.unfreeze()
    figures = {
        "members": size,
        "in_pool": len(pool),
        "eligible_share_of_members": float(np.mean([found.eligible for found in lists]) / size),
        "eligible_share_of_pool": float(np.mean([found.eligible for found in lists]) / len(pool)),
        "matched_share": float(np.mean([found.outcome == "matched" for found in lists])),
        "bytes_a_member": pool.nbytes / len(pool),
        "generate_s": generated,
        "parse_s": parsed,
        **encoding,
        **timed,
    }
    _tell(figures, say)
    return figures


def _encode(programme: Programme, members: Sequence[Member]) -> tuple[dict[str, float], Pool]:
    """Return the seconds from parsed members to a pool that answers, by step, and the pool."""
    at = moment()
    gc.disable()
    start = time.perf_counter()
    profiles = [consented(member, programme, at) for member in members]
    folded = time.perf_counter()
    encoder = ProfileEncoder(programme).fit(profiles)
    learned = time.perf_counter()
    pool = Pool.build(programme, encoder, profiles, at, Circumstances(), b"bench")
    built = time.perf_counter()
    gc.enable()
    steps = {"fold_s": folded - start, "learn_s": learned - folded, "columns_s": built - learned}
    return {"encode_s": built - start, **steps}, pool


def _seekers(profiles: Sequence[ConsentedProfile]) -> list[ConsentedProfile]:
    """Return seekers spread over the cohort, each to be asked once a repeat."""
    able = [p for p in profiles if p.seeking is not None and "seeker" in p.roles and p.age_band is not None]
    step = max(1, len(able) // (WARM + SEEKERS))
    return able[::step][: WARM + SEEKERS]


def _times(matcher: Matcher, baseline: Baseline, seekers: Sequence[ConsentedProfile]) -> dict[str, float]:
    """Return milliseconds a list: each repeat asks for every seeker in all ways, a seeker's time is the median."""
    ways: dict[str, Callable[[ConsentedProfile], object]] = {
        "match": lambda seeker: matcher.match(seeker.member_id, LIMIT),
        "deep": lambda seeker: _deep(matcher, seeker),
        "filter_first": lambda seeker: baseline.first_filter(seeker, LIMIT),
        "filter_last": lambda seeker: baseline.last_filter(seeker, LIMIT),
    }
    wall = {name: np.zeros((REPEATS, len(seekers))) for name in ways}
    cpu = {name: np.zeros((REPEATS, len(seekers))) for name in ways}
    for repeat in range(REPEATS):
        for name, ask in ways.items():  # each by itself, as in a service: in turns, each would evict the others' caches
            for i, seeker in enumerate(seekers):
                start, start_cpu = time.perf_counter(), time.thread_time()
                ask(seeker)
                cpu[name][repeat, i] = 1000 * (time.thread_time() - start_cpu)
                wall[name][repeat, i] = 1000 * (time.perf_counter() - start)
    found = {"never_asked_before_p50_ms": float(np.median(wall["match"][0, WARM:]))}
    for name in ways:
        each = np.median(wall[name][:, WARM:], axis=0)
        found |= {f"{name}_p50_ms": float(np.median(each)), f"{name}_p95_ms": float(np.quantile(each, 0.95))}
        found[f"{name}_cpu_p50_ms"] = float(np.median(cpu[name][:, WARM:]))
    found["baseline_p50_ms"] = min(found["filter_first_p50_ms"], found["filter_last_p50_ms"])
    # Against the first time each seeker asks: nothing about them can have been kept.
    first_time = found["never_asked_before_p50_ms"]
    found["times_faster"] = found["baseline_p50_ms"] / first_time
    found["times_faster_than_filter_last"] = found["filter_last_p50_ms"] / first_time
    return found


def _deep(matcher: Matcher, seeker: ConsentedProfile) -> Shortlist:
    model = matcher.model_
    return shortlist([matcher.pool_], model.affinity, seeker, Standing(), DEEP, model.version)


def _checked(matcher: Matcher, baseline: Baseline, seeker: ConsentedProfile) -> Shortlist:
    """Return a seeker's list; stop where it is not that of the rules it is compared with, or a deeper one differs."""
    found = matcher.match(seeker.member_id, LIMIT)
    if found.eligible != int(baseline.gates.allowed(seeker).sum()):
        raise SystemExit(
            "the rules in benchmarks/pandas_gates.py are not those of matcher/matching/gates.py: mend them"
        )
    if _deep(matcher, seeker).entries[:LIMIT] != found.entries:
        raise SystemExit("a deeper list does not begin as the shorter one: mend matcher/matching/shortlist.py")
    return found


def _tell(found: dict[str, Any], say: Callable[[str], None]) -> None:
    pool = f"{found['in_pool']:,} in the pool, of whom {found['eligible_share_of_pool']:.1%} are eligible on average"
    say(f"{found['members']:,} members, {pool}")
    steps = ", ".join(f"{step} {found[step + '_s']:.2f}" for step in ("fold", "learn", "columns"))
    size = f"{found['bytes_a_member']:.0f} bytes a member"
    say(f"  encode {found['encode_s']:.2f} s ({steps}), {size}; records were parsed in {found['parse_s']:.1f} s")
    for name, label in WAYS.items():
        p50, p95, cpu = (found[f"{name}_{what}_ms"] for what in ("p50", "p95", "cpu_p50"))
        say(f"  {label:20s} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms   processor {cpu:7.2f} ms")
    first = f"{found['never_asked_before_p50_ms']:.2f} ms the first time"
    ratios = f"{found['times_faster']:.1f} and {found['times_faster_than_filter_last']:.1f}"
    say(f"  Matcher.match: {first}; {ratios} times as fast as the faster of these and as the one that filters last")


def main(sizes: Sequence[int] = SIZES, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, print the figures, write ``var/bench/speed.json`` and return its content."""
    programme = lantern()
    with threadpool_limits(1):
        figures: dict[str, Any] = {str(size): measure(size, programme, say) for size in sizes}
    figures["machine"] = machine()
    say(f"{write('speed', figures).name} written")
    return figures


if __name__ == "__main__":
    main()
