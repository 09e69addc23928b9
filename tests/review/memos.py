"""Memos of the cases, and one with names that would do harm if they could."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

from review_cases import BASE, FULL, HOSTILE, NODE, D, everything, persona, tiny

from optimizer.review.memo.levers import levers
from optimizer.review.memo.memo import Memo, make_memo
from optimizer.review.memo.what_if import WhatIf, make_what_if
from optimizer.review.workbook.question import make_question

CURVE = {12: 0.7, 24: 0.5, 36: 0.3}
LATER = {6: 0.9, 30: 0.4}
PLANS = {"tiny": tiny, "everything": everything, "persona": persona}
CASES = ("tiny", "everything", "base", "full", "scrap")


@cache
def what_if(case: str) -> WhatIf:
    if case in ("base", "full"):
        question = BASE if case == "base" else replace(FULL, tax_rate=D(0))
        return WhatIf(question, (CURVE, LATER)[: len(question.lots)])
    if case == "scrap":  # no curve: what is sold brings nothing
        return WhatIf(replace(BASE, lots=(replace(NODE, residual=D(0)),)), ({},))
    plan, problem = PLANS[case]()
    return make_what_if(make_question(plan, problem), problem)


@cache
def memo(case: str) -> Memo:
    plan, problem = PLANS[case]()
    return make_memo(plan, problem, make_question(plan, problem))


@cache
def hostile() -> Memo:
    """Whatever comes from a provider, a schedule or the optimiser says something bad."""
    plan, problem = everything()
    rentals = tuple(
        replace(r, offer=HOSTILE, quoted=HOSTILE, workload=HOSTILE, source=HOSTILE)
        for r in plan.rentals
    )
    bought = tuple(replace(line, source=HOSTILE) for line in plan.bought)
    lines = tuple(replace(line, workload=HOSTILE) for line in plan.assignments)
    answers = tuple(
        replace(a, npv=None, total=None, reason=HOSTILE) if a.kind == "own" else a
        for a in plan.answers
    )
    question = make_question(plan, problem)
    bad = replace(
        plan, name=HOSTILE, schedule=HOSTILE, rentals=rentals, bought=bought, assignments=lines,
        answers=answers, warnings=(HOSTILE,), rejected=((HOSTILE, "1xRTX4090", HOSTILE),),
        excluded=((HOSTILE, 3),), fx=(HOSTILE,),
    )  # fmt: skip
    lots = tuple(
        replace(lot, quote=replace(lot.quote, name=HOSTILE, source=HOSTILE))
        for lot in question.lots
    )
    return make_memo(bad, problem, replace(question, lots=lots))


def positions(case: str) -> list[dict[str, int]]:
    """Steps of the sliders: each alone from end to end, then corners of all of them."""
    found: list[dict[str, int]] = [{}]
    ranges = {lever.name: (lever.least, lever.most) for lever in levers(what_if(case))}
    for name, (least, most) in ranges.items():
        found += [{name: k} for k in sorted({least, least // 2, -1, 1, most // 3, most})
                  if least <= k <= most]  # fmt: skip
    corners = [dict(zip(ranges, ends, strict=True)) for ends in product(*ranges.values())]
    return found + corners
