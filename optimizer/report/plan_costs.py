"""Where a plan's money goes: by component, workload and month, and what would change its mind."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from optimizer.plans import Plan
from optimizer.report.money_text import footed_text, hours_number, money, percent
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
    return Section("Utilisation", columns, rows, notes=notes if by_job and rows else ())


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


WITHOUT_POINT = {"always": "always", "none": "-", "open": "open"}
"""What stands for a break-even that is no number: buying pays at any value, or has no rival."""
MAIN_QUANTITIES = ("utilisation", "rental price", "purchase price", "discounted payback")
"""Of a pair, unless all are asked for."""


def breakeven(plan: Plan, *, every: bool = False) -> Section:
    """Where the answer turns, as the break-even points say it; or that it never, or always, holds.

    Args:
        every: all of them; else each purchase against its first rental, in its main quantities.
    """
    told = [row for row in plan.breakeven if row.get("answer") != "open"]
    open_ends = [row for row in plan.breakeven if row not in told]
    shown = told if every else _main(told)
    columns: Columns = [
        "own",
        *(["or rent", "view"] if every else []),
        "quantity",
        Column("now", right=True),
        Column("break-even", right=True),
        "unit",
        "meaning",
    ]
    rows = [
        [
            _words(row, "subject"),
            *([_words(row, "against"), _words(row, "basis")] if every else []),
            _words(row, "quantity"),
            _figure(row.get("now"), "-"),
            _figure(row.get("break_even"), WITHOUT_POINT.get(_words(row, "answer"), "never")),
            _words(row, "unit"),
            _words(row, "meaning"),
        ]
        for row in shown
    ]
    notes = list(dict.fromkeys(_words(row, "meaning") for row in open_ends))
    if len(shown) < len(told):
        notes.append(f"{len(shown)} of {len(told)} points, with interest; --details shows all")
    return Section("Break-even points", columns, rows, notes=notes)


def _main(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each subject and quantity the first that counts interest, else the first."""
    first: dict[str, str] = {}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        subject, quantity = _words(row, "subject"), _words(row, "quantity")
        if row.get("kind") == "pair":
            against = first.setdefault(subject, _words(row, "against"))
            if quantity not in MAIN_QUANTITIES or _words(row, "against") != against:
                continue
        known = found.get((subject, quantity))
        if known is None or (known.get("basis") != "economic" == row.get("basis")):
            found[subject, quantity] = row
    return list(found.values())


def _words(row: dict[str, Any], key: str) -> str:
    return str(row.get(key) or "")


def _figure(value: Any, none: str) -> str:
    """Four digits that count, or all that stand before the point."""
    if value is None or value == "":
        return none
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    places = max(0, 3 - exact.adjusted()) if exact else 0
    text = f"{exact:,.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
