"""Purchases that may be agreed: on every day on which any scenario has one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from optimizer.costs import Flow
from optimizer.formulate import Formulation
from optimizer.milp.instance import Instance, Start
from optimizer.problem import Problem, PurchaseOption
from optimizer.trade_days import days_of_change


def with_orders(
    problem: Problem, made: Formulation, others: Sequence[Formulation], until: int
) -> Formulation:
    """The numbers with purchases before `until` on every day on which any scenario has one.

    Late deliveries change the days on which a purchase is of use, and what is agreed must be
    possible in all scenarios. What would arrive after the end in one of them is in none.
    """
    n_days = problem.horizon.n_days
    sales = sorted({*days_of_change(problem), n_days})
    assets = []
    for a, (option, asset) in enumerate(zip(made.assets, made.instance.assets, strict=True)):
        holds = list(asset.holds)
        if isinstance(option, PurchaseOption):
            there = {hold.day for hold in holds}
            wanted = {h.day for one in others for h in one.instance.assets[a].holds}
            days = sorted(day for day in wanted - there if day < until)
            holds += _orders(problem, made.instance, option, days, sales)
        # As `trades` has them: kept to the end first, then by day of sale.
        holds.sort(key=lambda hold: (hold.day, hold.until != n_days, hold.until))
        assets.append(replace(asset, holds=tuple(holds)))
    return replace(made, instance=replace(made.instance, assets=tuple(assets)))


def _orders(
    problem: Problem,
    data: Instance,
    option: PurchaseOption,
    days: Collection[int],
    sales: Sequence[int],
) -> Iterator[Start]:
    for buy in days:
        delivered = buy + option.item.lead_time
        for sell in (day for day in sales if delivered < day <= problem.horizon.n_days):
            flows = problem.costs.purchase(option.item, buy, sell)
            yield Start(
                buy,
                float(problem.costs.present_value(flows)),
                tuple((t, 1.0) for t in range(delivered, sell)),
                _by_month(data, flows),
                sell,
            )


def _by_month(data: Instance, flows: Sequence[Flow]) -> tuple[tuple[int, float], ...]:
    """Payments as budgets count them; what falls after the horizon counts last."""
    if not (data.limits.fixed_cash or data.limits.budget):
        return ()
    months: dict[int, float] = {}
    for flow in flows:
        month = data.month_of_period[min(flow.day, len(data.period_days) - 1)]
        months[month] = months.get(month, 0.0) + float(flow.amount)
    return tuple(sorted(months.items()))
