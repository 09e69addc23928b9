"""Figures of a whole plan as it was solved: its cost down to quotes, and the other answers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.accounts import ledger
from optimizer.extract import Extract
from optimizer.plans import Answer, Plan
from optimizer.problem import Problem
from optimizer.review.derivation.pairs import pair_figures
from optimizer.review.figure import Figure, How
from optimizer.review.sides import Side
from optimizer.review.sources import Derivation
from optimizer.verify.examine import billed
from optimizer.verify.plan_document import PlanDocument

_KINDS = {"rent": "all rented", "own": "all owned"}


def plan_side(plan: Plan, document: PlanDocument, problem: Problem) -> Side:
    """A plan with its bill put together again from its decisions and its prices.

    Args:
        problem: what it answers, with no offer thinned out.
    """
    parts = Extract(
        rentals=list(plan.rentals),
        bought=list(plan.bought),
        assignments=list(plan.assignments),
        usages=list(plan.usages),
        moved=list(plan.moved),
        bill=billed(document, problem).bill,
    )
    return Side("plan", problem, parts, tuple(ledger(parts.bill, problem)))


def plan_figures(plan: Plan, side: Side) -> tuple[Figure, ...]:
    """Cost of the plan, of the other answers, of each month; break-evens of what may be bought."""
    return tuple(_figures(plan, side))


def _figures(plan: Plan, side: Side) -> Iterator[Figure]:
    derived = Derivation(side)
    rate = Figure(
        "discount_rate", "discount rate, a year, effective", side.rate, "",
        source="money.discount_rate", set_by="the schedule",
    )  # fmt: skip
    worth = derived.present_value(rate)
    yield derived.total()
    yield worth
    for kind in _KINDS:
        answer = plan.answer(kind)
        other = _answer(plan, answer)
        yield other
        if answer.npv is not None and worth.value is not None:
            value = answer.npv - worth.value
            title = f"best mix saves against {_KINDS[kind]}, present value"
            yield Figure(f"plan.saves.{kind}", title, value, plan.currency, How.DIFFERENCE,
                         f"{_KINDS[kind]} - the plan", (other, worth))  # fmt: skip
    for month, amount in plan.cash_flow:
        yield _month(plan, side, month, amount)
    yield from pair_figures(plan, side.problem)


def _answer(plan: Plan, answer: Answer) -> Figure:
    title = f"{_KINDS[answer.kind]}, present value"
    name = f"plan.answer.{answer.kind}"
    command = f"rentopt plan {plan.schedule} --only-{answer.kind}"
    if answer.npv is None:
        return Figure(name, title, None, plan.currency, How.WORDS, "the best of its kind",
                      code="no_plan", note=answer.reason)  # fmt: skip
    note = (
        f"found by the solver, proven within {answer.gap:.2%}; the plan's file has its cost alone, "
        f"`{command}` its bill"
    )
    return Figure(name, title, answer.npv, plan.currency, source="answers of the plan", note=note,
                  set_by="the plan")  # fmt: skip


def _month(plan: Plan, side: Side, month: str, amount: Decimal) -> Figure:
    """What is paid in a calendar month, by line of the bill."""
    by_line: dict[str, Decimal] = {}
    for cause, flow in side.bill:
        inside = flow.day < side.problem.horizon.n_days
        if (f"{side.day(flow.day):%Y-%m}" if inside else "after") == month:
            what = f"{flow.component}.{cause}"
            by_line[what] = by_line.get(what, Decimal(0)) + flow.amount
    parts = tuple(
        Figure(f"plan.month.{month}.{what}", f"{what} in {month}", paid, plan.currency,
               source=f"part of plan.{what}")
        for what, paid in sorted(by_line.items())
    )  # fmt: skip
    return Figure(f"plan.month.{month}", f"paid in {month}", amount, plan.currency, How.SUM,
                  "sum over the lines of the bill", parts)  # fmt: skip
