"""A hedge as text, CSV, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from optimizer.report.hedge_document import outcome_part
from optimizer.report.money_text import money, percent, percent_up, span
from optimizer.report.section import Columns
from optimizer.report.tables import Column, TableFormat, render
from optimizer.uncertainty.hedge import Hedge, Range, Signing

NO_PLAN = "no plan"
NOT_KNOWN = "not looked for"


def hedge_text(found: Hedge, format: TableFormat) -> str:
    """CSV holds the scenarios, exact, and nothing besides."""
    if format is TableFormat.CSV:
        return _csv(found)
    is_md = format is TableFormat.MD
    parts = [_title(found, "# " if is_md else "")]
    for title, body in (
        (f"To sign before {found.known_from}", _signings(found.signed, format)),
        ("What it costs when it is known, in present value", _outcomes(found, format)),
        ("What it is worth", _worth(found, format)),
    ):
        parts.append(f"{'## ' if is_md else ''}{title}\n" + ("\n" if is_md else "") + body)
    lead = "- " if is_md else "  - "
    notes = "".join(f"{lead}{note}\n" for note in _notes(found))
    return "\n".join([*parts, notes])


def _title(found: Hedge, head: str) -> str:
    aim = "expected cost"
    if found.weight == 1:
        aim = f"CVaR at {percent(found.level)}"
    elif found.weight:
        aim = f"{percent(1 - found.weight)} expected cost, {percent(found.weight)} CVaR at "
        aim += percent(found.level)
    number = len(found.outcomes)
    return (
        f"{head}{found.name}: {number} scenario{'s' * (number != 1)} of {found.scenarios_name}, "
        f"in {found.currency}; least {aim}\n"
    )


def _signings(lines: Sequence[Signing], format: TableFormat) -> str:
    if not lines:
        return "  nothing: no purchase and no commitment pays in advance\n"
    columns: Columns = [
        "",
        Column("nodes", right=True),
        "of",
        "from",
        "when",
        Column("cost", right=True),
    ]
    rows = [
        [
            line.action,
            f"{line.nodes}",
            line.node,
            line.provider or line.name,
            f"paid {line.day}" if line.until is None else span(line.day, line.until),
            money(line.cost),
        ]
        for line in lines
    ]
    return _indented(render(columns, rows, format.value), format)


def _outcomes(found: Hedge, format: TableFormat) -> str:
    columns: Columns = [
        "scenario",
        Column("probability", right=True),
        Column("this decision", right=True),
        Column("had it been known", right=True),
        Column("regret", right=True),
        Column("signing for the mean", right=True),
        Column("its regret", right=True),
        "what comes",
    ]
    rows = [
        [
            line.scenario,
            percent(line.chance),
            money(line.cost),
            money(line.least),
            money(line.regret),
            _or_none(found, line.deterministic),
            _or_none(found, line.deterministic_regret),
            line.changes,
        ]
        for line in found.outcomes
    ]
    return _indented(render(columns, rows, format.value), format)


def _or_none(found: Hedge, amount: Decimal | None) -> str:
    """Of signing for the mean."""
    if amount is not None:
        return money(amount)
    return NOT_KNOWN if found.stopped_early and found.deterministic_signed is None else NO_PLAN


def _worth(found: Hedge, format: TableFormat) -> str:
    columns: Columns = ["", Column(found.currency, right=True), Column("proven", right=True)]
    rows = [
        ["expected cost", money(found.expected), ""],
        [f"CVaR: mean of the worst {percent(1 - found.level)}", money(found.cvar), ""],
        ["what is minimised", money(found.objective), f"at least {money(found.bound)}"],
        [
            "value of the stochastic solution",
            _or_none(found, found.vss),
            "" if found.vss_proven is None else _range(found.vss_proven),
        ],
        ["expected value of perfect information", money(found.evpi), _range(found.evpi_proven)],
    ]
    return _indented(render(columns, rows, format.value), format)


def _range(proven: Range) -> str:
    return f"{money(proven[0])} to {money(proven[1])}"


def _indented(table: str, format: TableFormat) -> str:
    if format is TableFormat.MD:
        return table
    return "".join(f"  {line}\n" if line else "\n" for line in table.splitlines())


def _notes(found: Hedge) -> list[str]:
    notes = [
        f"signed: purchases paid, and rentals of {found.committed_days} days or more begun, before "
        f"{found.known_from}; all else is decided in each scenario",
        f"proven: at most {percent_up(Decimal(repr(found.gap)))} above the least possible; bound "
        f"from {found.method}",
    ]
    if found.drawn_from:
        notes.append(f"rents of the scenarios are drawn from {found.drawn_from}")
    if found.stopped_early:
        notes.insert(0, "stopped early: the best decision so far")
    if found.deterministic_signed is not None and found.vss is None:
        notes.append("what the plan for the mean signs leaves no plan in some scenario")
    elif found.deterministic_signed is None and not found.stopped_early:
        notes.append("there is no plan for the mean of all scenarios")
    return notes


def _csv(found: Hedge) -> str:
    columns: Columns = [
        "scenario", "probability", "cost", "least", "least_bound", "regret", "deterministic",
        "deterministic_regret", "changes",
    ]  # fmt: skip
    lines = [outcome_part(line).model_dump() for line in found.outcomes]
    rows = [["" if x is None else x for x in line.values()] for line in lines]
    return render(columns, rows, "csv")
