"""The answers to a question in exact arithmetic: what the workbook must show, and `--format json`.

Formulas are those of `optimizer.finance` (docs/finance.md); flows are laid out month by month as
docs/review.md says. Written without the workbook's formulas, so that the two check each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from optimizer.finance import returns
from optimizer.finance.rates import MONTHS_IN_YEAR, annuity
from optimizer.finance.refusal import Metric, none
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.review.workbook.question import HOURS_IN_DAY, Lot, Question

DAYS_IN_MONTH = Decimal(DAYS_IN_YEAR) / MONTHS_IN_YEAR
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer; none with its reason."""

    name: str
    title: str
    unit: str
    metric: Metric

    @property
    def value(self) -> Decimal | None:
        return self.metric.value


@dataclass(frozen=True, slots=True)
class Month:
    """A period: from the end of the last one to its own, in days from the first day."""

    start: Decimal
    end: Decimal
    factor: Decimal
    """Present value of one unit at its end."""


@dataclass(slots=True)
class Flows:
    """What both sides pay, by period."""

    purchase: list[Decimal]
    resale: list[Decimal]
    maintenance: list[Decimal]
    hosting: list[Decimal]
    idle: list[Decimal]
    """Electricity of a node that waits all the time."""
    busy: list[Decimal]
    """Electricity that use adds."""
    rent: list[Decimal]
    hours: list[Decimal]
    """GPU-hours delivered."""
    worth: list[Decimal]
    """The same, counted by how rental prices have moved since the first day."""
    deductions: list[Decimal]
    gain: list[Decimal]
    """Sales above (or below) what is left after deductions."""

    @property
    def running(self) -> list[Decimal]:
        parts = (self.maintenance, self.hosting, self.idle, self.busy)
        return [sum(each, ZERO) for each in zip(*parts, strict=True)]

    @property
    def buying(self) -> list[Decimal]:
        parts = (self.purchase, self.running, self.resale)
        return [sum(each, ZERO) for each in zip(*parts, strict=True)]

    @property
    def net(self) -> list[Decimal]:
        """What buying rather than renting brings, before tax: money that comes in positive."""
        return [rent - paid for rent, paid in zip(self.rent, self.buying, strict=True)]


def months(question: Question) -> list[Month]:
    """Period 0 is the first day; the last one ends with the horizon and may be shorter."""
    found, start = [Month(ZERO, ZERO, Decimal(1))], ZERO
    while start < question.days:
        end = min(Decimal(question.days), len(found) * Decimal(DAYS_IN_YEAR) / MONTHS_IN_YEAR)
        found.append(Month(start, end, (1 + question.rate) ** (-end / DAYS_IN_YEAR)))
        start = end
    return found


def all_flows(question: Question) -> Flows:
    """What all purchases together, and renting instead, pay in each of `months`."""
    periods = months(question)
    return _add([_lot_flows(question, periods, lot) for lot in question.lots])


def outcomes(question: Question) -> list[Outcome]:
    """All answers, in the order of the workbook."""
    return list(_Answers(question).all())


def npv_of(question: Question) -> Decimal:
    """NPV of buying less renting alone: the first of all answers."""
    answers = _Answers(question)
    return answers.worth(answers.flows.rent) - answers.worth(answers.flows.buying)


class _Answers:
    def __init__(self, question: Question) -> None:
        self.question = question
        self.months = months(question)
        self.flows = all_flows(question)
        self.net = self.flows.net

    def all(self) -> Iterator[Outcome]:
        money, per_hour = self.question.currency, f"{self.question.currency}/GPU-hour"
        buy, rent = self.worth(self.flows.buying), self.worth(self.flows.rent)
        yield _known("npv", "NPV of buying less renting", money, rent - buy)
        yield _known("npv_buy", "NPV of buying", money, -buy)
        yield _known("npv_rent", "NPV of renting", money, -rent)
        after = [net - tax for net, tax in zip(self.net, self._taxes(), strict=True)]
        yield _known(
            "npv_after_tax", "NPV of buying less renting, after tax", money, self.worth(after)
        )
        saving = sum(self.net, ZERO)
        yield _known("saving", "saving by buying, undiscounted", money, saving)
        yield _known("capex", "purchases", money, sum(self.flows.purchase, ZERO))
        yield _known("cash_at_risk", "cash at risk", money, returns.peak_outlay(self.net))
        yield Outcome("payback", "payback", "months", self._payback(self.net, self.flows.resale))
        present, resale = self._present(self.net), self._present(self.flows.resale)
        yield Outcome(
            "discounted_payback", "discounted payback", "months", self._payback(present, resale)
        )
        yield Outcome("irr", "rate of return (IRR)", "a year", self._irr())
        yield Outcome("mirr", "modified rate of return (MIRR)", "a year", self._mirr())
        yield _known("eac", "equivalent annual cost of buying", f"{money}/year", self._eac(buy))
        hours, worth = sum(self.flows.hours, ZERO), self.worth(self.flows.worth)
        total = sum(self.flows.buying, ZERO)
        yield Outcome(
            "gpu_hour_accounting", "cost of a delivered GPU-hour, accounting", per_hour,
            _ratio(total, hours),
        )  # fmt: skip
        yield Outcome(
            "gpu_hour_economic", "cost of a delivered GPU-hour, economic", per_hour,
            _ratio(buy, self.worth(self.flows.hours)),
        )  # fmt: skip
        yield Outcome(
            "break_even_rent", "break-even rental price", per_hour, _ratio(buy, worth)
        )  # fmt: skip
        yield _known("utilisation", "planned utilisation", "share", self._use())
        yield Outcome("break_even_use", "break-even utilisation", "share", self._even_use())
        yield Outcome(
            "break_even_price", "break-even purchase price", "x the price", self._even_price(rent)
        )

    def _present(self, flows: Sequence[Decimal]) -> list[Decimal]:
        return [flow * month.factor for flow, month in zip(flows, self.months, strict=True)]

    def worth(self, flows: Sequence[Decimal]) -> Decimal:
        return sum(self._present(flows), ZERO)

    def _payback(self, flows: list[Decimal], resale: list[Decimal]) -> Metric:
        """In months, from a count of periods of which the last may be shorter."""
        found = returns.payback(flows)
        if found.value is None:
            return found
        whole = int(found.value)
        month = self.months[min(whole + 1, len(self.months) - 1)]
        days = month.start + (found.value - whole) * (month.end - month.start)
        if whole + 1 == len(self.months):
            days = month.end
        kept = [flow + sold for flow, sold in zip(flows, resale, strict=True)]
        only = "only by the resale" if returns.payback(kept).value is None else ""
        remarks = [words for words in (found.reason, only) if words]
        return Metric(days / DAYS_IN_MONTH, reason="; ".join(remarks))

    def _irr(self) -> Metric:
        """The discount rate at which NPV is 0; months end on twelfths of a day."""
        ends = (month.end for month in self.months)
        return self._short(returns.irr_at(list(zip(ends, self.net, strict=True)), MONTHS_IN_YEAR))

    def _mirr(self) -> Metric:
        """Lent and borrowed at the discount rate: ``(PV(in) / PV(out)) ** (1/years) (1+r) - 1``."""
        came = self.worth([max(net, ZERO) for net in self.net])
        went = -self.worth([min(net, ZERO) for net in self.net])
        if not came or not went:
            return none("no_sign_change", "money only goes one way, so there is no rate of return")
        years = Decimal(self.question.days) / DAYS_IN_YEAR
        rate = (came / went) ** (1 / years) * (1 + self.question.rate) - 1
        return self._short(Metric(rate))

    def _short(self, found: Metric) -> Metric:
        """A rate of less than a year is told as one."""
        days = self.question.days
        if found.value is None or days >= DAYS_IN_YEAR:
            return found
        return replace(found, reason=f"as if {days} days were repeated all year")

    def _eac(self, worth: Decimal) -> Decimal:
        """Over the time from the first payment's month to the last sale."""
        start = min(
            month.end for month, paid in zip(self.months, self.flows.purchase, strict=True) if paid
        )
        sold = max(min(lot.sold, self.question.days) for lot in self.question.lots)
        years = (sold - start) / DAYS_IN_YEAR
        at_start = worth * (1 + self.question.rate) ** (start / DAYS_IN_YEAR)
        return at_start / annuity(years, self.question.rate)

    def _use(self) -> Decimal:
        """Delivered GPU-hours over those there are, both at their present value; 0 of none."""
        owned = self._owned()
        return self.worth(self.flows.hours) / owned if owned else ZERO

    def _owned(self) -> Decimal:
        return sum(
            (
                self.worth([
                    lot.nodes * lot.gpus * HOURS_IN_DAY * _owned_days(self.question, month, lot)
                    for month in self.months
                ])
                for lot in self.question.lots
            ),
            ZERO,
        )  # fmt: skip

    def _even_use(self) -> Metric:
        """(fixed costs + idle electricity) / (rent - what use adds to electricity), a share."""
        flows = self.flows
        fixed = self.worth(flows.buying) - self.worth(flows.busy)
        each = self.worth(flows.rent) - self.worth(flows.busy)
        if not self._use():
            return none("never_used", "what is bought is never used")
        if each <= 0:
            return none("never", "an hour of rent costs no more than its electricity")
        raw = fixed / each * self._use()
        if raw > 1:
            words = f"it would take {raw:.1%} of all hours"
            return none("never", words, (raw,))
        return Metric(raw, candidates=(raw,))

    def _even_price(self, rent: Decimal) -> Metric:
        """Factor of all purchase prices; maintenance and resale move with them."""
        flows = self.flows
        other = sum((self.worth(f) for f in (flows.hosting, flows.idle, flows.busy)), ZERO)
        priced = sum(
            (self.worth(f) for f in (flows.purchase, flows.maintenance, flows.resale)), ZERO
        )
        if priced <= 0:
            return none("always", "the resale is worth more than the purchase")
        return Metric((rent - other) / priced)

    def _taxes(self) -> list[Decimal]:
        """Tax more than when renting, paid at the end of each 12 months and of the horizon."""
        question, flows = self.question, self.flows
        paid, owed = [], ZERO
        last = len(self.months) - 1
        lines = (flows.rent, flows.running, flows.deductions, flows.gain)
        for number, (rent, running, deducted, gain) in enumerate(zip(*lines, strict=True)):
            owed += question.tax_rate * (rent - running - deducted + gain)
            due = owed if number % MONTHS_IN_YEAR == 0 or number == last else ZERO
            paid.append(due)
            owed -= due
        return paid


def _lot_flows(question: Question, periods: list[Month], lot: Lot) -> Flows:
    flows = Flows(*([] for _ in range(11)))
    price = lot.nodes * lot.price
    sold = min(lot.sold, question.days)
    power = question.pue * question.tariff * HOURS_IN_DAY * lot.nodes
    for number, month in enumerate(periods):
        days = _owned_days(question, month, lot)
        following = min(Decimal(question.days), (number + 1) * DAYS_IN_MONTH)
        bought = month.start + month.end <= 2 * lot.paid < month.end + following
        sale = month.start < sold <= month.end
        flows.purchase.append(price if bought else ZERO)
        resale = price * lot.residual * (1 - question.resale_cost) if sale else ZERO
        flows.resale.append(-resale)
        flows.maintenance.append(price * lot.maintenance * days / DAYS_IN_YEAR)
        flows.hosting.append(lot.nodes * lot.hosting * days / DAYS_IN_MONTH)
        flows.idle.append(power * days * lot.idle_kw)
        flows.busy.append(power * days * lot.use * (lot.busy_kw - lot.idle_kw))
        hours = lot.nodes * lot.gpus * HOURS_IN_DAY * days * lot.use
        moved = hours * (1 + question.rent_change) ** (month.start / DAYS_IN_YEAR)
        flows.hours.append(hours)
        flows.worth.append(moved)
        flows.rent.append(moved * lot.rent)
    flows.deductions, left = _deductions(question, periods, lot)
    flows.gain = [
        -resale - book if month.start < sold <= month.end else ZERO
        for resale, book, month in zip(flows.resale, left, periods, strict=True)
    ]
    return flows


def _owned_days(question: Question, month: Month, lot: Lot) -> Decimal:
    sold = Decimal(min(lot.sold, question.days))
    return max(ZERO, min(month.end, sold) - max(month.start, Decimal(lot.usable)))


def _deductions(
    question: Question, periods: list[Month], lot: Lot
) -> tuple[list[Decimal], list[Decimal]]:
    """Deducted in each period, and what is left after it.

    A share at once in the month of first use, the rest in equal parts from the month after it.
    """
    price = lot.nodes * lot.price
    at_once = price * question.tax_at_once
    line = (price - at_once) * (1 - question.tax_floor)
    first = straight = before = ZERO
    deducted, left = [], []
    for month in periods:
        days = _owned_days(question, month, lot)
        taken = first + straight
        if days:
            first = at_once
        if month.start < min(lot.sold, question.days):
            straight = min(line, straight + line * before / (question.tax_life * DAYS_IN_YEAR))
        deducted.append(first + straight - taken)
        left.append(price - first - straight)
        before = days
    return deducted, left


def _add(lots: list[Flows]) -> Flows:
    return Flows(
        *(
            [sum(each, ZERO) for each in zip(*(getattr(lot, name) for lot in lots), strict=True)]
            for name in Flows.__dataclass_fields__
        )
    )


def _known(name: str, title: str, unit: str, value: Decimal) -> Outcome:
    return Outcome(name, title, unit, Metric(value))


def _ratio(cost: Decimal, hours: Decimal) -> Metric:
    if not hours:
        return none("never_used", "what is bought is never used")
    return Metric(cost / hours)


def outcome_values(found: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """For JSON: name → value as a decimal string or null, with unit and reason."""
    return {
        outcome.name: {
            "title": outcome.title,
            "value": None if outcome.value is None else f"{outcome.value:f}",
            "unit": outcome.unit,
            "code": outcome.metric.code or None,
            "reason": outcome.metric.reason or None,
            "raw": [f"{raw:f}" for raw in outcome.metric.candidates] or None,
        }
        for outcome in found
    }
