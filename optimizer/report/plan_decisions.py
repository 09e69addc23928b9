"""What stands around a decision: what was kept of an earlier plan, other plans, questions."""

from __future__ import annotations

from optimizer.plans import Plan
from optimizer.report.money_text import money, percent
from optimizer.report.section import Section


def kept(plan: Plan) -> Section:
    """What an earlier plan decided, line by line, with its fate."""
    near = plan.kept
    if near is None:
        return Section("")
    fates = (("kept", near.kept), ("new", near.changed), ("no longer", near.dropped))
    rows = [[fate, line] for fate, lines in fates for line in lines]
    extra = (
        f"keeping costs {money(near.extra)} {plan.currency} more than the best free plan found"
        if near.extra > 0
        else "keeping costs nothing: no cheaper plan was found that keeps less"
    )
    notes = [
        f"{extra}; proven: at most {money(near.extra_most)} could be saved",
        f"a change is made only if it saves more than {percent(near.tolerance)} of the least "
        "cost, or if there is no plan without it",
    ]
    return Section(f"Kept from {near.plan}", ["", "decision"], rows, notes=notes)
