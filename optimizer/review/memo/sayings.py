"""What the memo says in sentences, and the tables that are mostly words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.review.memo.memo import Memo
from optimizer.review.memo.plan_sayings import PlanSayings
from optimizer.review.memo.plan_tables import ZERO, Cell, Row, Table
from optimizer.review.memo.register import Assumption
from optimizer.review.memo.studied import FORMS, change
from optimizer.review.memo.tables import Tables, whole
from optimizer.review.memo.words import NONE, Words


class Sayings(PlanSayings):
    """Of buying against renting."""

    def __init__(self, memo: Memo, words: Words) -> None:
        super().__init__(memo.plan, Tables(memo, words), words)
        self.memo, self.q, self.decision = memo, memo.question, memo.decision

    # -- the first page --------------------------------------------------------------------------

    def nodes(self) -> str:
        return self.w("comma").join(f"{n} × {node}" for n, node in self.decision.nodes)

    def asked(self) -> str:
        d = self.decision
        gpus = self.w("gpu_one" if d.gpus == 1 else "gpu_many", n=d.gpus)
        return self.w(
            "asked_buy" if d.buys else "asked_weigh", nodes=self.nodes(), gpus=gpus,
            amount=self.w.money(d.capex), day=self.w.day(d.paid),
        )  # fmt: skip

    def because(self) -> str:
        npv = self.memo.npv
        return self.w(
            "because_buy" if npv > 0 else "because_rent", npv=self.w.money(abs(npv)),
            rate=self.w.percent(self.q.rate), days=self.w.number(Decimal(self.q.days)),
            rent=self.w.of("rent", self.memo.base.mean_rent),
        )  # fmt: skip

    def signed(self) -> str:
        """What else the plan ties; empty where it signs for nothing."""
        owed = sum((term.cost for term in self.memo.terms), ZERO)
        return self.w("also_signs", amount=self.w.money(owed)) if self.memo.terms else ""

    def cautions(self) -> list[str]:
        found = []
        if not self.decision.agrees:
            key = "disagrees_buy" if self.decision.buys else "disagrees_rent"
            found.append(self.w(key))
        if self.decision.expired(self.plan.as_of):
            found.append(self.w("expired"))
        if self.decision.draft:
            found.append(self.w("draft_why"))
        if self.decision.unproven is not None:
            amount = self.w.money(self.decision.unproven)
            found.append(self.w("unproven", amount=amount))
        return found

    def valid_note(self) -> str:
        until = self.decision.until
        subject = until.subject
        if until.why == "default":
            subject = self.w(f"assumption_{subject}")
        return self.w(f"until_{until.why}", subject=subject)

    def flip_note(self) -> str:
        """Without the value itself, which comes after it."""
        flip = self.decision.flip
        if flip is None:
            return self.w("flip_none")
        now = self.w.of(FORMS[flip.span.driver], flip.span.base)
        return self.w("flip_buy" if self.memo.npv > 0 else "flip_rent", now=now)

    def flip_at(self) -> str:
        flip = self.decision.flip
        if flip is None or flip.flip is None:
            return ""
        return self.w.of(FORMS[flip.span.driver], flip.flip)

    def flip_change(self) -> str:
        flip = self.decision.flip
        return "" if flip is None else self.w.percent(change(flip), 0, sign=True)

    def likely(self) -> str:
        """What random draws say of NPV, in a sentence."""
        drawn, w = self.memo.study.monte_carlo, self.w
        low, high = (w.money(whole(drawn.quantile(q)), sign=True) for q in (0.1, 0.9))
        wins = w.percent(Decimal(repr(drawn.buying_wins)))
        return w("likely", low=low, high=high, wins=wins)

    def headlines(self) -> Iterator[tuple[str, str, str]]:
        """(what, value, remark) of the first page."""
        w, base, d = self.w, self.memo.base, self.decision
        rate = w.percent(self.q.rate)
        yield w("kpi_npv"), w.money(self.memo.npv, sign=True), w("kpi_npv_note", rate=rate)
        yield w("kpi_likely"), "", self.likely()
        yield w("kpi_risk"), w.money(base.known("cash_at_risk")), w("kpi_risk_note")
        even = base.outcomes["break_even_use"].metric
        used = w("kpi_planned") + w.percent(base.known("utilisation"))
        shown = w(f"code_{even.code}") if even.value is None else w.percent(even.value)
        yield w("kpi_even"), shown, used
        if d.flip is None:
            yield w("kpi_flip"), w("none"), w("flip_none")
        else:
            name = w(f"swing_{d.flip.span.driver}")
            yield w("kpi_flip"), name, f"{self.flip_note()}{self.flip_at()} ({self.flip_change()})"
        yield w("kpi_valid"), w.day(d.until.day), self.valid_note()

    def vat(self) -> str:
        return self.w(f"vat_{self.memo.vat}")

    # -- where it comes from ---------------------------------------------------------------------

    def register(self) -> Table:
        rows = [self._assumption(row) for row in self.memo.assumptions]
        heads = (
            *(Cell(self.w(f"col_{k}"), kind) for k, kind in (
                ("rank", "n"), ("assumption", ""), ("value", "n"))),
            Cell(self.w("col_effect", currency=self.w.unit), "n"),
            *(Cell(self.w(f"col_{k}")) for k in ("set_by", "source", "seen", "snapshot")),
        )  # fmt: skip
        return Table(self.w("h_register"), heads, tuple(rows), kind="dense")

    def _assumption(self, row: Assumption) -> Row:
        name = self.w(f"assumption_{row.name}")
        named = self.w("of", what=name, whose=row.subject) if row.subject else name
        seen = NONE if row.observed_at is None else self.w.day(row.observed_at)
        set_by = self.w(f"set_{row.set_by}")
        source = self.tables.quoted(row.source, "wide") if row.source else Cell(
            self._own_source(row), "wide")  # fmt: skip
        return Row((
            Cell(str(row.rank), "n"), Cell(named, "wide"),
            Cell(self.w.of(row.form, row.value), "n", row.key, row.value),
            self.tables.money(row.effect), Cell(set_by), source, Cell(seen, "day"),
            Cell(row.snapshot or NONE, "wide"),
        ), "default" if row.set_by == "default" else "")  # fmt: skip

    def _own_source(self, row: Assumption) -> str:
        if row.set_by == "file":
            return self.plan.schedule
        return self.w(f"source_{row.set_by}")
