"""Decisions for today over several scenarios, on a market small enough to be solved to the end."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from cases import SCENARIOS, TEXT, book, listed, schedule

from optimizer.api import plan
from optimizer.errors import NoPlanError
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.milp.two_stage import Risk
from optimizer.options.market import View
from optimizer.problem import gather
from optimizer.report.hedge import hedge_text
from optimizer.report.hedge_document import hedge_json
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.tables import TableFormat
from optimizer.solved import solve_problem
from optimizer.uncertainty.hedge import Hedge
from optimizer.uncertainty.scenario import Outlook, is_committed, view_of
from optimizer.uncertainty.study import hedge
from optimizer.verify import examine

NEAR = SolveOptions(gap=1e-4, time_limit_s=180)
CENT = Decimal("0.01")
RISKS = {"expected": Risk(), "worst": Risk(1.0, 0.9), "mixed": Risk(0.5, 0.7)}


def hedged(folder: Path, text: str = SCENARIOS, risk: Risk | None = None) -> Hedge:
    asked, whole, prices = listed(folder, text), schedule(), book()
    return hedge(whole, prices, asked, asked.scenarios(whole, prices), risk, NEAR)


@pytest.fixture(scope="module", params=sorted(RISKS))
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    risk = RISKS[request.param]
    return risk, hedged(tmp_path_factory.mktemp("hedge"), risk=risk)


def test_every_scenarios_plan_holds_on_that_scenarios_prices_loads_and_deliveries(
    found, tmp_path: Path
) -> None:
    _, result = found
    asked, whole, prices = listed(tmp_path), schedule(), book()
    for line in result.outcomes:
        outlook = asked.outlook(line.scenario, whole, prices)
        body = json.loads(json.dumps(plan_to_dict(line.plan)))
        verdict = examine(body, whole, prices, outlook.realised)
        assert verdict.faults == ()
        assert line.plan.npv == line.cost


def test_every_scenario_begins_with_what_is_signed(found) -> None:
    _, result = found
    signed = sorted((line.action, line.name, line.day, line.nodes) for line in result.signed)
    for line in result.outcomes:
        begun: dict[tuple[object, ...], int] = {}
        for rental in line.plan.rentals:
            if rental.terms == 0 or rental.start >= result.known_from:
                continue
            key = ("rent", rental.offer, rental.start)
            begun[key] = begun.get(key, 0) + rental.nodes
        for bought in line.plan.bought:
            if bought.paid < result.known_from:
                key = ("buy", bought.option, bought.paid)
                begun[key] = begun.get(key, 0) + bought.nodes
        assert sorted((*key, nodes) for key, nodes in begun.items()) == signed


def test_the_measures_are_those_of_the_scenarios_costs(found) -> None:
    risk, result = found
    costs = [line.cost for line in result.outcomes]
    chances = [line.chance for line in result.outcomes]
    assert sum(chances) == 1
    mean = sum(p * c for p, c in zip(chances, costs, strict=True))
    left, tail = 1 - Decimal(str(risk.level)), Decimal(0)
    for cost, chance in sorted(zip(costs, chances, strict=True), reverse=True):
        taken = min(left, chance)
        tail, left = tail + taken * cost, left - taken
    tail /= 1 - Decimal(str(risk.level))
    weight = Decimal(str(risk.weight))
    assert abs(result.expected - mean) < CENT / 1000
    assert abs(result.cvar - tail) < CENT / 1000
    assert abs(result.objective - ((1 - weight) * mean + weight * tail)) < CENT / 1000
    assert result.bound <= result.objective
    assert result.gap <= 3 * NEAR.gap


def test_neither_foresight_nor_hedging_is_worth_less_than_nothing(found) -> None:
    _, result = found
    assert result.evpi >= 0
    assert result.evpi_proven[0] <= result.evpi <= result.evpi_proven[1]
    assert result.vss is not None
    assert result.vss_proven is not None
    assert result.vss >= 0
    assert result.vss_proven[0] <= result.vss <= result.vss_proven[1] + CENT
    for line in result.outcomes:
        assert line.least_bound <= line.least
        assert line.regret >= 0
        assert line.deterministic_regret is not None
        assert line.deterministic_regret >= 0


def test_whoever_fears_the_worst_signs_more_and_pays_less_when_it_comes(tmp_path: Path) -> None:
    calm, fearful = hedged(tmp_path), hedged(tmp_path, risk=RISKS["worst"])
    assert sum(line.nodes for line in fearful.signed) > sum(line.nodes for line in calm.signed)
    assert fearful.cvar < calm.cvar
    assert fearful.expected > calm.expected
    assert fearful.vss is not None
    assert fearful.vss > 100


ONE = """\
rentopt_scenarios: 1
known_from: 2026-12-20
scenarios:
  - {name: as planned, probability: 100 %}
"""


def test_one_scenario_without_changes_is_the_plan(tmp_path: Path) -> None:
    result = hedged(tmp_path, ONE)
    best = plan(schedule(), book(), NEAR, breakeven_s=None)
    assert abs(result.objective - best.npv) <= best.npv * Decimal(str(NEAR.gap))
    assert result.vss == result.evpi == 0
    assert [line.regret for line in result.outcomes] == [0]


LATE = """\
rentopt_scenarios: 1
known_from: 2026-12-20
scenarios:
  - {name: on time, probability: 60 %}
  - {name: late, probability: 40 %, delay: {1xRTX4090: 15 days}}
"""


def test_nodes_are_ordered_early_where_their_delivery_may_be_late(tmp_path: Path) -> None:
    """The service begins on 4 January and can only be carried by nodes that are bought."""
    text = TEXT.replace("phases: [{users: 30}]", "phases: [{start: 2027-01-04, users: 30}]")
    text = text.replace("confidence: A", "confidence: A, rent: false")
    text = text[: text.index("  - name: tune")] + text[text.index("hardware:\n  buy") :]
    asked, whole, prices = listed(tmp_path, LATE), schedule(text), book()
    result = hedge(whole, prices, asked, asked.scenarios(whole, prices), None, NEAR)
    (order,) = result.signed
    assert (order.action, str(order.day)) == ("buy", "2026-12-15")  # 5 + 15 days before
    for line in result.outcomes:
        outlook = asked.outlook(line.scenario, whole, prices)
        body = json.loads(json.dumps(plan_to_dict(line.plan)))
        assert examine(body, whole, prices, outlook.realised).faults == ()


def test_a_scenario_without_any_plan_is_named(tmp_path: Path) -> None:
    text = TEXT.replace("confidence: A", "confidence: A, rent: false")
    asked, whole, prices = listed(tmp_path), schedule(text), book()
    with pytest.raises(NoPlanError, match="scenario 'as planned'"):
        hedge(whole, prices, asked, asked.scenarios(whole, prices), None, NEAR)


def test_a_mean_that_leaves_a_scenario_without_a_plan_has_no_value(tmp_path: Path) -> None:
    """Without renting, the mean of 30 and 75 users buys one node too few for the many."""
    text = TEXT.replace("confidence: A", "confidence: A, rent: false").replace("max: 3", "max: 8")
    text = text.replace("phases: [{users: 30}]", "phases: [{start: 2026-12-22, users: 30}]")
    text = text[: text.index("  - name: tune")] + text[text.index("hardware:\n  buy") :]
    many = """\
rentopt_scenarios: 1
known_from: 2026-12-20
scenarios:
  - {name: few, probability: 90 %}
  - {name: many, probability: 10 %, load: {all: 12}}
"""
    asked, whole, prices = listed(tmp_path, many), schedule(text), book()
    result = hedge(whole, prices, asked, asked.scenarios(whole, prices), None, NEAR)
    assert result.vss is None
    assert [line.deterministic for line in result.outcomes] == [None, None]
    assert "leaves no plan in some scenario" in hedge_text(result, TableFormat.TABLE)


@pytest.mark.parametrize("number", range(3))
def test_thinning_a_market_out_for_all_scenarios_costs_none_of_them(
    tmp_path: Path, number: int
) -> None:
    asked, whole, prices = listed(tmp_path), schedule(), book()
    # 'other' is dearer today; where rents of 'acme' rise, it is the cheaper one.
    text = SCENARIOS.replace("{all: 1.6, spot: 2}", "{acme: 1.6, spot: 2}")
    asked = listed(tmp_path, text)
    scenarios = asked.scenarios(whole, prices)
    problem = gather(whole, prices)
    view = view_of(scenarios, is_committed(28))
    thin, full = gather(whole, prices, view), gather(whole, prices, View(spared=lambda x: True))
    assert len(problem.market.listings) < len(thin.market.listings) < len(full.market.listings)
    outlook = Outlook("", scenarios[number : number + 1], asked.document.known_from)
    costs = []
    for market in (thin, full):
        solved = solve_problem(outlook.realised(market), NEAR)
        assert not isinstance(solved, NoSolution)
        costs.append(solved.solution.objective)
    assert costs[0] == pytest.approx(costs[1], rel=2e-4)


def test_the_same_scenarios_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = hedged(tmp_path), hedged(tmp_path)
    assert hedge_json(one) == hedge_json(other)
    plain = replace(one, outcomes=())
    assert json.loads(hedge_json(plain))["expected"] == json.loads(hedge_json(one))["expected"]
