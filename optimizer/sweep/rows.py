"""One case as a row of plain values: what its plan says, or why there is none."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any

from optimizer.api import plan
from optimizer.errors import NoPlanError
from optimizer.milp.solve import SolveOptions
from optimizer.plans import Plan
from optimizer.schedule.schedule import Schedule
from optimizer.sweep.document import PlanOptions
from providers.errors import RentoptError
from providers.money import Money
from providers.offers import OfferBook

Row = dict[str, Any]
"""What a case gave; keys as in `FIELDS`, values as JSON holds them."""

PLANNED, GAP, NONE, FAULTY, FAILED = "planned", "gap", "no plan", "faulty", "failed"
STATUSES = {
    PLANNED: "planned, within the gap asked for",
    GAP: "planned, but the gap asked for was not reached in time",
    NONE: "no plan exists, or none was found in time",
    FAULTY: "the values make no sound schedule, or a price is missing",
    FAILED: "the process that planned it ended; it is tried again next time",
}
FIELDS = (
    "status", "reason", "npv", "total", "bound", "gap", "rent_npv", "own_npv", "breakeven_rent",
    "breakeven_of", "bought", "providers", "utilisation", "cost", "currency", "as_of", "seconds",
)  # fmt: skip
_SOLVERS = {"highs": "HIGHS", "scip": "GSCIP", "cp-sat": "CP_SAT"}
DIGITS = Decimal("0.000001")


def solve_options(options: PlanOptions, *, threads: int) -> SolveOptions:
    return SolveOptions(
        gap=options.gap,
        time_limit_s=max(options.time_limit, 0.1),
        solver=_SOLVERS[options.solver],
        threads=threads,
    )


def with_rents(book: OfferBook, factor: Decimal) -> OfferBook:
    """All rental prices of nodes times a factor, upfront payments too; token APIs keep theirs."""
    if factor == 1:
        return book

    def times(money: Money) -> Money:
        return money * factor

    offers = (replace(o, price=times(o.price), upfront=times(o.upfront)) for o in book.offers)
    return replace(book, offers=tuple(offers))


def planned_row(
    schedule: Schedule, book: OfferBook, rent: Decimal, options: PlanOptions, threads: int
) -> Row:
    """Plan one case.

    Args:
        rent: factor on all rental prices of the book.
        threads: of the solver; 0 for as many as it likes.
    """
    began = time.monotonic()
    asked = solve_options(options, threads=threads)
    try:
        found = plan(
            schedule, with_rents(book, rent), asked, breakeven_s=0.0 if options.breakeven else None
        )
    except RentoptError as error:
        status = NONE if isinstance(error, NoPlanError) else FAULTY
        row = without_plan(status, str(error))
    else:
        row = _row(found, options.gap)
    return row | {
        "currency": schedule.currency,
        "as_of": book.as_of.isoformat(),
        "seconds": round(time.monotonic() - began, 3),
    }


def without_plan(status: str, reason: str) -> Row:
    return {"status": status, "reason": reason}


def _row(found: Plan, gap: float) -> Row:
    bought: Counter[str] = Counter()
    for item in found.bought:
        bought[item.node] += item.nodes
    cost: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in found.ledger:
        cost[line.component] += line.present_value
    reached = found.gap <= gap * (1 + 1e-9) + 1e-9
    rent, node = _breakeven_rent(found)
    return {
        "status": PLANNED if reached else GAP,
        "reason": "" if reached else f"proven within {found.gap:.2%}",
        "npv": _text(found.npv),
        "total": _text(found.total),
        "bound": _text(found.bound),
        "gap": float(f"{found.gap:.6g}"),
        "rent_npv": _text(found.answer("rent").npv),
        "own_npv": _text(found.answer("own").npv),
        "breakeven_rent": rent,
        "breakeven_of": node,
        "bought": dict(sorted(bought.items())),
        "providers": sorted({rental.provider for rental in found.rentals}),
        "utilisation": {use.node: float(f"{use.utilisation:.6g}") for use in found.utilisation},
        "cost": {name: _text(amount) for name, amount in sorted(cost.items())},
    }


def _breakeven_rent(found: Plan) -> tuple[str | None, str | None]:
    """The rent from which the first purchase pays, and of what against what, in which unit."""
    for row in found.breakeven:
        if row["kind"] == "pair" and row["quantity"] == "rental price":
            return row["raw"], f"{row['subject']} against {row['against']}, {row['unit']}"
    return None, None


def _text(amount: Decimal | None) -> str | None:
    if amount is None:
        return None
    text = f"{amount.quantize(DIGITS) + 0:f}"
    return text.rstrip("0").rstrip(".")
