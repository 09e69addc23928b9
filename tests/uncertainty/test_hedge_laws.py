"""Random small schedules under random scenarios, with the limits that tie decisions together."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cases import listed
from small import START, book, schedule

from optimizer.errors import NoPlanError
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.milp.two_stage import Risk
from optimizer.problem import gather
from optimizer.report.plan_json import plan_to_dict
from optimizer.schedule.document import Limits
from optimizer.schedule.schedule import Schedule
from optimizer.solved import solve_problem
from optimizer.uncertainty.scenario import Outlook
from optimizer.uncertainty.study import hedge
from optimizer.verify import examine
from providers.offers import OfferBook

LIMITS = {
    "none": {},
    "one seller": {"max_providers": 1},
    "cash": {"cash": "190 CNY"},
    "budget": {"budget_per_month": "110 CNY/month"},
}


def limited(seed: int, limits: dict[str, object], stock: int | None) -> Schedule:
    whole = schedule(seed)
    document = whole.document.model_copy(
        update={
            "limits": Limits.model_validate(limits),
            "market": whole.document.market.model_copy(update={"stock": stock}),
        }
    )
    return replace(whole, document=document)


def scenarios_text(seed: int) -> str:
    rng = random.Random(seed)
    lines = ["rentopt_scenarios: 1", f"known_from: {START + timedelta(3)}", "committed: 2 days",
             "scenarios:"]  # fmt: skip
    for name, probability in (("a", "50 %"), ("b", "30 %"), ("c", "20 %")):
        factor, load = rng.choice([0.5, 1, 2]), rng.choice([0.3, 1, 1.6])
        late = rng.choice([0, 1, 2])
        lines.append(
            f"  - {{name: {name}, probability: {probability}, rent: {{acme: {factor}}}, "
            f"load: {{all: {load}}}, delay: {{all: {late} days}}, purchase: {{all: {factor}}}}}"
        )
    return "\n".join(lines) + "\n"


def sold_by_two(prices: OfferBook) -> OfferBook:
    """Half of the offers are another seller's."""
    offers = tuple(
        replace(o, provider="other") if n % 2 else o for n, o in enumerate(prices.offers)
    )
    return replace(prices, offers=offers)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_limited_each_plan_holds_and_no_value_is_negative(
    tmp_path: Path, seed: int, limit: str
) -> None:
    whole = limited(seed, LIMITS[limit], stock=4 if seed % 2 else None)
    prices = sold_by_two(book(seed))
    asked = listed(tmp_path, scenarios_text(seed))
    risk = (Risk(), Risk(1.0, 0.6), Risk(0.3, 0.9))[seed % 3]
    options = SolveOptions(gap=1e-4, time_limit_s=120)
    scenarios = asked.scenarios(whole, prices)
    try:
        found = hedge(whole, prices, asked, scenarios, risk, options)
    except NoPlanError:
        problem = gather(whole, prices)
        outlooks = [Outlook(s.name, (s,), asked.document.known_from) for s in scenarios]
        alone = [solve_problem(outlook.realised(problem), options) for outlook in outlooks]
        assert any(isinstance(one, NoSolution) for one in alone)
        return
    assert found.bound <= found.objective
    assert found.evpi >= 0
    assert found.vss is None or found.vss >= 0
    for line in found.outcomes:
        body = json.loads(json.dumps(plan_to_dict(line.plan)))
        outlook = asked.outlook(line.scenario, whole, prices)
        assert examine(body, whole, prices, outlook.realised).faults == ()
        assert line.least_bound <= line.least <= line.cost
