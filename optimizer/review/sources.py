"""From a line of the bill down to what was quoted, and to what the schedule sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

from optimizer.costs import Flow
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.options.market import on_nodes
from optimizer.plans import Bought, LedgerLine, Rental
from optimizer.problem import PurchaseOption
from optimizer.review.derivation.curves import curve_figure
from optimizer.review.derivation.steps import product, worked_out
from optimizer.review.figure import Figure, How
from optimizer.review.sides import Side, nearest_month, rental_gpu_hours
from optimizer.schedule.document import OwnedHardware, Purchase
from providers.hardware import node_kind
from providers.money import Money
from providers.offers import Offer, TokenOffer

SCHEDULE, PLAN = "the schedule", "the plan"
_MONTH = f"({DAYS_IN_YEAR} / 12)"


class Derivation:
    """Figures of one side's bill."""

    def __init__(self, side: Side) -> None:
        self.side, self.costs = side, side.problem.costs
        self.currency = self.costs.currency
        self.offers = {offer.sku: offer for offer in self.costs.book.offers}
        self.tokens = {f"{o.provider}/{o.provider_model}": o for o in self.costs.book.token_offers}
        self.table = ", ".join(
            f"{source.name} {source.sha256[:12]}".strip() for source in self.costs.book.sources
        )

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
        """A line at its present value: first what it is paid for, then when."""
        what = f"pv.{line.component}.{line.cause}"
        title = f"present value of {line.component}, {line.cause}"
        flows = [
            flow
            for cause, flow in self.side.bill
            if (flow.component, cause) == (line.component, line.cause)
        ]
        runs = [
            self._run(f"{what}.{number}", run, rate) for number, run in enumerate(_runs(flows), 1)
        ]
        on = (self.paid(line), *runs)
        return self._amount(what, title, line.present_value, How.FORMULA, "sum(worth)", *on)

    def _run(self, what: str, flows: Sequence[Flow], rate: Figure) -> Figure:
        """Equal payments on neighbouring days, at present value."""
        first, last = flows[0].day, flows[-1].day
        name, part = f"{self.side.name}.{what}", what.removeprefix("pv.").rpartition(".")[0]
        amount = Figure(
            f"{name}.amount", "paid on a day", flows[0].amount, self.currency,
            source=f"part of {self.side.name}.{part}", symbol="amount",
        )  # fmt: skip
        days = [self._counted(f"{name}.day", "day", first, "day")]
        formula = f"amount * (1 + r) ^ (-day / {DAYS_IN_YEAR})"
        title = f"paid on {self.side.day(first)}, present value"
        if last > first:
            days = [
                self._counted(f"{name}.first", "first day", first, "first"),
                self._counted(f"{name}.end", "day after the last", last + 1, "end"),
            ]
            formula = "amount * worth_of_days(r, first, end)"
            title = f"paid daily {self.side.day(first)} to {self.side.day(last)}, present value"
        on = (amount, rate.called("r"), *days)
        return worked_out(name, title, self.currency, formula, *on, symbol="worth")

    def paid(self, line: LedgerLine) -> Figure:
        """A line undiscounted, with what it was paid for."""
        parts = list(self._parts(line))
        what, title = f"{line.component}.{line.cause}", f"{line.component}, {line.cause}"
        left = line.amount - sum((part.value or Decimal(0) for part in parts), Decimal(0))
        if abs(left) > Decimal("1e-15") * max(Decimal(1), abs(line.amount)):
            # A plan made again in the middle: what was paid before is one sum.
            sunk = f"{self.side.name}.{what}.sunk"
            words = "paid, or owed, before the day it was planned again for"
            parts.append(Figure(sunk, words, left, self.currency, source=PLAN))
        return self._amount(what, title, line.amount, How.SUM, _WORDS[line.component], *parts)

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
            yield from self._data(line.cause)
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
        name = f"{self.side.name}.rent.{rental.offer}.{number}"
        nodes = self._counted(f"{name}.nodes", "nodes", rental.nodes, "nodes")
        if rental.terms:
            bills = self._bills(name, rental, offer)
            formula = "nodes * sum(bill)"
            return worked_out(name, title, self.currency, formula, nodes, *bills)
        node_hours = rental_gpu_hours(rental) / node_kind(rental.node).count / rental.nodes
        hours = self._counted(f"{name}.hours", "hours of a node", node_hours, "hours")
        on = (self._unit(offer, rental.units_per_node), nodes, hours)
        return worked_out(name, title, self.currency, "unit * nodes * hours", *on)

    def _unit(self, offer: Offer, units: int) -> Figure:
        """Price of one increment of a node, in the reporting currency."""
        value = self.costs.increment_price(offer, units)
        title, each = f"price of a node's {offer.increment}", f"{self.currency}/{offer.increment}"
        on = [self._quote(offer)]
        if units > 1:
            on.append(self._counted(f"units.{offer.sku}", "instances a node", units, ""))
        on += [*self._exchange(offer.price)]
        plain = self.costs.in_currency(offer.price) * units
        if value != plain:
            on.append(self._set("vat.services", "VAT on services, added or taken out",
                                value / plain))  # fmt: skip
        return replace(product(f"unit.{offer.sku}.{units}", title, each, "as quoted, converted",
                               *on), value=value, symbol="unit")  # fmt: skip

    def _bills(self, name: str, rental: Rental, offer: Offer) -> Iterator[Figure]:
        """Of all terms of a node, equal ones together."""
        listing = next(x for x in on_nodes(offer) if x.units == rental.units_per_node)
        tenor, start = self.costs.term(offer), rental.start
        amounts: dict[Decimal, int] = {}
        for _ in range(rental.terms):
            at = self.side.problem.horizon.index(start)
            for flow in self.costs.rental(offer, listing.units, at):
                amounts[flow.amount] = amounts.get(flow.amount, 0) + 1
            start = tenor.end(start)
        unit = self._unit(offer, listing.units)
        for number, (amount, times) in enumerate(amounts.items(), start=1):
            bill = f"{name}.bill.{number}"
            count = self._counted(f"{bill}.times", "bills of it, over all terms", times, "times")
            if offer.upfront.amount and number == 1:
                each = Figure(
                    f"{bill}.upfront", "paid when a term starts", amount, self.currency,
                    source=offer.source, observed_at=offer.observed_at, table=self.table,
                    note=f"quoted as {offer.quoted}", symbol="upfront",
                )  # fmt: skip
                yield worked_out(bill, "upfront", self.currency, "times * upfront", count, each,
                                 symbol="bill")  # fmt: skip
                continue
            words = f"of a bill, in {offer.increment}s"
            if amount < 0:
                words += "; negative: credit for what lies past the schedule"
            share = amount / (unit.value or 1)
            quantity = self._counted(f"{bill}.quantity", words, share, "quantity")
            formula = "times * quantity * unit"
            yield worked_out(bill, f"{times} bills", self.currency, formula, count, quantity, unit,
                             symbol="bill")  # fmt: skip

    def _quote(self, offer: Offer) -> Figure:
        note = f"quoted as {offer.quoted}, grade {offer.confidence}"
        unit = f"{offer.price.currency}/{offer.increment}"
        return Figure(
            f"quote.{offer.sku}", f"price of {offer.sku}", offer.price.amount, unit,
            source=offer.source, note=f"{note}; {offer.note}" if offer.note else note,
            observed_at=offer.observed_at, table=self.table,
        )  # fmt: skip

    def _exchange(self, money: Money) -> Iterator[Figure]:
        if money.currency == self.currency:
            return
        book = self.costs.book
        rate = book.fx.rate(money.currency, self.currency, book.as_of)
        yield Figure(
            f"fx.{rate.base}{rate.quote}", f"1 {rate.base}", rate.value, rate.quote,
            source=rate.source, observed_at=rate.day,
        )  # fmt: skip

    # -- tokens and data -----------------------------------------------------------------------

    def _api(self, cause: str) -> Iterator[Figure]:
        offer: TokenOffer = self.tokens[cause]
        uses = [use for use in self.side.parts.assignments if use.node == cause]
        lengths = {str(piece): piece.n_hours for piece in self.side.problem.horizon.slices}
        for demand in self.side.problem.services:
            mine = [use for use in uses if use.workload == demand.service.name]
            if not mine:
                continue
            name = f"{self.side.name}.api.{cause}.{demand.service.name}"
            hours = sum(
                (use.load * lengths[use.hours] * (use.end - use.start).days for use in mine),
                Decimal(0),
            )
            prompt, output = (
                self._counted(f"{name}.{kind}", f"{kind} tokens", each * hours, kind)
                for kind, each in zip(("input", "output"), demand.tokens_per_hour(), strict=True)
            )
            on = (prompt, output, *self._token_prices(cause, offer))
            formula = "(input * input_price + output * output_price) / 1000000"
            yield worked_out(name, f"tokens of {demand.service.name}", self.currency, formula, *on)

    def _token_prices(self, cause: str, offer: TokenOffer) -> Iterator[Figure]:
        prices = {"input": offer.input_per_million, "output": offer.output_per_million}
        for kind, price in prices.items():
            quoted = Figure(
                f"quote.{cause}.{kind}", f"a million {kind} tokens of {cause}", price.amount,
                price.currency, source=offer.source, observed_at=offer.observed_at,
                table=self.table, note=f"grade {offer.confidence}", symbol=f"{kind}_price",
            )  # fmt: skip
            exchanged = list(self._exchange(price))
            if exchanged:
                title = f"a million {kind} tokens, converted"
                converted = product(f"price.{cause}.{kind}", title, self.currency,
                                    "as quoted, converted", quoted, *exchanged)  # fmt: skip
                quoted = converted.called(f"{kind}_price")
            yield quoted

    def _data(self, cause: str) -> Iterator[Figure]:
        price = self.side.problem.schedule.document.market.transfer
        demand = next((d for d in self.side.problem.jobs if d.job.name == cause), None)
        if price is None or demand is None:
            return
        gigabytes = self._set(f"data.{cause}", "GB moved", demand.job.data)
        rate = self._given("transfer", "transfer of a GB", price, "market.transfer")
        yield product(f"{self.side.name}.data.{cause}.moved", f"data of {cause}", self.currency,
                      "GB x price", gigabytes, rate, *self._exchange(price))  # fmt: skip

    # -- owning ------------------------------------------------------------------------------

    def _option(self, name: str) -> PurchaseOption | None:
        return next((o for o in self.side.problem.purchases if o.name == name), None)

    def _bought(self, bought: Bought, component: str, number: int) -> Figure:
        name = f"{self.side.name}.{component}.{bought.option}.{number}"
        nodes = self._counted(f"{name}.nodes", "nodes", bought.nodes, "nodes")
        price = self._price(bought.option, bought.price / bought.nodes)
        if component == "purchase":
            title = f"{bought.nodes} x {bought.node}, paid on {bought.paid}"
            return worked_out(name, title, self.currency, "nodes * price", nodes, price)
        title = f"{bought.nodes} x {bought.node}, sold on {bought.sold}"
        money, option = self.costs.money, self._option(bought.option)
        curve = (option.item.residual if option else None) or money.residual
        days = (bought.sold - bought.usable).days
        age = worked_out(
            f"{name}.age", "age at the sale", "months", f"days / {_MONTH}",
            self._counted(f"{name}.days", "days from delivery to sale", days, "days"),
            symbol="age",
        )  # fmt: skip
        share = curve_figure(f"{name}.share", curve, age, SCHEDULE)
        cost = self._set("resale_cost", "cost of a sale, share of it", money.resale_cost)
        on = (nodes, price, share, cost.called("cost"))
        return worked_out(name, title, self.currency, "-nodes * price * share * (1 - cost)", *on)

    def _price(self, name: str, value: Decimal) -> Figure:
        """Of one node, as it is paid."""
        option = self._option(name)
        if option is None:
            return Figure(f"price.{name}", "price of a node", value, self.currency, source=PLAN,
                          symbol="price")  # fmt: skip
        source = option.item.source or SCHEDULE
        title = f"price of one {option.kind}"
        on = [self._given(f"price.{name}", title, option.item.price, source)]
        on += [*self._exchange(option.item.price)]
        plain = self.costs.in_currency(option.item.price)
        if value != plain and plain:
            on.append(self._set("vat.goods", "VAT on goods, added or taken out", value / plain))
        if len(on) == 1:
            return on[0].called("price")
        made = product(f"price.{name}.paid", title, self.currency, "as quoted, converted", *on)
        return replace(made, value=value, symbol="price")

    def _running(self, line: LedgerLine) -> Iterator[Figure]:
        item = self._item(line.cause)
        if item is None:
            return
        days = self._node_days(line.cause, item)
        name = f"{self.side.name}.{line.component}.{line.cause}"
        if line.component == "electricity":
            yield from self._energy(name, line.cause, item, days)
        elif line.component == "hosting" and item.hosting is not None:
            title = "hosting of one node for a month"
            hosting = self._given(f"hosting.{line.cause}", title, item.hosting, SCHEDULE)
            on = (days, hosting.called("hosting"), *(f.called("fx") for f in
                                                     self._exchange(item.hosting)))  # fmt: skip
            formula = f"days * hosting{' * fx' if len(on) > 2 else ''} / {_MONTH}"
            yield worked_out(f"{name}.paid", "hosting", self.currency, formula, *on)
        elif line.component == "maintenance" and isinstance(item, Purchase):
            bought = self.side.bought(line.cause)[0]
            price = self._price(line.cause, bought.price / bought.nodes)
            share = self._set(f"maintenance.{line.cause}", "share of the price a year",
                              item.maintenance)  # fmt: skip
            formula = f"days * price * share / 12 / {_MONTH}"
            yield worked_out(f"{name}.paid", "maintenance", self.currency, formula, days, price,
                             share.called("share"))  # fmt: skip

    def _node_days(self, cause: str, item: Purchase | OwnedHardware) -> Figure:
        """Nodes times days, from delivery (or the day planned again from) to the sale."""
        today, horizon = self.costs.from_day, self.side.problem.horizon
        if isinstance(item, Purchase):
            count = sum(
                line.nodes * (horizon.index(line.sold) - max(horizon.index(line.usable), today))
                for line in self.side.bought(cause)
            )
        else:
            asset = next(a for a in self.side.problem.owned if a.name == cause)
            count = asset.count * (horizon.n_days - asset.first_day)
        name = f"{self.side.name}.node_days.{cause}"
        return self._counted(name, "nodes x days from delivery to sale", count, "days")

    def _energy(
        self, name: str, cause: str, item: Purchase | OwnedHardware, days: Figure
    ) -> Iterator[Figure]:
        """Of waiting, all day long, and what work adds in each part of the day."""
        busy, idle = self.costs.power_w(item)
        money, pieces = self.costs.money, self.side.problem.horizon.slices
        pue = self._set("pue", "PUE", money.pue).called("pue")
        watts = self._set(f"idle.{cause}", "power of a waiting node, in W", idle).called("idle")
        prices = [
            self._set(f"tariff.{piece}", f"a kWh at {piece}, in {self.currency}",
                      self.costs.kwh_price(piece))
            for piece in pieces
        ]  # fmt: skip
        always = money.power_policy == "always_on"
        if always and idle:
            terms = [f"p{n} * {piece.n_hours}" for n, piece in enumerate(pieces, 1)]
            formula = f"days * idle / 1000 * pue * ({' + '.join(terms)})"
            on = (days, watts, pue, *(price.called(f"p{n}") for n, price in enumerate(prices, 1)))
            yield worked_out(f"{name}.idle", "waiting", self.currency, formula, *on)
        working = self._set(f"busy.{cause}", "power of a working node, in W", busy).called("busy")
        for piece, price in zip(pieces, prices, strict=True):
            hours = sum(
                (
                    use.nodes * piece.n_hours * (use.end - use.start).days
                    for use in self.side.parts.usages
                    if (use.asset, use.hours) == (cause, str(piece))
                ),
                Decimal(0),
            )
            if not hours:
                continue
            what = f"{name}.busy.{piece}"
            worked = self._counted(f"{what}.hours", f"node-hours at work, {piece}", hours, "hours")
            extra = "(busy - idle)" if always else "busy"
            on = (worked, working, *([watts] if always else []), pue, price.called("kwh"))
            formula = f"hours * {extra} / 1000 * pue * kwh"
            yield worked_out(what, f"work, {piece}", self.currency, formula, *on)

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

    def _counted(self, name: str, title: str, value: Decimal | int, symbol: str) -> Figure:
        return Figure(name, title, Decimal(value), "", source=PLAN, symbol=symbol)


def _runs(flows: Sequence[Flow]) -> Iterator[list[Flow]]:
    """Equal payments on neighbouring days, as they follow each other in the bill."""
    for _, group in groupby(enumerate(flows), lambda x: (x[1].amount, x[1].day - x[0])):
        yield [flow for _, flow in group]


_WORDS = {
    "rent": "sum of the rentals on this offer",
    "purchase": "sum of the purchases",
    "resale": "sum of the resales, as inflows",
    "electricity": "waiting and work",
    "hosting": "sum",
    "maintenance": "sum",
    "api": "sum over the workloads",
    "data": "sum",
}
