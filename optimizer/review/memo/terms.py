"""The terms that a plan signs for, as a table: in the memo of any plan."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from optimizer.report.money_text import footed, number_range
from optimizer.review.commitments import Commitment
from optimizer.review.memo.plan_tables import UNIT, Cell, PlanTables, Row, Table
from optimizer.review.memo.words import NONE


def terms_table(tables: PlanTables, signed: Sequence[Commitment]) -> Table | None:
    """None where nothing is signed."""
    if not signed:
        return None
    w = tables.w
    costs = footed([each.cost for each in signed], UNIT)
    rows = [
        _row(tables, number, each, cost)
        for number, (each, cost) in enumerate(zip(signed, costs, strict=True), start=1)
    ]
    heads = (
        *(Cell(w(f"col_{key}")) for key in ("term", "offer", "days")),
        *tables.head("cost", "use_planned", "cost_by_hour", "saves", "even_use", right=0),
    )
    notes = tuple(
        Cell(w("commitment_against", n=number, offer=each.by_hour.name))
        for number, each in enumerate(signed, start=1)
        if each.by_hour is not None
    )
    return Table(w("h_commitments"), heads, tuple(rows), notes=notes)


def _row(tables: PlanTables, number: int, each: Commitment, cost: Decimal) -> Row:
    group, key, w = each.group, f"commitment.{number}", tables.w
    even = NONE if each.even_use is None else w.percent(each.even_use)
    nodes = number_range(*group.nodes) if w.lang == "en" else f"{group.nodes[1]}"
    return Row((
        Cell(f"{number}: {nodes} × {group.sample.node}"),
        Cell(group.sample.offer, "wide"), tables.span(group),
        tables.money(cost, f"{key}.cost", exact=each.cost),
        tables.number(w.percent(each.use), f"{key}.use", each.use),
        tables.money(each.cost_by_hour, f"{key}.by_hour" if each.by_hour else ""),
        tables.money(each.saves, f"{key}.saves" if each.by_hour else "", sign=True),
        tables.number(even, f"{key}.even_use" if each.by_hour else "", each.even_use or ""),
    ))  # fmt: skip
