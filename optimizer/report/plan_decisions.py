"""What stands around a decision: what was kept of an earlier plan, other plans, questions."""

from __future__ import annotations

from optimizer.plans import Plan
from optimizer.report.money_text import money, percent
from optimizer.report.section import Columns, Section
from optimizer.report.tables import Column

CUT_SHORT = "the time ended before all was tried (--question-time)"


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


def alternatives(plan: Plan) -> Section:
    """Near plans, the cheapest first, with what is proven of the difference."""
    rows = [
        [
            near.asked,
            money(near.npv),
            money(near.extra),
            f"{money(near.extra_least)} to {money(near.extra_most)}",
            near.differs,
        ]
        for near in plan.alternatives
    ]
    columns: Columns = [
        "best plan",
        Column(f"{plan.currency}, present value", right=True),
        Column("more than the plan", right=True),
        Column("proven", right=True),
        "what it does instead",
    ]
    notes = []
    if plan.indispensable:
        notes.append(f"proven: there is no plan {', none '.join(plan.indispensable)}")
    only_marginal = plan.marginal and not (rows or notes)
    if plan.questions_cut_short and not only_marginal:
        notes.append(CUT_SHORT)
    return Section("Plans that decide otherwise", columns, rows, notes=notes)


def why_not(plan: Plan) -> Section:
    lines = []
    for asked in plan.why_not:
        lines.append(f"{asked.name} ({asked.sort}): {asked.answer}")
        lines += [f"  {reason}" for reason in asked.reasons if reason not in asked.answer]
    return Section("Why not", block="\n".join(lines))


def marginal(plan: Plan) -> Section:
    """One more and one less, as differences of optimised plans."""
    rows = []
    for one in plan.marginal:
        if one.extra is None or one.extra_least is None or one.extra_most is None:
            rows.append([one.change, "no plan" if one.impossible else "none found in time", ""])
            continue
        between = f"{money(one.extra_least)} to {money(one.extra_most)}"
        rows.append([one.change, money(one.extra), between])
    columns: Columns = [
        "change",
        Column(f"{plan.currency} more, present value", right=True),
        Column("proven", right=True),
    ]
    notes = ["each line is optimised again, all else as it is"] if rows else []
    if plan.questions_cut_short and rows:
        notes.append(CUT_SHORT)
    return Section("What one more costs", columns, rows, notes=notes)
