"""The rentals that a purchase is compared with: the cheapest firm offers of the same hardware."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from optimizer.options.market import Listing, market_filters, on_nodes
from optimizer.problem import Problem
from providers.hardware import NodeKind
from providers.offers import select

HOURS_IN_DAY = 24
HOURS_IN_MONTH = 730
"""A twelfth of 8760."""
SPANS = {"hour": 1, "day": HOURS_IN_DAY, "month": HOURS_IN_MONTH}
"""Unit a rental is compared by → its hours."""
SHARED = ", as if the rest of it were used too"
LONGEST_DAILY = 7
"""Terms up to so many days count as rentals by the day."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A rental that can do the work of one owned node."""

    span: str
    """hour, day or month: what it is paid for at least, roughly."""
    listing: Listing
    per_hour: Decimal
    """Of what replaces the owned node, for an hour, in the reporting currency."""
    ratio: Decimal
    """Rented nodes that do the work of the owned one."""
    how: str
    """How the two are made equal; empty for the same node."""

    @property
    def name(self) -> str:
        return f"{self.listing.name}, {self.how}" if self.how else self.listing.name


def quotes(problem: Problem, kind: NodeKind) -> list[Quote]:
    """The cheapest firm offer by the hour, by the day and by the month, each where there is one.

    Of the same node; where nobody rents that, of the same GPU, counted per GPU; else of any node
    that can do all the work the owned one can, counted by the workload that needs most of it.
    Offers the plan never looks at because another is cheaper count here: they are still offers.
    """
    filters = market_filters(problem.schedule.document.market, problem.costs.book.as_of)
    listings = [
        listing
        for offer in select(problem.costs.book.offers, filters).kept
        for listing in on_nodes(offer)
        if not listing.spot
    ]
    for candidates in (
        _same_node(listings, kind),
        _same_gpu(listings, kind),
        _same_work(problem, listings, kind),
    ):
        best: dict[str, Quote] = {}
        for listing, ratio, how in candidates:
            quote = hourly_of(problem, listing, ratio, how)
            known = best.get(quote.span)
            if known is None or (quote.per_hour, quote.name) < (known.per_hour, known.name):
                best[quote.span] = quote
        if best:
            return [best[span] for span in SPANS if span in best]
    return []


Candidate = tuple[Listing, Decimal, str]


def _same_node(listings: list[Listing], kind: NodeKind) -> Iterator[Candidate]:
    for listing in listings:
        if listing.kind == kind:
            yield listing, Decimal(1), ""


def _same_gpu(listings: list[Listing], kind: NodeKind) -> Iterator[Candidate]:
    for listing in listings:
        if listing.kind.gpu == kind.gpu:
            ratio = Decimal(kind.count) / listing.kind.count
            words = f"per GPU: {float(ratio):.4g} x {listing.kind} for 1 x {kind}"
            yield listing, ratio, words + (SHARED if ratio < 1 else "")


def _same_work(problem: Problem, listings: list[Listing], kind: NodeKind) -> Iterator[Candidate]:
    able = abilities(problem)
    wanted = able.get(kind, {})
    if not wanted:
        return
    for listing in listings:
        theirs = able.get(listing.kind, {})
        if not wanted.keys() <= theirs.keys():
            continue
        ratio, workload = max((wanted[name] / theirs[name], name) for name in wanted)
        words = f"by work: {ratio:.3g} x {listing.kind} for 1 x {kind} (in '{workload}')"
        words += SHARED if ratio < 1 else ""
        yield listing, Decimal(repr(ratio)), words


def abilities(problem: Problem) -> dict[NodeKind, dict[str, float]]:
    """Node kind → workload → most work or load that one node carries."""
    found: dict[NodeKind, dict[str, float]] = {}

    def add(kind: NodeKind, workload: str, ability: float) -> None:
        known = found.setdefault(kind, {})
        known[workload] = max(known.get(workload, 0.0), ability)

    for service in problem.services:
        for replica in service.options:
            if replica.capacity:
                add(replica.kind, replica.workload, replica.capacity / replica.share)
    for job in problem.jobs:
        for gang in job.options:
            add(gang.kind, gang.workload, gang.rate / gang.nodes)
    return found


def hourly_of(
    problem: Problem, listing: Listing, ratio: Decimal = Decimal(1), how: str = ""
) -> Quote:
    """What a listing costs an hour, and how long it is paid for at least."""
    costs = problem.costs
    offer = listing.offer
    term = costs.term(offer)
    if not term:
        per_hour = costs.increment_price(offer, listing.units)
        return Quote("hour", listing, per_hour * ratio, ratio, how)
    flows = [flow for flow in costs.rental(offer, listing.units, 0) if flow.amount > 0]
    paid = sum((flow.amount for flow in flows), Decimal(0))
    if term.months:
        hours, span = Decimal(term.months * HOURS_IN_MONTH), "month"
    else:
        hours = Decimal(term.days * HOURS_IN_DAY)
        span = "day" if term.days <= LONGEST_DAILY else "month"
    return Quote(span, listing, paid / hours * ratio, ratio, how)
