"""From a line of the bill down to what was quoted, and to what the schedule sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from optimizer.plans import Bought, LedgerLine, Rental
from optimizer.problem import PurchaseOption
from optimizer.review.figure import Figure, How
from optimizer.review.sides import Side, nearest_month, rental_gpu_hours
from optimizer.schedule.document import OwnedHardware, Purchase
from providers.hardware import node_kind
from providers.money import Money
from providers.offers import Offer, TokenOffer

SCHEDULE = "the schedule"


class Derivation:
    """Figures of one side's bill."""

    def __init__(self, side: Side) -> None:
        self.side, self.costs = side, side.problem.costs
        self.currency = self.costs.currency
        self.offers = {offer.sku: offer for offer in self.costs.book.offers}
        self.tokens = {f"{o.provider}/{o.provider_model}": o for o in self.costs.book.token_offers}

    # -- the bill ----------------------------------------------------------------------------

    def total(self) -> Figure:
        """Everything paid, undiscounted."""
        parts = tuple(self.paid(line) for line in self.side.lines)
        return self._amount("total", "paid in all", self.side.total, How.SUM, "sum", *parts)

    def present_value(self, rate: Figure) -> Figure:
        parts = tuple(self.worth(line, rate) for line in self.side.lines)
        value = self.side.present_value
        return self._amount("pv", "present value of the bill", value, How.SUM, "sum", *parts)

    def worth(self, line: LedgerLine, rate: Figure) -> Figure:
        """A line at its present value."""
        what = f"pv.{line.component}.{line.cause}"
        title = f"present value of {line.component}, {line.cause}"
        formula = "each payment / (1 + rate) ^ (day / 365), added up"
        on = (self.paid(line), rate)
        return self._amount(what, title, line.present_value, How.WORDS, formula, *on)

    def paid(self, line: LedgerLine) -> Figure:
        """A line undiscounted, with what it was paid for."""
        parts = tuple(self._parts(line))
        covered = sum((part.value or Decimal(0) for part in parts), Decimal(0)) == line.amount
        how = How.SUM if parts and covered else How.WORDS
        what, title = f"{line.component}.{line.cause}", f"{line.component}, {line.cause}"
        return self._amount(what, title, line.amount, how, _FORMULAS[line.component], *parts)

    def _amount(
        self, what: str, title: str, value: Decimal, how: How, formula: str, *on: Figure
    ) -> Figure:
        name, words = f"{self.side.name}.{what}", f"{title} ({self.side.name})"
        return Figure(name, words, value, self.currency, how, formula, on)

    def _parts(self, line: LedgerLine) -> Iterator[Figure]:
        if line.component == "rent":
            rentals = [r for r in self.side.parts.rentals if r.offer == line.cause]
            for number, rental in enumerate(rentals, start=1):
                yield self._rental(rental, number)
        elif line.component in ("purchase", "resale"):
            for number, bought in enumerate(self.side.bought(line.cause), start=1):
                yield self._bought(bought, line.component, number)
        elif line.component == "api":
            yield from self._api(line.cause)
        elif line.component == "data":
            transfer = self.side.problem.schedule.document.market.transfer
            if transfer is not None:
                yield self._given("transfer", "transfer of a GB", transfer, SCHEDULE)
        else:
            yield from self._running(line)

    def month(self, number: int) -> Figure:
        """Everything paid in a month, by line of the bill, whose own figure tells the rest."""
        by_line: dict[str, Decimal] = {}
        for cause, flow in self.side.bill:
            if nearest_month(flow.day) == number:
                what = f"{flow.component}.{cause}"
                by_line[what] = by_line.get(what, Decimal(0)) + flow.amount
        parts = tuple(
            Figure(
                f"{self.side.name}.month.{number}.{what}", f"{what} in month {number}", amount,
                self.currency, source=f"part of {self.side.name}.{what}",
            )
            for what, amount in sorted(by_line.items())
        )  # fmt: skip
        value = sum(by_line.values(), Decimal(0))
        what, title = f"month.{number}", f"paid in month {number}"
        paid = self._amount(what, title, value, How.SUM, "sum", *parts)
        return paid if parts else replace(paid, source="nothing is paid in it")

    # -- renting -----------------------------------------------------------------------------

    def _rental(self, rental: Rental, number: int) -> Figure:
        offer = self.offers[rental.offer]
        when = f"{rental.start} until {rental.end}"
        title = f"{rental.nodes} x {rental.node}, {when}, hours {rental.hours}"
        priced = [self._offer(offer), *self._exchange(offer.price)]
        what = f"rent.{rental.offer}.{number}"
        if rental.terms:
            units = f"{rental.nodes} nodes of {rental.units_per_node} units"
            formula = f"{units}, {rental.terms} terms of the quote, as it is billed"
            on = [*priced, *self._vat(offer)]
            return self._amount(what, title, rental.cost, How.WORDS, formula, *on)
        node_hours = rental_gpu_hours(rental) / node_kind(rental.node).count
        hours = Figure(
            f"{what}.hours", f"hours x {rental.units_per_node} units a node",
            node_hours * rental.units_per_node, "h", source="the plan",
        )  # fmt: skip
        return self._product(what, title, rental.cost, [*priced, hours], [*self._vat(offer)])

    def _product(
        self, what: str, title: str, value: Decimal, factors: list[Figure], tax: list[Figure]
    ) -> Figure:
        """A price times what it is paid for; with VAT on top or taken out, where that is asked."""
        plain = self._amount(what, title, value, How.PRODUCT, "price x quantity", *factors)
        if plain.recomputed == value:
            return plain
        formula = "price x quantity, with or without VAT as money.vat says"
        return self._amount(what, title, value, How.WORDS, formula, *factors, *tax)

    def _offer(self, offer: Offer) -> Figure:
        note = f"seen on {offer.observed_at}, grade {offer.confidence}; quoted as {offer.quoted}"
        unit = f"{offer.price.currency}/{offer.increment}"
        return Figure(
            f"quote.{offer.sku}", f"price of {offer.sku}", offer.price.amount, unit,
            source=offer.source, note=f"{note}; {offer.note}" if offer.note else note,
        )  # fmt: skip

    def _exchange(self, money: Money) -> Iterator[Figure]:
        if money.currency == self.currency:
            return
        book = self.costs.book
        rate = book.fx.rate(money.currency, self.currency, book.as_of)
        yield Figure(
            f"fx.{rate.base}{rate.quote}", f"1 {rate.base}", rate.value, rate.quote,
            source=rate.source, note=f"on {rate.day}",
        )  # fmt: skip

    def _vat(self, offer: Offer) -> Iterator[Figure]:
        money = self.costs.money
        if money.vat == "ignore" or offer.tax_included is None:
            return
        yield self._set("vat_rate_services", "VAT on services", money.vat_rate_services)

    def _api(self, cause: str) -> Iterator[Figure]:
        offer: TokenOffer | None = self.tokens.get(cause)
        if offer is None:
            return
        note = f"seen on {offer.observed_at}, grade {offer.confidence}"
        prices = {"input": offer.input_per_million, "output": offer.output_per_million}
        for kind, price in prices.items():
            yield Figure(
                f"quote.{cause}.{kind}", f"a million {kind} tokens of {cause}", price.amount,
                price.currency, source=offer.source, note=note,
            )  # fmt: skip
        yield from self._exchange(offer.input_per_million)

    # -- owning ------------------------------------------------------------------------------

    def _option(self, name: str) -> PurchaseOption | None:
        return next((o for o in self.side.problem.purchases if o.name == name), None)

    def _bought(self, bought: Bought, component: str, number: int) -> Figure:
        what = f"{component}.{bought.option}.{number}"
        if component == "purchase":
            title = f"{bought.nodes} x {bought.node}, paid on {bought.paid}"
            nodes = Figure(
                f"{what}.nodes", "nodes", Decimal(bought.nodes), "", source="the plan"
            )  # fmt: skip
            rate = self._set("vat_rate_goods", "VAT on goods", self.costs.money.vat_rate_goods)
            factors = [*self._price(bought.option), nodes]
            return self._product(what, title, bought.price, factors, [rate])
        title = f"{bought.nodes} x {bought.node}, sold on {bought.sold}"
        money, option = self.costs.money, self._option(bought.option)
        curve = (option.item.residual if option else None) or money.residual
        points = ", ".join(f"{month} months {share:.0%}" for month, share in sorted(curve.items()))
        share = Figure(
            f"residual.{bought.option}", "share of the price that a resale brings",
            bought.resale / bought.price if bought.price else None, "",
            source=SCHEDULE, note=f"{points}; cost of a sale {money.resale_cost:.0%}",
        )  # fmt: skip
        formula = "price x share left at its age, counted as an inflow"
        on = (*self._price(bought.option), share)
        return self._amount(what, title, -bought.resale, How.WORDS, formula, *on)

    def _price(self, name: str) -> Iterator[Figure]:
        option = self._option(name)
        if option is None:
            return
        source = option.item.source or SCHEDULE
        yield self._given(f"price.{name}", f"price of one {option.kind}", option.item.price, source)
        yield from self._exchange(option.item.price)

    def _running(self, line: LedgerLine) -> Iterator[Figure]:
        """What electricity, hosting and maintenance are worked out with."""
        item = self._item(line.cause)
        money = self.costs.money
        if item is None:
            return
        if line.component == "electricity":
            busy, idle = self.costs.power_w(item)
            yield self._set(f"busy.{line.cause}", "power of a busy node, in W", busy)
            yield self._set(f"idle.{line.cause}", "power of an idle node, in W", idle)
            yield self._set("pue", "PUE", money.pue)
            for piece in self.side.problem.horizon.slices:
                price = self.costs.kwh_price(piece)
                yield self._set(f"tariff.{piece}", f"a kWh at {piece}, in {self.currency}", price)
        elif line.component == "hosting" and item.hosting is not None:
            name, title = f"hosting.{line.cause}", "hosting of one node for a month"
            yield self._given(name, title, item.hosting, SCHEDULE)
            yield from self._exchange(item.hosting)
        elif line.component == "maintenance" and isinstance(item, Purchase):
            share = item.maintenance
            yield self._set(f"maintenance.{line.cause}", "share of the price a year", share)
            yield from self._price(line.cause)

    def _item(self, cause: str) -> Purchase | OwnedHardware | None:
        option = self._option(cause)
        if option is not None:
            return option.item
        owned = self.side.problem.owned
        return next((asset.item for asset in owned if asset.name == cause), None)

    def _given(self, name: str, title: str, money: Money, source: str) -> Figure:
        return Figure(name, title, money.amount, money.currency, source=source)

    def _set(self, name: str, title: str, value: Decimal | float) -> Figure:
        return Figure(name, title, Decimal(str(value)), "", source=SCHEDULE)


_FORMULAS = {
    "rent": "sum of the rentals on this offer",
    "purchase": "sum of the purchases",
    "resale": "sum of the resales, as inflows",
    "electricity": "watts / 1000 x PUE x hours x price of a kWh, busy and idle",
    "hosting": "nodes x months x price of a month",
    "maintenance": "price x share a year x years owned",
    "api": "million tokens x price, input and output",
    "data": "GB moved x price of a GB",
}
