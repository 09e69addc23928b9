"""What a plan says in tables: what is bought, what is rented, its calendar; and their cells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from optimizer.finance.refusal import Metric
from optimizer.plans import Plan
from optimizer.report.money_text import CENT, footed
from optimizer.report.rental_groups import RentalGroup, grouped
from optimizer.review.memo.reasons import translated
from optimizer.review.memo.runs import runs
from optimizer.review.memo.words import NONE, Lang, Words

ZERO = Decimal(0)
UNIT = Decimal(1)


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    kind: str = ""
    """Classes: n (a number), good, bad, quiet …"""
    key: str = ""
    """Name of the figure it shows."""
    raw: object = ""
    lang: str = ""
    """Where it is not in the memo's language: quoted from somebody else."""


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    caption: str
    heads: tuple[Cell, ...]
    rows: tuple[Row, ...]
    foot: Row | None = None
    notes: tuple[Cell, ...] = ()
    kind: str = ""
    across: str = ""
    """What the columns of a grid are."""
    titled: bool = False
    """Whether the caption is shown: it is not where it says what the heading above says."""


class PlanTables:
    """Tables of any plan, in one language."""

    def __init__(self, plan: Plan, words: Words) -> None:
        self.plan, self.w = plan, words

    # -- cells -----------------------------------------------------------------------------------

    def head(self, *keys: str, right: int = 1) -> tuple[Cell, ...]:
        """Titles by key; those from `right` on stand over numbers."""
        return tuple(
            Cell(self.w(f"col_{key}", currency=self.w.unit) if key else "",
                 "n" if number >= right else "")
            for number, key in enumerate(keys)
        )  # fmt: skip

    def quoted(self, text: str, kind: str = "") -> Cell:
        """What the optimiser or a source says, marked where it stays in English."""
        said = translated(self.w, text)
        return Cell(text, kind, lang=Lang.EN) if said is None else Cell(said, kind)

    def money(
        self, value: Decimal | None, key: str = "", *, sign: bool = False,
        exact: Decimal | None = None,
    ) -> Cell:  # fmt: skip
        """An amount.

        Args:
            exact: what it was rounded from, where it is one of lines that add up.
        """
        if value is None:
            return Cell(NONE, "n quiet")
        kind = "n bad" if sign and value < 0 else "n"
        raw = value if exact is None else exact
        return Cell(self.w.number(value, sign=sign), kind, key, raw)

    def number(self, text: str, key: str = "", raw: object = "") -> Cell:
        return Cell(text, "n", key, raw)

    def above(self, npv: Decimal, bound: Decimal) -> str:
        """How far a cost is at most above the least possible; rounded up, as plans tell it."""
        if npv - bound <= CENT / 2:
            return self.w.percent(ZERO, 2)
        if bound <= 0:
            return NONE
        share = ((npv - bound) / bound).quantize(Decimal("0.0001"), ROUND_CEILING)
        return self.w.percent(share, 2)

    def span(self, group: RentalGroup) -> Cell:
        """First and last day."""
        first, last = self.w.day(group.start), self.w.day(group.end - timedelta(1))
        return Cell(f"{first} – {last}")

    def metric(self, key: str, found: Metric, form: str) -> Cell:
        if found.value is None:
            return Cell(self.w(f"code_{found.code}"), "n quiet", key, "")
        return Cell(self.w.of(form, found.value), "n", key, found.value)

    # -- the plan --------------------------------------------------------------------------------

    def calendar(self) -> Table:
        rows = [
            Row((
                Cell(run.workload), Cell(run.node), Cell(self.w.day(run.start)),
                Cell(self.w.day(run.end - timedelta(1))), self.number(run.cell),
            ))
            for run in runs(self.plan)
        ]  # fmt: skip
        heads = (*(Cell(self.w(f"col_{k}")) for k in ("workload", "on", "first", "last")),
                 Cell(self.w("col_count"), "n"))  # fmt: skip
        return Table(self.w("calendar_title"), heads, tuple(rows))

    def bought(self) -> Table | None:
        if not self.plan.bought:
            return None
        cost = footed([line.price for line in self.plan.bought], UNIT)
        back = footed([line.resale for line in self.plan.bought], UNIT)
        rows = [
            Row((
                Cell(f"{line.nodes} × {line.node}", "day"), Cell(self.w.day(line.paid), "day"),
                Cell(self.w.day(line.usable), "day"), Cell(self.w.day(line.sold), "day"),
                self.money(price), self.money(resale), self.quoted(line.source, "wide"),
            ))
            for line, price, resale in zip(self.plan.bought, cost, back, strict=True)
        ]  # fmt: skip
        totals = (self.money(sum(amounts, ZERO)) for amounts in (cost, back))
        foot = Row((Cell(self.w("total")), *[Cell("")] * 3, *totals, Cell("")))
        heads = (*(Cell(self.w(f"col_{k}")) for k in ("buy", "pay_on", "usable", "sold")),
                 *self.head("price", "worth", right=0), Cell(self.w("col_source")))  # fmt: skip
        return Table(self.w("t_bought"), heads, tuple(rows), foot, titled=True)

    def rented(self) -> Table | None:
        groups = grouped(self.plan)
        if not groups:
            return None
        costs = footed([group.cost for group in groups], UNIT)
        rows = [
            Row((
                Cell(group.sample.node), Cell(group.sample.offer, "wide"),
                Cell(", ".join(group.workloads), "wide"),
                self.span(group),
                Cell(group.sample.quoted, "wide"), self.money(cost),
                self.number(f"{group.sample.age_days}"),
            ))
            for group, cost in zip(groups, costs, strict=True)
        ]  # fmt: skip
        foot = Row((Cell(self.w("total")), *[Cell("")] * 4, self.money(sum(costs, ZERO)),
                    Cell("")))  # fmt: skip
        heads = (*(Cell(self.w(f"col_{k}")) for k in
                   ("rent_node", "offer", "for", "days", "quoted")),
                 *self.head("cost", "age", right=0))  # fmt: skip
        return Table(self.w("t_rented"), heads, tuple(rows), foot, titled=True)
