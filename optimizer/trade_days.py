"""The days that matter: when hardware is of use, and on which days it may be bought and sold."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from optimizer.problem import Problem
from providers.hardware import NodeKind

SHORT_HORIZON_DAYS = 45
"""Up to this length a purchase may be sold on any day; else at month ends and when work ends."""


def days_of_use(problem: Problem) -> dict[NodeKind, tuple[int, int]]:
    """First and last day any workload may use a node kind."""
    spans: dict[NodeKind, tuple[int, int]] = {}

    def widen(kind: NodeKind, first: int, last: int) -> None:
        low, high = spans.get(kind, (first, last))
        spans[kind] = (min(low, first), max(high, last))

    for service in problem.services:
        days = [t for t, loads in enumerate(service.load) if any(loads)]
        for option in service.options if days else ():
            widen(option.kind, days[0], days[-1])
    for job in problem.jobs:
        for gang in job.options:
            widen(gang.kind, job.first, job.last)
    for bought in problem.purchases:
        if bought.paid is not None:  # to be sold, if of no other use
            widen(bought.kind, problem.costs.from_day, problem.costs.from_day)
    return spans


def days_of_change(problem: Problem) -> set[int]:
    """Starts of months, and days on which some work starts or has ended."""
    horizon = problem.horizon
    days = {t for t in range(horizon.n_days) if horizon.day(t).day == 1}
    for job in problem.jobs:
        days |= {job.first, job.last + 1}
    for service in problem.services:
        for phase in service.service.phases:
            days |= {horizon.index(phase.start)} if phase.start else {0}
            days |= {horizon.index(phase.end) + 1} if phase.end else set()
    return days


def trades(
    lead_time: int, use: tuple[int, int], n_days: int, changes: Collection[int]
) -> Iterator[tuple[int, int]]:
    """(day paid, day sold): bought on any day and kept, or sold before the end on a day of change.

    Args:
        lead_time: days from payment to first use.
        use: first and last day the node can be of use.
        n_days: of the horizon; a sale on this day is the residual value at its end.
        changes: days on which work starts or ends, and months begin.
    """
    low, high = use
    every_day = n_days <= SHORT_HORIZON_DAYS
    for buy in range(n_days - lead_time):
        delivered = buy + lead_time
        if delivered > high or (delivered < low and buy > 0):
            continue
        yield buy, n_days
        if every_day or buy == 0 or delivered in changes:
            for sell in range(max(delivered, low) + 1, n_days):
                if every_day or sell in changes:
                    yield buy, sell
