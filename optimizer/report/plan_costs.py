"""Where a plan's money goes: by component, workload and month, and what would change its mind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.plans import Plan
from optimizer.report.money_text import footed_text, hours_number, money, percent
from optimizer.report.plan_json import decimal_text
from optimizer.report.section import Columns, Section
from optimizer.report.tables import Column


def discounted(plan: Plan) -> bool:
    """Whether present values differ from the sums."""
    differ = any(answer.total != answer.npv for answer in plan.answers)
    return differ or plan.total != plan.npv


def utilisation(plan: Plan) -> Section:
    rows = [
        [
            pool.node,
            hours_number(pool.available_node_hours),
            hours_number(pool.used_node_hours),
            percent(pool.utilisation),
        ]
        for pool in plan.utilisation
    ]
    columns: Columns = [
        "nodes",
        Column("node-hours there", right=True),
        Column("used", right=True),
        Column("share", right=True),
    ]
    notes = ("nodes rented by the hour for one job are left out: they are always in use",)
    by_job = any(line.workload for line in plan.rentals)
    return Section("Utilisation", columns, rows, notes=notes if by_job else ())


def costs(plan: Plan) -> list[Section]:
    """What is paid for what: by component, and by workload."""
    parts: dict[str, list[Decimal]] = {}
    for line in plan.ledger:
        both = parts.setdefault(line.component, [Decimal(0), Decimal(0)])
        both[0] += line.amount
        both[1] += line.present_value
    valued = discounted(plan)
    paid = footed_text([both[0] for both in parts.values()])
    now = footed_text([both[1] for both in parts.values()])
    rows = [
        [component, amount, *([worth] if valued else [])]
        for component, amount, worth in zip(parts, paid, now, strict=True)
    ]
    rows.append(["total", money(plan.total), *([money(plan.npv)] if valued else [])])
    columns: list[str | Column] = ["cost of", Column(plan.currency, right=True)]
    if valued:
        columns.append(Column("present value", right=True))
    by = list(plan.by_workload)
    whole = sum((amount for _, amount in by), Decimal(0))
    mine = [
        [name, amount, percent(exact / whole) if whole > 0 else ""]
        for (name, exact), amount in zip(by, footed_text([a for _, a in by]), strict=True)
    ]
    if mine:
        mine.append(["total", money(whole), ""])
    shares: Columns = ["workload", Column(plan.currency, right=True), Column("share", right=True)]
    idle = any(name == "(idle)" for name, _ in by)
    note = ("(idle) is capacity that no workload used",) if idle else ()
    return [
        Section("Cost by component", columns, rows),
        Section("Cost by workload", shares, mine, notes=note),
    ]


def cash_flow(plan: Plan) -> Section:
    months = list(plan.cash_flow)
    paid = footed_text([amount for _, amount in months])
    running, rows = Decimal(0), []
    for (month, exact), amount in zip(months, paid, strict=True):
        running += exact
        rows.append([month, amount, money(running)])
    columns: Columns = [
        "month",
        Column(f"paid {plan.currency}", right=True),
        Column("so far", right=True),
    ]
    after = any(month == "after" for month, _ in months)
    notes = ("'after' is billed or received past the last day",) if after else ()
    return Section("Cash flow", columns, rows, notes=notes, aside=True)


def breakeven(plan: Plan) -> Section:
    """Rows as the break-even solver states them; nothing is known of them but their keys."""
    rows = [
        [
            _words(row, "pair", "what", "subject"),
            _words(row, "quantity", "name"),
            _words(row, "now", "current"),
            _words(row, "breakeven", "break_even", "value"),
            _words(row, "unit"),
            _words(row, "text", "meaning"),
        ]
        for row in plan.breakeven
    ]
    columns: Columns = [
        "own or rent",
        "quantity",
        Column("now", right=True),
        Column("break-even", right=True),
        "unit",
        "meaning",
    ]
    return Section("Break-even points", columns, rows)


def _words(row: dict[str, Any], *keys: str) -> str:
    value = next((row[key] for key in keys if row.get(key) is not None), "")
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, float):
        return f"{value:,.6g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
