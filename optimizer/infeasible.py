"""Why there is no plan, in the user's words: which workload, which days, what would do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from optimizer.conflicts import conflict_lines, find_conflict
from optimizer.formulate import formulate
from optimizer.milp.instance import Instance, Solution
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import SolveOptions
from optimizer.options.workloads import RejectedOption
from optimizer.problem import JobDemand, Problem, ServiceDemand

MOST_REASONS = 6


def explain(problem: Problem, options: SolveOptions, *, brief: bool = False) -> str:
    """The reasons, most basic first: nothing fits, nothing on offer, too slow, rules clash.

    Args:
        brief: say only which workloads do not fit, not the rules that clash and what would do.
    """
    faults = [*_nothing_fits(problem), *_nothing_offered(problem)]
    faults += [*_too_late(problem), *_too_slow(problem)]
    if not faults and brief:
        faults = list(_clashes(problem, options))
    if not faults:
        faults = list(conflict_lines(find_conflict(problem, options), problem.costs.currency))
    return "\n".join(["no plan exists:", *(f"  {line}" for line in faults)])


def _demands(problem: Problem) -> Iterable[tuple[str, ServiceDemand | JobDemand]]:
    yield from ((demand.service.name, demand) for demand in problem.services)
    yield from ((demand.job.name, demand) for demand in problem.jobs)


@dataclass(frozen=True, slots=True)
class _Need:
    """A workload, or one size of the requests of a service, and what can do it."""

    words: str
    workload: str
    bucket: str
    kinds: frozenset[str]
    apis: bool
    service: bool


def _needs(problem: Problem) -> Iterator[_Need]:
    """Sizes one by one, where anything at all can run the workload."""
    for name, demand in _demands(problem):
        service = isinstance(demand, ServiceDemand)
        apis = isinstance(demand, ServiceDemand) and bool(demand.apis)
        if not isinstance(demand, ServiceDemand) or not (demand.buckets and demand.options):
            kinds = frozenset(str(option.kind) for option in demand.options)
            yield _Need(f"'{name}'", name, "", kinds, apis, service)
            continue
        places = problem.schedule.bucket_places[name]
        for b, bucket in enumerate(demand.buckets):
            kinds = frozenset(str(o.kind) for o in demand.options if o.rates[b])
            words = f"'{name}', requests of {bucket.label} tokens ({places[b]})"
            yield _Need(words, name, bucket.label, kinds, apis, service)


def _nothing_fits(problem: Problem) -> Iterator[str]:
    """Workloads, or sizes of requests, without any hardware or API that could do them."""
    for need in _needs(problem):
        if need.kinds or need.apis:
            continue
        yield f"{need.words}: no hardware on offer or that may be bought can run it"
        mine = (r for r in problem.rejected if r.workload == need.workload)
        groups = _alike(r for r in mine if r.bucket == need.bucket)
        for group in groups[:MOST_REASONS]:
            nearest = min(group, key=_distance)
            yield f"  {len(group):3d} node kinds, the nearest {nearest.hardware}: {nearest.reason}"
        if not groups:
            yield from _left_out(problem)
        if len(groups) > MOST_REASONS:
            yield f"  and {len(groups) - MOST_REASONS} more kinds of reasons (--why lists all)"
        if need.service:
            yield "  try: a smaller precision, a lower floor, or `api: allowed`"
        else:
            yield "  try: method lora or qlora, more nodes (max_nodes), or fewer min_gpus"


def _left_out(problem: Problem) -> Iterator[str]:
    for reason, count in problem.market.excluded.most_common(4):
        yield f"  {count:3d} offers left out: {reason}"


def _alike(refused: Iterable[RejectedOption]) -> list[list[RejectedOption]]:
    """Grouped by reason whatever its figures and names are, the largest group first."""
    groups: dict[str, list[RejectedOption]] = defaultdict(list)
    for item in refused:
        bare = re.sub(r"[A-Za-z-]*\d[\w.-]*", "#", item.reason)
        groups[bare].append(item)
    return sorted(groups.values(), key=len, reverse=True)


def _distance(item: RejectedOption) -> float:
    """How far an option is from doing: by the figures of its reason, asked against given."""
    figures = [
        float(text) for text in re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])", item.reason)
    ]
    return abs(figures[0] - figures[-1]) if figures else 0.0


def _supplied(problem: Problem) -> set[str]:
    kinds = {str(listing.kind) for listing in problem.market.listings}
    kinds |= {str(asset.kind) for asset in problem.owned}
    kinds |= {str(option.kind) for option in problem.purchases}
    return kinds | {str(kind) for _, kind in problem.quotas}


def _nothing_offered(problem: Problem) -> Iterator[str]:
    """Workloads whose hardware nobody offers under the schedule's market rules."""
    supplied = _supplied(problem)
    for need in _needs(problem):
        if not need.kinds or need.kinds & supplied or need.apis:
            continue
        if problem.market.listings:
            able = _some(need.kinds)
            yield f"{need.words}: it could run on {able}, but nothing of that is to be had"
            yield from _left_out(problem)
            yield "  try: wider market.regions or providers, or hardware.buy with one of these"
            continue
        yield (
            f"{need.words} does not run on what is owned or may be bought; "
            f"it needs {_some(need.kinds)}"
        )
        for refused in problem.rejected:
            if refused.workload == need.workload and refused.hardware in supplied:
                yield f"  {refused.hardware}: {refused.reason}"


def _some(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")


def _too_late(problem: Problem) -> Iterator[str]:
    """Services that have load before anything that could carry it is there."""
    rented = {listing.kind for listing in problem.market.listings}
    rented |= {kind for _, kind in problem.quotas}
    there = {option.kind: option.item.lead_time for option in problem.purchases}
    for asset in problem.owned:
        there[asset.kind] = min(asset.first_day, there.get(asset.kind, asset.first_day))
    for demand in problem.services:
        loaded = [t for t, loads in enumerate(demand.load) if any(loads)]
        kinds = {option.kind for option in demand.options}
        if not loaded or demand.apis or kinds & rented:
            continue
        usable = min((there[kind] for kind in kinds & there.keys()), default=loaded[0])
        if usable > loaded[0]:
            first, ready = problem.horizon.day(loaded[0]), problem.horizon.day(usable)
            name = demand.service.name
            yield f"'{name}' has load from {first}, and nothing for it is usable before {ready}"
            yield "  try: rent until then, or a phase that starts later"


def _too_slow(problem: Problem) -> Iterator[str]:
    """Jobs that the fastest gang cannot finish in their window."""
    supplied = _supplied(problem)
    for demand in problem.jobs:
        gangs = [option for option in demand.options if str(option.kind) in supplied]
        if not gangs:
            continue
        fastest = max(gangs, key=lambda option: option.rate)
        days = demand.work / fastest.rate / 24
        window = demand.last - demand.first + 1
        if days > window * (1 + 1e-9):
            first, last = problem.horizon.day(demand.first), problem.horizon.day(demand.last)
            gang = f"{fastest.nodes} x {fastest.kind}" if fastest.nodes > 1 else f"{fastest.kind}"
            yield (
                f"'{demand.job.name}': needs {days:.1f} days on the fastest hardware to be had "
                f"({gang}), and has {window} ({first} to {last})"
            )
            yield f"  try: a deadline {days - window:.0f} days later, or a larger max_nodes"


def _clashes(problem: Problem, options: SolveOptions) -> Iterator[str]:
    """Each workload could run by itself: is it one of them, or all together, that do not fit?"""
    quick = SolveOptions(gap=0.05, time_limit_s=min(20.0, options.time_limit_s))
    made = formulate(problem)
    alone = [
        name
        for name, single in _single(made.instance)
        if not isinstance(solve_any(single, quick), Solution)
    ]
    for name in alone:
        yield f"'{name}' cannot be done within the limits even if nothing else runs"
    if not alone:
        yield "each workload could be done alone, but not all of them together"


def _single(data: Instance) -> Iterator[tuple[str, Instance]]:
    for service in data.services:
        yield service.name, replace(data, services=(service,), jobs=())
    for job in data.jobs:
        yield job.name, replace(data, services=(), jobs=(replace(job, after=()),))
