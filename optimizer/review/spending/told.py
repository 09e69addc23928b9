"""What the spending memo says in sentences and tables."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.report.money_text import footed
from optimizer.review.commitments import Commitment
from optimizer.review.memo.plan_sayings import PlanSayings
from optimizer.review.memo.plan_tables import UNIT, Cell, PlanTables, Row, Table
from optimizer.review.memo.terms import terms_table
from optimizer.review.memo.words import Words
from optimizer.review.spending.spending import ZERO, Spending


class SpendingSayings(PlanSayings):
    def __init__(self, spending: Spending, words: Words) -> None:
        super().__init__(spending.plan, PlanTables(spending.plan, words), words)
        self.s = spending

    # -- the first page --------------------------------------------------------------------------

    def asked(self) -> str:
        d = self.s
        return self.w(
            "spend_asked", amount=self.w.money(d.plan.total), days=d.plan.n_days,
            day=self.w.day(d.plan.first_day),
        )  # fmt: skip

    def verdict(self) -> str:
        return self.w(f"spend_verdict_{self.s.verdict}", n=len(self.s.signed))

    def because(self) -> list[str]:
        """Why it is only this that is asked, and what ties."""
        why = self.s.why
        lines = [self.w(f"spend_why_{why.code}", subject=why.subject), *self._others()]
        lines += [self._signing(number, each) for number, each in enumerate(self.s.signed, start=1)]
        return lines

    def _others(self) -> Iterator[str]:
        """What the best plans cost more that rent all, or own all."""
        for kind in ("rent", "own"):
            npv = self.plan.answer(kind).npv
            if npv is not None and npv > self.plan.npv:
                more = self.w.money(npv - self.plan.npv)
                yield self.w(f"spend_all_{kind}", more=more)

    def _signing(self, number: int, each: Commitment) -> str:
        named = f"{self.w('commitment_number', n=number)}{each.group.sample.node}"
        if each.saves is None or each.even_use is None:
            return self.w("spend_sign_alone", what=named)
        key = "spend_sign_saves" if each.saves > 0 else "spend_sign_costs"
        return self.w(
            key, what=named, saves=self.w.money(abs(each.saves)),
            even=self.w.percent(each.even_use), use=self.w.percent(each.use),
        )  # fmt: skip

    def cautions(self) -> list[str]:
        return [self.w("expired")] if self.s.expired() else []

    def headlines(self) -> Iterator[tuple[str, str, str, Decimal, str]]:
        """(title, value, remark, raw value, name of the figure)."""
        w, d = self.w, self.s
        pv = w("spend_pv", pv=w.money(d.plan.npv), rate=w.percent(d.rate))
        yield w("kpi_spend"), w.money(d.plan.total), pv, d.plan.total, "plan.total"
        tied = w("kpi_committed_note" if d.signed else "kpi_committed_none")
        yield w("kpi_committed"), w.money(d.committed), tied, d.committed, "committed"
        if d.bought:
            note = w("kpi_bought_note")
            yield w("kpi_bought"), w.money(d.bought), note, d.bought, "bought_net"
        note = w("kpi_by_use_note", swing=w.percent(d.swing, 0), more=w.money(d.dearer))
        yield w("kpi_by_use"), w.money(d.by_use), note, d.by_use, "by_use"

    def valid_note(self) -> str:
        return self.w(f"until_{self.s.until.why}", subject=self.s.until.subject)

    def vat(self) -> str:
        return self.w(f"vat_{self.s.vat}")

    def sign(self) -> str:
        return self.w("spend_sign_off", currency=self.w.unit, vat=self.vat())

    # -- tables ----------------------------------------------------------------------------------

    def commitments(self) -> Table | None:
        return terms_table(self.tables, self.s.signed)

    def bill(self) -> Table | None:
        """Lines of the bill by what is paid for."""
        lines = sorted(self.plan.ledger, key=lambda line: -line.amount)
        if not lines:
            return None
        paid = footed([line.amount for line in lines], UNIT)
        worth = footed([line.present_value for line in lines], UNIT)
        rows = [
            Row((Cell(self._component(line.component)), Cell(line.cause, "wide"),
                 self.tables.money(amount), self.tables.money(pv)))
            for line, amount, pv in zip(lines, paid, worth, strict=True)
        ]  # fmt: skip
        foot = Row((Cell(self.w("total")), Cell(""), self.tables.money(
            sum(paid, ZERO), "plan.total", exact=self.plan.total), self.tables.money(
            sum(worth, ZERO), "plan.pv", exact=self.plan.npv)))  # fmt: skip
        heads = (Cell(self.w("col_component")), Cell(self.w("col_cause")),
                 *self.tables.head("total", "pv", right=0))  # fmt: skip
        return Table(self.w("h_bill"), heads, tuple(rows), foot)

    def _component(self, name: str) -> str:
        key = f"component_{name}"
        return self.w(key) if self.w.has(key) else name

    def workloads(self) -> Table | None:
        rows = sorted(self.plan.by_workload, key=lambda item: -item[1])
        if not rows:
            return None
        paid = footed([amount for _, amount in rows], UNIT)
        body = [Row((Cell(self.w("idle") if name == "(idle)" else name), self.tables.money(amount)))
                for (name, _), amount in zip(rows, paid, strict=True)]  # fmt: skip
        foot = Row((Cell(self.w("total")), self.tables.money(sum(paid, ZERO))))
        heads = (Cell(self.w("col_workload")), *self.tables.head("total", right=0))
        return Table(self.w("t_by_workload"), heads, tuple(body), foot, titled=True)

    def cash(self) -> Table:
        paid = footed([amount for _, amount in self.plan.cash_flow], UNIT)
        rows, so_far = [], ZERO
        for (month, exact), amount in zip(self.plan.cash_flow, paid, strict=True):
            so_far += amount
            name = self.w("after_horizon") if month == "after" else month
            rows.append(
                Row(
                    (
                        Cell(name),
                        self.tables.money(amount, f"plan.month.{month}", exact=exact),
                        self.tables.money(so_far),
                    )
                )
            )
        heads = (Cell(self.w("col_period")), *self.tables.head("paid", "so_far", right=0))
        return Table(self.w("h_cash"), heads, tuple(rows))
