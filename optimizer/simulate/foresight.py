"""One plan with every day's prices known beforehand: what nobody can beat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from optimizer.dated import by_day
from optimizer.formulate import formulate
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.options.market import Listing, View
from optimizer.problem import Problem, gather
from optimizer.schedule.schedule import Schedule
from optimizer.simulate.history import History
from optimizer.solved import Solved, solve_made

NOT_LISTED = Decimal("Infinity")


def foresee(
    schedule: Schedule, history: History, options: SolveOptions
) -> tuple[Problem, Solved | NoSolution]:
    """The best plan on the prices of all days, each start at the price of its own day.

    Its bound is one for every way of deciding day by day. No offer is thinned out by its price of
    one day; only where another of the same terms is no dearer on any day.
    """
    book = history.all_offers()
    whole = gather(schedule, book, View(spared=lambda listing: True))
    listings = tuple(_cheapest(whole.market.listings, history))
    problem = replace(
        whole,
        market=replace(whole.market, listings=listings),
        costs=replace(whole.costs, days=history),
    )

    def listed(listing: Listing, day: int) -> bool:
        return history.days(listing.offer.sku)[day] is not None

    # Budgets count the least price of each offer, so that the bound stays a bound.
    made = by_day(problem, formulate(problem), listed, in_budget=min)
    return problem, solve_made(problem, made, options)


def _cheapest(listings: Iterable[Listing], history: History) -> Iterable[Listing]:
    """Without those that another of the same node and terms beats on every day."""
    groups: dict[object, list[Listing]] = {}
    for listing in listings:
        offer = listing.offer
        terms = (offer.tenor, offer.increment, offer.prepaid, offer.tax_included)
        groups.setdefault((listing.kind, listing.spot, terms), []).append(listing)
    for group in groups.values():
        prices = [_prices(listing, history) for listing in group]
        for n, listing in enumerate(group):
            beaten = any(
                _free(group[m])
                and all(a <= b for a, b in zip(prices[m], prices[n], strict=True))
                and (prices[m] != prices[n] or m < n or not _free(listing))
                for m in range(len(group))
                if m != n
            )
            if not beaten:
                yield listing


@dataclass(frozen=True, slots=True)
class _Price:
    """Both parts of a price; one is no more than another when both parts are."""

    price: Decimal
    upfront: Decimal

    def __le__(self, other: _Price) -> bool:
        return self.price <= other.price and self.upfront <= other.upfront


def _prices(listing: Listing, history: History) -> list[_Price]:
    offers = history.days(listing.offer.sku)
    return [
        _Price(o.price.amount * listing.units, o.upfront.amount * listing.units)
        if o
        else _Price(NOT_LISTED, NOT_LISTED)
        for o in offers
    ]


def _free(listing: Listing) -> bool:
    return listing.offer.max_units is None and listing.offer.min_units == 1
