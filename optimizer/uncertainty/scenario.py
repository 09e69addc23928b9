"""A scenario, and the problem as it would be if it came true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from optimizer.costs import term_of
from optimizer.named import Named
from optimizer.options.market import Listing, View
from optimizer.problem import JobDemand, Problem, PurchaseOption, ServiceDemand
from optimizer.schedule.document import Purchase
from optimizer.schedule.quantities import Months, Share
from providers.offers import Offer

ALL = "all"
ONE = Decimal(1)
Factors = tuple[tuple[str, Decimal], ...]
"""Name, or `all`, and the factor; those that fit multiply."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way things may come out."""

    name: str
    chance: Decimal
    rent: tuple[tuple[Named | None, Decimal], ...] = ()
    """What it moves (None: all rents), and the factor."""
    purchase: Factors = ()
    load: Factors = ()
    delay: tuple[tuple[str, int], ...] = ()
    interruptions: float | None = None
    residual: Decimal = ONE

    def rent_factor(self, offer: Offer) -> Decimal:
        listing = Listing(offer, 1)
        return _product(x for named, x in self.rent if named is None or named.has(listing))

    def purchase_factor(self, node: str) -> Decimal:
        return _fitting(self.purchase, node)

    def load_factor(self, workload: str) -> Decimal:
        return _fitting(self.load, workload)

    def days_late(self, node: str) -> int:
        return sum(days for name, days in self.delay if name in (ALL, node))


def _fitting(factors: Factors, name: str) -> Decimal:
    return _product(x for key, x in factors if key in (ALL, name))


def _product(factors: Iterable[Decimal]) -> Decimal:
    found = ONE
    for factor in factors:
        found *= factor
    return found


@dataclass(slots=True)
class Outlook:
    """What is reckoned with: one scenario, or the mean of several."""

    name: str
    scenarios: tuple[Scenario, ...]
    known_from: date
    _offers: dict[str, Offer] = field(default_factory=dict)

    def mean(self, value: Callable[[Scenario], Decimal]) -> Decimal:
        """Weighed by how likely each scenario is."""
        whole = sum((s.chance for s in self.scenarios), Decimal(0))
        if len(self.scenarios) == 1:
            return value(self.scenarios[0])
        return sum((s.chance * value(s) for s in self.scenarios), Decimal(0)) / whole

    @property
    def moves_rents(self) -> bool:
        return any(scenario.rent for scenario in self.scenarios)

    # -- as the prices of each day (`Costs.days`) ------------------------------------------

    def offer(self, offer: Offer, day: date) -> Offer:
        """Today's price until it is known what has come; then the scenario's."""
        if day < self.known_from:
            return offer
        if offer.sku not in self._offers:
            factor = self.mean(lambda s: s.rent_factor(offer))
            self._offers[offer.sku] = (
                replace(offer, price=offer.price * factor, upfront=offer.upfront * factor)
                if factor != 1
                else offer
            )
        return self._offers[offer.sku]

    def purchase(self, item: Purchase, day: date) -> Purchase:
        factor = self.mean(lambda s: s.purchase_factor(item.node))
        if day < self.known_from or factor == 1:
            return item
        return item.model_copy(update={"price": item.price * factor})

    # -- the rest of the problem -----------------------------------------------------------

    def realised(self, problem: Problem) -> Problem:
        """The problem if this came true: today's prices and loads until it is known."""
        until = problem.horizon.index(self.known_from)
        document = problem.schedule.document
        usual = document.market.spot_interruptions_per_day
        often = self.mean(
            lambda s: Decimal(str(usual if s.interruptions is None else s.interruptions))
        )
        market = document.market.model_copy(update={"spot_interruptions_per_day": float(often)})
        schedule = replace(
            problem.schedule, document=document.model_copy(update={"market": market})
        )
        costs = problem.costs
        money = costs.money.model_copy(update={"residual": self._residual(costs.money.residual)})
        return replace(
            problem,
            schedule=schedule,
            costs=replace(costs, days=self, money=money),
            purchases=tuple(self._option(option) for option in problem.purchases),
            services=tuple(self._service(demand, until) for demand in problem.services),
            jobs=tuple(self._job(demand, until) for demand in problem.jobs),
        )

    def _residual(self, curve: dict[Months, Share]) -> dict[Months, Share]:
        factor = self.mean(lambda s: s.residual)
        if factor == 1:
            return curve
        return {age: min(1.0, float(Decimal(str(x)) * factor)) for age, x in curve.items()}

    def _option(self, option: PurchaseOption) -> PurchaseOption:
        late = self.mean(lambda s: Decimal(s.days_late(option.item.node)))
        lead = option.item.lead_time + int(late.to_integral_value())
        residual = self._residual(option.item.residual)
        item = option.item.model_copy(update={"lead_time": lead, "residual": residual})
        return replace(option, item=item)

    def _service(self, demand: ServiceDemand, until: int) -> ServiceDemand:
        factor = float(self.mean(lambda s: s.load_factor(demand.service.name)))
        load = tuple(
            tuple(x * factor if t >= until else x for x in day) for t, day in enumerate(demand.load)
        )
        return replace(demand, load=load)

    def _job(self, demand: JobDemand, until: int) -> JobDemand:
        if demand.last < until:
            return demand
        factor = float(self.mean(lambda s: s.load_factor(demand.job.name)))
        return replace(demand, work=demand.work * factor)


def view_of(scenarios: Sequence[Scenario], committed: Callable[[Offer], bool]) -> View:
    """What of a market no scenario needs may be thinned out, and nothing else.

    An offer stands in for another at today's prices only if its price moves no worse in any
    scenario, is not agreed beforehand where the other is not; and, where it would be repeated to
    make up a longer term, never rises at all.
    """
    moves: dict[str, tuple[Decimal, ...]] = {}

    def of(offer: Offer) -> tuple[Decimal, ...]:
        if offer.sku not in moves:
            moves[offer.sku] = tuple(s.rent_factor(offer) for s in scenarios)
        return moves[offer.sku]

    def replaces(one: Listing, other: Listing) -> bool:
        mine, theirs = of(one.offer), of(other.offer)
        alike = (one.offer.tenor, one.offer.increment) == (other.offer.tenor, other.offer.increment)
        return (
            all(a <= b for a, b in zip(mine, theirs, strict=True))
            and (alike or max(mine, default=ONE) <= 1)
            and (committed(other.offer) or not committed(one.offer))
        )

    return View(replaces=replaces)


def is_committed(days: int) -> Callable[[Offer], bool]:
    """Whether an offer binds for at least so many days."""
    return lambda offer: term_of(offer).about_days >= days
