"""Why offers of a name never come before the solver, in the words of the rule that stops them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from optimizer.costs import Costs
from optimizer.named import Named, find
from optimizer.options.market import Listing, market_filters, on_nodes
from optimizer.options.workloads import job_options, service_options
from optimizer.problem import Problem
from optimizer.schedule.document import ServiceWorkload
from optimizer.wishes import Wishes
from providers.hardware import NodeKind
from providers.offers import OfferBook, select
from providers.terms import Increment

USUAL_SIZES = (1, 2, 4, 8)
MOST_LINES = 4


def market_reasons(
    named: Named, book: OfferBook, problem: Problem, best: Problem, wishes: Wishes
) -> Iterator[str]:
    """The reasons, those that stop most first.

    Args:
        book: all prices, before any wish.
        problem: with what is asked about kept in the market.
        best: as the plan saw it, thinned out.
        wishes: of the plan.
    """
    offers = [o for o in book.offers if any(named.has(x) for x in on_nodes(o))]
    buyable = [option for option in problem.purchases if named.is_kind(option.kind)]
    tokens = [offer for offer in book.token_offers if named.sells(offer)]
    if not offers and not tokens and named.sort != "hardware":
        yield "no offer of it is in the prices"
    document = problem.schedule.document
    chosen = select(offers, market_filters(document.market, book.as_of))
    for reason, count in chosen.excluded.most_common():
        yield f"{count} of its {len(offers)} offers left out: {reason}"
    listings = [x for offer in chosen.kept for x in on_nodes(offer) if named.has(x)]
    unwanted = [find(name, book) for name in wishes.without]
    barred = [x for x in listings if any(other.has(x) for other in unwanted)]
    if barred:
        left_out = {x.offer.sku for x in barred}
        yield f"{len(left_out)} of its {len(offers)} offers left out: as wished (--without)"
        listings = [x for x in listings if x not in barred]
    on_spot = [x for x in listings if x.spot]
    if on_spot and not any(workload.spot for workload in document.workloads):
        yield f"{len(on_spot)} of its nodes are on spot, and no workload allows it (spot: true)"
        listings = [x for x in listings if not x.spot]
    kinds = {x.kind for x in listings} | {option.kind for option in buyable}
    if named.sort == "hardware" and not offers:
        yield "nobody in the prices rents it"
    if wishes.only_own and (offers or tokens):
        yield "nothing is rented and no token API paid for, as wished (--only-own)"
        listings, tokens = [], []
    if named.sort == "hardware" and wishes.only_rent:
        yield "nothing is bought, as wished (--only-rent)"
    elif named.sort == "hardware" and not buyable:
        yield "the schedule does not list it to be bought (hardware.buy)"
    if named.sort == "hardware" and not kinds:
        sizes = [named.count] if named.count else USUAL_SIZES
        kinds = {NodeKind(gpu, size) for gpu in named.gpus for size in sizes}
    yield from _unfit(kinds, problem)
    yield from _dominated(listings, best, problem)
    if tokens:
        yield from _token_reasons(named, problem)


def _unfit(kinds: set[NodeKind], problem: Problem) -> Iterator[str]:
    """For every workload that none of the nodes can do: the reason, of as many as share it."""
    first_day, own = problem.schedule.first_day, problem.schedule.own_rows
    for workload in problem.schedule.document.workloads:
        if isinstance(workload, ServiceWorkload):
            options, refused = service_options(
                workload, sorted(kinds), as_of=first_day, own_rows=own
            )
            able = bool(options)
        else:
            gangs, refused, _ = job_options(workload, sorted(kinds), as_of=first_day, own_rows=own)
            able = bool(gangs)
        if able or not refused:
            continue
        by_reason: dict[str, list[str]] = defaultdict(list)
        for item in refused:
            by_reason[item.reason].append(item.hardware)
        for reason, nodes in sorted(by_reason.items(), key=lambda item: -len(item[1]))[:MOST_LINES]:
            yield f"'{workload.name}' cannot use {_some(nodes)}: {reason}"


def _dominated(listings: list[Listing], best: Problem, problem: Problem) -> Iterator[str]:
    """Offers that another one can always replace, with both prices."""
    known = {x.name: x for x in (*best.market.listings, *problem.market.listings)}
    costs = problem.costs
    better: Counter[str] = Counter()
    lines: list[str] = []
    told: set[str] = set()
    for listing in listings:
        other = best.market.dominated.get(listing.name)
        while other is not None and other not in known:
            other = best.market.dominated.get(other)
        if other is None:
            continue
        better[other] += 1
        if listing.offer.sku in told:
            continue  # on nodes of another size, for the same reason
        told.add(listing.offer.sku)
        mine, theirs = _price(listing, costs), _price(known[other], costs)
        lines.append(
            f"{listing.name} is outdone by {other}: {mine} against {theirs} ({costs.currency})"
        )
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        more, first = len(lines) - MOST_LINES, better.most_common(1)[0][0]
        yield f"and {more} more of its offers, most by {first}"


def _price(listing: Listing, costs: Costs) -> str:
    increment = listing.offer.increment
    # What is billed by the second is quoted by the hour.
    by_hour = increment in (Increment.SECOND, Increment.HOUR)
    price = costs.increment_price(listing.offer, listing.units)
    return f"{price:,.2f} {'an hour' if by_hour else f'a {increment}'}"


def _token_reasons(named: Named, problem: Problem) -> Iterator[str]:
    services = [w for w in problem.schedule.document.workloads if isinstance(w, ServiceWorkload)]
    if all(service.api == "no" for service in services):
        yield "no service of the schedule allows token APIs (api: allowed)"
        return
    usable = (offer for demand in problem.services for offer in demand.apis)
    if not any(named.sells(offer) for offer in usable):
        yield "none of its token prices is of a model that the schedule asks for and allows"


def _some(names: list[str]) -> str:
    more = len(names) - MOST_LINES
    shown = ", ".join(sorted(names)[:MOST_LINES])
    return f"{shown} and {more} more" if more > 0 else shown
