"""Numbers in which an hour costs what it costs on its day, where prices differ from day to day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from optimizer.formulate import Formulation
from optimizer.milp.instance import INF, Start
from optimizer.options.market import Listing
from optimizer.problem import Problem

Listed = Callable[[Listing, int], bool]
"""(listing, day) → whether it is on offer"""


def by_day(
    problem: Problem,
    made: Formulation,
    listed: Listed = lambda listing, day: True,
    *,
    in_budget: Callable[[Iterable[float]], float] = max,
) -> Formulation:
    """The numbers with the prices by the hour of each day, and nothing before it was listed.

    Terms have their own day's price already: `Costs.rental` bills them so.

    Args:
        problem: with prices that differ from day to day (`Costs.days`).
        in_budget: which of the prices of an offer budgets count: the least is a bound of what is
            within them, the most keeps every plan within them.
    """
    per_day = len(problem.horizon.slices)
    data = made.instance
    by_hour = [_hours(problem, listing, listed, in_budget) for listing in made.hourly]

    def there(listing: Listing, starts: Iterable[Start]) -> tuple[Start, ...]:
        return tuple(start for start in starts if listed(listing, start.day))

    def spread(values: list[float], nodes: int = 1) -> tuple[float, ...]:
        return tuple(value * nodes for value in values for _ in range(per_day))

    instance = replace(
        data,
        prices_by_day=True,
        term_offers=tuple(
            replace(offer, starts=there(listing, offer.starts))
            for offer, listing in zip(data.term_offers, made.terms, strict=True)
        ),
        hourly_offers=tuple(
            replace(offer, cost=spread(values[0]), price=values[1])
            for offer, values in zip(data.hourly_offers, by_hour, strict=True)
        ),
        jobs=tuple(
            replace(
                job,
                gangs=tuple(
                    replace(
                        gang,
                        hour_cost=spread(by_hour[gang.hourly][0], gang.nodes),
                        hour_cash=by_hour[gang.hourly][1] * gang.nodes,
                    )
                    if gang.hourly >= 0
                    else gang
                    for gang in job.gangs
                ),
            )
            for job in data.jobs
        ),
    )
    return replace(made, instance=instance)


def _hours(
    problem: Problem,
    listing: Listing,
    listed: Listed,
    in_budget: Callable[[Iterable[float]], float],
) -> tuple[list[float], float]:
    """[day] present value of a node-hour, and the price that budgets count."""
    values: list[float] = []
    prices: list[float] = []
    for t in range(problem.horizon.n_days):
        if not listed(listing, t):
            values.append(INF)
            continue
        flows = problem.costs.hourly(listing.offer, listing.units, t, 1)
        values.append(float(problem.costs.present_value(flows)))
        prices.append(float(flows[0].amount))
    return values, in_budget(prices) if prices else INF
