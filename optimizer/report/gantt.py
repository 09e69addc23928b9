"""When what runs where: a calendar of workloads on hardware, by day, week or month."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from optimizer.plans import Assignment, Plan
from optimizer.report.rental_groups import days_between
from optimizer.report.text_grid import cell_width, padded

MOST_DAYS = 28
"""Up to so many days, a column is a day."""

MOST_WEEKS = 60
"""Up to so many weeks a column is a week, and a month beyond."""

API = "*"
IDLE = "."
PIPED_WIDTH = 120
"""Folded to this where there is no terminal to fit."""

LEAST_COLUMNS = 6
"""So many columns side by side at least, however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stretch of days that makes one column."""

    start: date
    end: date
    """The day after its last."""


@dataclass(frozen=True, slots=True)
class Row:
    """A workload on one kind of hardware."""

    workload: str
    node: str
    cells: tuple[str, ...]


def unit_of(n_days: int) -> str:
    if n_days <= MOST_DAYS:
        return "day"
    return "week" if n_days <= MOST_WEEKS * 7 else "month"


def columns(first: date, n_days: int) -> list[Column]:
    """Days, weeks from Monday, or calendar months that cover the horizon without overlap."""
    end = first + timedelta(n_days)
    found: list[Column] = []
    at = first
    while at < end:
        until = min(end, _next(at, unit_of(n_days)))
        found.append(Column(at, until))
        at = until
    return found


def _next(day: date, unit: str) -> date:
    if unit == "day":
        return day + timedelta(1)
    if unit == "week":
        return day + timedelta(7 - day.weekday())
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def rows(plan: Plan) -> list[Row]:
    """The most replicas, or nodes of a job, at once in each column."""
    lines: dict[tuple[str, str], list[Assignment]] = defaultdict(list)
    for line in plan.assignments:
        lines[line.workload, f"{line.node} spot" if line.spot else line.node].append(line)
    jobs = jobs_of(plan)
    spans = columns(plan.first_day, plan.n_days)
    place = {day: i for i, c in enumerate(spans) for day in days_between(c.start, c.end)}
    found = []
    for (workload, node), group in sorted(
        lines.items(), key=lambda item: (item[0][0], min(a.start for a in item[1]), item[0][1])
    ):
        at_once: dict[tuple[date, str], int] = defaultdict(int)
        cells = [IDLE] * len(spans)
        for line in group:
            for day in days_between(line.start, line.end):
                if line.label == "api":
                    cells[place[day]] = API
                elif workload in jobs:
                    at_once[day, line.hours] = max(at_once[day, line.hours], line.count)
                else:
                    at_once[day, line.hours] += line.count
        most: dict[int, int] = defaultdict(int)
        for (day, _), number in at_once.items():
            most[place[day]] = max(most[place[day]], number)
        for i, number in most.items():
            cells[i] = str(number)
        found.append(Row(workload, node, tuple(cells)))
    return found


def jobs_of(plan: Plan) -> frozenset[str]:
    """Workloads whose lines state the GPUs of a whole gang, not those of one replica."""
    whole: dict[str, bool] = defaultdict(lambda: True)
    for line in plan.assignments:
        if line.label == "api":
            whole[line.workload] = False
        else:
            whole[line.workload] &= line.gpus == int(line.node.split("x")[0]) * line.count
    return frozenset(name for name, is_whole in whole.items() if is_whole)


def calendar(plan: Plan, width: int | None = None) -> str:
    """The calendar as text, in as many bands one below the other as the width asks for."""
    lines, spans = rows(plan), columns(plan.first_day, plan.n_days)
    if not lines:
        return ""
    unit = unit_of(plan.n_days)
    wide = 1 + max(2, *(cell_width(cell) for row in lines for cell in row.cells))
    named = max(cell_width(row.workload) for row in lines) + 2
    on = max(cell_width(row.node) for row in lines) + 1
    room = ((width or PIPED_WIDTH) - named - on) // wide
    at_once = max(LEAST_COLUMNS, room)
    bands = -(-len(spans) // at_once)
    at_once = -(-len(spans) // bands)
    text: list[str] = []
    for begin in range(0, len(spans), at_once):
        shown = range(begin, min(begin + at_once, len(spans)))
        part = [spans[i] for i in shown]
        live = [row for row in lines if any(row.cells[i] != IDLE for i in shown)]
        if text:
            text.append("")
        text += [" " * (named + on) + line for line in _heads(part, unit, wide)]
        before = ""
        for row in live:
            name = "" if row.workload == before else row.workload
            cells = "".join(f"{row.cells[i]:>{wide}}" for i in shown)
            text.append(f"{padded(name, named)}{padded(row.node, on)}{cells}")
            before = row.workload
    return "".join(f"{line.rstrip()}\n" for line in text)


def _heads(part: list[Column], unit: str, wide: int) -> list[str]:
    """Months (or years) above the first column that begins in them, days (or months) below."""
    above, before = "", ""
    for i, column in enumerate(part):
        name = f"{column.start:%Y}" if unit == "month" else f"{column.start:%b %Y}"
        if name != before and (not above or i * wide > len(above)):
            room = (len(part) - i) * wide - 1
            shown = name if len(name) <= room else name.split()[0]
            above = f"{above:<{i * wide}} {shown}" if len(shown) <= room else above
        before = name
    style = "%m" if unit == "month" else "%d"
    return [above, "".join(f"{column.start.strftime(style):>{wide}}" for column in part)]


def legend(plan: Plan) -> str:
    unit = unit_of(plan.n_days)
    text = f"most replicas of a service, or nodes of a job, at once in each {unit}"
    if unit == "week":
        text += " (named by its first day)"
    if any(line.label == "api" for line in plan.assignments):
        text += f"; {API} through an API"
    return text
