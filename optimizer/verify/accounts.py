"""Checks of the money: the bill recomputed, its sums by line, month and workload, its limits."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from optimizer.costs import Flow
from optimizer.verify.checker import SAME, Checker, short
from optimizer.verify.plan_document import AnswerPart

MONEY = "sums of money"
LIMITS = "budgets and cash"
SELLERS = "number of sellers"
ANSWERS = "answers and bound"
CENT = Decimal("0.01")
GAP = 1e-6
"""How far a printed gap may be from the one of its present value and bound."""
BOUND = Decimal("1e-9")
"""Share by which a bound, a float, may exceed the present value it bounds."""


def check_accounts(check: Checker) -> None:
    """After all others: they have put the bill together."""
    for cause, flow in check.problem.sunk:
        check.direct["(sunk)"] += check.pay(cause, [flow])
    _ledger(check)
    _by_month(check)
    _by_workload(check)
    _utilisation(check)
    _answers(check)


def _ledger(check: Checker) -> None:
    flows: dict[tuple[str, str], list[Flow]] = defaultdict(list)
    for cause, flow in check.bill:
        flows[flow.component, cause].append(flow)
    lines = {(line.component, line.cause): line for line in check.plan.ledger}
    words = "ledger: a line is there twice"
    check.check(MONEY, len(lines) == len(check.plan.ledger), words)
    for key in sorted(flows.keys() | lines.keys()):
        where = f"ledger: {key[0]} of {key[1]}"
        line = lines.get(key)
        amount = sum((flow.amount for flow in flows[key]), Decimal(0))
        value = check.costs.present_value(flows[key])
        if line is None:
            words = f"{where} is missing, recomputed {short(amount)}"
            check.check(MONEY, amount == 0 and value == 0, words)
            continue
        check.equal(MONEY, line.amount, amount, where)
        check.equal(MONEY, line.present_value, value, f"{where}: present value")
    total = sum((flow.amount for _, flow in check.bill), Decimal(0))
    npv = check.costs.present_value(flow for _, flow in check.bill)
    check.equal(MONEY, check.plan.total, total, "total")
    check.equal(MONEY, check.plan.npv, npv, "npv")
    footed = sum((line.amount for line in check.plan.ledger), Decimal(0))
    check.equal(MONEY, check.plan.total, footed, "total against the ledger's lines: total")
    values = sum((line.present_value for line in check.plan.ledger), Decimal(0))
    check.equal(MONEY, check.plan.npv, values, "npv against the ledger's lines: npv")


def _by_month(check: Checker) -> None:
    """Money by calendar month, then the budget of each month and the cash there is."""
    months = dict.fromkeys(check.horizon.months, Decimal(0))
    after = Decimal(0)
    for _, flow in check.bill:
        if flow.day < check.horizon.n_days:
            months[f"{check.horizon.day(flow.day):%Y-%m}"] += flow.amount
        else:
            after += flow.amount
    found = check.plan.cash_flow
    for month in sorted(months.keys() | found.keys() | {"after"}):
        expected = after if month == "after" else months.get(month, Decimal(0))
        check.equal(MONEY, found.get(month, Decimal(0)), expected, f"cash_flow: {month}")
    footed = sum(found.values(), Decimal(0))
    check.equal(MONEY, footed, check.plan.total, "cash_flow: sum of the months")
    months[check.horizon.months[-1]] += after
    limits, spent = check.problem.schedule.document.limits, Decimal(0)
    over = f"{check.horizon.day(check.costs.from_day):%Y-%m}"
    for month, paid in months.items():
        spent += paid
        budget = None if month < over else limits.budget.get(month, limits.budget_per_month)
        if budget is not None:
            allowed = check.costs.in_currency(budget)
            words = f"budget: {short(paid)} is paid in {month}, {short(allowed)} may be"
            check.check(LIMITS, paid <= allowed + CENT, words)
        if limits.cash is not None:
            allowed = check.costs.in_currency(limits.cash)
            words = f"cash: {short(spent)} is spent by the end of {month}, of {short(allowed)}"
            check.check(LIMITS, spent <= allowed + CENT, words)


def check_sellers(check: Checker) -> None:
    """No more sellers of nodes and tokens than the schedule wants to deal with."""
    most = check.problem.schedule.document.limits.max_providers
    if most is None:
        return
    asked = {rental.provider.lower() for rental in check.plan.rentals}
    by_api = {
        f"{offer.provider}/{offer.provider_model}": offer.provider.lower()
        for demand in check.problem.services
        for offer in demand.apis
    }
    asked |= {by_api.get(p.node, p.node) for p in check.plan.assignments if p.label == "api"}
    words = f"sellers: {', '.join(sorted(asked))} are {len(asked)}, at most {most} may be"
    check.check(SELLERS, len(asked) <= most, words)


def by_workload(check: Checker) -> dict[str, Decimal]:
    """A pool's cost is shared by node-hours; what nobody uses is ``(idle)``."""
    shares: dict[str, Decimal] = defaultdict(Decimal, check.direct)
    for pool, cost in check.pool_cost.items():
        users = {name: hours for (p, name), hours in check.used.items() if p == pool and hours}
        whole = sum(users.values(), Decimal(0))
        for name, hours in users.items():
            check.pool_shares[pool, name] = cost * hours / whole
            shares[name] += check.pool_shares[pool, name]
        if not users:
            shares["(idle)"] += cost
    return shares


def _by_workload(check: Checker) -> None:
    shares = by_workload(check)
    found = check.plan.by_workload
    for name in sorted(shares.keys() | found.keys()):
        where = f"by_workload: {name}"
        check.equal(MONEY, found.get(name, Decimal(0)), shares[name], where)
    footed = sum(found.values(), Decimal(0))
    check.equal(MONEY, footed, check.plan.total, "by_workload: sum of the workloads")


def _utilisation(check: Checker) -> None:
    found = {pool.node: pool for pool in check.plan.utilisation}
    expected = {}
    for (kind, spot), hours in check.available.items():
        if hours:
            used = sum(
                (h for (pool, _), h in check.used.items() if pool == (kind, spot)), Decimal()
            )
            expected[f"{kind} spot" if spot else str(kind)] = (hours, used)
    words = f"utilisation: pools {', '.join(found)}, recomputed {', '.join(expected)}"
    check.check(MONEY, found.keys() == expected.keys(), words)
    for name in sorted(found.keys() & expected.keys()):
        where = f"utilisation: {name}:"
        available, used = expected[name]
        check.equal(
            MONEY, found[name].available_node_hours, available, f"{where} available node-hours"
        )
        check.equal(MONEY, found[name].used_node_hours, used, f"{where} used node-hours")


def _answers(check: Checker) -> None:
    """The mix is the plan, no dearer than the other answers, and no bound is above its cost."""
    plan = check.plan
    kinds = [answer.kind for answer in plan.answers]
    words = f"answers: expected rent, own and mix, found {', '.join(kinds)}"
    if not check.check(ANSWERS, sorted(kinds) == ["mix", "own", "rent"], words):
        return
    for answer in plan.answers:
        _answer(check, answer)
    mix, rent = (next(a for a in plan.answers if a.kind == kind) for kind in ("mix", "rent"))
    alike = (mix.total, mix.npv, mix.bound, mix.gap) == (
        plan.total, plan.npv, plan.bound, plan.gap,
    )  # fmt: skip
    check.check(ANSWERS, alike, "answers: mix is not the plan: total, npv, bound or gap differ")
    earlier = {option.name for option in check.problem.purchases if option.paid is not None}
    bought = sum(part.nodes for part in plan.bought if part.option not in earlier)
    words = f"answers: mix says {mix.nodes_bought} nodes bought, the plan buys {bought}"
    check.check(ANSWERS, mix.nodes_bought == bought, words)
    words = f"answers: rent buys {rent.nodes_bought} nodes"
    check.check(ANSWERS, rent.nodes_bought == 0, words)
    for answer in plan.answers if plan.kept is None else ():
        words = f"answers: mix costs {short(plan.npv)}, {answer.kind} is cheaper"
        cheaper = answer.npv is not None and answer.npv < plan.npv * (1 - SAME)
        check.check(ANSWERS, not cheaper, words)
    if not bought and plan.kept is None:
        words = "answers: the mix buys nothing, and is not the rent answer"
        check.check(ANSWERS, rent.npv == mix.npv, words)
    value = float(plan.npv)
    gap = max(0.0, (value - float(plan.bound)) / max(abs(value), 1e-9))
    words = f"gap is {plan.gap:.9f}, npv and bound give {gap:.9f}"
    check.check(ANSWERS, abs(plan.gap - gap) <= GAP, words)


def _answer(check: Checker, answer: AnswerPart) -> None:
    if answer.npv is None or answer.total is None or answer.bound is None:
        none = answer.npv is None and answer.total is None and answer.bound is None
        words = f"answers: {answer.kind} has no plan, and no reason why"
        check.check(ANSWERS, none and bool(answer.reason), words)
        return
    least = answer.npv + BOUND * abs(answer.npv)
    words = f"answers: {answer.kind}: bound {answer.bound} is above its npv {short(answer.npv)}"
    check.check(ANSWERS, answer.bound <= least, words)
