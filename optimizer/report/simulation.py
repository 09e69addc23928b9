"""A simulation as a table, CSV or Markdown."""

from __future__ import annotations

from decimal import Decimal

from optimizer.report.money_text import money, percent
from optimizer.report.plan_json import decimal_text
from optimizer.report.section import Columns
from optimizer.report.tables import Column, TableFormat, render
from optimizer.simulate.run import Row
from optimizer.simulate.study import Study


def simulation_text(study: Study, format: TableFormat) -> str:
    """CSV holds exact amounts and nothing besides."""
    if format is TableFormat.CSV:
        return _csv(study)
    columns: Columns = [
        "strategy",
        Column(f"{study.currency}, undiscounted", right=True),
        Column("present value", right=True),
        Column("above the least possible", right=True),
        Column("bought", right=True),
        "how",
    ]
    table = render(columns, [_cells(study, row) for row in study.rows], format.value)
    head = [
        f"{study.name}: on the prices of {study.first_day} to {study.last_day}, "
        f"in {study.currency}, planned every {study.every} days"
    ]
    early = ["stopped early: not all ways were followed to the end"] * study.stopped_early
    notes = [*early, *_sure(study), *study.notes]
    lead = "- " if format is TableFormat.MD else "  - "
    return "\n\n".join([*head, table]) + "".join(f"{lead}{note}\n" for note in notes)


def _cells(study: Study, row: Row) -> list[str]:
    if row.total is None or row.present_value is None:
        return [row.strategy, "none", "", "", "", " ".join(row.note.split())]
    return [
        row.strategy,
        money(row.total),
        money(row.present_value),
        _above(study, row.present_value),
        f"{row.nodes_bought}",
        row.note,
    ]


def _above(study: Study, value: Decimal) -> str:
    least = study.least
    if least is None or least.bound is None or least.bound <= 0:
        return ""
    return percent((value - least.bound) / least.bound)


def _sure(study: Study) -> list[str]:
    least = study.least
    if least is None or least.bound is None:
        return []
    return [f"proven: no way of deciding costs less than {money(least.bound)} in present value"]


def _csv(study: Study) -> str:
    columns = ["strategy", "total", "present_value", "bound", "nodes_bought", "note"]
    rows = [
        [row.strategy, *map(_plain, (row.total, row.present_value, row.bound)), row.nodes_bought,
         " ".join(row.note.split())]
        for row in study.rows
    ]  # fmt: skip
    return render(columns, rows, "csv")


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else decimal_text(amount)
