"""A problem or instance with one price or load multiplied: what whole-plan break-evens move."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from optimizer.milp.instance import Instance, Solution
from optimizer.problem import Problem
from optimizer.schedule.document import TariffBand
from providers.money import Money


def with_rent(data: Instance, factor: float) -> Instance:
    """All rental prices of nodes times a factor; token APIs keep theirs."""
    return replace(
        data,
        term_offers=tuple(
            replace(
                offer,
                starts=tuple(
                    replace(
                        start,
                        cost=start.cost * factor,
                        cash=tuple((month, paid * factor) for month, paid in start.cash),
                    )
                    for start in offer.starts
                ),
            )
            for offer in data.term_offers
        ),
        hourly_offers=tuple(
            replace(
                offer,
                cost=tuple(cost * factor for cost in offer.cost),
                price=offer.price * factor,
            )
            for offer in data.hourly_offers
        ),
        jobs=tuple(
            replace(
                job,
                gangs=tuple(
                    replace(
                        gang,
                        hour_cost=tuple(cost * factor for cost in gang.hour_cost),
                        hour_cash=gang.hour_cash * factor,
                    )
                    for gang in job.gangs
                ),
            )
            for job in data.jobs
        ),
    )


def with_load(data: Instance, factor: float) -> Instance:
    """All loads of services times a factor; without services, all work of the jobs."""
    if data.services:
        services = tuple(
            replace(service, load=tuple(load * factor for load in service.load))
            for service in data.services
        )
        return replace(data, services=services)
    return replace(data, jobs=tuple(replace(job, work=job.work * factor) for job in data.jobs))


def with_purchase_prices(problem: Problem, factor: float) -> Problem:
    """All purchase prices times a factor; maintenance and resale follow, being shares of them."""
    return replace(
        problem,
        purchases=tuple(
            replace(
                option,
                item=option.item.model_copy(update={"price": _times(option.item.price, factor)}),
            )
            for option in problem.purchases
        ),
    )


def with_electricity(problem: Problem, factor: float) -> Problem:
    """The price of electricity, in all its bands, times a factor."""
    money = problem.costs.money
    tariff = money.electricity
    scaled: Money | list[TariffBand] | None = None
    if isinstance(tariff, Money):
        scaled = _times(tariff, factor)
    elif tariff is not None:
        scaled = [b.model_copy(update={"price": _times(b.price, factor)}) for b in tariff]
    costs = replace(problem.costs, money=money.model_copy(update={"electricity": scaled}))
    return replace(problem, costs=costs)


def _times(money: Money, factor: float) -> Money:
    return Money(money.amount * Decimal(repr(factor)), money.currency)


def rent_of(data: Instance, found: Solution) -> float:
    """Present value of the rent of nodes in a solution."""
    paid = sum(data.term_offers[o].starts[i].cost * n for (o, i), n in found.start.items())
    for (o, s), n in found.hourly.items():
        paid += data.hourly_offers[o].cost[s] * data.slices[s].hours * n
    for (j, g, s), hours in found.hours.items():
        paid += data.jobs[j].gangs[g].hour_cost[s] * hours
    return paid


def nothing_else(data: Instance) -> bool:
    """Whether an instance without purchases costs rent of nodes and nothing besides, so that its
    best cost is in proportion to the rental prices."""
    free = data.constant == 0 and not data.assets and not data.limits.budget
    moved = any(job.move_cost for job in data.jobs)
    apis = any(service.apis for service in data.services)
    return free and not moved and not apis and data.limits.cash == float("inf")
