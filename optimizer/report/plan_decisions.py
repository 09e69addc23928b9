"""What stands around a decision: what was kept of an earlier plan, other plans, questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from optimizer.plans import GpuDayPrice, Marginal, Plan
from optimizer.report.money_text import money, percent, span
from optimizer.report.plan_why import some
from optimizer.report.section import Columns, Section
from optimizer.report.tables import Column

NEARLY = Decimal("0.1")
"""Share by which prices of days in one line may differ."""
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
    title = "Plans that decide otherwise"
    return Section(title, columns if rows else (), rows, notes=list(_search_notes(plan)))


def _search_notes(plan: Plan) -> Iterator[str]:
    """What is known of the plans that are not in the table."""
    search = plan.alternatives_search
    if search is None:
        if plan.questions_cut_short and not (plan.why_not or plan.marginal):
            yield CUT_SHORT
        return
    open_ = search.unsettled or search.not_asked
    if not plan.alternatives and open_:
        yield f"none was found, there may be some: {CUT_SHORT}"
    elif not plan.alternatives and len(search.kinds) > len(plan.indispensable):
        yield "there is none: every kind that was tried comes to the plan itself, or to no plan"
    elif not plan.alternatives and search.kinds:
        yield "there is none: no decision of the plan can be turned"
    elif not plan.alternatives:
        yield "there is none: the plan has no decision that could be turned"
    if plan.indispensable:
        yield f"proven: there is no plan {', none '.join(plan.indispensable)}"
    if plan.alternatives and open_:
        yield CUT_SHORT
    if search.unsettled:
        yield f"begun, and not settled in the time: {_some_kinds(search.unsettled)}"
    if search.not_asked:
        yield f"no time was left for: {_some_kinds(search.not_asked)}"


def _some_kinds(kinds: Sequence[str]) -> str:
    """Some of them, each in quotes: a kind may turn two decisions, with a comma between."""
    return some([f"'{kind}'" for kind in kinds])


def why_not(plan: Plan) -> Section:
    lines = []
    for asked in plan.why_not:
        lines.append(f"{asked.name} ({asked.sort}): {asked.answer}")
        lines += [f"  {reason}" for reason in asked.reasons if reason not in asked.answer]
    return Section("Why not", block="\n".join(lines))


def marginal(plan: Plan) -> Section:
    """One more and one less: as differences of optimised plans, and by dual values."""
    rows = []
    for one in plan.marginal:
        by_dual = "none" if one.by_dual is None else money(one.by_dual)
        again, between = _again(one)
        rows.append([one.change, again, between, by_dual])
    columns: Columns = [
        "change",
        Column("optimised again", right=True),
        Column("proven", right=True),
        Column("by dual", right=True),
    ]
    notes = []
    if rows:
        notes.append(
            f"{plan.currency} more, present value; optimised again: with this one change, all "
            "else as it is"
        )
    if plan.relaxation is not None:
        notes.append(
            "by dual: its price where nodes and terms could be had in parts. Proven: with n times "
            f"the change no plan costs less than {money(plan.relaxation.npv)} + n x that price "
            f"(the plan is {money(plan.relaxation.below)} above the first)"
        )
        if any(one.by_dual is None for one in plan.marginal):
            notes.append("none: no dual value tells it, for days and providers are whole")
    late = plan.relaxation is None or any(one.extra is None for one in plan.marginal)
    if rows and plan.questions_cut_short:
        notes.append(f"{'figures are missing' if late else 'intervals are wide'}: {CUT_SHORT}")
    return Section("What one more costs", columns if rows else (), rows, notes=notes)


def _again(one: Marginal) -> tuple[str, str]:
    """What optimising again came to, and what is proven in any case."""
    least, most = one.extra_least, one.extra_most
    between = "" if least is None or most is None else f"{money(least)} to {money(most)}"
    if least is not None and most is None and least > 0:
        between = f"{money(least)} or more"
    elif least is None and most is not None:
        between = f"{money(most)} or less"
    if one.extra is not None:
        return money(one.extra), between
    if one.impossible:
        return "no plan", ""
    return ("none found in time" if one.asked else "not asked"), between


def gpu_days(plan: Plan) -> Section:
    """The dual price of a GPU on every day, days of nearly one price in one line."""
    if plan.relaxation is None:
        return Section("")
    rows = []
    for band in _bands(plan.relaxation.gpu_days):
        low, high = band[-1].price, band[0].price
        price = money(low) if money(low) == money(high) else f"{money(low)} to {money(high)}"
        node = f"{band[0].node} on spot" if band[0].spot else band[0].node
        days = sum((one.last - one.first).days + 1 for one in band)
        first, last = min(one.first for one in band), max(one.last for one in band)
        rows.append([node, f"{days}", span(first, last + timedelta(1)), price])
    columns: Columns = [
        "GPU of a",
        Column("days", right=True),
        "between",
        Column(f"{plan.currency} more by dual, each day", right=True),
    ]
    notes = []
    if rows:
        notes.append(
            "prices of one linear program, so they hold together. Proven: more GPUs in use, on "
            "any days, cost at least the sum of their prices, less the "
            f"{money(plan.relaxation.below)} by which the plan is above that program"
        )
        notes.append("every day has its price in the JSON (relaxation)")
    return Section("What one more GPU-day costs, day by day", columns, rows, notes=notes)


def _bands(prices: Sequence[GpuDayPrice]) -> list[list[GpuDayPrice]]:
    """Days of a node, dearest first, whose prices are within `NEARLY` of the dearest of them."""
    found: list[list[GpuDayPrice]] = []
    for one in sorted(prices, key=lambda x: (x.node, x.spot, -x.price, x.first)):
        first = found[-1][0] if found else None
        if (
            first is not None
            and (first.node, first.spot) == (one.node, one.spot)
            and first.price - one.price <= NEARLY * first.price
        ):
            found[-1].append(one)
        else:
            found.append([one])
    return found
