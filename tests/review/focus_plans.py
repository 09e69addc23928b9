"""Plans whose FOCUS rows are tested: planned ones, and one with all kinds of deals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from review_cases import everything, tiny

from optimizer.plans import Bought, LedgerLine

D = Decimal


def reserved():
    """The tiny plan with a year's rental in advance, spot, two lots and an odd total."""
    plan, _ = tiny()
    first = plan.rentals[0]
    year = replace(
        first, offer="big/year", purchase_model="reserved", node="8xRTX4090", nodes=3,
        start=date(2026, 12, 1), end=date(2027, 12, 1), terms=2, cost=D("100000.005"),
    )  # fmt: skip
    spot = replace(first, offer="cheap/spot", purchase_model="spot", cost=D("33.333333"))
    lots = tuple(
        Bought("buy 2xRTX4090", "2xRTX4090", nodes, date(2026, 12, day), date(2026, 12, day + 5),
               date(2027, 3, 1), D(40_000) * nodes, D("30000.123") * nodes, "table")
        for nodes, day in ((2, 1), (1, 20))
    )  # fmt: skip
    ledger = (
        LedgerLine("electricity", "buy 2xRTX4090", D("1234.5678"), D(1)),
        LedgerLine("purchase", "buy 2xRTX4090", D(120_000), D(1)),
        LedgerLine("rent", "big/year", D("100000.005"), D(1)),
        LedgerLine("rent", "cheap/spot", D("33.333333"), D(1)),
        LedgerLine("resale", "buy 2xRTX4090", D("-90000.369"), D(1)),
    )
    usages = tuple(
        replace(use, asset="buy 2xRTX4090", nodes=D("1.5"), start=date(2026, 12, 10),
                end=date(2027, 2, 10), hours_per_day=12)
        for use in everything()[0].usages[:1]
    )  # fmt: skip
    total = sum((line.amount for line in ledger), D(0))
    return replace(
        plan, rentals=(year, spot), bought=lots, ledger=ledger, usages=usages, total=total
    )


PLANS = {
    "tiny": lambda: tiny()[0],
    "everything": lambda: everything()[0],
    "reserved": reserved,
}
