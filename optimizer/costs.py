"""The only place where an offer, a purchase or a kilowatt-hour becomes money.

Each cost is a list of dated flows in the reporting currency, exact. The objective takes their
present value, the ledger and the cash flow take the flows themselves, so the three cannot drift.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from optimizer.finance.residual import residual_share
from optimizer.finance.time_value import discount_factor
from optimizer.horizon import Horizon, Slice
from optimizer.schedule.document import MoneyAssumptions, OwnedHardware, Purchase
from optimizer.schedule.quantities import hours_of_day
from providers.hardware import accelerators, node_kind
from providers.money import Money
from providers.offers import Offer, OfferBook, TokenOffer
from providers.terms import Increment, Tenor, add_months

HOST_POWER_W = Decimal(150)
"""Power of a host beside its GPUs; assumed where the schedule gives no node power."""
MEAN_DAYS_IN_MONTH = Decimal(365) / 12

_BARE_TENOR = {
    Increment.DAY: Tenor(days=1),
    Increment.WEEK: Tenor(days=7),
    Increment.MONTH: Tenor(months=1),
    Increment.YEAR: Tenor(months=12),
}


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that leaves (positive) or comes in (negative) on a day of the plan."""

    day: int
    amount: Decimal
    component: str
    """Line of the ledger: rent, purchase, resale, electricity, maintenance, hosting, api, data."""


def term_of(offer: Offer) -> Tenor:
    """What has to be paid for once started: the tenor, or one whole day, week, month."""
    return offer.tenor or _BARE_TENOR.get(offer.increment, Tenor())


class DailyPrices(Protocol):
    """Prices of a stretch of days."""

    def offer(self, offer: Offer, day: date) -> Offer:
        """The offer as it was asked for on that day, or last before."""

    def purchase(self, item: Purchase, day: date) -> Purchase:
        """Hardware as it was for sale on that day."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Prices of one plan: the assumptions, the exchange rates and the days they apply to."""

    horizon: Horizon
    currency: str
    book: OfferBook
    money: MoneyAssumptions
    from_day: int = 0
    """Day of a plan made again: what owned nodes cost before it is counted as sunk."""
    paid: frozenset[str] = frozenset()
    """Offers (sku) that stand for terms that run already: nothing more is paid for them."""
    days: DailyPrices | None = None
    """Prices that differ from day to day; None: those of the book, on all days."""

    # -- conversion and time ---------------------------------------------------------------

    def in_currency(self, money: Money) -> Decimal:
        return self.book.in_currency(money, self.currency).amount

    def present_value(self, flows: Iterable[Flow]) -> Decimal:
        rate = Decimal(str(self.money.discount_rate))
        return sum((f.amount * discount_factor(rate, f.day) for f in flows), Decimal(0))

    def _with_vat(self, amount: Decimal, tax_included: bool | None, rate: float) -> Decimal:
        """Net of VAT when it is recoverable, with VAT when it is a cost, else as quoted."""
        factor = 1 + Decimal(str(rate))
        if self.money.vat == "recoverable" and tax_included:
            return amount / factor
        if self.money.vat == "cost" and tax_included is False:
            return amount * factor
        return amount

    # -- renting ---------------------------------------------------------------------------

    def increment_price(self, offer: Offer, units: int) -> Decimal:
        """Price of one increment (an hour for SECOND) of `units` times the quoted instance."""
        amount = self.in_currency(offer.price) * units
        return self._with_vat(amount, offer.tax_included, self.money.vat_rate_services)

    def term(self, offer: Offer) -> Tenor:
        return term_of(offer)

    def dated(self, offer: Offer, day: int) -> Offer:
        """The offer at the price in force on a day: what starts then costs that to its end."""
        return offer if self.days is None else self.days.offer(offer, self.horizon.day(day))

    def hourly(self, offer: Offer, units: int, day: int, hours: int) -> list[Flow]:
        """Node-hours of an offer that can be given back after any hour."""
        offer = self.dated(offer, day)
        return [Flow(day, self.increment_price(offer, units) * hours, "rent")]

    def rental(self, offer: Offer, units: int, start: int) -> list[Flow]:
        """One term of an offer that starts on day `start`, as it is billed.

        A package is paid whole when it starts; a month within a longer term in advance; hours
        within a term at the end of each month of it. What lies past the horizon is charged whole,
        or credited pro rata on the last day, together with the bills that were still to come
        (`money.terms_past_horizon`): a credit for bills discounted over years would pay for itself.
        """
        if offer.sku in self.paid:
            return []
        offer = self.dated(offer, start)
        tenor = self.term(offer)
        first = self.horizon.day(start)
        end = tenor.end(first)
        price = self.increment_price(offer, units)
        upfront = self._with_vat(
            self.in_currency(offer.upfront) * units,
            offer.tax_included,
            self.money.vat_rate_services,
        )
        flows = [Flow(start, upfront, "rent")] if upfront else []
        if offer.prepaid or not offer.tenor:
            flows.append(Flow(start, price, "rent"))
        else:
            flows += self._instalments(offer, price, first, end)
        last = self.horizon.n_days
        past = self.horizon.index(end) - last
        if past > 0 and self.money.terms_past_horizon == "credit":
            whole = sum((flow.amount for flow in flows), Decimal(0))
            unused = whole * past / (end - first).days
            flows = [Flow(min(flow.day, last), flow.amount, "rent") for flow in flows]
            flows.append(Flow(last, -unused, "rent"))
        return flows

    def _instalments(self, offer: Offer, price: Decimal, first: date, end: date) -> list[Flow]:
        """Bills of a term longer than its increment, one a month of the term."""
        flows: list[Flow] = []
        at, months = first, 0
        while at < end:
            months += 1
            until = min(add_months(first, months), end)
            days = (until - at).days
            if offer.increment in (Increment.SECOND, Increment.HOUR):
                flows.append(Flow(self.horizon.index(until), price * 24 * days, "rent"))
            elif offer.increment is Increment.MONTH:
                flows.append(Flow(self.horizon.index(at), price, "rent"))
            else:
                per_day = price / Decimal(_BARE_TENOR[offer.increment].about_days)
                flows.append(Flow(self.horizon.index(at), per_day * days, "rent"))
            at = until
        return flows

    # -- owning ----------------------------------------------------------------------------

    def purchase(self, option: Purchase, buy: int, sell: int) -> list[Flow]:
        """One node paid on day `buy`, used from delivery, sold at the end of day `sell` - 1.

        Purchase, maintenance and hosting month by month while owned, resale net of its cost;
        idle electricity of a node that is always on (`busy_energy` adds what use costs).
        """
        goods = self.money.vat_rate_goods
        if self.days is not None:
            option = self.days.purchase(option, self.horizon.day(buy))
        price = self._with_vat(self.in_currency(option.price), option.tax_included, goods)
        flows = [Flow(buy, price, "purchase")]
        delivered = buy + option.lead_time
        flows += self._running(option.hosting, delivered, sell)
        if option.maintenance:
            yearly = price * Decimal(str(option.maintenance))
            flows += self._monthly(yearly / 12, delivered, sell, "maintenance")
        age = Decimal(sell - delivered) / MEAN_DAYS_IN_MONTH
        share = residual_share(option.residual or self.money.residual, age)
        resale = price * share * (1 - Decimal(str(self.money.resale_cost)))
        if resale:
            flows.append(Flow(sell, -resale, "resale"))
        return self._open(flows + self.idle_energy(option, delivered, sell))

    def owned(self, item: OwnedHardware, count: int) -> list[Flow]:
        """Costs of sunk hardware that come whatever the plan does."""
        start = max(0, self.horizon.index(item.available) if item.available else 0)
        end = self.horizon.n_days
        flows = self._running(item.hosting, start, end) + self.idle_energy(item, start, end)
        return self._open(Flow(f.day, f.amount * count, f.component) for f in flows)

    def _open(self, flows: Iterable[Flow]) -> list[Flow]:
        return [flow for flow in flows if flow.day >= self.from_day]

    def _running(self, hosting: Money | None, start: int, end: int) -> list[Flow]:
        if hosting is None:
            return []
        return self._monthly(self.in_currency(hosting), start, end, "hosting")

    def _monthly(self, amount: Decimal, start: int, end: int, component: str) -> list[Flow]:
        """A monthly cost, paid at the end of each started 30.4 days, the last one pro rata."""
        flows: list[Flow] = []
        at = start
        while at < end:
            until = min(end, start + int(MEAN_DAYS_IN_MONTH * (len(flows) + 1)))
            flows.append(Flow(until, amount * (until - at) / MEAN_DAYS_IN_MONTH, component))
            at = until
        return flows

    # -- electricity -----------------------------------------------------------------------

    def power_w(self, item: Purchase | OwnedHardware) -> tuple[Decimal, Decimal]:
        """Busy and idle power of one node in watts, before PUE.

        Where the schedule gives none: the GPUs' rated power plus a host for busy, and
        `money.idle_share` of busy for idle.
        """
        if item.busy_power is not None:
            busy = Decimal(str(item.busy_power))
        else:
            kind = node_kind(item.node)
            card = accelerators()[kind.gpu]
            host = Decimal(0) if card.unified_memory else HOST_POWER_W
            busy = Decimal(str(card.tdp_w or 0)) * kind.count + host
        if item.idle_power is not None:
            return busy, Decimal(str(item.idle_power))
        return busy, busy * Decimal(str(self.money.idle_share))

    def kwh_price(self, piece: Slice) -> Decimal:
        """Electricity price in a slice; 0 only when the schedule gives none."""
        tariff = self.money.electricity
        if tariff is None:
            return Decimal(0)
        if isinstance(tariff, Money):
            return self.in_currency(tariff)
        for band in tariff:
            if any(piece.hours[0] in hours_of_day(window) for window in band.hours):
                return self.in_currency(band.price)
        raise ValueError(f"the tariff does not cover {piece}")  # refused when loaded

    def busy_energy(self, item: Purchase | OwnedHardware, day: int, piece: Slice) -> Flow:
        """What using one owned node in a slice costs on top of keeping it."""
        busy, idle = self.power_w(item)
        extra = busy - idle if self.money.power_policy == "always_on" else busy
        return Flow(day, self._energy(extra, piece), "electricity")

    def idle_energy(self, item: Purchase | OwnedHardware, start: int, end: int) -> list[Flow]:
        if self.money.power_policy == "off_when_idle":
            return []
        idle = self.power_w(item)[1]
        per_day = sum((self._energy(idle, piece) for piece in self.horizon.slices), Decimal(0))
        if not per_day:
            return []
        return self._monthly(per_day * MEAN_DAYS_IN_MONTH, start, end, "electricity")

    def _energy(self, watts: Decimal, piece: Slice) -> Decimal:
        kwh = watts / 1000 * Decimal(str(self.money.pue)) * piece.n_hours
        return kwh * self.kwh_price(piece)

    # -- tokens and data -------------------------------------------------------------------

    def tokens(self, offer: TokenOffer, prompt: Decimal, output: Decimal, day: int) -> Flow:
        """So many prompt and output tokens through an API."""
        paid = self.in_currency(offer.input_per_million) * prompt
        paid += self.in_currency(offer.output_per_million) * output
        return Flow(day, paid / 1_000_000, "api")

    def transfer(self, price_per_gb: Money, gigabytes: float, day: int) -> Flow:
        return Flow(day, self.in_currency(price_per_gb) * Decimal(str(gigabytes)), "data")
