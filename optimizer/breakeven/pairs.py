"""Break-even rows of every purchase in a schedule against the rentals it would replace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from optimizer.breakeven.pair import MOST_MONTHS, Pair
from optimizer.breakeven.quotes import SPANS, Quote, quotes
from optimizer.breakeven.rows import Row, percent, row, said
from optimizer.breakeven.use import Use, planned_use
from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.finance.residual import residual_share
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.formulate import Formulation
from optimizer.milp.instance import Solution
from optimizer.problem import Problem, PurchaseOption

DAYS_IN_MONTH = MEAN_DAYS_IN_MONTH
PER_SPAN = {
    "hour": ("h/day", Decimal(24)),
    "day": ("days/month", DAYS_IN_MONTH),
    "month": ("months/year", Decimal(12)),
}
"""How use is told: unit, and how many of it make 100 %."""


def pair_rows(problem: Problem, made: Formulation, solution: Solution) -> list[Row]:
    """All closed-form rows: the hourly rental with every quantity, longer ones with two."""
    return [
        found
        for option in problem.purchases
        for found in _option_rows(problem, option, made, solution)
    ]


def _option_rows(
    problem: Problem, option: PurchaseOption, made: Formulation, solution: Solution
) -> Iterator[Row]:
    if problem.horizon.n_days <= option.item.lead_time:
        words = f"{option.name}: would be delivered after the schedule ends"
        yield row("pair", option.name, "utilisation", "h/day", words, answer="none")
        return
    compared = quotes(problem, option.kind)
    if not compared:
        words = f"{option.name}: nothing on offer for rent can do its work, so there is no pair"
        yield row("pair", option.name, "utilisation", "h/day", words, answer="none")
        return
    use = planned_use(problem, option, made, solution)
    for number, quote in enumerate(compared):
        view = View(problem, option, quote, use)
        yield from view.use_rows()
        yield from view.rent_rows()
        if number == 0:
            yield from view.other_rows()


def make_pair(problem: Problem, option: PurchaseOption, quote: Quote, use: Use) -> Pair:
    """The numbers of a pair, from the same costs the plan is made with (r = 0).

    Kept from delivery to the horizon's end. Within the days or months that a longer rental is paid
    for, the node draws busy power for as many of the hours as the plan uses it.
    """
    costs, end = problem.costs, problem.horizon.n_days
    item = option.item
    flows = costs.purchase(item, 0, end)
    capex = sum((f.amount for f in flows if f.component == "purchase"), Decimal(0))
    resale = -sum((f.amount for f in flows if f.component == "resale"), Decimal(0))
    busy, idle = costs.power_w(item)
    if costs.money.power_policy == "off_when_idle":
        idle = Decimal(0)
    paid_for = use.share(quote.span)
    if 0 < use.hours < paid_for:
        busy = idle + (busy - idle) * Decimal(repr(use.hours / paid_for))
    pieces = problem.horizon.slices
    tariff = sum((costs.kwh_price(p) * p.n_hours for p in pieces), Decimal(0)) / 24
    hosting = costs.in_currency(item.hosting) * 12 if item.hosting else Decimal(0)
    return Pair(
        gpus=option.kind.count,
        capex=capex,
        years=Decimal(end - item.lead_time) / DAYS_IN_YEAR,
        residual=resale / capex,
        busy_kw=busy / 1000,
        idle_kw=idle / 1000,
        pue=Decimal(str(costs.money.pue)),
        tariff=tariff,
        fixed=hosting,
        maintenance=Decimal(str(item.maintenance)),
        rent=quote.per_hour / option.kind.count,
        use=Decimal(repr(round(use.share(quote.span), 9))),
    )


@dataclass(frozen=True, slots=True)
class View:
    """One purchase against one rental, told in rows."""

    problem: Problem
    option: PurchaseOption
    quote: Quote
    use: Use

    @property
    def plain(self) -> Pair:
        return make_pair(self.problem, self.option, self.quote, self.use)

    @property
    def rate(self) -> Decimal:
        return Decimal(str(self.problem.costs.money.discount_rate))

    def bases(self) -> Iterator[tuple[str, Pair]]:
        """The accounting view, and the economic one when money has a price."""
        yield "accounting", self.plain
        if self.rate:
            yield "economic", replace(self.plain, rate=self.rate)

    @property
    def economic(self) -> tuple[str, Pair]:
        return list(self.bases())[-1]

    @property
    def currency(self) -> str:
        return self.problem.costs.currency

    def _row(
        self,
        basis: str,
        quantity: str,
        unit: str,
        meaning: str,
        *,
        now: Decimal | None,
        raw: Decimal | None,
        possible: bool = True,
        check: Decimal | None = None,
        capex: Decimal = Decimal(1),
        answer: str = "",
    ) -> Row:
        there = raw if possible else None
        left = None if check is None or there is None else abs(check) / capex
        return row(
            "pair", self.option.name, quantity, unit, meaning, now=now, break_even=there, raw=raw,
            self_check=left, against=self.quote.name, basis=basis, answer=answer,
            span=self.quote.span,
        )  # fmt: skip

    def use_rows(self) -> Iterator[Row]:
        unit, whole = PER_SPAN[self.quote.span]
        name = self.option.name
        for basis, pair in self.bases():
            raw = pair.even_use()
            now = f"{self.use.words} {said(pair.use * whole)} {unit} ({percent(pair.use)})"
            rent = self._rent_words(pair.rent)
            if raw is None:
                words = (
                    f"{name} never pays against {rent}: it costs less than the electricity of "
                    f"the same hour; {now}"
                )
            elif raw > 1:
                words = (
                    f"{name} never pays against {rent}: it would take {percent(raw)} of all "
                    f"hours; {now}"
                )
            else:
                words = (
                    f"{name} pays above {said(raw * whole)} {unit} ({percent(raw)}) against "
                    f"{rent}; {now}"
                )
            possible = raw is not None and raw <= 1
            check = replace(pair, use=raw).difference if raw is not None else None
            yield self._row(
                basis, "utilisation", unit, words, now=pair.use * whole,
                raw=None if raw is None else raw * whole, possible=possible, check=check,
                capex=pair.capex,
            )  # fmt: skip
            yield self._row(
                basis, "utilisation", "%", words, now=pair.use * 100,
                raw=None if raw is None else raw * 100, possible=possible, check=check,
                capex=pair.capex,
            )  # fmt: skip

    def _rent_words(self, per_gpu_hour: Decimal) -> str:
        span = self.quote.span
        price = per_gpu_hour * SPANS[span] * (1 if span == "hour" else self.option.kind.count)
        each = "GPU-hour" if span == "hour" else f"node and {span}"
        return f"renting at {said(price)} {self.currency} a {each}"

    def rent_rows(self) -> Iterator[Row]:
        """The rent at the planned use; a node-day is 24 GPU-hours of each of its GPUs."""
        node = self.option.kind.count
        for basis, pair in self.bases():
            raw = pair.even_rent()
            if raw is None:
                words = f"{self.option.name}: no use is planned, so no rent makes it pay"
                yield self._row(
                    basis, "rental price", f"{self.currency}/GPU-hour", words, now=pair.rent,
                    raw=None,
                )  # fmt: skip
                continue
            check = replace(pair, rent=raw).difference
            scales = [("GPU-hour", Decimal(1)), ("node-day", Decimal(24 * node))]
            if self.quote.span == "month":
                scales.append(("node-month", Decimal(SPANS["month"] * node)))
            for each, factor in scales:
                words = (
                    f"{self.option.name} pays while renting costs more than {said(raw * factor)} "
                    f"{self.currency} a {each}; it costs {said(pair.rent * factor)}"
                )
                yield self._row(
                    basis, "rental price", f"{self.currency}/{each}", words,
                    now=pair.rent * factor, raw=raw * factor, check=check, capex=pair.capex,
                )  # fmt: skip

    def other_rows(self) -> Iterator[Row]:
        for basis, pair in self.bases():
            yield from self._price_rows(basis, pair)
        yield from self._payback_rows()
        basis, pair = self.economic
        yield self._tariff_row(basis, pair)
        yield self._residual_row(basis, pair)
        yield self._rate_row(pair)
        yield from self._delay_rows(basis, pair)

    def _price_rows(self, basis: str, pair: Pair) -> Iterator[Row]:
        raw = pair.even_capex()
        check = replace(pair, capex=raw).difference if raw > 0 else None
        for each, parts in (("node", 1), ("GPU", pair.gpus)):
            unit = f"{self.currency}/{each}"
            now = f"the price is {said(pair.capex / parts)}"
            if raw > 0:
                words = f"{self.option.name} pays below {said(raw / parts)} {unit}; {now}"
            else:
                words = (
                    f"{self.option.name} never pays at the planned use, not even as a gift; {now}"
                )
            yield self._row(
                basis, "purchase price", unit, words, now=pair.capex / parts, raw=raw / parts,
                possible=raw > 0, check=check, capex=pair.capex,
            )  # fmt: skip

    def _payback_rows(self) -> Iterator[Row]:
        name = self.option.name
        months = self.plain.years * 12
        money = self.problem.costs.money
        curve = self.option.item.residual or money.residual
        kept = 1 - Decimal(str(money.resale_cost))

        def resale(age: Decimal) -> Decimal:
            return residual_share(curve, age) * kept

        def told(basis: str, quantity: str, pair: Pair, raw: Decimal | None, sold: bool) -> Row:
            end = f"the schedule has {said(months)} months"
            if raw is None:
                why = (
                    "renting costs no more than running it"
                    if pair.monthly_saving <= 0
                    else f"not within {MOST_MONTHS} months"
                    if sold
                    else "interest eats the saving"
                )
                words = f"{name} never pays back ({quantity}): {why}; {end}"
                return self._row(basis, quantity, "months", words, now=months, raw=None)
            words = f"{name} pays back after {said(raw)} months ({quantity}); {end}"
            check = pair.advantage(raw, pair.capex * resale(raw) if sold else Decimal(0))
            return self._row(
                basis, quantity, "months", words, now=months, raw=raw, check=check,
                capex=pair.capex,
            )  # fmt: skip

        for basis, pair in self.bases():
            quantity = "payback" if basis == "accounting" else "discounted payback"
            yield told(basis, quantity, pair, pair.payback(), sold=False)
        basis, pair = self.economic
        paid = pair.payback_with_resale(resale)
        yield told(basis, "payback with resale", pair, paid, sold=True)

    def _tariff_row(self, basis: str, pair: Pair) -> Row:
        unit, raw = f"{self.currency}/kWh", pair.even_tariff()
        now = f"it costs {said(pair.tariff)}"
        if raw is None:
            words = f"{self.option.name}: it draws no power, so electricity does not matter"
            return self._row(basis, "electricity price", unit, words, now=pair.tariff, raw=None)
        if raw < 0:
            words = f"{self.option.name} never pays, even with free electricity; {now} {unit}"
        else:
            words = (
                f"{self.option.name} pays while electricity costs less than {said(raw)} {unit}; "
                f"{now}"
            )
        check = replace(pair, tariff=raw).difference
        return self._row(
            basis, "electricity price", unit, words, now=pair.tariff, raw=raw,
            possible=raw >= 0, check=check, capex=pair.capex,
        )  # fmt: skip

    def _residual_row(self, basis: str, pair: Pair) -> Row:
        raw = pair.even_residual()
        now = f"the schedule counts on {percent(pair.residual)}"
        if raw > 1:
            words = (
                f"{self.option.name} never pays by its resale: it would have to bring "
                f"{percent(raw)} of its price; {now}"
            )
        elif raw < 0:
            words = f"{self.option.name} pays even if its resale brings nothing; {now}"
        else:
            words = (
                f"{self.option.name} pays if its resale brings {percent(raw)} of its price, net; "
                f"{now}"
            )
        check = replace(pair, residual=raw).difference
        return self._row(
            basis, "residual value", "%", words, now=pair.residual * 100, raw=raw * 100,
            possible=0 <= raw <= 1, check=check, capex=pair.capex,
            answer="always" if raw < 0 else "",
        )  # fmt: skip

    def _rate_row(self, pair: Pair) -> Row:
        raw = pair.even_rate()
        ahead = False
        now = f"the schedule's is {percent(self.rate)}"
        if raw is None:
            ahead = replace(pair, rate=Decimal(10)).difference < 0
            how = "pays at any" if ahead else "never pays, at whatever"
            words = f"{self.option.name} {how} discount rate; {now}"
        elif raw < 0:
            words = (
                f"{self.option.name} never pays: it earns {percent(raw)} a year, so no rate of 0 % "
                f"or more will do; {now}"
            )
        else:
            words = (
                f"{self.option.name} pays while money costs less than {percent(raw)} a year (its "
                f"rate of return); {now}"
            )
        check = replace(pair, rate=raw).difference if raw is not None else None
        return self._row(
            "economic", "discount rate", "%/year", words, now=self.rate * 100,
            raw=None if raw is None else raw * 100, possible=raw is not None and raw >= 0,
            check=check, capex=pair.capex, answer="always" if ahead else "",
        )  # fmt: skip

    def _delay_rows(self, basis: str, pair: Pair) -> Iterator[Row]:
        """Payment at once, delivery later, resale on the same day: rent goes on in between."""
        months = pair.years * 12
        gain = pair.advantage(months, pair.resale)
        lead = Decimal(self.option.item.lead_time) / DAYS_IN_MONTH
        raw = pair.even_delay()
        month = gain - pair.advantage(months, pair.resale, Decimal(1))
        wait = gain - pair.advantage(months, pair.resale, lead)
        costs = (
            f"a month of delay costs {said(month)} {self.currency}, the lead time of "
            f"{self.option.item.lead_time} days {said(wait)}"
        )
        name, answer = self.option.name, ""
        if raw is not None:
            words = f"{name} pays while delivery takes less than {said(raw)} months; {costs}"
        elif gain < 0:
            words, answer = f"{name}: renting is cheaper with no delay at all; {costs}", "none"
        else:
            words, answer = f"{name} pays after any delay; {costs}", "always"
        check = None if raw is None else pair.advantage(months, pair.resale, raw)
        yield self._row(
            basis, "delivery delay", "months", words, now=lead, raw=raw, check=check,
            capex=pair.capex, answer=answer,
        )  # fmt: skip
        yield row(
            "pair", self.option.name, "cost of a month's delay", self.currency, costs, now=month,
            answer="none", against=self.quote.name, basis=basis, span=self.quote.span,
        )  # fmt: skip
