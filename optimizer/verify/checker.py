"""What all checks share: the plan, the problem it answers, and the faults found so far."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from optimizer.costs import Costs, Flow
from optimizer.horizon import Horizon
from optimizer.problem import Problem
from optimizer.verify.plan_document import PlanDocument
from providers.hardware import NodeKind

SAME = Decimal("1e-15")
"""Two sums of money are equal when they differ by less than this share, or this much of a unit:
the 28 digits of decimals leave that room whatever the order in which they are added."""
SLACK = Decimal("1e-6")
"""Share by which a float of the sizing, or a solver's load of an API, may miss a whole number."""
WHOLE_DAY = "00-24"
DEMAND = "load of services"
SERVICE_RESTART_H = Decimal("0.25")
"""Time a replica on spot capacity is away after an interruption."""

Pool = tuple[NodeKind, bool]
"""(kind of node, spot)"""
Moment = tuple[int, int]
"""(day, slice of the day)"""


@dataclass(slots=True)
class Checker:
    """Gathers faults, the bill as it must be, and how much of every pool there is and is used."""

    plan: PlanDocument
    problem: Problem
    faults: list[str] = field(default_factory=list)
    checks: Counter[str] = field(default_factory=Counter)
    """What was checked → how many times."""
    bill: list[tuple[str, Flow]] = field(default_factory=list)
    """(cause, flow)"""
    pool_cost: dict[Pool, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    direct: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """Workload → cost that is its own."""
    token_bills: dict[tuple[str, str, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    """(service, API, bucket) → paid for tokens"""
    pool_shares: dict[tuple[Pool, str], Decimal] = field(default_factory=dict)
    """(pool, workload) → its part of what the pool's nodes cost"""
    available: dict[Pool, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """Node-hours"""
    used: dict[tuple[Pool, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """(pool, workload) → node-hours"""
    supply: dict[Pool, dict[Moment, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    """Nodes that workloads may share"""
    at_site: dict[tuple[Pool, str], dict[Moment, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    """Nodes at one site; ``own`` is the owned ones in use."""
    in_use: dict[Pool, dict[Moment, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )

    @property
    def costs(self) -> Costs:
        return self.problem.costs

    @property
    def horizon(self) -> Horizon:
        return self.problem.horizon

    def check(self, what: str, holds: bool, fault: str) -> bool:
        """Count a check, and note the fault if it does not hold."""
        self.checks[what] += 1
        if not holds:
            self.faults.append(fault)
        return holds

    def equal(self, what: str, found: Decimal, expected: Decimal, where: str) -> bool:
        words = f"{where} is {_short(found)}, recomputed {_short(expected)}"
        return self.check(what, same(found, expected), words)

    def pay(self, cause: str, flows: Iterable[Flow], factor: Decimal | int = 1) -> Decimal:
        paid = Decimal(0)
        for flow in flows:
            scaled = Flow(flow.day, flow.amount * factor, flow.component)
            self.bill.append((cause, scaled))
            paid += scaled.amount
        return paid

    # -- days and slices -------------------------------------------------------------------

    def slice_of(self, hours: str) -> int | None:
        """Number of the slice of the day that is written so."""
        names = [str(piece) for piece in self.horizon.slices]
        return names.index(hours) if hours in names else None

    def days(self, start: date, end: date) -> range:
        """Days of a span, as far as they are in the horizon."""
        first, last = self.horizon.index(start), self.horizon.index(end)
        return range(max(0, first), min(self.horizon.n_days, last))

    def span(self, what: str, where: str, start: date, end: date, hours: str) -> int | None:
        """The slice of a run of days inside the horizon; None and a fault if it is not."""
        inside = 0 <= self.horizon.index(start) < self.horizon.index(end) <= self.horizon.n_days
        self.check(what, inside, f"{where}: {start} to {end} is not a span inside the horizon")
        k = self.slice_of(hours)
        known = ", ".join(str(piece) for piece in self.horizon.slices)
        self.check(what, k is not None, f"{where}: hours '{hours}' are none of {known}")
        return k if inside else None

    def moments(self) -> Iterator[Moment]:
        for t in range(self.horizon.n_days):
            for k in range(len(self.horizon.slices)):
                yield t, k

    def at(self, moment: Moment) -> str:
        day, k = moment
        return f"{self.horizon.day(day)} {self.horizon.slices[k]}"

    def everywhere(self, what: str, faults: list[tuple[Moment, str]], checked: int) -> None:
        """Checks made in many slices: the first slice that fails speaks for the others."""
        self.checks[what] += checked
        if faults:
            moment, words = faults[0]
            more = f" (and in {len(faults) - 1} more slices)" if len(faults) > 1 else ""
            self.faults.append(f"{words} on {self.at(moment)}{more}")


def spot_share(check: Checker, restart_h: Decimal, checkpoint_h: Decimal) -> Decimal:
    """Share of spot hours that count, after restarts and half a checkpoint lost each time."""
    market = check.problem.schedule.document.market
    per_day = Decimal(str(market.spot_interruptions_per_day))
    return max(Decimal("0.05"), 1 - per_day * (restart_h + checkpoint_h / 2) / 24)


def same(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= SAME * max(Decimal(1), abs(one), abs(other))


def _short(amount: Decimal) -> str:
    return f"{amount:.9f}".rstrip("0").rstrip(".")


def short(amount: Decimal | float) -> str:
    """Up to six digits after the point, for messages."""
    return f"{Decimal(amount):.6f}".rstrip("0").rstrip(".")
