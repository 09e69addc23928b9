"""The memo's tables of buying against renting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate

from optimizer.finance.refusal import Metric
from optimizer.report.money_text import footed, why_none
from optimizer.review.memo.ladder import Rung
from optimizer.review.memo.memo import Memo
from optimizer.review.memo.plan_tables import UNIT, Cell, PlanTables, Row, Table
from optimizer.review.memo.what_if import ZERO
from optimizer.review.memo.words import NONE, Words


class Tables(PlanTables):
    """All tables of a memo in one language."""

    def __init__(self, memo: Memo, words: Words) -> None:
        super().__init__(memo.plan, words)
        self.memo, self.q, self.base = memo, memo.question, memo.base

    # -- answers ---------------------------------------------------------------------------------

    def three(self) -> Table:
        best, rows, notes = self.plan.answer("mix"), [], []
        for answer in self.plan.answers:
            name = self.w(f"answer_{answer.kind}")
            keys = (f"answers.{answer.kind}.total", f"plan.answer.{answer.kind}")
            if answer is best:
                keys = ("plan.total", "plan.pv")
            extra = None
            if answer.npv is not None and best.npv is not None and answer is not best:
                extra = answer.npv - best.npv
            gap = NONE
            if answer.npv is not None and answer.bound is not None:
                gap = self.above(answer.npv, answer.bound)
            rows.append(
                Row((
                    Cell(name), self.money(answer.total, keys[0]),
                    self.money(answer.npv, keys[1]),
                    self.money(extra, f"plan.saves.{answer.kind}", sign=True),
                    self.number(gap), self.number(f"{answer.nodes_bought}"),
                ), "strong" if answer is best else "")
            )  # fmt: skip
            if answer.npv is None:
                notes += [Cell(self.w("no_answer", name=name)), self.quoted(why_none(answer))]
        if self.memo.decision.whole is not None:
            aside = self.memo.decision.whole - self.memo.npv
            npv, aside = footed([self.memo.npv, aside], UNIT)
            amounts = {"whole": npv + aside, "npv": npv, "aside": aside}
            told = {name: self.w.money(value, sign=True) for name, value in amounts.items()}
            notes.append(Cell(self.w("bridge", **told)))
        heads = self.head("plan", "total", "pv", "extra", "gap", "nodes_bought")
        return Table(self.w("h_answers"), heads, tuple(rows), notes=tuple(notes))

    def ladder(self) -> Table:
        rows = [
            Row((
                Cell(self.w("node_number", n=rung.number, node=rung.node)),
                self.number(self.w.percent(rung.use), f"ladder.{rung.number}.use", rung.use),
                self.number(self.w.number(Decimal(rung.days_used))),
                self.money(saving, f"ladder.{rung.number}.saving", sign=True,
                           exact=rung.saving),
                self.money(so_far, sign=True),
                self.number(NONE if rung.even_rent is None else self.w.price(rung.even_rent),
                            f"ladder.{rung.number}.even_rent",
                            "" if rung.even_rent is None else rung.even_rent),
            ))
            for rung, saving, so_far in _adding_up(self.memo)
        ]  # fmt: skip
        heads = self.head("node", "use", "days_used", "saving", "so_far", "even_rent")
        return Table(self.w("h_ladder"), heads, tuple(rows))

    def metrics(self) -> Table:
        forms = {
            "npv": "amount", "npv_buy": "amount", "npv_rent": "amount", "saving": "amount",
            "capex": "amount", "cash_at_risk": "amount", "irr": "rate", "mirr": "rate",
            "payback": "months", "discounted_payback": "months", "eac": "amount",
            "gpu_hour_accounting": "rent", "gpu_hour_economic": "rent", "break_even_rent": "rent",
            "utilisation": "share", "break_even_use": "share",
        }  # fmt: skip
        rows = []
        for name, form in forms.items():
            metric = self.base.outcomes[name].metric
            meaning = self.w(f"meaning_{name}") + self._remark(metric)
            rows.append(
                Row((
                    Cell(self.w(f"metric_{name}")),
                    self.metric(f"{name}", metric, form),
                    Cell(meaning, "wide"),
                ), "strong" if name == "npv" else "")
            )  # fmt: skip
        price = self.base.outcomes["break_even_price"].metric
        shown = self.metric("break_even_price", price, "amount")
        if price.value is not None:  # a factor, told as what all purchases may cost
            amount = price.value * self.base.known("capex")
            shown = replace(shown, text=self.w.money(amount))
        about = Cell(self.w("meaning_break_even_price"), "wide")
        rows.append(Row((Cell(self.w("metric_break_even_price")), shown, about)))
        heads = (*self.head("figure", "value"), Cell(self.w("col_meaning")))
        return Table(self.w("h_metrics"), heads, tuple(rows))

    def taxes(self) -> Table | None:
        """From NPV before tax to after it; none where the schedule says nothing of taxes."""
        if not self.q.tax_rule:
            return None
        before, after = self.base.npv, self.base.known("npv_after_tax")
        npv, tax = footed([before, after - before], UNIT)
        rows = [
            ("tax_rate", self.metric("tax_rate", Metric(self.q.tax_rate), "share")),
            ("npv", self.money(npv, "npv", sign=True, exact=before)),
            ("tax", self.money(-tax, "pv_tax", exact=before - after)),
            ("npv_after_tax", self.money(npv + tax, "npv_after_tax", sign=True, exact=after)),
        ]
        lines = tuple(
            Row((Cell(self.w(f"metric_{name}")), cell, Cell(self.w(f"meaning_{name}"), "wide")),
                "strong" if name == "npv_after_tax" else "")
            for name, cell in rows
        )  # fmt: skip
        notes = [Cell(self.w("tax_note")), self.quoted(self.q.tax_rule)]
        if (after > 0) != (before > 0):
            notes.append(Cell(self.w("tax_turns"), "bad"))
        heads = (*self.head("figure", "value"), Cell(self.w("col_meaning")))
        return Table(self.w("h_taxes"), heads, lines, notes=tuple(notes))

    def _remark(self, metric: Metric) -> str:
        """What is to be known of a figure, in the memo's language."""
        if "only by the resale" in metric.reason:
            return f"; {self.w('only_resale')}"
        if metric.code == "several_rates":
            rates = self.w("comma").join(self.w.percent(rate) for rate in metric.candidates)
            return f"; {self.w('rates_found', rates=rates or NONE)}"
        if metric.reason.startswith("as if"):
            return f"; {self.w('as_if_repeated', days=self.q.days)}"
        return ""

    # -- money by month --------------------------------------------------------------------------

    def cash(self) -> Table:
        """Whole units of currency that add up across and down, to the figures above."""
        flows = self.base.flows
        parts = [flows.rent, *([-v for v in part] for part in
                               (flows.purchase, flows.running, flows.resale))]  # fmt: skip
        totals = footed([sum(part, ZERO) for part in parts], UNIT)
        shown = self._by_month(parts, totals)
        present = [flow * month.factor
                   for flow, month in zip(flows.net, self.base.months, strict=True)]  # fmt: skip
        worth = footed(present, UNIT)
        rows, so_far, worth_so_far = [], ZERO, ZERO
        for number, month in enumerate(self.base.months):
            cells = [part[number] for part in shown]
            net = sum(cells, ZERO)
            so_far, worth_so_far = so_far + net, worth_so_far + worth[number]
            ends = self.plan.first_day + timedelta(int(month.end))
            rows.append(
                Row((
                    Cell(f"{number}", "n"), Cell(self.w.day(ends), "day"),
                    *(self.money(value, sign=True) for value in cells),
                    self.money(net, f"net.{number}", sign=True, exact=flows.net[number]),
                    self.money(so_far, sign=True),
                    self.money(worth[number], f"pv_net.{number}" if present[number] else "",
                               sign=True, exact=present[number]),
                    self.money(worth_so_far, sign=True),
                ))
            )  # fmt: skip
        foot = Row((
            Cell(self.w("total")), Cell(""),
            *(self.money(total, sign=True) for total in totals),
            self.money(sum(totals, ZERO), "saving", sign=True,
                       exact=self.base.known("saving")), Cell(""),
            self.money(sum(worth, ZERO), "npv", sign=True, exact=self.memo.npv), Cell(""),
        ))  # fmt: skip
        heads = (Cell(self.w("col_period"), "n"), Cell(self.w("col_ends")), *self.head(
            "rent_saved", "bought", "running", "resale", "net", "so_far", "pv", "pv_so_far",
            right=0,
        ))  # fmt: skip
        return Table(self.w("h_cash"), heads, tuple(rows), foot, kind="dense")

    def _by_month(self, parts: list[list[Decimal]], totals: list[Decimal]) -> list[list[Decimal]]:
        """Whole units that add up to the totals, and to the cash at risk in its month."""
        sums = list(accumulate(self.base.flows.net))
        until = sums.index(min(sums)) + 1
        reached = footed([sum(part[:until], ZERO) for part in parts], UNIT)
        return [
            footed(part[:until], UNIT, then) + footed(part[until:], UNIT, total - then)
            for part, then, total in zip(parts, reached, totals, strict=True)
        ]

    def crossover(self) -> Table:
        rows = [
            Row((Cell(self.w.number(at.days), "n"), self.money(at.rent), self.money(at.buy),
                 self.money(at.if_sold)))
            for at in self.base.crossover()
        ]  # fmt: skip
        heads = self.head("day", "cost_rent", "cost_buy", "cost_sold", right=0)
        return Table(self.w("crossover_title"), heads, tuple(rows))


def whole(value: float) -> Decimal:
    """A figure that was drawn: no more than whole units are meant."""
    return Decimal(round(value))


def _adding_up(memo: Memo) -> Iterator[tuple[Rung, Decimal, Decimal]]:
    so_far = ZERO
    savings = footed([rung.saving for rung in memo.rungs], UNIT)
    for rung, saving in zip(memo.rungs, savings, strict=True):
        so_far += saving
        yield rung, saving, so_far
