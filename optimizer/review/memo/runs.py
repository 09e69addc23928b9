"""The plan's calendar as stretches of time in which nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from optimizer.plans import Plan
from optimizer.report.gantt import IDLE, columns, rows


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring columns of the calendar in which a workload has the same place and number."""

    workload: str
    node: str
    lane: int
    start: date
    end: date
    """The day after its last."""
    cell: str


def runs(plan: Plan) -> list[Run]:
    spans, found = columns(plan.first_day, plan.n_days), []
    for lane, row in enumerate(rows(plan)):
        start = 0
        for end in range(1, len(spans) + 1):
            if end < len(spans) and row.cells[end] == row.cells[start]:
                continue
            if row.cells[start] != IDLE:
                first, last = spans[start].start, spans[end - 1].end
                found.append(Run(row.workload, row.node, lane, first, last, row.cells[start]))
            start = end
    return found
