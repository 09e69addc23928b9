"""A plan made again in the middle: what is sunk, what goes on, what changed, then the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from optimizer.plans import Plan
from optimizer.report.money_text import money, percent, span
from optimizer.report.plan_md import plan_md
from optimizer.report.plan_sections import Steps
from optimizer.report.plan_table import plan_text
from optimizer.report.section import Columns, Section
from optimizer.report.tables import Column, render

CAUSES = {
    "optimiser": "planning the rest again",
    "jobs": "progress and deadlines of jobs",
    "load and nodes": "load of services, nodes lost",
    "bills": "bills beside the plan",
    "prices": "prices",
}


def replan_text(
    plan: Plan,
    *,
    why: bool = False,
    details: bool = False,
    steps: Steps = (),
    width: int | None = None,
    color: bool = False,
) -> str:
    """The whole answer, as a person reads it in the terminal.

    Args:
        steps: the commands to type next.
    """
    text = "\n".join(_lines(plan)) + "\n"
    for section in _sections(plan):
        title = f"\x1b[1m{section.title}\x1b[0m" if color else section.title
        text += f"\n{title}\n{_indented(render(section.columns, section.rows))}"
        text += "".join(f"  - {note}\n" for note in section.notes)
    rest = plan_text(
        only_new(plan), why=why, details=details, steps=steps, width=width, color=color
    )
    return f"{text}\n{rest}"


def replan_md(plan: Plan, *, why: bool = False, details: bool = False) -> str:
    """The same as a page of a wiki."""
    text = "# Planned again\n\n" + "".join(f"{line}\n\n" for line in _lines(plan))
    for section in _sections(plan):
        text += f"## {section.title}\n\n{render(section.columns, section.rows, 'md')}\n"
        text += "".join(f"- {note}\n" for note in section.notes) + "\n"
    return text + plan_md(only_new(plan), why=why, details=details)


def only_new(plan: Plan) -> Plan:
    """The plan with only what is decided from today on, for lists of what to do."""
    standing = plan.replanned_from
    if standing is None:
        return plan
    kept = {item.name for item in standing.kept}
    return replace(
        plan,
        bought=tuple(line for line in plan.bought if line.option not in kept),
        rentals=tuple(x for x in plan.rentals if x.offer not in standing.paid_terms),
    )


def _lines(plan: Plan) -> list[str]:
    standing, record = plan.replanned_from, plan.replanned
    assert standing is not None
    assert record is not None
    change = record.sunk_total + record.rest_total - record.old_total
    how = "more" if change > 0 else "less"
    than = f"{money(abs(change))} {how} than" if change else "as much as"
    return [
        f"{plan.name}: planned again from {standing.today}",
        f"{money(record.sunk_total)} {plan.currency} paid or agreed before, "
        f"{money(record.rest_total)} for the rest: {money(plan.total)} in all, "
        f"{than} the plan that was followed",
    ]


def _sections(plan: Plan) -> Iterator[Section]:
    parts = [_costs(plan), _changes(plan), _goes_on(plan)]
    yield from (part for part in parts if part.rows)


def _costs(plan: Plan) -> Section:
    record = plan.replanned
    assert record is not None
    columns: Columns = [
        "",
        Column(f"{plan.currency}, undiscounted", right=True),
        Column("present value", right=True),
    ]
    bills = sum((item.total for item in record.changes if item.cause == "bills"), Decimal(0))
    rest_old = record.old_total - (record.sunk_total - bills)
    rows = [
        ["paid or agreed before", money(record.sunk_total), money(record.sunk_present_value)],
        ["the rest, planned again", money(record.rest_total), money(record.rest_present_value)],
        ["in all", money(plan.total), money(plan.npv)],
        ["the plan that was followed", money(record.old_total), money(record.old_present_value)],
    ]
    slack = record.rest_present_value - record.rest_bound
    sure = "proven: no rest costs less"
    if slack > abs(record.rest_present_value) * Decimal("1e-6"):
        share = percent(slack / abs(record.rest_present_value))
        sure = f"proven: no rest costs less than {money(record.rest_bound)}, {share} below"
    notes = [sure, f"carried on as it was, the rest was to cost {money(rest_old)} undiscounted"]
    return Section("What it costs", columns, rows, notes=notes)


def _changes(plan: Plan) -> Section:
    record = plan.replanned
    assert record is not None
    columns: Columns = [
        "because of",
        Column(f"{plan.currency}, undiscounted", right=True),
        Column("present value", right=True),
        Column("unsure by", right=True),
    ]
    rows = [
        [_cause(item.cause), money(item.total), money(item.present_value), money(item.unsure)]
        for item in record.changes
    ]
    total = sum((item.total for item in record.changes), Decimal(0))
    value = sum((item.present_value for item in record.changes), Decimal(0))
    rows.append(["in all", money(total), money(value), ""])
    notes = ["each line is solved again with its cause added to those above it"]
    if any(", " in item.cause for item in record.changes):
        notes.append("causes on one line: what each of them does by itself was not found")
    return Section("Why it changed", columns, rows, notes=notes)


def _cause(causes: str) -> str:
    return ", ".join(CAUSES.get(cause, cause) for cause in causes.split(", "))


def _goes_on(plan: Plan) -> Section:
    """Terms and nodes that are there already."""
    standing = plan.replanned_from
    assert standing is not None
    rows = [
        [f"{term.nodes} x {term.node}", f"rented, {term.offer}", span(term.start, term.until)]
        for term in standing.running
    ]
    sales = {line.option: line for line in plan.bought}
    for item in standing.kept:
        sold = sorted({x.sold for x in plan.bought if x.option == item.name})
        until = sales[item.name].usable if item.name in sales else item.paid
        state = "bought" if until <= standing.today else f"paid, usable from {until}"
        when = " and ".join(f"{day}" for day in sold)
        rows.append([f"{item.nodes} x {item.node}", f"{state} {item.paid}", f"sold {when}"])
    columns: Sequence[str] = ["there already", "how", "days"]
    return Section("What goes on", columns, rows)


def _indented(text: str) -> str:
    return "".join(f"  {line}".rstrip() + "\n" for line in text.splitlines())
