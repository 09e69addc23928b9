"""Days owned and money paid, month by month, as figures with what they come from."""

from __future__ import annotations

from decimal import Decimal
from functools import cache, cached_property

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.review.derivation.inputs import Inputs
from optimizer.review.derivation.steps import product, summed, worked_out
from optimizer.review.figure import Figure
from optimizer.review.workbook.outcomes import months
from optimizer.review.workbook.question import HOURS_IN_DAY, Lot, Question

PARTS = ("purchase", "maintenance", "hosting", "idle", "busy", "resale")
"""What buying consists of."""
TITLES = {
    "purchase": "purchase", "maintenance": "maintenance", "hosting": "hosting",
    "idle": "electricity of waiting nodes", "busy": "electricity that use adds",
    "resale": "resale (negative: comes in)", "rent": "rent of the same hours",
    "hours": "GPU-hours delivered", "owned": "GPU-hours from delivery to sale",
}  # fmt: skip
RUNNING = PARTS[1:5]
_MONTH = f"({DAYS_IN_YEAR} / {MONTHS_IN_YEAR})"
DAILY = {
    "maintenance": f"nodes * price * maintenance / {DAYS_IN_YEAR}",
    "hosting": f"nodes * hosting / {_MONTH}",
    "idle": f"nodes * idle * pue * kwh * {HOURS_IN_DAY}",
    "busy": f"nodes * use * (busy - idle) * pue * kwh * {HOURS_IN_DAY}",
    "rent": f"nodes * gpus * {HOURS_IN_DAY} * use * rent",
    "hours": f"nodes * gpus * {HOURS_IN_DAY} * use",
    "owned": f"nodes * gpus * {HOURS_IN_DAY}",
}
"""What a day costs, or delivers."""


class LotMonths:
    """One purchase and the rent it spares, by month."""

    def __init__(self, inputs: Inputs, number: int, lot: Lot) -> None:
        self.inputs, self.n, self.lot = inputs, number, lot
        self.question: Question = inputs.question
        self.months = months(self.question)
        self.money = self.question.currency
        self.day = cache(self._day)
        self.daily = cache(self._daily)
        self.days = cache(self._days)
        self.counted = cache(self._counted)

    # -- time ----------------------------------------------------------------------------------

    def number(self, m: int) -> Figure:
        return Figure(f"month.{m}", "number of the month", Decimal(m), "", source="counted",
                      symbol="m")  # fmt: skip

    def end(self, m: int, symbol: str = "end") -> Figure:
        formula = f"min(horizon, m * {DAYS_IN_YEAR} / {MONTHS_IN_YEAR})"
        title = f"end of month {m}, in days"
        on = (self.inputs.horizon(), self.number(m))
        return worked_out(f"end.{m}", title, "days", formula, *on, symbol=symbol)

    def start(self, m: int) -> Figure:
        return self.end(max(m - 1, 0), "start")

    def factor(self, m: int) -> Figure:
        title = f"present value of 1 at the end of month {m}"
        formula = f"(1 + r) ^ (-end / {DAYS_IN_YEAR})"
        on = (self.inputs.rate(), self.end(m))
        return worked_out(f"factor.{m}", title, "", formula, *on, symbol="factor")

    def level(self, m: int) -> Figure:
        title = f"level of rental prices in month {m}"
        formula = f"(1 + g) ^ (start / {DAYS_IN_YEAR})"
        on = (self.inputs.rent_change(), self.start(m))
        return worked_out(f"level.{m}", title, "", formula, *on, symbol="level")

    def _day(self, which: str) -> Figure:
        if which != "sold":
            return self.inputs.day(self.n, self.lot, which)
        on = (self.inputs.day(self.n, self.lot, "sold"), self.inputs.horizon())
        title = "sold, or the schedule ends"
        return worked_out(f"sold_by_{self.n}", title, "days", "min(sold, horizon)", *on,
                          symbol="sold")  # fmt: skip

    @cached_property
    def owned_months(self) -> list[int]:
        """Months with a day owned in them."""
        first, last = self.lot.usable, min(self.lot.sold, self.question.days)
        return [
            m for m, month in enumerate(self.months) if month.end > first and month.start < last
        ]

    def _days(self, m: int) -> Figure:
        formula = "max(0, min(end, sold) - max(start, usable))"
        on = (self.start(m), self.end(m), self.day("usable"), self.day("sold"))
        title = f"days owned in month {m}"
        return worked_out(f"days_{self.n}.{m}", title, "days", formula, *on, symbol="days")

    def _counted(self, how: str) -> Figure:
        """Days owned, added up: plain, at present value (pv), at the level of rental prices."""
        words = {
            "": "days owned", "pv": "days owned, at present value",
            "level": "days owned, at the level of rental prices",
            "pv_level": "days owned, at present value and the level of rental prices",
        }[how]  # fmt: skip
        parts = []
        for m in self.owned_months:
            factors = [self.days(m)]
            factors += [self.factor(m)] if "pv" in how else []
            factors += [self.level(m)] if "level" in how else []
            each = self.days(m)
            if how:
                formula = " x ".join(part.symbol for part in factors)
                name = f"{how}_days_{self.n}.{m}"
                each = product(name, f"{words}, month {m}", "days", formula, *factors)
            parts.append(each)
        name = f"{how}_days_{self.n}" if how else f"days_{self.n}"
        return summed(name, words, "days", *parts, symbol="days")

    # -- money ---------------------------------------------------------------------------------

    def _daily(self, part: str) -> Figure:
        """What one day costs or delivers."""
        i, n, lot = self.inputs, self.n, self.lot
        known = {
            "nodes": i.nodes, "gpus": i.gpus, "price": i.price, "maintenance": i.maintenance,
            "hosting": i.hosting, "use": i.use, "rent": i.rent,
        }  # fmt: skip
        shared = {"pue": i.pue, "kwh": i.tariff}
        formula = DAILY[part]
        on = []
        for symbol in dict.fromkeys(word for word in _words(formula) if not word.isdigit()):
            if symbol in known:
                on.append(known[symbol](n, lot))
            elif symbol in shared:
                on.append(shared[symbol]())
            else:
                on.append(i.power(n, lot, symbol))
        hours = part in ("hours", "owned")
        title = f"a day of {TITLES.get(part, 'GPU-hours')}"
        unit = "GPU-hours" if hours else self.money
        return worked_out(f"daily.{part}_{n}", title, unit, formula, *on, symbol="daily")

    def paid_month(self, part: str) -> int | None:
        """The month of the purchase or the sale; None: not within the schedule."""
        sold = min(self.lot.sold, self.question.days)
        for m, month in enumerate(self.months):
            if part == "resale":
                here = month.start < sold <= month.end
            else:
                following = self.months[m + 1].end if m + 1 < len(self.months) else month.end
                at_last = m + 1 == len(self.months)
                twice = 2 * self.lot.paid
                following = Decimal(self.question.days) if at_last else following
                here = month.start + month.end <= twice < month.end + following
            if here:
                return m
        return None

    def once(self, part: str) -> Figure:
        """Purchase or resale, undiscounted."""
        i, n, lot = self.inputs, self.n, self.lot
        on = [i.nodes(n, lot), i.price(n, lot)]
        formula = "nodes * price"
        if part == "resale":
            on += [i.residual(n, lot), i.resale_cost()]
            formula = "-nodes * price * share * (1 - cost)"
        title = f"{TITLES[part]} of {lot.nodes} x {lot.node}"
        return worked_out(f"paid_{part}_{n}", title, self.money, formula, *on, symbol="paid")

    def amount(self, part: str, worth: str = "") -> Figure:
        """A part over the whole time, undiscounted or at present value (pv)."""
        name = f"{worth}_{part}_{self.n}" if worth else f"total_{part}_{self.n}"
        words = TITLES[part]
        title = f"{words} of {self.lot.node}{', present value' if worth else ''}"
        if part in ("purchase", "resale"):
            m = self.paid_month(part)
            if m is None:
                return Figure(name, title, Decimal(0), self.money, source="outside the schedule")
            if not worth:
                return self.once(part)
            return product(name, title, self.money, "paid x factor", self.once(part),
                           self.factor(m))  # fmt: skip
        level = "level" if part == "rent" else ""
        how = "_".join(word for word in (worth, level) if word)
        on = (self.daily(part), self.counted(how))
        unit = "GPU-hours" if part in ("hours", "owned") else self.money
        return product(name, title, unit, "daily x days", *on)

    def in_month(self, part: str, m: int) -> Figure | None:
        """What is paid in a month; None: nothing."""
        if part in ("purchase", "resale"):
            return self.once(part).called("") if self.paid_month(part) == m else None
        if m not in self.owned_months:
            return None
        on = [self.daily(part), self.days(m), *([self.level(m)] if part == "rent" else [])]
        name, title = f"{part}_{self.n}.{m}", f"{TITLES[part]}, month {m}"
        formula = " x ".join(figure.symbol for figure in on)
        return product(name, title, self.money, formula, *on)


def _words(formula: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in formula).split()
