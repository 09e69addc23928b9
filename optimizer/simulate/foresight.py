"""One plan with every day's prices known beforehand: what nobody can beat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from optimizer.formulate import Formulation, formulate
from optimizer.milp.instance import INF, Start
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
    return problem, solve_made(problem, by_day(problem, formulate(problem), history), options)


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


def by_day(problem: Problem, made: Formulation, history: History) -> Formulation:
    """The numbers with the prices by the hour of each day, and nothing before it was listed.

    Terms have their own day's price already: `Costs.rental` bills them so.
    """
    per_day = len(problem.horizon.slices)
    data = made.instance
    by_hour = [_hours(problem, listing, history) for listing in made.hourly]

    def there(listing: Listing, starts: Iterable[Start]) -> tuple[Start, ...]:
        days = history.days(listing.offer.sku)
        return tuple(start for start in starts if days[start.day] is not None)

    def spread(values: list[float]) -> tuple[float, ...]:
        return tuple(value for value in values for _ in range(per_day))

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
                        hour_cost=spread([c * gang.nodes for c in by_hour[gang.hourly][0]]),
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


def _hours(problem: Problem, listing: Listing, history: History) -> tuple[list[float], float]:
    """[day] present value of a node-hour, and the least price, which budgets count: a bound of
    what is within a budget by the prices of each day."""
    values: list[float] = []
    least = INF
    days = history.days(listing.offer.sku)
    for t in range(problem.horizon.n_days):
        if days[t] is None:
            values.append(INF)
            continue
        flows = problem.costs.hourly(listing.offer, listing.units, t, 1)
        values.append(float(problem.costs.present_value(flows)))
        least = min(least, float(flows[0].amount))
    return values, least
