"""Everything a memo says, worked out once, for every form it is written in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from optimizer.plans import Plan
from optimizer.problem import Problem
from optimizer.review.commitments import Commitment, commitments
from optimizer.review.memo.check import Check
from optimizer.review.memo.decision import Decision, decide
from optimizer.review.memo.ladder import Ladder, Regime, Rung
from optimizer.review.memo.register import Assumption, is_draft, register
from optimizer.review.memo.studied import around, left, studied
from optimizer.review.memo.what_if import ZERO, Answered, WhatIf, make_what_if
from optimizer.review.sensitivity.ranges import Seen
from optimizer.review.sensitivity.results import Sensitivity, Tornado, TwoWay
from optimizer.review.workbook.question import Question


@dataclass(frozen=True, slots=True)
class Memo:
    plan: Plan
    what_if: WhatIf
    decision: Decision
    study: Sensitivity
    two_way: TwoWay | None
    rungs: tuple[Rung, ...]
    regime: Regime
    assumptions: tuple[Assumption, ...]
    checks: tuple[Check, ...]
    terms: tuple[Commitment, ...]
    """What the plan signs for."""
    vat: str
    """ignore, recoverable or cost"""

    @property
    def question(self) -> Question:
        return self.what_if.question

    @property
    def base(self) -> Answered:
        return self.what_if.base

    @property
    def npv(self) -> Decimal:
        return self.base.npv


def make_memo(
    plan: Plan, problem: Problem, question: Question, history: Sequence[Seen] = ()
) -> Memo:
    """
    Args:
        history: earlier prices of the rental compared with, oldest first.
    """
    what_if = make_what_if(question, problem)
    study, assumptions = studied(question, problem, history), register(what_if, plan, problem)
    ladder = Ladder(what_if, plan)
    rungs = ladder.rungs()
    npv = what_if.base.npv
    draft = is_draft(assumptions, npv)
    return Memo(
        plan=plan,
        what_if=what_if,
        decision=decide(plan, problem, question, npv, study.tornado.decisive, assumptions, draft),
        study=study,
        two_way=around(question),
        rungs=tuple(rungs),
        regime=ladder.regime(),
        assumptions=tuple(assumptions),
        checks=tuple(_checks(plan, what_if.base, study.tornado, rungs)),
        terms=commitments(plan, problem),
        vat=problem.costs.money.vat,
    )


def _checks(plan: Plan, base: Answered, tornado: Tornado, rungs: list[Rung]) -> Iterator[Check]:
    capex = base.known("capex")

    def check(name: str, apart: Decimal) -> Check:
        return Check(name, abs(apart) / capex)

    sides = base.known("npv_buy") - base.known("npv_rent")
    yield check("sides", base.npv - sides)
    yield check("flows", base.npv - base.worth(base.flows.net))
    yield check("nodes", base.npv - sum((rung.saving for rung in rungs), ZERO))
    lefts = (abs(left(base.question, bar)) for bar in tornado.bars)
    yield check("flips", max(lefts, default=ZERO))
    yield check("study", base.npv - tornado.npv)
    hours, owned = base.known("utilisation"), Decimal(1)
    yield check("hours", max(ZERO, hours - owned) * capex)
    paid = sum((line.amount for line in plan.ledger), ZERO)
    yield check("bill", plan.total - paid)
    worth = sum((line.present_value for line in plan.ledger), ZERO)
    yield check("bill_worth", plan.npv - worth)
    if base.question.planned:
        prices = sum((line.price for line in plan.bought), ZERO)
        yield check("purchases", capex - prices)
