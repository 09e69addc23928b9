"""What a plan tells a person, part by part; how it looks is left to the terminal or Markdown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from optimizer.plans import Answer, Plan
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
from optimizer.report.plan_json import decimal_text
from optimizer.report.rental_groups import (
    days_between,
    grouped,
    hours_in,
    hours_text,
    rental_quantity,
)
from optimizer.report.tables import Column

KINDS = {"rent": "all rented", "own": "all owned", "mix": "best mix"}
MOST_NAMES = 6
"""Node kinds named for one reason; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table, block of text, or both, with remarks below."""

    title: str
    columns: Sequence[str | Column] = ()
    rows: Sequence[Sequence[str]] = ()
    block: str = ""
    """Text whose columns must stay aligned."""
    notes: Sequence[str] = ()
    aside: bool = False
    """Left folded away where the reader can unfold it."""


def headline(plan: Plan) -> list[str]:
    lines = [
        f"{plan.name}: {span(plan.first_day, plan.first_day + timedelta(plan.n_days))}, "
        f"{counted(plan.n_days, 'day')}, in {plan.currency}",
        f"prices as of {plan.as_of}, from the price table {', '.join(plan.tables)}",
    ]
    return [*lines, *(f"exchange rate {rate}" for rate in plan.fx)]


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
    parts = [
        answers(plan),
        purchases(plan),
        rental_lines(plan) if details else rentals(plan),
        other_means(plan),
        Section("Calendar", block=calendar(plan, width), notes=(legend(plan),)),
        utilisation(plan),
        *costs(plan),
        cash_flow(plan),
        breakeven(plan),
        prices(plan),
    ]
    if why:
        parts += [rejected(plan), excluded(plan)]
    yield from (part for part in parts if part.rows or part.block)


def answers(plan: Plan) -> Section:
    """All rent, all own, best mix; the saving is on present value, which the plan makes least."""
    discounted = _discounted(plan)
    columns: list[str | Column] = ["", Column(f"{plan.currency}, undiscounted", right=True)]
    if discounted:
        columns.append(Column("present value", right=True))
    columns += [Column("best mix saves", right=True), Column("", right=True), "how sure"]
    best = plan.answer("mix")
    rows, notes = [], []
    for answer in plan.answers:
        name = KINDS.get(answer.kind, answer.kind)
        if answer.total is None or answer.npv is None or best.npv is None:
            rows.append([name, "none", *([""] if discounted else []), "", "", ""])
            notes.append(f"{name}: none, because {why_none(answer)}")
            continue
        saving = answer.npv - best.npv
        share = percent(saving / answer.npv) if answer.npv > 0 else ""
        rows.append(
            [
                name,
                money(answer.total),
                *([money(answer.npv)] if discounted else []),
                *(("", "") if answer is best else (money(saving), share)),
                _sure(answer, plan.currency),
            ]
        )
    if discounted:
        notes.append("savings are in present value, which is what the plan makes least")
    return Section("All rented, all owned, or a mix", columns, rows, notes=notes)


def _sure(answer: Answer, currency: str) -> str:
    if answer.npv is None or answer.bound is None:
        return ""
    return proven(answer.npv, answer.bound, currency)


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
    columns = [
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
    uses: dict[str, list[tuple[Decimal, Any]]] = defaultdict(list)
    for usage in plan.usages:
        uses[usage.asset].append((usage.nodes, usage))
    rows = []
    for name, lines in sorted(uses.items()):
        hours = sum(
            (
                nodes * len(hours_in(u.hours)) * len(list(days_between(u.start, u.end)))
                for nodes, u in lines
            ),
            Decimal(0),
        )
        rows.append(
            [
                name,
                "",
                f"{hours_number(hours)} node-hours",
                span(min(u.start for _, u in lines), max(u.end for _, u in lines)),
                hours_text(hour for _, u in lines for hour in hours_in(u.hours)),
                "",
            ]
        )
    paid = {line.cause: line.amount for line in plan.ledger if line.component == "api"}
    apis: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for line in plan.assignments:
        if line.label == "api":
            apis[line.node, line.workload].append(line)
    for (name, workload), found in sorted(apis.items()):
        loads = [line.load for line in found]
        rows.append(
            [
                name,
                workload,
                f"load up to {decimal_text(max(loads))}",
                span(min(a.start for a in found), max(a.end for a in found)),
                hours_text(hour for a in found for hour in hours_in(a.hours)),
                money(paid.get(name, Decimal(0))),
            ]
        )
    rows += [["data moved once", name, "", "", "", ""] for name in plan.moved]
    columns = ["use", "for", "in all", "days", "hours", Column(f"cost {plan.currency}", right=True)]
    return Section("Use besides", columns, rows)


def utilisation(plan: Plan) -> Section:
    rows = [
        [
            pool.node,
            hours_number(pool.available_node_hours),
            hours_number(pool.used_node_hours),
            percent(pool.utilisation),
        ]
        for pool in plan.utilisation
    ]
    columns = [
        "nodes",
        Column("node-hours there", right=True),
        Column("used", right=True),
        Column("share", right=True),
    ]
    notes = ("nodes rented by the hour for one job are left out: they are always in use",)
    by_job = any(line.workload for line in plan.rentals)
    return Section("Utilisation", columns, rows, notes=notes if by_job else ())


def costs(plan: Plan) -> list[Section]:
    """What is paid for what: by component, and by workload."""
    parts: dict[str, list[Decimal]] = {}
    for line in plan.ledger:
        both = parts.setdefault(line.component, [Decimal(0), Decimal(0)])
        both[0] += line.amount
        both[1] += line.present_value
    discounted = _discounted(plan)
    paid = footed_text([both[0] for both in parts.values()])
    now = footed_text([both[1] for both in parts.values()])
    rows = [
        [component, amount, *([worth] if discounted else [])]
        for component, amount, worth in zip(parts, paid, now, strict=True)
    ]
    rows.append(["total", money(plan.total), *([money(plan.npv)] if discounted else [])])
    columns: list[str | Column] = ["cost of", Column(plan.currency, right=True)]
    if discounted:
        columns.append(Column("present value", right=True))
    by = list(plan.by_workload)
    whole = sum((amount for _, amount in by), Decimal(0))
    mine = [
        [name, amount, percent(exact / whole) if whole > 0 else ""]
        for (name, exact), amount in zip(by, footed_text([a for _, a in by]), strict=True)
    ]
    if mine:
        mine.append(["total", money(whole), ""])
    shares = ["workload", Column(plan.currency, right=True), Column("share", right=True)]
    idle = any(name == "(idle)" for name, _ in by)
    note = ("(idle) is capacity that no workload used",) if idle else ()
    return [
        Section("Cost by component", columns, rows),
        Section("Cost by workload", shares, mine, notes=note),
    ]


def cash_flow(plan: Plan) -> Section:
    months = list(plan.cash_flow)
    paid = footed_text([amount for _, amount in months])
    running, rows = Decimal(0), []
    for (month, exact), amount in zip(months, paid, strict=True):
        running += exact
        rows.append([month, amount, money(running)])
    columns = ["month", Column(f"paid {plan.currency}", right=True), Column("so far", right=True)]
    after = any(month == "after" for month, _ in months)
    notes = ("'after' is billed or received past the last day",) if after else ()
    return Section("Cash flow", columns, rows, notes=notes, aside=True)


def breakeven(plan: Plan) -> Section:
    """Rows as the break-even solver states them; nothing is known of them but their keys."""
    rows = [
        [
            _words(row, "pair", "what", "subject"),
            _words(row, "quantity", "name"),
            _words(row, "now", "current"),
            _words(row, "breakeven", "break_even", "value"),
            _words(row, "unit"),
            _words(row, "text", "meaning"),
        ]
        for row in plan.breakeven
    ]
    columns = [
        "own or rent",
        "quantity",
        Column("now", right=True),
        Column("break-even", right=True),
        "unit",
        "meaning",
    ]
    return Section("Break-even points", columns, rows)


def _words(row: dict[str, Any], *keys: str) -> str:
    value = next((row[key] for key in keys if row.get(key) is not None), "")
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, float):
        return f"{value:,.6g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def prices(plan: Plan) -> Section:
    """Every offer that is used, with where its price comes from."""
    used = {line.offer: line for line in plan.rentals}
    rows = [
        [sku, line.quoted, f"{line.observed_at}", f"{line.age_days}", line.confidence, line.source]
        for sku, line in sorted(used.items())
    ]
    columns = [
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
    columns = ["workload", "why not", Column("kinds", right=True), "hardware"]
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


def next_steps(plan: Plan, *, why: bool) -> list[str]:
    name = plan.schedule
    steps = []
    if not why:
        steps.append((f"rentopt plan {name} --why", "what was ruled out, and the reasons"))
    steps.append((f"rentopt plan {name} --format json -o plan.json", "all of it, for programs"))
    steps.append(("rentopt verify plan.json", "add the bill up again from the prices alone"))
    width = max(len(command) for command, _ in steps)
    return [f"{command:<{width}}  {about}" for command, about in steps]


def _discounted(plan: Plan) -> bool:
    pairs: Iterable[tuple[Any, Any]] = ((answer.total, answer.npv) for answer in plan.answers)
    return any(total != npv for total, npv in pairs) or plan.total != plan.npv


def _present(plan: Plan) -> str:
    return f", {money(plan.npv)} in present value" if _discounted(plan) else ""


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
