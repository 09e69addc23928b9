"""Every assumption of a question with value, source and age, ranked by what it does to NPV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from optimizer.cautions import STALE_DAYS
from optimizer.finance.defaults import defaults
from optimizer.plans import Plan
from optimizer.problem import Problem
from optimizer.review.memo.what_if import ZERO, WhatIf
from optimizer.review.workbook.outcomes import outcomes
from optimizer.review.workbook.question import Lot, Question

SHARE = Decimal("0.2")
"""Each assumption is moved by so much either way for its rank."""
DRAFT = Decimal("0.05")
"""A default that moves NPV by more than this share of it makes the memo a draft."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One row of the register."""

    name: str
    subject: str
    """Node or offer it is of; empty for what holds for all."""
    value: Decimal
    form: str
    """How the value is shown: amount, price, rent, share, rate, factor, days, kw."""
    set_by: str
    """file, default, quote, plan or convention"""
    source: str
    """As somebody else wrote it; empty for the schedule and the plan."""
    observed_at: date | None = None
    valid_until: date | None = None
    """Last day on which it need not be looked at again."""
    snapshot: str = ""
    effect: Decimal | None = None
    """Difference of NPV between a fifth less and a fifth more of it."""
    rank: int = 0
    """1 for the one that moves NPV most."""
    lot: int = 0
    """Number of the purchase it is of; 0: of all."""

    @property
    def key(self) -> str:
        """Its name in the workbook."""
        if self.lot:
            return f"{'resale' if self.name == 'residual' else self.name}_{self.lot}"
        return _KEYS.get(self.name, self.name)


_KEYS = {"rate": "discount_rate", "tariff": "electricity", "days": "horizon_days"}


def register(what_if: WhatIf, plan: Plan, problem: Problem) -> list[Assumption]:
    """All assumptions, by rank."""
    rows = [
        replace(row, effect=None if scaled is None else _effect(scaled))
        for row, scaled in _Register(what_if, plan, problem).rows()
    ]
    order = sorted(rows, key=lambda row: -(row.effect or ZERO))
    return [replace(row, rank=number) for number, row in enumerate(order, start=1)]


def is_draft(rows: list[Assumption], npv: Decimal) -> bool:
    """Whether the answer leans on a default that nobody has set."""
    return any(row.set_by == "default" and (row.effect or ZERO) > DRAFT * abs(npv) for row in rows)


Scaled = Callable[[Decimal], Question]
"""The question with an assumption times a factor."""


def _effect(scaled: Scaled) -> Decimal:
    low, high = (
        next(o for o in outcomes(scaled(factor)) if o.name == "npv").value or ZERO
        for factor in (1 - SHARE, 1 + SHARE)
    )
    return abs(high - low)


class _Register:
    def __init__(self, what_if: WhatIf, plan: Plan, problem: Problem) -> None:
        self.q, self.plan, self.money = what_if.question, plan, problem.costs.money
        self.options = {option.name: option.item for option in problem.purchases}
        self.snapshots = ", ".join(f"{s.name} {s.sha256[:12]}" for s in plan.price_sources)

    def rows(self) -> Iterator[tuple[Assumption, Scaled | None]]:
        q = self.q
        yield self._money("rate", "rate", q.rate, "discount_rate"), self._common("rate")
        yield self._money("tariff", "price", q.tariff, "electricity"), self._common("tariff")
        yield self._money("pue", "factor", q.pue, "pue"), self._common("pue")
        if q.resale_cost or any(lot.residual for lot in q.lots):
            row = self._money("resale_cost", "share", q.resale_cost, "resale_cost")
            yield row, self._common("resale_cost")
        if q.tax_rule:
            yield Assumption("tax_rate", "", q.tax_rate, "share", "file", q.tax_rule), None
        yield Assumption("days", "", Decimal(q.days), "days", "file", ""), None
        change = Assumption("rent_change", "", q.rent_change, "rate", "convention", "")
        yield change, self._rents_fall
        for index, lot in enumerate(q.lots):
            for row, scaled in self._lot(index, lot):
                yield replace(row, lot=index + 1), scaled

    def _rents_fall(self, factor: Decimal) -> Question:
        """A change of 0 has no fifth: 20 % a year either way."""
        return replace(self.q, rent_change=factor - 1)

    def _common(self, name: str) -> Scaled:
        return lambda factor: replace(self.q, **{name: getattr(self.q, name) * factor})

    def _of_lot(self, index: int, *names: str) -> Scaled:
        def scaled(factor: Decimal) -> Question:
            lots = list(self.q.lots)
            lot = lots[index]
            lots[index] = replace(lot, **{name: getattr(lot, name) * factor for name in names})
            return replace(self.q, lots=tuple(lots))

        return scaled

    def _money(self, name: str, form: str, value: Decimal, field: str) -> Assumption:
        if field in self.money.model_fields_set:
            return Assumption(name, "", value, form, "file", "")
        known = defaults().get(f"money.{field}")
        if known is None:
            return Assumption(name, "", value, form, "default", "")
        return Assumption(name, "", value, form, "default", known.source, known.observed_at,
                          known.review_after)  # fmt: skip

    def _lot(self, index: int, lot: Lot) -> Iterator[tuple[Assumption, Scaled | None]]:
        quote, item = lot.quote, self.options[lot.option]
        rent = Assumption(
            "rent", quote.name, lot.rent, "rent", "quote", quote.source, quote.observed_at,
            quote.observed_at + timedelta(STALE_DAYS), self.snapshots,
        )  # fmt: skip
        yield rent, self._of_lot(index, "rent")
        source = item.source or ""
        price = Assumption("price", lot.node, lot.price, "amount", "file", source)
        yield price, self._of_lot(index, "price")
        yield self._planned("use", lot, lot.use, "share"), self._of_lot(index, "use")
        if lot.residual:
            yield (
                self._of_file("residual", lot, lot.residual, "share"),
                self._of_lot(index, "residual"),
            )
        yield self._power("busy_kw", lot, item.busy_power), self._of_lot(index, "busy_kw")
        yield self._power("idle_kw", lot, item.idle_power), self._of_lot(index, "idle_kw")
        for name, form in (("maintenance", "rate"), ("hosting", "amount")):
            if getattr(lot, name):
                row = self._of_file(name, lot, getattr(lot, name), form)
                yield row, self._of_lot(index, name)
        yield self._planned("nodes", lot, Decimal(lot.nodes), "count"), None

    def _planned(self, name: str, lot: Lot, value: Decimal, form: str) -> Assumption:
        by = "plan" if self.q.planned or name == "use" else "convention"
        return Assumption(name, lot.node, value, form, by, "")

    def _of_file(self, name: str, lot: Lot, value: Decimal, form: str) -> Assumption:
        return Assumption(name, lot.node, value, form, "file", "")

    def _power(self, name: str, lot: Lot, given: float | None) -> Assumption:
        value = getattr(lot, name)
        if given is not None:
            return Assumption(name, lot.node, value, "kw", "file", "")
        known = defaults()["host_power" if name == "busy_kw" else "money.idle_share"]
        return Assumption(name, lot.node, value, "kw", "default", known.source,
                          known.observed_at, known.review_after)  # fmt: skip
