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

NEARLY = Decimal("0.02")
"""Share by which prices of days in one line may differ."""
MOST_STRETCHES = 24
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
        yield f"begun, and not settled in the time: {some(search.unsettled)}"
    if search.not_asked:
        yield f"no time was left for: {some(search.not_asked)}"


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
    unasked = sum(not one.asked for one in plan.marginal)
    late = [f"{unasked} of them were not optimised again"] if unasked else []
    late += ["there are no prices by dual values"] if rows and plan.relaxation is None else []
    if late:
        notes.append(f"{' and '.join(late)}: the time ended (--question-time)")
    return Section("What one more costs", columns if rows else (), rows, notes=notes)


def _again(one: Marginal) -> tuple[str, str]:
    """What optimising again came to, and what is proven in any case."""
    least, most = one.extra_least, one.extra_most
    between = "" if least is None or most is None else f"{money(least)} to {money(most)}"
    if least is not None and most is None and least > 0:
        between = f"{money(least)} or more"
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
    stretches = _stretches(plan.relaxation.gpu_days)
    for parts in stretches[:MOST_STRETCHES]:
        first, last = parts[0], parts[-1]
        low, high = min(p.price for p in parts), max(p.price for p in parts)
        price = money(low) if money(low) == money(high) else f"{money(low)} to {money(high)}"
        node = f"{first.node} on spot" if first.spot else first.node
        rows.append([node, span(first.first, last.last + timedelta(1)), price])
    columns: Columns = [
        "GPU of a",
        "on each day",
        Column(f"{plan.currency} more by dual", right=True),
    ]
    notes = []
    if len(stretches) > len(rows):
        notes.append(f"{len(stretches) - len(rows)} more lines are in the JSON (relaxation)")
    if rows:
        notes.append(
            "prices of one linear program, so they hold together. Proven: more GPUs in use on "
            "many days cost at least the sum of their days more, less the "
            f"{money(plan.relaxation.below)} by which the plan is above that program"
        )
    return Section("What one more GPU-day costs, day by day", columns, rows, notes=notes)


def _stretches(prices: Sequence[GpuDayPrice]) -> list[list[GpuDayPrice]]:
    """Neighbouring days of a node whose prices are within `NEARLY` of their first."""
    found: list[list[GpuDayPrice]] = []
    for one in prices:
        last = found[-1] if found else []
        if (
            last
            and (last[0].node, last[0].spot) == (one.node, one.spot)
            and last[-1].last + timedelta(1) == one.first
            and abs(one.price - last[0].price) <= NEARLY * last[0].price
        ):
            last.append(one)
        else:
            found.append([one])
    return found
