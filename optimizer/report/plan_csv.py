"""A plan as CSV for spreadsheets: one table a file, exact amounts, ISO dates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from optimizer.plans import Assignment, Plan, Rental, Usage
from optimizer.report.gantt import jobs_of
from optimizer.report.plan_json import decimal_text
from optimizer.report.rental_groups import days_between, hours_in, rental_quantity
from optimizer.report.tables import render

Row = tuple[object, ...]


class _Key(NamedTuple):
    workload: str
    start: date
    end: date
    hours: str


def plan_csv(plan: Plan, table: str = "calendar") -> str:
    """One of the tables in `TABLES` with a line of titles.

    Raises:
        ValueError: there is no such table.
    """
    if table not in TABLES:
        raise ValueError(f"'{table}' is not one of {', '.join(TABLES)}")
    titles, rows = TABLES[table]
    return render(titles, list(rows(plan)), "csv")


def _calendar(plan: Plan) -> Iterator[Row]:
    """A row for each day, slice of the day and thing that runs, by date."""
    worked = _hours_worked(plan)
    jobs = jobs_of(plan)
    found: list[Row] = []
    for line in plan.assignments:
        hours = worked[_key(line.workload, line)].pop() if _has(worked, line) else None
        gpus = line.gpus if line.workload in jobs else line.gpus * line.count
        found += [
            (
                day,
                line.workload,
                line.node,
                "yes" if line.spot else "no",
                line.hours,
                len(hours_in(line.hours)) if hours is None else hours,
                line.count,
                gpus,
                decimal_text(line.load),
                line.site,
                line.label,
            )
            for day in days_between(line.start, line.end)
        ]
    return iter(sorted(found, key=lambda row: tuple(map(str, row[:5]))))


def _hours_worked(plan: Plan) -> Mapping[_Key, list[int]]:
    """Hours of the slice that a job really runs, where it has nodes of its own by the hour."""
    worked: dict[_Key, list[int]] = defaultdict(list)
    alone: list[Rental | Usage] = [*plan.rentals, *plan.usages]
    for line in alone:
        if line.workload:
            worked[_key(line.workload, line)].append(line.hours_per_day)
    return worked


def _has(worked: Mapping[_Key, list[int]], line: Assignment) -> bool:
    return bool(worked.get(_key(line.workload, line)))


def _key(workload: str, line: Assignment | Rental | Usage) -> _Key:
    return _Key(workload, line.start, line.end, line.hours)


def _rentals(plan: Plan) -> Iterator[Row]:
    for line in plan.rentals:
        yield (
            line.start,
            line.end,
            line.offer,
            line.provider,
            line.region,
            line.tier,
            line.purchase_model,
            line.node,
            line.units_per_node,
            line.nodes,
            line.terms,
            line.hours,
            line.hours_per_day,
            rental_quantity(line),
            "term" if line.terms else "node-hour",
            line.workload,
            line.quoted,
            decimal_text(line.cost),
            plan.currency,
            line.observed_at,
            line.age_days,
            line.confidence,
            line.source,
        )


def _ledger(plan: Plan) -> Iterator[Row]:
    for line in plan.ledger:
        yield (
            line.component,
            line.cause,
            decimal_text(line.amount),
            decimal_text(line.present_value),
            plan.currency,
        )


def _cash_flow(plan: Plan) -> Iterator[Row]:
    so_far = Decimal(0)
    for month, amount in plan.cash_flow:
        so_far += amount
        yield month, decimal_text(amount), decimal_text(so_far), plan.currency


def _sizes(plan: Plan) -> Iterator[Row]:
    for line in plan.bucket_use:
        yield (
            line.workload,
            line.bucket,
            line.node,
            "yes" if line.spot else "no",
            line.gpus,
            decimal_text(line.requests),
            decimal_text(line.busy_hours),
            decimal_text(line.cost),
            plan.currency,
        )


_CALENDAR_TITLES = """
    date workload node spot hours hours_worked count gpus load site label
"""
_RENTAL_TITLES = """
    start end offer provider region tier purchase_model node units_per_node nodes terms hours
    hours_per_day quantity quantity_unit workload quoted cost currency observed_at age_days
    confidence source
"""
_SIZE_TITLES = "workload bucket node spot gpus requests busy_hours cost currency"

TABLES: Mapping[str, tuple[list[str], Callable[[Plan], Iterator[Row]]]] = {
    "calendar": (_CALENDAR_TITLES.split(), _calendar),
    "rentals": (_RENTAL_TITLES.split(), _rentals),
    "ledger": (["component", "cause", "amount", "present_value", "currency"], _ledger),
    "sizes": (_SIZE_TITLES.split(), _sizes),
    "cash-flow": (["month", "paid", "so_far", "currency"], _cash_flow),
}
"""Name → titles and rows."""
