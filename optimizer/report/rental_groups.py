"""Rentals folded into lines a person can take in: one for each offer, node and workload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from optimizer.horizon import Slice
from optimizer.plans import Assignment, Plan, Rental


@dataclass(frozen=True, slots=True)
class RentalGroup:
    """All rentals of one node on one offer for one use."""

    rentals: tuple[Rental, ...]
    workloads: tuple[str, ...]
    """The workload they are rented for, or those that share them."""

    @property
    def sample(self) -> Rental:
        """Any of them, for what they have in common."""
        return self.rentals[0]

    @property
    def by_hour(self) -> bool:
        return not self.sample.terms

    @property
    def start(self) -> date:
        return min(rental.start for rental in self.rentals)

    @property
    def end(self) -> date:
        return max(rental.end for rental in self.rentals)

    @property
    def hours(self) -> str:
        """Hours of the day in which some of them are rented."""
        return hours_text(hour for rental in self.rentals for hour in hours_in(rental.hours))

    @property
    def cost(self) -> Decimal:
        return sum((rental.cost for rental in self.rentals), Decimal(0))

    @property
    def quantity(self) -> int:
        """Node-hours where billed by the hour, else terms of a node."""
        return sum(rental_quantity(rental) for rental in self.rentals)

    @property
    def nodes(self) -> tuple[int, int]:
        """Fewest and most nodes at once, over the hours in which there are any."""
        at_once: dict[tuple[date, str], int] = defaultdict(int)
        for rental in self.rentals:
            for day in days_between(rental.start, rental.end):
                at_once[day, rental.hours] += rental.nodes
        return min(at_once.values()), max(at_once.values())


def rental_quantity(rental: Rental) -> int:
    if rental.terms:
        return rental.nodes * rental.terms
    return rental.nodes * rental.hours_per_day * (rental.end - rental.start).days


def grouped(plan: Plan) -> list[RentalGroup]:
    """Groups, the dearest first."""
    lines: dict[tuple[str, str, str], list[Rental]] = defaultdict(list)
    for rental in plan.rentals:
        lines[rental.offer, rental.node, rental.workload].append(rental)
    groups = [
        RentalGroup(tuple(rentals), _users(rentals, plan.rentals, plan.assignments))
        for rentals in lines.values()
    ]
    return sorted(groups, key=lambda g: (-g.cost, g.sample.offer, g.sample.node, g.workloads))


def _users(
    rentals: Sequence[Rental], every: Iterable[Rental], assignments: Iterable[Assignment]
) -> tuple[str, ...]:
    """Who shares them: workloads on that node at the time, without jobs that rent their own."""
    one = rentals[0]
    if one.workload:
        return (one.workload,)
    start, end = min(r.start for r in rentals), max(r.end for r in rentals)
    spot = one.purchase_model == "spot"
    alone = {_place(line.workload, line) for line in every if line.workload}
    return tuple(
        sorted(
            {
                a.workload
                for a in assignments
                if a.node == one.node and a.spot == spot and a.start < end and start < a.end
                if _place(a.workload, a) not in alone
            }
        )
    )


def _place(workload: str, line: Rental | Assignment) -> tuple[object, ...]:
    return workload, line.node, line.start, line.end, line.hours


def days_between(start: date, end: date) -> Iterable[date]:
    return (start + timedelta(n) for n in range((end - start).days))


def hours_in(text: str) -> list[int]:
    """Hours of the day named by ``00-08,22-24``."""
    pairs = (part.split("-") for part in text.split(","))
    return [hour for first, end in pairs for hour in range(int(first), int(end))]


def hours_text(hours: Iterable[int]) -> str:
    return str(Slice(tuple(sorted(set(hours)))))
