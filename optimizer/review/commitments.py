"""Terms that a plan signs for, against renting the hours that it uses by the hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from optimizer.breakeven.quotes import Quote, quotes
from optimizer.plans import Plan, Rental
from optimizer.problem import Problem
from optimizer.report.rental_groups import RentalGroup, grouped
from providers.hardware import node_kind

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Commitment:
    """All terms of one node on one offer: owed whether they are used or not."""

    group: RentalGroup
    cost: Decimal
    """Undiscounted, in the plan's currency."""
    paid_hours: Decimal
    """Node-hours that are paid for."""
    use: Decimal
    """Share of them in which the plan uses the node; of all terms of that node together."""
    by_hour: Quote | None
    """The cheapest firm offer of the same work by the hour; none: nobody lets it by the hour."""

    @property
    def used_hours(self) -> Decimal:
        return self.paid_hours * self.use

    @property
    def cost_by_hour(self) -> Decimal | None:
        """The hours used, rented by the hour."""
        return None if self.by_hour is None else self.used_hours * self.by_hour.per_hour

    @property
    def saves(self) -> Decimal | None:
        """Against renting by the hour; below 0 the term costs more."""
        return None if self.cost_by_hour is None else self.cost_by_hour - self.cost

    @property
    def even_use(self) -> Decimal | None:
        """Share of the hours from which the term is cheaper; above 1 it never is."""
        if self.by_hour is None:
            return None
        return self.cost / (self.paid_hours * self.by_hour.per_hour)


def commitments(plan: Plan, problem: Problem) -> tuple[Commitment, ...]:
    """The dearest first."""
    signed = [group for group in grouped(plan) if not group.by_hour]
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for group in signed:
        paid[group.sample.node] += _node_hours(group.rentals)
    return tuple(
        Commitment(
            group=group,
            cost=group.cost,
            paid_hours=_node_hours(group.rentals),
            use=_used(plan, problem, group.sample.node, paid[group.sample.node]),
            by_hour=next(
                (q for q in quotes(problem, node_kind(group.sample.node)) if q.span == "hour"), None
            ),
        )
        for group in signed
    )


def _node_hours(rentals: tuple[Rental, ...]) -> Decimal:
    hours = sum(r.nodes * r.hours_per_day * (r.end - r.start).days for r in rentals)
    return Decimal(hours)


def _used(plan: Plan, problem: Problem, node: str, paid: Decimal) -> Decimal:
    """What is used of a kind of node, less what is rented by the hour or owned, over what is
    paid for; hours rented one by one are rented to be used."""
    pool = next((pool for pool in plan.utilisation if pool.node == node), None)
    if pool is None:
        return ZERO
    used = pool.used_node_hours - sum(_elsewhere(plan, problem, node), ZERO)
    return min(Decimal(1), max(ZERO, used / paid))


def _elsewhere(plan: Plan, problem: Problem, node: str) -> Iterator[Decimal]:
    for rental in plan.rentals:
        shared = not rental.terms and not rental.workload and rental.purchase_model != "spot"
        if shared and rental.node == node:
            yield _node_hours((rental,))
    own = {line.option for line in plan.bought if line.node == node}
    own |= {asset.name for asset in problem.owned if str(asset.kind) == node}
    for usage in plan.usages:
        if usage.asset in own:
            yield usage.nodes * usage.hours_per_day * (usage.end - usage.start).days
