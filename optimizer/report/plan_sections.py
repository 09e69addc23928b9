"""What a plan tells a person, part by part; how it looks is left to the terminal or Markdown."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain

from optimizer.plans import Answer, Assignment, Plan, Usage
from optimizer.report.gantt import calendar, legend
from optimizer.report.money_text import (
    counted,
    footed_text,
    hours_number,
    money,
    number_range,
    percent,
    proven,
    span,
    why_none,
)
from optimizer.report.plan_costs import breakeven, cash_flow, costs, discounted, utilisation
from optimizer.report.plan_decisions import alternatives, gpu_days, kept, marginal, why_not
from optimizer.report.plan_json import decimal_text
from optimizer.report.plan_mixes import mixes
from optimizer.report.plan_why import excluded, prices, rejected
from optimizer.report.rental_groups import (
    grouped,
    hours_in,
    hours_text,
    rental_quantity,
)
from optimizer.report.section import Columns, Section
from optimizer.report.tables import Column

KINDS = {"rent": "all rented", "own": "all owned", "mix": "best mix"}


def headline(plan: Plan) -> list[str]:
    lines = [
        f"{plan.name}: {span(plan.first_day, plan.first_day + timedelta(plan.n_days))}, "
        f"{counted(plan.n_days, 'day')}, in {plan.currency}",
        f"prices as of {plan.as_of}, {_price_tables(plan)}",
    ]
    lines += [f"exchange rate {rate}" for rate in plan.fx]
    return [*lines, f"as wished: {'; '.join(plan.wishes)}"] if plan.wishes else lines


def _price_tables(plan: Plan) -> str:
    refreshed = [source for source in plan.price_sources if source.observed_at is not None]
    files = ", ".join(name for name in plan.tables if name not in {s.name for s in refreshed})
    if not refreshed:
        return f"from the price table {files}"
    times = sorted(f"{source.observed_at:%Y-%m-%d}" for source in refreshed)
    asked = f"asked on {times[0]}" if times[0] == times[-1] else f"asked {times[0]} to {times[-1]}"
    return f"from {counted(len(refreshed), 'refreshed source')} ({asked}) and the table {files}"


def verdict(plan: Plan) -> list[str]:
    """The decision, what it costs and how good it is proven to be."""
    return [
        f"best plan: {decision(plan)}",
        f"{money(plan.total)} {plan.currency}{_present(plan)}; "
        f"{proven(plan.npv, plan.bound, plan.currency)}",
    ]


def decision(plan: Plan) -> str:
    nodes = Counter[str]()
    for line in plan.bought:
        nodes[line.node] += line.nodes
    bought = ", ".join(f"{number} x {node}" for node, number in sorted(nodes.items()))
    rents = "rent" if plan.rentals else ""
    tokens = any(line.label == "api" for line in plan.assignments)
    rest = " and ".join(word for word in (rents, "pay for tokens" if tokens else "") if word)
    if bought:
        return f"buy {bought}; {rest} for the rest" if rest else f"buy {bought}, rent nothing"
    if plan.usages:
        return f"buy nothing; use what is there, {rest or 'rent nothing'}" + (
            " for the rest" if rest else ""
        )
    return f"buy nothing; {rest} for everything" if rest else "buy and rent nothing"


def sections(
    plan: Plan, *, why: bool = False, details: bool = False, width: int | None = None
) -> Iterator[Section]:
    """All parts with something to tell, in the order of reading."""
    shown = calendar(plan, width)
    parts = [
        kept(plan),
        answers(plan),
        purchases(plan),
        rental_lines(plan) if details else rentals(plan),
        other_means(plan),
        Section("Calendar", block=shown, notes=(legend(plan),) if shown else ()),
        *mixes(plan),
        utilisation(plan),
        *costs(plan),
        cash_flow(plan),
        breakeven(plan, every=details),
        alternatives(plan),
        why_not(plan),
        marginal(plan),
        gpu_days(plan),
        prices(plan),
    ]
    if why:
        parts += [rejected(plan), excluded(plan)]
    yield from (part for part in parts if part.rows or part.block or part.notes)


def answers(plan: Plan) -> Section:
    """All rent, all own, best mix; the saving is on present value, which the plan makes least."""
    valued = discounted(plan)
    columns: list[str | Column] = ["", Column(f"{plan.currency}, undiscounted", right=True)]
    if valued:
        columns.append(Column("present value", right=True))
    columns += [Column("best mix saves", right=True), Column("", right=True), "how sure"]
    best = plan.answer("mix")
    rows, notes = [], []
    for answer in plan.answers:
        name = KINDS.get(answer.kind, answer.kind)
        if answer.total is None or answer.npv is None or best.npv is None:
            rows.append([name, "none", *([""] if valued else []), "", "", ""])
            notes.append(f"{name}: none, because {why_none(answer)}")
            continue
        saving = answer.npv - best.npv
        share = percent(saving / answer.npv) if answer.npv > 0 else ""
        rows.append(
            [
                name,
                money(answer.total),
                *([money(answer.npv)] if valued else []),
                *(("", "") if answer is best else (money(saving), share)),
                _sure(answer, plan.currency),
            ]
        )
    if valued:
        notes.append("savings are in present value, which is what the plan makes least")
    return Section("All rented, all owned, or a mix", columns, rows, notes=notes)


def _sure(answer: Answer, currency: str) -> str:
    if answer.npv is None or answer.bound is None:
        return ""
    kind = {"rent": "without buying", "own": "without renting"}.get(answer.kind, "")
    return proven(answer.npv, answer.bound, currency, kind)


def purchases(plan: Plan) -> Section:
    cost = footed_text([line.price for line in plan.bought])
    back = footed_text([line.resale for line in plan.bought])
    rows = [
        [
            line.node,
            f"{line.nodes}",
            f"{line.paid}",
            f"{line.usable}",
            f"{line.sold}",
            paid,
            resale,
            line.source,
        ]
        for line, paid, resale in zip(plan.bought, cost, back, strict=True)
    ]
    if len(rows) > 1:
        price = sum((line.price for line in plan.bought), Decimal(0))
        worth = sum((line.resale for line in plan.bought), Decimal(0))
        rows.append(["total", "", "", "", "", money(price), money(worth), ""])
    columns: Columns = [
        "buy",
        Column("nodes", right=True),
        "pay on",
        "usable from",
        "sold on",
        Column(f"price {plan.currency}", right=True),
        Column("worth when sold", right=True),
        "source",
    ]
    notes = ["what is kept to the end counts as sold on the day after it"] if rows else []
    return Section("Buy", columns, rows, notes=notes)


def rentals(plan: Plan) -> Section:
    """A line for each offer, node and use, the dearest first."""
    groups = grouped(plan)
    rows = []
    for group, cost in zip(groups, footed_text([group.cost for group in groups]), strict=True):
        one = group.sample
        rows.append(
            [
                one.node,
                _seller(one.provider, one.region, one.purchase_model),
                ", ".join(group.workloads),
                number_range(*group.nodes),
                span(group.start, group.end),
                group.hours,
                _quantity(group.quantity, by_hour=group.by_hour),
                _times(one.units_per_node, one.quoted),
                _each(group.cost, group.quantity, by_hour=group.by_hour),
                cost,
                f"{one.age_days}",
            ]
        )
    if len(rows) > 1:
        rows.append(["total", *[""] * 8, money(sum((g.cost for g in groups), Decimal(0))), ""])
    folded = len(plan.rentals) - len(groups)
    notes = [f"{len(plan.rentals)} rentals in {len(groups)} lines; --details shows each"]
    return Section("Rent", _rental_columns(plan), rows, notes=notes if folded else ())


def rental_lines(plan: Plan) -> Section:
    """Every rental, by its first day."""
    rows = [
        [
            line.node,
            _seller(line.provider, line.region, line.purchase_model),
            line.workload or "shared",
            f"{line.nodes}",
            span(line.start, line.end),
            line.hours,
            _quantity(rental_quantity(line), by_hour=not line.terms),
            _times(line.units_per_node, line.quoted),
            _each(line.cost, rental_quantity(line), by_hour=not line.terms),
            cost,
            f"{line.age_days}",
        ]
        for line, cost in zip(
            plan.rentals, footed_text([line.cost for line in plan.rentals]), strict=True
        )
    ]
    if len(rows) > 1:
        total = sum((line.cost for line in plan.rentals), Decimal(0))
        rows.append(["total", *[""] * 8, money(total), ""])
    return Section("Rent", _rental_columns(plan), rows)


def _rental_columns(plan: Plan) -> list[str | Column]:
    return [
        "rent",
        "from",
        "for",
        Column("nodes", right=True),
        "days",
        "hours",
        Column("in all", right=True),
        Column("as quoted", right=True),
        Column(f"{plan.currency} each", right=True),
        Column(f"cost {plan.currency}", right=True),
        Column("age d", right=True),
    ]


def other_means(plan: Plan) -> Section:
    """Owned nodes, free quotas and token APIs in use; data that is moved."""
    columns: Columns = [
        "use",
        "for",
        "in all",
        "days",
        "hours",
        Column(f"cost {plan.currency}", right=True),
    ]
    rows = [*_assets(plan), *_apis(plan)]
    rows += [["data moved once", name, "", "", "", ""] for name in plan.moved]
    return Section("Use besides", columns, rows)


def _assets(plan: Plan) -> Iterator[list[str]]:
    uses: dict[tuple[str, str], list[Usage]] = defaultdict(list)
    for usage in plan.usages:
        uses[usage.asset, usage.workload].append(usage)
    for (name, workload), lines in sorted(uses.items()):
        taken = (u.nodes * u.hours_per_day * (u.end - u.start).days for u in lines)
        yield [
            name,
            workload,
            f"{hours_number(sum(taken, Decimal(0)))} node-hours",
            span(min(line.start for line in lines), max(line.end for line in lines)),
            hours_text(chain.from_iterable(hours_in(line.hours) for line in lines)),
            "",
        ]


def _apis(plan: Plan) -> Iterator[list[str]]:
    """What an API is paid is one sum in the ledger, told with the first workload that uses it."""
    paid = {line.cause: line.amount for line in plan.ledger if line.component == "api"}
    uses: dict[tuple[str, str, str], list[Assignment]] = defaultdict(list)
    for line in plan.assignments:
        if line.label == "api":
            uses[line.node, line.workload, line.bucket].append(line)
    for (name, workload, bucket), lines in sorted(uses.items()):
        cost = paid.pop(name, None)
        yield [
            name,
            f"{workload}, {bucket} tokens" if bucket else workload,
            f"load up to {decimal_text(max(line.load for line in lines))}",
            span(min(line.start for line in lines), max(line.end for line in lines)),
            hours_text(chain.from_iterable(hours_in(line.hours) for line in lines)),
            "as above" if cost is None else money(cost),
        ]


Steps = Sequence[tuple[str, str]]
"""(command to type, what it does)"""


def next_steps(plan: Plan, path: str, *, why: bool) -> Steps:
    name = shlex.quote(path or plan.schedule)
    steps = [] if why else [(f"rentopt plan {name} --why", "what was ruled out, and the reasons")]
    return [
        *steps,
        (f"rentopt plan {name} --format json -o plan.json", "all of it, for programs"),
        (f"rentopt verify plan.json {name}", "add the bill up again from the prices alone"),
    ]


def _present(plan: Plan) -> str:
    return f", {money(plan.npv)} in present value" if discounted(plan) else ""


def _seller(provider: str, region: str, purchase_model: str) -> str:
    extra = "" if purchase_model in ("on_demand", "prepaid") else f", {purchase_model}"
    return f"{provider} {region}{extra}"


def _quantity(number: int, *, by_hour: bool) -> str:
    return f"{number:,} h" if by_hour else counted(number, "term")


def _times(units: int, quoted: str) -> str:
    return f"{units} x {quoted}" if units > 1 else quoted


def _each(cost: Decimal, quantity: int, *, by_hour: bool) -> str:
    each = cost / quantity
    return f"{each:,.4f}/h" if by_hour else f"{each:,.2f}/term"
