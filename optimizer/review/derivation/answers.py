"""Every answer of a review as a figure: `workbook.outcomes`, unfolded down to its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import accumulate

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.plans import Plan
from optimizer.problem import Problem
from optimizer.review.derivation.inputs import Inputs
from optimizer.review.derivation.months import PARTS, TITLES, LotMonths
from optimizer.review.derivation.steps import summed, worked_out
from optimizer.review.derivation.taxes import Taxes
from optimizer.review.figure import Figure, How
from optimizer.review.workbook.outcomes import Outcome, months, outcomes
from optimizer.review.workbook.question import Question


def answer_figures(
    question: Question,
    plan: Plan | None = None,
    problem: Problem | None = None,
    changed: Iterable[str] = (),
) -> tuple[Figure, ...]:
    """The answers in the order of `outcomes`, each with its derivation.

    Args:
        plan, problem: what the question was made of, for quotes, exchange rates and who set what.
        changed: names of assumptions (`sensitivity.drivers`) that were given other values.
    """
    return tuple(_Answers(question, Inputs(question, plan, problem, changed)).all())


def month_figures(
    question: Question, plan: Plan | None = None, problem: Problem | None = None
) -> tuple[Figure, ...]:
    """What buying rather than renting brings in each month, and its present value.

    All of them: an answer such as the payback stands on some months only.
    """
    answers = _Answers(question, Inputs(question, plan, problem))
    return tuple(answers.net(m, worth) for m in range(len(answers.months)) for worth in ("", "pv"))


class _Answers:
    def __init__(self, question: Question, inputs: Inputs) -> None:
        self.question, self.money, self.inputs = question, question.currency, inputs
        self.lots = [LotMonths(self.inputs, n, lot) for n, lot in enumerate(question.lots, 1)]
        self.months = months(question)
        self.first = self.lots[0]
        self.outcomes = {outcome.name: outcome for outcome in outcomes(question)}
        self.part = cache(self._part)
        self.side = cache(self._side)
        self.net = cache(self._net)

    def all(self) -> Iterator[Figure]:
        made: dict[str, Callable[[], Figure]] = {
            "npv": self._npv, "npv_buy": self._npv_buy, "npv_rent": self._npv_rent,
            "npv_after_tax": self._after_tax, "saving": self._saving, "capex": self._capex,
            "cash_at_risk": self._cash_at_risk,
            "payback": lambda: self._payback(""), "discounted_payback": lambda: self._payback("pv"),
            "irr": self._irr,
            "mirr": self._mirr,
            "eac": self._eac,
            "gpu_hour_accounting": lambda: self._each("", "buy", "hours"),
            "gpu_hour_economic": lambda: self._each("pv", "buy", "hours"),
            "break_even_rent": self._even_rent, "utilisation": self._utilisation,
            "break_even_use": self._even_use, "break_even_price": self._even_price,
        }  # fmt: skip
        for name, outcome in self.outcomes.items():
            found = made[name]()
            yield replace(
                found, name=name, title=outcome.title, unit=outcome.unit, symbol="",
                code=outcome.metric.code, note=outcome.metric.reason or found.note,
            )  # fmt: skip

    # -- sums over the purchases -----------------------------------------------------------------

    def _part(self, part: str, worth: str) -> Figure:
        """A part of all purchases; `worth` is pv for present values."""
        each = [lot.amount(part, worth) for lot in self.lots]
        name = f"{worth or 'total'}_{part}"
        if len(each) == 1:
            return each[0].called(name)
        words = f"{TITLES[part]}{', present value' if worth else ''}"
        unit = "GPU-hours" if part in ("hours", "owned") else self.money
        return summed(name, words, unit, *each, symbol=name)

    def _side(self, side: str, worth: str) -> Figure:
        """What buying or renting costs."""
        name = f"{worth or 'total'}_{side}"
        if side == "rent":
            return self.part("rent", worth).called(name)
        parts = [self.part(part, worth) for part in PARTS]
        title = f"cost of buying{', present value' if worth else ', undiscounted'}"
        return summed(name, title, self.money, *parts, symbol=name)

    # -- money in time ---------------------------------------------------------------------------

    def _npv(self) -> Figure:
        return worked_out("npv", "", self.money, "pv_rent - pv_buy", self.side("rent", "pv"),
                          self.side("buy", "pv"))  # fmt: skip

    def _npv_buy(self) -> Figure:
        return worked_out("npv_buy", "", self.money, "-pv_buy", self.side("buy", "pv"))

    def _npv_rent(self) -> Figure:
        return worked_out("npv_rent", "", self.money, "-pv_rent", self.side("rent", "pv"))

    def _after_tax(self) -> Figure:
        tax = Taxes(self.inputs, self.lots, self.months).present_value()
        before = replace(self._npv(), title="NPV before tax", symbol="npv")
        return worked_out("npv_after_tax", "", self.money, "npv - pv_tax", before, tax)

    def _saving(self) -> Figure:
        return worked_out("saving", "", self.money, "total_rent - total_buy",
                          self.side("rent", ""), self.side("buy", ""))  # fmt: skip

    def _capex(self) -> Figure:
        return summed("capex", "", self.money, *(lot.amount("purchase") for lot in self.lots))

    def _net(self, m: int, worth: str = "") -> Figure:
        """What buying rather than renting brings in a month; present value with pv."""
        came = [lot.in_month("rent", m) for lot in self.lots]
        went = [lot.in_month(part, m) for part in PARTS for lot in self.lots]
        on = [*(f.called("rent") for f in came if f), *(f.called("costs") for f in went if f)]
        title = f"rent spared less costs of owning, month {m}"
        there = dict.fromkeys(figure.symbol for figure in on)
        signs = {"rent": "sum(rent)", "costs": " - sum(costs)"}
        formula = "".join(signs[symbol] for symbol in there).strip()
        if not on:
            return Figure(f"net.{m}", title, Decimal(0), self.money, source="nothing is paid in it",
                          symbol="net")  # fmt: skip
        plain = worked_out(f"net.{m}", title, self.money, formula, *on, symbol="net")
        if not worth:
            return plain
        return worked_out(f"pv_net.{m}", f"{title}, present value", self.money, "net * factor",
                          plain, self.first.factor(m), symbol="net")  # fmt: skip

    def _nets(self, worth: str = "", until: int | None = None) -> list[Figure]:
        last = len(self.months) if until is None else until
        return [self.net(m, worth) for m in range(last)]

    def _cash_at_risk(self) -> Figure:
        on = self._nets()
        if not on[0].value:
            on = [figure for figure in on if figure.value]
        return worked_out("cash_at_risk", "", self.money, "max(0, -lowest(net))", *on)

    def _payback(self, worth: str) -> Figure:
        outcome = self.outcomes["discounted_payback" if worth else "payback"]
        if outcome.value is None:
            return self._none(outcome, "the month in which net so far comes back to 0",
                              *self._nets(worth))  # fmt: skip
        nets = self._nets(worth)
        sums = list(accumulate(net.value or Decimal(0) for net in nets))
        out = next(m for m, reached in enumerate(sums) if reached < 0)
        m = next(m for m in range(out, len(sums)) if sums[m] >= 0)
        before = summed("net_before", f"net of the months before month {m}", self.money, *nets[:m],
                        symbol="before")  # fmt: skip
        on = (self.first.start(m), self.first.end(m), before, nets[m])
        formula = f"(start + -before / net * (end - start)) / ({DAYS_IN_YEAR} / {MONTHS_IN_YEAR})"
        return worked_out("payback", "", "months", formula, *on)

    def _irr(self) -> Figure:
        """The rate at which the months' payments are worth nothing."""
        outcome, nets = self.outcomes["irr"], self._nets()
        ends = (self.first.end(m) for m in range(len(nets)))
        if outcome.value is None:
            return self._none(outcome, "the discount rate at which NPV is 0", *nets)
        return worked_out("irr", "", "", "even_rate(net, end)", *nets, *ends)

    def _mirr(self) -> Figure:
        """What comes in over what goes out, at present value, over the years there are."""
        outcome, nets = self.outcomes["mirr"], self._nets("pv")
        if outcome.value is None:
            return self._none(outcome, "(came / went) ^ (1 / years) * (1 + r) - 1", *nets)
        came = summed("pv_came", "present value of months in which money comes in", self.money,
                      *(n for n in nets if (n.value or 0) > 0), symbol="came")  # fmt: skip
        went = summed("pv_went", "present value of months in which money goes out", self.money,
                      *(n for n in nets if (n.value or 0) < 0), symbol="went")  # fmt: skip
        formula = f"(came / -went) ^ (1 / (horizon / {DAYS_IN_YEAR})) * (1 + r) - 1"
        on = (came, went, self.inputs.horizon(), self.inputs.rate())
        return worked_out("mirr", "", "", formula, *on)

    def _eac(self) -> Figure:
        paid = [lot.paid_month("purchase") for lot in self.lots]
        first = min(m for m in paid if m is not None)
        start = self.first.end(first, "paid")
        last = max(self.lots, key=lambda lot: min(lot.lot.sold, self.question.days))
        years = worked_out("years", "years from the first payment to the last sale", "years",
                           f"(sold - paid) / {DAYS_IN_YEAR}", last.day("sold"), start,
                           symbol="years")  # fmt: skip
        rate = self.inputs.rate()
        formula = "(1 - (1 + r) ^ -years) / r" if self.question.rate else "years"
        annuity = worked_out("annuity", "present value of 1 a year", "", formula, rate, years,
                             symbol="annuity")  # fmt: skip
        formula = f"pv_buy * (1 + r) ^ (paid / {DAYS_IN_YEAR}) / annuity"
        on = (self.side("buy", "pv"), rate, start, annuity)
        return worked_out("eac", "", "", formula, *on)

    # -- an hour, and where both cost the same ---------------------------------------------------

    def _each(self, worth: str, side: str, hours: str) -> Figure:
        name = worth or "total"
        on = (self.side(side, worth), self.part(hours, worth))
        outcome = self.outcomes["gpu_hour_economic" if worth else "gpu_hour_accounting"]
        formula = f"{name}_{side} / {name}_{hours}"
        if outcome.value is None:
            return self._none(outcome, formula, *on)
        return worked_out("", "", "", formula, *on)

    def _even_rent(self) -> Figure:
        """PV(buy) over GPU-hours at present value and at the level of rental prices."""
        each = [
            worked_out(f"pv_worth_{lot.n}", "GPU-hours, at present value and rental level",
                       "GPU-hours", "daily * days", lot.daily("hours"), lot.counted("pv_level"),
                       symbol="pv_worth")
            for lot in self.lots
        ]  # fmt: skip
        on = (self.side("buy", "pv"), *each)
        formula, outcome = "pv_buy / sum(pv_worth)", self.outcomes["break_even_rent"]
        if outcome.value is None:
            return self._none(outcome, formula, *on)
        return worked_out("break_even_rent", "", "", formula, *on)

    def _utilisation(self) -> Figure:
        on = (self.part("hours", "pv"), self.part("owned", "pv"))
        formula = "pv_hours / pv_owned" if on[1].value else "pv_owned"
        return worked_out("utilisation", "planned utilisation", "share", formula, *on,
                          symbol="used")  # fmt: skip

    def _even_use(self) -> Figure:
        outcome = self.outcomes["break_even_use"]
        on = (self._utilisation(), self.side("buy", "pv"), self.part("busy", "pv"),
              self.side("rent", "pv"))  # fmt: skip
        formula = "used * (pv_buy - pv_busy) / (pv_rent - pv_busy)"
        if outcome.value is not None:
            return worked_out("break_even_use", "", "", formula, *on)
        if not outcome.metric.candidates:
            return self._none(outcome, formula, *on)
        raw = worked_out("break_even_use_raw", "share of all hours it would take", "share",
                         formula, *on)  # fmt: skip
        return self._none(outcome, "more hours than there are", raw)

    def _even_price(self) -> Figure:
        outcome = self.outcomes["break_even_price"]
        names = ("purchase", "maintenance", "resale", "hosting", "idle", "busy")
        on = (self.side("rent", "pv"), *(self.part(name, "pv") for name in names))
        other = "pv_rent - pv_hosting - pv_idle - pv_busy"
        formula = f"({other}) / (pv_purchase + pv_maintenance + pv_resale)"
        if outcome.value is None:
            return self._none(outcome, formula, *on)
        return worked_out("break_even_price", "", "", formula, *on)

    @staticmethod
    def _none(outcome: Outcome, formula: str, *on: Figure) -> Figure:
        return Figure(outcome.name, outcome.title, None, outcome.unit, How.WORDS, formula, on)
