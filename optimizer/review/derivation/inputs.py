"""The assumptions of a question as figures: quoted, set in the schedule, assumed, or planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec

from optimizer.costs import HOST_POWER_W
from optimizer.finance.defaults import defaults
from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.plans import Plan
from optimizer.problem import Problem, PurchaseOption
from optimizer.review.derivation.curves import curve_figure
from optimizer.review.derivation.steps import worked_out
from optimizer.review.figure import Figure, How
from optimizer.review.workbook.question import HOURS_IN_DAY, Lot, Question
from providers.money import Money

FILE, DEFAULT, PLAN = "the schedule", "default", "the plan"
PRICE = "price of the purchase"
P = ParamSpec("P")


class Origin(NamedTuple):
    """Where a value that is given comes from."""

    source: str
    set_by: str
    note: str = ""


def _given(name: str, title: str, value: Decimal, unit: str, origin: Origin) -> Figure:
    return Figure(name, title, value, unit, source=origin.source, set_by=origin.set_by,
                  note=origin.note)  # fmt: skip


Made = Callable[Concatenate["Inputs", P], Figure]


def changeable(*drivers: str) -> Callable[[Made[P]], Made[P]]:
    """An input that may be asked for at another value: then nothing is below it."""

    def decorate(make: Made[P]) -> Made[P]:
        @wraps(make)
        def made(inputs: Inputs, /, *args: P.args, **kwargs: P.kwargs) -> Figure:
            figure = make(inputs, *args, **kwargs)
            if inputs.changed.isdisjoint(drivers):
                return figure
            return Figure(
                figure.name, figure.title, figure.value, figure.unit, symbol=figure.symbol,
                source="another value, asked for", set_by="the command",
            )  # fmt: skip

        return made

    return decorate


class Inputs:
    """What a question starts from.

    Without a plan and its problem the figures are those of the question, and nothing below them.
    """

    def __init__(
        self,
        question: Question,
        plan: Plan | None = None,
        problem: Problem | None = None,
        changed: Iterable[str] = (),
    ) -> None:
        """
        Args:
            changed: assumptions (drivers) of the question that are not the plan's.
        """
        self.question, self.plan, self.problem = question, plan, problem
        self.changed = frozenset(changed)
        self.table = ", ".join(
            f"{source.name} {source.sha256[:12]}".strip() for source in plan.price_sources
        ) if plan else ""  # fmt: skip

    # -- what counts for all purchases ---------------------------------------------------------

    @changeable("rate")
    def rate(self) -> Figure:
        value = self.question.rate
        return self._money("discount_rate", "discount rate, effective", value, "a year").called("r")

    @changeable("pue")
    def pue(self) -> Figure:
        title = "power usage effectiveness"
        return self._money("pue", title, self.question.pue, "").called("pue")

    @changeable("resale_cost")
    def resale_cost(self) -> Figure:
        title = "cost of a sale, share of what it brings"
        return self._money("resale_cost", title, self.question.resale_cost, "").called("cost")

    def horizon(self) -> Figure:
        return Figure(
            "horizon_days", "length of the schedule", Decimal(self.question.days), "days",
            source="horizon", set_by=FILE, symbol="horizon",
        )  # fmt: skip

    @changeable("rent_change")
    def rent_change(self) -> Figure:
        return self._own("rent_change", "change of rental prices", "a year").called("g")

    def tax(self, name: str, title: str, unit: str = "") -> Figure:
        found = self._own(name, title, unit)
        if not self.question.tax_rule:
            return found
        where = "money.tax.rate" if name == "tax_rate" else self.question.tax_rule
        return replace(found, source=where, set_by=FILE)

    def _own(self, name: str, title: str, unit: str) -> Figure:
        """What the question sets itself."""
        value: Decimal = getattr(self.question, name)
        return Figure(name, title, value, unit, source="the question of the review", set_by=DEFAULT)

    def _money(self, name: str, title: str, value: Decimal, unit: str) -> Figure:
        """Of the schedule's section money; a default where it says nothing."""
        return _given(name, title, value, unit, self._origin(name))

    def _origin(self, name: str) -> Origin:
        where = f"money.{name}"
        document = self.problem.schedule.document if self.problem else None
        if document is None or name in document.money.model_fields_set:
            return Origin(where, FILE)
        row = defaults().get(where)
        note = f"{row.source}, {row.observed_at}; {row.note}" if row else ""
        return Origin(where, DEFAULT, note)

    @changeable("tariff")
    def tariff(self) -> Figure:
        """The mean over the day."""
        value, unit = self.question.tariff, f"{self.question.currency}/kWh"
        origin = self._origin("electricity")
        title = "electricity, mean of the day"
        if self.problem is None or not value:
            return _given("electricity", title, value, unit, origin).called("kwh")
        parts: list[Figure] = []
        terms = []
        pieces = self.problem.horizon.slices
        if len(pieces) == 1:
            return _given("electricity", title, value, unit, origin).called("kwh")
        for number, piece in enumerate(pieces, start=1):
            price = self.problem.costs.kwh_price(piece)
            words = f"a kWh at {piece}"
            part = _given(f"electricity.{piece}", words, price, unit, origin)
            parts.append(part.called(f"p{number}"))
            terms.append(f"p{number} * {piece.n_hours}")
        formula = f"({' + '.join(terms)}) / {HOURS_IN_DAY}"
        return Figure("electricity", title, value, unit, How.FORMULA, formula, tuple(parts),
                      symbol="kwh")  # fmt: skip

    # -- a purchase ----------------------------------------------------------------------------

    def option(self, lot: Lot) -> PurchaseOption | None:
        options = self.problem.purchases if self.problem else ()
        return next((option for option in options if option.name == lot.option), None)

    def nodes(self, n: int, lot: Lot) -> Figure:
        who = PLAN if self.question.planned else "the review: one node is weighed"
        return Figure(f"nodes_{n}", f"nodes of {lot.node}", Decimal(lot.nodes), "", source=who,
                      set_by=PLAN, symbol="nodes")  # fmt: skip

    def gpus(self, n: int, lot: Lot) -> Figure:
        return Figure(f"gpus_{n}", "GPUs of a node", Decimal(lot.gpus), "", source=lot.node,
                      set_by=FILE, symbol="gpus")  # fmt: skip

    def day(self, n: int, lot: Lot, which: str) -> Figure:
        by = "the command" if which == "usable" and "delay" in self.changed else PLAN
        words = {"paid": "paid", "usable": "usable from", "sold": "sold"}[which]
        value = Decimal(getattr(lot, which))
        return Figure(f"{which}_{n}", f"{words}, day of the schedule", value, "days", source=PLAN,
                      set_by=by, symbol=which)  # fmt: skip

    @changeable("price")
    def price(self, n: int, lot: Lot) -> Figure:
        title, unit = f"price of one {lot.node}", self.question.currency
        name, option = f"price_{n}", self.option(lot)
        if option is None or self.problem is None:
            return Figure(name, title, lot.price, unit, source=lot.price_source, set_by=FILE,
                          note=lot.price_quoted, symbol="price")  # fmt: skip
        quoted = option.item.price
        factors = [
            Figure(f"price_quoted_{n}", f"{PRICE}, as quoted", quoted.amount, quoted.currency,
                   source=lot.price_source, set_by=FILE),
            *self._exchange(quoted),
        ]  # fmt: skip
        vat = lot.price / self.problem.costs.in_currency(quoted) if quoted.amount else Decimal(1)
        return self._converted(name, title, lot.price, unit, factors, vat).called("price")

    def _exchange(self, money: Money) -> Iterable[Figure]:
        if self.problem is None or money.currency == self.question.currency:
            return ()
        book = self.problem.costs.book
        rate = book.fx.rate(money.currency, self.question.currency, book.as_of)
        return (
            Figure(f"fx.{rate.base}{rate.quote}", f"1 {rate.base}", rate.value, rate.quote,
                   source=rate.source, observed_at=rate.day),
        )  # fmt: skip

    def _converted(
        self, name: str, title: str, value: Decimal, unit: str, factors: list[Figure], vat: Decimal
    ) -> Figure:
        """A quoted price times its exchange rate, and VAT where it counts."""
        if vat != 1:
            words = f"VAT: {self.question.vat}"
            factors.append(
                Figure(f"vat.{name}", words, vat, "", source="money.vat", set_by=FILE)
            )  # fmt: skip
        return Figure(name, title, value, unit, How.PRODUCT, "as quoted, converted", tuple(factors))

    @changeable("residual", "delay")
    def residual(self, n: int, lot: Lot) -> Figure:
        """From the curve over the age, linear between its points."""
        name, title = f"resale_{n}", "share of the price that a sale brings"
        option = self.option(lot)
        if option is None or self.problem is None:
            return Figure(name, title, lot.residual, "", source="residual curve", set_by=FILE,
                          symbol="share")  # fmt: skip
        own = bool(option.item.residual)
        curve = option.item.residual or self.problem.costs.money.residual
        ends = (self.day(n, lot, "sold"), self.day(n, lot, "usable"))
        formula = f"(sold - usable) / ({DAYS_IN_YEAR} / {MONTHS_IN_YEAR})"
        age = worked_out(f"age_{n}", "age at the sale", "months", formula, *ends, symbol="age")
        source = "hardware.buy.residual" if own else "money.residual"
        found = curve_figure(name, curve, age, source, FILE if curve else DEFAULT)
        return replace(found, value=lot.residual)

    @changeable("maintenance")
    def maintenance(self, n: int, lot: Lot) -> Figure:
        title = "maintenance, share of the price a year"
        return self._bought(n, lot, "maintenance", title, lot.maintenance).called("maintenance")

    @changeable("hosting")
    def hosting(self, n: int, lot: Lot) -> Figure:
        title = f"hosting of a node, {self.question.currency} a month"
        found = self._bought(n, lot, "hosting", title, lot.hosting)
        option = self.option(lot)
        if option is not None and option.item.hosting is not None:
            on = [self._quoted(f"hosting_quoted_{n}", option.item.hosting),
                  *self._exchange(option.item.hosting)]  # fmt: skip
            found = self._converted(found.name, title, lot.hosting, found.unit, on, Decimal(1))
        return found.called("hosting")

    def _quoted(self, name: str, money: Money) -> Figure:
        return Figure(name, "as given", money.amount, money.currency, source="hardware.buy",
                      set_by=FILE)  # fmt: skip

    def _bought(self, n: int, lot: Lot, field: str, title: str, value: Decimal) -> Figure:
        """Of the schedule's hardware.buy; nothing where it says nothing."""
        option = self.option(lot)
        given = option is None or field in option.item.model_fields_set
        note = "" if given else "not in the schedule"
        return Figure(f"{field}_{n}", title, value, "", source=f"hardware.buy.{field}",
                      set_by=FILE if given else DEFAULT, note=note)  # fmt: skip

    def power(self, n: int, lot: Lot, which: str) -> Figure:
        """Busy or idle kW of a node."""
        value: Decimal = lot.busy_kw if which == "busy" else lot.idle_kw
        title = f"power of a node that {'works' if which == 'busy' else 'waits'}"
        option, note = self.option(lot), ""
        given = option is None or getattr(option.item, f"{which}_power") is not None
        if not given:
            note = {
                "busy": f"rated power of the GPUs and {HOST_POWER_W} W for the host",
                "idle": "busy power x money.idle_share, or 0 when it is switched off",
            }[which]
        return Figure(f"{which}_kw_{n}", title, value, "kW", source=f"hardware.buy.{which}_power",
                      set_by=FILE if given else DEFAULT, note=note, symbol=which)  # fmt: skip

    @changeable("use")
    def use(self, n: int, lot: Lot) -> Figure:
        note = "hours in which its nodes work, counted as the rental is paid for"
        return Figure(f"use_{n}", "utilisation", lot.use, "", source="usages of the plan",
                      set_by=PLAN, note=note, symbol="use")  # fmt: skip

    @changeable("rent")
    def rent(self, n: int, lot: Lot) -> Figure:
        """From the quote to a GPU-hour; steps that change nothing are left out."""
        quote, currency = lot.quote, self.question.currency
        name, title = f"rent_{n}", f"rent of a GPU-hour that {lot.node} replaces"
        seen = f"{quote.provider}, {quote.region}, {quote.tier}, grade {quote.confidence}"
        steps = [
            (" * ", Figure(f"rent_quoted_{n}", f"price of {quote.name}", quote.amount,
                   quote.currency, source=quote.source, observed_at=quote.observed_at,
                   table=self.table, note=f"quoted as {quote.quoted}; {seen}", symbol="quoted")),
            (" * ", Figure(f"rent_instances_{n}", "instances that make a node",
                   Decimal(quote.instances), "", source=quote.name, symbol="instances")),
            (" * ", self._rent_exchange(n, lot)),
            (" * ", Figure(f"rent_vat_{n}", "factor for VAT", quote.vat, "", source="money.vat",
                   note=self.question.vat, symbol="vat")),
            (" / ", Figure(f"rent_hours_{n}", "hours that are quoted", quote.hours, "h",
                   source=quote.name, symbol="hours")),
            (" * ", Figure(f"rent_ratio_{n}", "rented nodes that do the work of the owned one",
                   quote.ratio, "", source=quote.how or "the same node", symbol="ratio")),
            (" / ", self.gpus(n, lot)),
        ]  # fmt: skip
        kept = [steps[0], *(step for step in steps[1:] if step[1].value != 1)]
        formula = "".join(f"{sign}{part.symbol}" for sign, part in kept).removeprefix(" * ")
        on = tuple(part for _, part in kept)
        unit = f"{currency}/GPU-hour"
        return Figure(name, title, lot.rent, unit, How.FORMULA, formula, on, symbol="rent")

    def _rent_exchange(self, n: int, lot: Lot) -> Figure:
        quote = lot.quote
        exchanged = list(self._exchange(Money(quote.amount, quote.currency)))
        if exchanged:
            return exchanged[0].called("fx")
        return Figure(f"rent_fx_{n}", f"1 {quote.currency}", quote.exchange, self.question.currency,
                      source="exchange rate", symbol="fx")  # fmt: skip
