"""Checks of the rentals: real offers, on their terms, at their prices, within their limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from optimizer.costs import Flow
from optimizer.options.market import Listing, market_filters, on_nodes
from optimizer.verify.checker import WHOLE_DAY, Checker, Moment, short
from optimizer.verify.plan_document import RentalPart
from providers.offers import Offer

RENTALS = "rentals"
STOCK = "stock of offers"


def check_rentals(check: Checker) -> None:
    """Every rental, one by one, then how much of each offer is rented at once."""
    offers = {offer.sku: offer for offer in check.costs.book.offers}
    units: dict[str, dict[Moment, int]] = defaultdict(lambda: defaultdict(int))
    for number, rental in enumerate(check.plan.rentals, 1):
        where = f"rental {number} ({rental.offer})"
        offer = offers.get(rental.offer)
        words = f"{where}: no such offer in the price tables"
        if not check.check(RENTALS, offer is not None, words) or offer is None:
            continue
        listing = _listing(check, rental, offer, where)
        if listing is None or not _sound(check, rental, where):
            continue
        if check.costs.term(offer):
            moments = _term(check, rental, listing, where)
        else:
            moments = _by_the_hour(check, rental, listing, where)
        for moment in moments:
            units[offer.sku][moment] += rental.nodes * listing.units
    for sku, by_moment in sorted(units.items()):
        _stock(check, offers[sku], by_moment)


def _listing(check: Checker, rental: RentalPart, offer: Offer, where: str) -> Listing | None:
    """The offer on nodes of the size rented; checks all that is copied from the price table."""
    market = check.problem.schedule.document.market
    for reason, passes in market_filters(market, check.costs.book.as_of):
        check.check(RENTALS, passes(offer), f"{where}: the schedule forbids it: {reason}")
    listing = next((x for x in on_nodes(offer) if x.units == rental.units_per_node), None)
    words = f"{where}: {rental.units_per_node} instances do not make one node"
    if not check.check(RENTALS, listing is not None, words) or listing is None:
        return None
    for name, found, expected in (
        ("provider", rental.provider, offer.provider),
        ("region", rental.region, offer.region),
        ("tier", rental.tier, str(offer.tier)),
        ("purchase_model", rental.purchase_model, str(offer.purchase_model)),
        ("node", rental.node, str(listing.kind)),
        ("observed_at", rental.observed_at, offer.observed_at),
        ("age_days", rental.age_days, offer.age_days(check.costs.book.as_of)),
        ("confidence", rental.confidence, offer.confidence),
        ("source", rental.source, offer.source),
    ):
        words = f"{where}: {name} is {found}, the price table says {expected}"
        check.check(RENTALS, found == expected, words)
    price = f"{offer.price.amount.normalize():f} {offer.price.currency}/"
    words = f"{where}: quoted as {rental.quoted}, the price table says {price}…"
    check.check(RENTALS, rental.quoted.startswith(price), words)
    return listing


def _sound(check: Checker, rental: RentalPart, where: str) -> bool:
    first = check.horizon.index(rental.start)
    early = f"{where}: begins on {rental.start}, before the day from which it is planned again"
    check.check(RENTALS, first >= check.costs.from_day, early)
    return check.check(
        RENTALS,
        0 <= first < check.horizon.n_days and rental.start < rental.end and rental.nodes > 0,
        f"{where}: {rental.nodes} nodes from {rental.start} to {rental.end} is no rental "
        "inside the horizon",
    )


def _term(check: Checker, rental: RentalPart, listing: Listing, where: str) -> list[Moment]:
    """Whole terms, back to back, each billed from its own first day."""
    tenor, end = check.costs.term(listing.offer), rental.start
    starts: list[date] = []
    while len(starts) < rental.terms and end < rental.end:
        starts.append(end)
        end = tenor.end(end)
    words = (
        f"{where}: {rental.terms} terms of {tenor} from {rental.start} do not end on {rental.end}"
    )
    fits = end == rental.end and len(starts) == rental.terms
    check.check(RENTALS, fits, words)
    alike = (rental.hours, rental.hours_per_day, rental.workload) == (WHOLE_DAY, 24, "")
    check.check(RENTALS, alike, f"{where}: a term is rented for the whole day and for everybody")
    least = -(-listing.offer.min_units // listing.units)
    words = f"{where}: {rental.nodes} nodes ordered, the seller's least order is {least}"
    check.check(RENTALS, rental.nodes >= least, words)
    flows = _flows(check, listing, starts)
    cost = check.pay(rental.offer, flows, rental.nodes)
    check.equal(RENTALS, rental.cost, cost, f"{where}: cost")
    pool = (listing.kind, listing.spot)
    check.pool_cost[pool] += cost
    moments = [
        (t, k)
        for t in check.days(rental.start, rental.end)
        for k in range(len(check.horizon.slices))
    ]
    _supply(check, rental, listing, moments)
    return moments


def _flows(check: Checker, listing: Listing, starts: Iterable[date]) -> list[Flow]:
    days = (check.horizon.index(start) for start in starts)
    return [
        flow
        for day in days
        if day < check.horizon.n_days
        for flow in check.costs.rental(listing.offer, listing.units, day)
    ]


def _by_the_hour(check: Checker, rental: RentalPart, listing: Listing, where: str) -> list[Moment]:
    """The same hours of every day, for one job alone or for all workloads."""
    k = check.span(RENTALS, where, rental.start, rental.end, rental.hours)
    if k is None:
        return []
    words = f"{where}: {rental.terms} terms of an offer that is billed by the hour"
    check.check(RENTALS, rental.terms == 0, words)
    long = check.horizon.slices[k].n_hours
    jobs = {demand.job.name for demand in check.problem.jobs}
    if rental.workload:
        words = f"{where}: '{rental.workload}' is no job of the schedule"
        check.check(RENTALS, rental.workload in jobs, words)
        fits = 0 < rental.hours_per_day <= long
    else:
        fits = rental.hours_per_day == long
    words = f"{where}: {rental.hours_per_day} hours a day in {rental.hours}, which has {long}"
    check.check(RENTALS, fits, words)
    days = check.days(rental.start, rental.end)
    hourly = (
        flow
        for day in days
        for flow in check.costs.hourly(listing.offer, listing.units, day, rental.hours_per_day)
    )
    cost = check.pay(rental.offer, hourly, rental.nodes)
    check.equal(RENTALS, rental.cost, cost, f"{where}: cost")
    moments = [(t, k) for t in days]
    if rental.workload:
        check.direct[rental.workload] += cost
    else:
        check.pool_cost[listing.kind, listing.spot] += cost
        _supply(check, rental, listing, moments)
    return moments


def _supply(
    check: Checker, rental: RentalPart, listing: Listing, moments: Iterable[Moment]
) -> None:
    pool = (listing.kind, listing.spot)
    for moment in moments:
        check.supply[pool][moment] += rental.nodes
        check.at_site[pool, listing.site][moment] += rental.nodes
        hours = check.horizon.slices[moment[1]].n_hours
        check.available[pool] += Decimal(hours * rental.nodes)


def _stock(check: Checker, offer: Offer, units: dict[Moment, int]) -> None:
    limit = offer.max_units
    limit = check.problem.schedule.document.market.stock if limit is None else limit
    if limit is None:
        return
    faults = [
        (moment, f"{offer.sku}: {count} instances rented, {short(limit)} are to be had")
        for moment, count in sorted(units.items())
        if count > limit
    ]
    check.everywhere(STOCK, faults, len(units))
