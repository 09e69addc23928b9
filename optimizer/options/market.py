"""Usable offers of a schedule: filtered by its market rules, put on nodes, and thinned out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from optimizer.costs import Costs
from optimizer.schedule.document import Market, Rule
from providers.hardware import NodeKind
from providers.offers import Filter, Offer, OfferBook, select
from providers.terms import PurchaseModel, Tenor


@dataclass(frozen=True, slots=True)
class Listing:
    """An offer as one node: `units` quoted instances on one host (1, or more GPUs of one host)."""

    offer: Offer
    units: int

    @property
    def kind(self) -> NodeKind:
        return NodeKind(self.offer.gpu, self.offer.gpu_count * self.units)

    @property
    def spot(self) -> bool:
        return self.offer.purchase_model is PurchaseModel.SPOT

    @property
    def site(self) -> str:
        """Where its nodes stand: the nodes of one gang must share a site."""
        return f"{self.offer.provider}/{self.offer.region}"

    @property
    def name(self) -> str:
        return f"{self.units}*{self.offer.sku}" if self.units > 1 else self.offer.sku


def _no_listing(listing: Listing) -> bool:
    return False


def _any_pair(one: Listing, other: Listing) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class View:
    """What is left out of a market on request, and what is kept though another offer outdoes it."""

    barred: Callable[[Listing], bool] = _no_listing
    spared: Callable[[Listing], bool] = _no_listing
    replaces: Callable[[Listing, Listing], bool] = _any_pair
    """Whether an offer that is no dearer than another today stays so, whatever may come."""


WHOLE_MARKET = View()


@dataclass(frozen=True, slots=True)
class UsableMarket:
    """Listings the optimiser sees, and what was left out by which rule."""

    listings: tuple[Listing, ...]
    excluded: Counter[str]
    dominated: dict[str, str]
    """Offer (sku) → the offer that is at least as good and no dearer."""


def market_filters(market: Market, today: date) -> list[Filter]:
    """Tests an offer must pass, in the order they are counted."""

    def allowed(rule: Rule, value: str) -> bool:
        wanted, value = [item.lower() for item in rule.allow], value.lower()
        unwanted = [item.lower() for item in rule.forbid]
        return (not wanted or value in wanted) and value not in unwanted

    return [
        ("renting is not allowed", lambda o: market.rent),
        ("low confidence", lambda o: o.confidence <= market.confidence),
        ("no longer valid", lambda o: o.valid_until is None or o.valid_until >= today),
        ("provider not wanted", lambda o: allowed(market.providers, o.provider)),
        ("region not wanted", lambda o: allowed(market.regions, o.region)),
        ("tier not wanted", lambda o: allowed(market.tiers, o.tier)),
        ("purchase model not wanted", lambda o: allowed(market.purchase_models, o.purchase_model)),
    ]


def usable_market(
    market: Market,
    book: OfferBook,
    costs: Costs,
    wanted: set[NodeKind],
    spot_wanted: bool,
    cash_limited: bool,
    outdoes: Callable[[NodeKind, NodeKind], bool],
    sellers_limited: bool = False,
    view: View = WHOLE_MARKET,
) -> UsableMarket:
    """Listings on nodes that some workload can use, without the dominated ones.

    Args:
        wanted: node kinds on which at least one workload has an option.
        spot_wanted: whether any workload may run on spot capacity.
        cash_limited: whether a budget or cash limit makes the day of payment matter.
        outdoes: whether one node of the first kind can stand in for one of the second in
            everything that any workload does on it.
        sellers_limited: whether an offer cannot be replaced by one of another seller.
        view: what besides the market rules is left out, or kept.
    """
    chosen = select(book.offers, market_filters(market, book.as_of))
    listings = []
    for listing in (item for offer in chosen.kept for item in on_nodes(offer)):
        if view.barred(listing):
            chosen.excluded["left out on request (--without)"] += 1
        elif listing.kind not in wanted:
            chosen.excluded["no workload can use that node"] += 1
        elif listing.spot and not spot_wanted:
            chosen.excluded["spot, and no workload allows it"] += 1
        else:
            listings.append(listing)
    rules = DominanceRules(
        stock_limited=market.stock is not None,
        cash_limited=cash_limited,
        credited=costs.money.terms_past_horizon == "credit",
        outdoes=outdoes,
        sellers_limited=sellers_limited,
        spared=view.spared,
        replaces=view.replaces,
    )
    kept, dominated = _undominated(listings, rules, costs)
    chosen.excluded["dominated by another offer"] += len(dominated)
    return UsableMarket(tuple(kept), +chosen.excluded, dominated)


def on_nodes(offer: Offer) -> Iterator[Listing]:
    """The offer itself, and 2, 4, 8 … GPUs of one host where the seller sells those."""
    units = 1
    while offer.gpu_count * units <= offer.max_gpus_per_host:
        yield Listing(offer, units)
        units *= 2


def sold_alone(
    kind: NodeKind,
    gpus: int,
    share: float,
    market: UsableMarket,
    costs: Costs,
    sellers_limited: bool,
    view: View = WHOLE_MARKET,
) -> bool:
    """Whether the part of a node that a replica takes is for sale by itself, at no higher price.

    Then a replica on a share of the larger node is never needed: every offer of the large node
    has, on the same terms, one of a node of just `gpus` GPUs at most at its share of the price.
    """
    if gpus == kind.count:
        return False
    whole = [_Deal.of(x, costs) for x in market.listings if x.kind == kind]
    part = NodeKind(kind.gpu, gpus)
    parts = [_Deal.of(x, costs) for x in market.listings if x.kind == part]
    return all(
        any(
            small.term == large.term
            and small.listing.spot == large.listing.spot
            and small.listing.offer.max_units is None
            and small.listing.offer.min_units == 1
            and small.listing.offer.prepaid == large.listing.offer.prepaid
            and (not sellers_limited or _one_seller(small.listing, large.listing))
            and view.replaces(small.listing, large.listing)
            and small.cost <= large.cost * Decimal(repr(share))
            for small in parts
        )
        for large in whole
    )


def _one_seller(one: Listing, other: Listing) -> bool:
    return one.offer.provider.lower() == other.offer.provider.lower()


def _undominated(
    listings: Iterable[Listing], rules: DominanceRules, costs: Costs
) -> tuple[list[Listing], dict[str, str]]:
    """Drop an offer when another can always replace it, node for node, at no higher cost.

    Safe because the replacement does all that any workload does on the node, has no stock limit
    and no minimum, and covers at least the same time: its term is as long, or is repeated. Costs
    compare as present values, so that a package paid at once is not taken for a cheaper one paid
    month by month.
    """
    kept: list[Listing] = []
    dominated: dict[str, str] = {}
    deals = [_Deal.of(item, costs) for item in listings]
    deals.sort(key=lambda deal: (deal.cost, deal.listing.offer.observed_at, deal.listing.name))
    for deal in deals:
        rivals = (d for d in deals if d is not deal and d.listing.name not in dominated)
        spared = rules.spared(deal.listing)
        better = None if spared else next((d for d in rivals if _dominates(d, deal, rules)), None)
        if better is None:
            kept.append(deal.listing)
        else:
            dominated[deal.listing.name] = better.listing.name
    return sorted(kept, key=lambda item: (item.kind, item.name)), dominated


@dataclass(frozen=True, slots=True)
class DominanceRules:
    """What in a schedule forbids replacing one deal by another."""

    stock_limited: bool
    """Every offer may run out, so the second-best one has its use."""
    cash_limited: bool
    """When money is paid matters by more than its present value."""
    credited: bool
    """Terms past the horizon are credited, so part of a term may be enough."""
    outdoes: Callable[[NodeKind, NodeKind], bool]
    """Whether a node of the first kind can stand in for one of the second."""
    sellers_limited: bool = False
    """Another seller may be one too many."""
    spared: Callable[[Listing], bool] = _no_listing
    """What is kept all the same."""
    replaces: Callable[[Listing, Listing], bool] = _any_pair
    """Whether an offer that is no dearer today stays so."""


@dataclass(frozen=True, slots=True)
class _Deal:
    """The shortest commitment of a listing: one hour, or one whole term."""

    listing: Listing
    term: Tenor
    cost: Decimal
    """Present value on the day it starts."""

    @classmethod
    def of(cls, listing: Listing, costs: Costs) -> _Deal:
        term = costs.term(listing.offer)
        if not term:
            return cls(listing, term, costs.increment_price(listing.offer, listing.units))
        flows = costs.rental(listing.offer, listing.units, 0)
        return cls(listing, term, costs.present_value(f for f in flows if f.amount > 0))

    @property
    def shortest_hours(self) -> int:
        return (self.term.months * 28 + self.term.days) * 24 or 1

    @property
    def longest_hours(self) -> int:
        return (self.term.months * 31 + self.term.days) * 24 or 1


def _dominates(a: _Deal, b: _Deal, rules: DominanceRules) -> bool:
    one, other = a.listing, b.listing
    if one.offer.max_units is not None or one.offer.min_units > 1 or rules.stock_limited:
        return False
    if one.spot != other.spot or not rules.outdoes(one.kind, other.kind):
        return False
    if not rules.replaces(one, other):
        return False
    if rules.sellers_limited and not _one_seller(one, other):
        return False
    if a.term == b.term:
        alike = one.offer.prepaid == other.offer.prepaid or not rules.cash_limited
        return alike and a.cost <= b.cost
    if rules.cash_limited or rules.credited:
        return False
    if a.term.months and b.term.months:
        times = -(-b.term.months // a.term.months)
    else:
        times = -(-b.longest_hours // a.shortest_hours)
    return times * a.cost <= b.cost
