"""What stands behind a plan: the prices it uses, and what was ruled out for which reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from optimizer.plans import Plan
from optimizer.report.money_text import counted
from optimizer.report.section import Columns, Section
from optimizer.report.tables import Column

MOST_NAMES = 6
"""Node kinds named for one reason; the rest are counted."""


def prices(plan: Plan) -> Section:
    """Every offer that is used, with where its price comes from."""
    used = {line.offer: line for line in plan.rentals}
    rows = [
        [sku, line.quoted, f"{line.observed_at}", f"{line.age_days}", line.confidence, line.source]
        for sku, line in sorted(used.items())
    ]
    columns: Columns = [
        "offer",
        Column("price", right=True),
        "seen on",
        Column("age d", right=True),
        "grade",
        "source",
    ]
    return Section("Prices used", columns, rows, aside=True)


def rejected(plan: Plan) -> Section:
    """Hardware that cannot do a workload, grouped by the reason."""
    nodes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for workload, hardware, reason in plan.rejected:
        nodes[workload, _without_name(reason, hardware)].append(hardware)
    order = sorted(nodes.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
    rows = [
        [workload, reason, f"{len(names)}", some(sorted(names))]
        for (workload, reason), names in order
    ]
    columns: Columns = ["workload", "why not", Column("kinds", right=True), "hardware"]
    return Section("Hardware that cannot do it", columns, rows)


def _without_name(reason: str, hardware: str) -> str:
    """A reason that nodes with equal figures share: it names ``8 GPUs``, not ``8 x RTX4090``."""
    count, _, gpu = hardware.partition("x")
    return reason.replace(f"{count} x {gpu}", counted(int(count), "GPU")) if gpu else reason


def excluded(plan: Plan) -> Section:
    order = sorted(plan.excluded, key=lambda item: (-item[1], item[0]))
    rows = [[reason, f"{number}"] for reason, number in order]
    return Section("Offers left out", ["reason", Column("offers", right=True)], rows)


def some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
