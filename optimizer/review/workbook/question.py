"""The question a workbook answers: buy what the plan buys, or rent the same capacity?

Months of 365/12 days, each flow at the end of its month; a purchase at the nearest month's end.
Where the plan buys nothing, it is asked of one node of the first thing the schedule may buy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from optimizer.breakeven.pair import Pair
from optimizer.breakeven.pairs import PER_SPAN, make_pair
from optimizer.breakeven.quotes import Quote, quotes
from optimizer.breakeven.use import Use
from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.finance.presets import Asset, Method, preset
from optimizer.finance.refusal import FinanceError
from optimizer.finance.residual import residual_share
from optimizer.plans import Plan
from optimizer.problem import Problem, PurchaseOption
from optimizer.schedule.document import TaxAssumptions
from providers.errors import RentoptError

HOURS_IN_DAY = 24
TAX_LIFE_YEARS = 3
"""Of straight-line deductions where a tax rate is set: the shortest life of several countries."""


@dataclass(frozen=True, slots=True)
class RentQuote:
    """What renting is priced with, as quoted, and the steps to a GPU-hour."""

    name: str
    provider: str
    region: str
    tier: str
    quoted: str
    amount: Decimal
    """Paid for `hours` of one quoted instance, in its currency."""
    currency: str
    instances: int
    """That make one rented node."""
    exchange: Decimal
    vat: Decimal
    """Factor for VAT added or taken out."""
    hours: Decimal
    ratio: Decimal
    """Rented nodes that do the work of an owned one."""
    how: str
    observed_at: date
    age_days: int
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Lot:
    """Nodes of one kind bought on one day, and what renting instead costs."""

    option: str
    node: str
    nodes: int
    gpus: int
    """Of one node."""
    price: Decimal
    """Of one node."""
    paid: int
    """Days from the first day; so are the next two."""
    usable: int
    sold: int
    residual: Decimal
    """Share of the price that a sale brings at that age, before its cost."""
    maintenance: Decimal
    """Share of the price a year."""
    hosting: Decimal
    """Of one node a month."""
    busy_kw: Decimal
    idle_kw: Decimal
    use: Decimal
    """Share of the time owned in which it is used."""
    rent: Decimal
    """Of a GPU-hour, today."""
    price_source: str
    price_quoted: str
    quote: RentQuote


@dataclass(frozen=True, slots=True)
class Question:
    """All assumptions; money in one currency."""

    title: str
    currency: str
    first_day: date
    days: int
    rate: Decimal
    """Annual effective."""
    pue: Decimal
    tariff: Decimal
    """A kWh, mean over the day."""
    resale_cost: Decimal
    """Share of what a sale brings."""
    vat: str
    """How VAT counts, in words."""
    lots: tuple[Lot, ...]
    planned: bool
    """Whether the plan buys the lots, or one node is weighed that it does not buy."""
    rent_change: Decimal = Decimal(0)
    """Of rental prices a year; 0 favours buying where prices fall."""
    tax_rate: Decimal = Decimal(0)
    """0: taxes are off."""
    tax_life: Decimal = Decimal(TAX_LIFE_YEARS)
    """Years of straight-line deductions."""
    tax_at_once: Decimal = Decimal(0)
    """Share of the price deducted in the month of first use."""
    tax_floor: Decimal = Decimal(0)
    """Share of the rest that is never deducted before the sale."""
    tax_rule: str = ""
    """What the schedule says of deductions, in words; empty where it says nothing of taxes."""

    def __post_init__(self) -> None:
        if not self.lots:
            raise RentoptError("there is no purchase to compare with renting")


class NothingToWeighError(RentoptError):
    """No purchase can be weighed against renting."""

    def __init__(self, code: str, message: str, subject: str = "") -> None:
        """
        Args:
            code: none_allowed, too_late or no_rental.
            subject: the purchase, of no_rental.
        """
        super().__init__(message)
        self.code, self.subject = code, subject


_VAT = {
    "ignore": "prices as quoted, VAT left as it is",
    "recoverable": "net of VAT, which is recovered",
    "cost": "VAT included, as a cost",
}


def make_question(plan: Plan, problem: Problem) -> Question:
    """The question of a plan, at its prices.

    Raises:
        NothingToWeighError: the schedule may buy nothing (in time), or nothing on offer does the
            work of what is bought.
        RentoptError: the plan was made without its break-even points.
    """
    money, costs = problem.costs.money, problem.costs
    lots = [
        _lot(
            plan, problem, _option(problem, line.option), line.nodes,
            days=tuple(problem.horizon.index(d) for d in (line.paid, line.usable, line.sold)),
        )
        for line in plan.bought
    ]  # fmt: skip
    if not lots:
        lots = [_first(plan, problem)]
    pieces = problem.horizon.slices
    tariff = sum((costs.kwh_price(p) * p.n_hours for p in pieces), Decimal(0)) / HOURS_IN_DAY
    return Question(
        title=plan.name,
        currency=plan.currency,
        first_day=plan.first_day,
        days=plan.n_days,
        rate=Decimal(str(money.discount_rate)),
        pue=Decimal(str(money.pue)),
        tariff=tariff,
        resale_cost=Decimal(str(money.resale_cost)),
        vat=_VAT[money.vat],
        lots=tuple(lots),
        planned=bool(plan.bought),
        **_taxes(money.tax, lots, problem),
    )


def _taxes(tax: TaxAssumptions | None, lots: list[Lot], problem: Problem) -> dict[str, Any]:
    """What the schedule says of taxes, as fields of a question.

    Raises:
        FinanceError: its rule does not apply to what is bought.
    """
    if tax is None:
        return {}
    rate = Decimal(str(tax.rate))
    if tax.depreciation is None:
        years = Decimal(str(tax.years))
        return {
            "tax_rate": rate,
            "tax_life": years,
            "tax_rule": f"equal parts over {years:f} years",
        }
    rule = preset(tax.depreciation)
    for lot in lots:
        used_from = problem.horizon.day(lot.usable)
        refused = rule.refusal(Asset(lot.price, lot.nodes, problem.costs.currency, used_from))
        if refused:
            raise FinanceError(f"money.tax: {refused}")
    found: dict[str, Any] = {"tax_rate": rate, "tax_rule": f"{rule.name}: {rule.source}"}
    if rule.method is Method.AT_ONCE:
        return {**found, "tax_at_once": Decimal(1)}
    return {**found, "tax_life": Decimal(rule.years), "tax_floor": rule.residual_share}


def _option(problem: Problem, name: str) -> PurchaseOption:
    for option in problem.purchases:
        if option.name == name:
            return option
    raise RentoptError(f"the plan buys '{name}', which the schedule does not offer")


def _first(plan: Plan, problem: Problem) -> Lot:
    if not problem.purchases:
        raise NothingToWeighError(
            "none_allowed",
            "the schedule may buy nothing, so no purchase is weighed; name what could be bought "
            "under hardware.buy",
        )
    end = problem.horizon.n_days
    in_time = [option for option in problem.purchases if option.item.lead_time < end]
    if not in_time:
        raise NothingToWeighError(
            "too_late", "whatever the schedule may buy comes after its last day"
        )
    option = next((o for o in in_time if quotes(problem, o.kind)), in_time[0])
    return _lot(plan, problem, option, 1, days=(0, option.item.lead_time, end))


def _lot(
    plan: Plan, problem: Problem, option: PurchaseOption, nodes: int, *, days: tuple[int, ...]
) -> Lot:
    found = quotes(problem, option.kind)
    if not found:
        raise NothingToWeighError(
            "no_rental",
            f"{option.name}: nothing on offer for rent can do its work, so nothing is compared",
            str(option.kind),
        )
    quote, item, money = found[0], option.item, problem.costs.money
    pair = planned_pair(plan, problem, option, quote)
    paid, usable, sold = days
    age = Decimal(sold - usable) / MEAN_DAYS_IN_MONTH
    return Lot(
        option=option.name,
        node=str(option.kind),
        nodes=nodes,
        gpus=pair.gpus,
        price=pair.capex,
        paid=paid,
        usable=usable,
        sold=sold,
        residual=residual_share(item.residual or money.residual, age),
        maintenance=pair.maintenance,
        hosting=problem.costs.in_currency(item.hosting) if item.hosting else Decimal(0),
        busy_kw=pair.busy_kw,
        idle_kw=pair.idle_kw,
        use=pair.use,
        rent=pair.rent,
        price_source=item.source or "the schedule",
        price_quoted=str(item.price),
        quote=_rent_quote(problem, quote),
    )


def planned_pair(plan: Plan, problem: Problem, option: PurchaseOption, quote: Quote) -> Pair:
    """A purchase against a rental, at the use that the plan makes of such nodes.

    Raises:
        RentoptError: the plan does not say how much it would be used.
    """
    use = Decimal(str(_use(plan, option, quote.span)))
    hours = float(use) if quote.span == "hour" else _hours(plan, option)
    return make_pair(problem, option, quote, Use(hours, float(use), float(use), ""))


def _use(plan: Plan, option: PurchaseOption, span: str) -> Decimal | float:
    """Planned use, counted as the rental is paid for: from the plan's break-even rows."""
    unit, whole = PER_SPAN[span]
    for row in plan.breakeven:
        wanted = ("pair", option.name, "utilisation", unit)
        found = (row["kind"], row["subject"], row["quantity"], row["unit"])
        if found == wanted and row["now"] is not None:
            return Decimal(row["now"]) / whole
    if any(line.option == option.name for line in plan.bought):
        return _hours(plan, option)
    raise RentoptError(
        f"the plan does not say how much {option.name} would be used; "
        "make it with its break-even points (without --no-breakeven)"
    )


def _hours(plan: Plan, option: PurchaseOption) -> float:
    """Share of the hours owned in which the bought nodes work."""
    used = sum(
        float(line.nodes) * line.hours_per_day * (line.end - line.start).days
        for line in plan.usages
        if line.asset == option.name
    )
    owned = sum(
        HOURS_IN_DAY * line.nodes * (line.sold - line.usable).days
        for line in plan.bought
        if line.option == option.name
    )
    return used / owned if owned else 0.0


def _rent_quote(problem: Problem, quote: Quote) -> RentQuote:
    listing, costs = quote.listing, problem.costs
    offer, book = listing.offer, costs.book
    per_node_hour = quote.per_hour / quote.ratio
    amount, currency, instances = offer.price.amount, offer.price.currency, listing.units
    exchange, hours = Decimal(1), Decimal(1)
    if quote.span == "hour":
        if currency != costs.currency:
            exchange = book.fx.rate(currency, costs.currency, book.as_of).value
        quoted_hour = amount * instances * exchange
        vat = per_node_hour / quoted_hour if quoted_hour else Decimal(1)
    else:
        # Upfront parts, instalments and exchange are already in what a term costs in all.
        amount, currency, instances, vat = per_node_hour, costs.currency, 1, Decimal(1)
    return RentQuote(
        name=quote.name,
        provider=offer.provider,
        region=offer.region,
        tier=str(offer.tier),
        quoted=offer.quoted,
        amount=amount,
        currency=currency,
        instances=instances,
        exchange=exchange,
        vat=vat,
        hours=hours,
        ratio=quote.ratio,
        how=quote.how,
        observed_at=offer.observed_at,
        age_days=offer.age_days(book.as_of),
        confidence=offer.confidence,
        source=offer.source,
    )
