"""A plan's bill added up: by component and cause, and by month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from optimizer.costs import Flow
from optimizer.plans import LedgerLine
from optimizer.problem import Problem


def ledger(bill: Iterable[tuple[str, Flow]], problem: Problem) -> list[LedgerLine]:
    """Lines by component and cause, undiscounted and as present value."""
    flows: dict[tuple[str, str], list[Flow]] = defaultdict(list)
    for cause, flow in bill:
        flows[flow.component, cause].append(flow)
    return [
        LedgerLine(
            component,
            cause,
            sum((f.amount for f in lines), Decimal(0)),
            problem.costs.present_value(lines),
        )
        for (component, cause), lines in sorted(flows.items())
    ]


def cash_flow(bill: Iterable[tuple[str, Flow]], problem: Problem) -> list[tuple[str, Decimal]]:
    """Money paid by calendar month; ``after`` for bills that fall past the horizon."""
    months = dict.fromkeys(problem.horizon.months, Decimal(0))
    after = Decimal(0)
    for _, flow in bill:
        if flow.day < problem.horizon.n_days:
            months[f"{problem.horizon.day(flow.day):%Y-%m}"] += flow.amount
        else:
            after += flow.amount
    return [*months.items(), *([("after", after)] if after else [])]
