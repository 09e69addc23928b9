"""The answers of a review: published figures, closed forms, and break-evens put back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from review_cases import BASE, FULL, LATER, NODE, QUOTE, everything, questions, tiny

from optimizer.breakeven.pair import Pair
from optimizer.review.workbook.outcomes import all_flows, months, outcomes
from optimizer.review.workbook.question import make_question
from providers.errors import RentoptError

D = Decimal


def values(question):
    return {outcome.name: outcome.value for outcome in outcomes(question)}


def metric(question, name):
    return next(o.metric for o in outcomes(question) if o.name == name)


def pair(question, **changed):
    lot = question.lots[0]
    numbers = {
        "gpus": lot.gpus,
        "capex": lot.price,
        "years": Decimal(question.days) / 365,
        "residual": lot.residual,
        "busy_kw": lot.busy_kw,
        "idle_kw": lot.idle_kw,
        "pue": question.pue,
        "tariff": question.tariff,
        "fixed": lot.hosting * 12,
        "maintenance": lot.maintenance,
        "rent": lot.rent,
        "use": lot.use,
        "rate": question.rate,
    }
    return Pair(**{**numbers, **changed})


def test_the_base_case_gives_the_figures_of_the_checked_vectors():
    """OWN-02, OWN-03, OWN-04, OWN-05: cost of an hour, and three break-evens."""
    found = values(BASE)
    assert round(found["gpu_hour_accounting"], 5) == D("1.97617")
    assert round(found["break_even_rent"], 5) == D("1.97617")
    assert round(found["break_even_use"], 6) == D("0.523651")
    assert round(found["break_even_price"] * NODE.price, 2) == D("215740.07")


@pytest.mark.parametrize("rate", ["0", "0.08", "0.25"])
def test_whole_years_agree_with_the_closed_form_of_a_pair(rate):
    question = replace(BASE, rate=D(rate))
    found, closed = values(question), pair(question)
    assert abs(found["npv"] + closed.difference) < D("1E-15") * NODE.price
    assert abs(found["break_even_use"] - closed.even_use()) < D("1E-18")
    assert abs(found["break_even_rent"] - closed.even_rent()) < D("1E-18")
    assert abs(found["break_even_price"] * NODE.price - closed.even_capex()) < D("1E-15")


@pytest.mark.parametrize("question", [BASE, FULL], ids=["base", "full"])
def test_break_evens_put_back_leave_no_net_present_value(question):
    found = values(question)
    capex = found["capex"]
    if len(question.lots) == 1:
        lot = replace(question.lots[0], rent=found["break_even_rent"])
        assert abs(values(replace(question, lots=(lot,)))["npv"]) <= D("1E-6") * capex
    factor = found["break_even_use"] / found["utilisation"]
    used = tuple(replace(lot, use=lot.use * factor) for lot in question.lots)
    assert abs(values(replace(question, lots=used))["npv"]) <= D("1E-6") * capex
    priced = tuple(
        replace(lot, price=lot.price * found["break_even_price"]) for lot in question.lots
    )
    assert abs(values(replace(question, lots=priced))["npv"]) <= D("1E-6") * capex


def test_taxes_at_rate_nought_change_nothing():
    found = values(replace(FULL, tax_rate=D(0)))
    assert abs(found["npv_after_tax"] - found["npv"]) < D("1E-15")


def test_undiscounted_a_tax_takes_its_share_of_the_saving_and_no_more():
    """All that is bought is deducted or set against its sale, so the profit is the saving."""
    question = replace(FULL, rate=D(0), tax_rate=D("0.25"))
    found = values(question)
    assert abs(found["npv_after_tax"] - found["saving"] * D("0.75")) < D("1E-15")


def test_deductions_earlier_are_worth_more():
    late = values(replace(FULL, tax_at_once=D(0)))["npv_after_tax"]
    assert values(replace(FULL, tax_at_once=D(1)))["npv_after_tax"] > late


def test_a_payback_that_only_the_resale_brings_says_so():
    question = replace(BASE, lots=(replace(NODE, residual=D("0.9"), use=D("0.3")),))
    found = metric(question, "payback")
    assert found.value == D(36) or round(found.value, 6) <= 36
    assert found.reason == "only by the resale"
    assert metric(replace(BASE, lots=(replace(NODE, rent=D(9)),)), "payback").reason == ""


@pytest.mark.parametrize("days", [1095, 1000, 40])
def test_the_rate_of_return_put_back_as_discount_rate_leaves_no_value(days):
    question = replace(BASE, days=days, lots=(replace(NODE, sold=days, residual=D("0.9")),))
    found = metric(question, "irr")
    again = values(replace(question, rate=found.value))["npv"]
    assert abs(again) < D("1E-12") * NODE.price
    assert (found.reason == "as if 40 days were repeated all year") == (days == 40)


def test_the_modified_rate_grows_what_goes_out_to_what_comes_in():
    question = replace(BASE, rate=D("0.1"))
    rate = values(question)["mirr"]
    flows = list(zip(all_flows(question).net, months(question), strict=True))
    came = sum(net * m.factor for net, m in flows if net > 0)
    went = -sum(net * m.factor for net, m in flows if net < 0)
    assert abs(went * ((1 + rate) / D("1.1")) ** 3 - came) < D("1E-12") * NODE.price
    assert rate > question.rate or values(question)["npv"] < 0


def test_flows_that_turn_more_than_once_have_no_rate_of_return_but_the_modified_one():
    assert metric(FULL, "irr").code == "several_rates"
    assert "take NPV or MIRR" in metric(FULL, "irr").reason
    assert values(FULL)["mirr"] is not None


def test_money_that_goes_one_way_has_no_rate_of_return():
    worthless = replace(BASE, lots=(replace(NODE, use=D(0), residual=D(0)),))
    for name in ("irr", "mirr"):
        assert metric(worthless, name).code == "no_sign_change"


def test_what_is_never_used_has_no_cost_an_hour():
    question = replace(BASE, lots=(replace(NODE, use=D(0)),))
    for name in ("gpu_hour_accounting", "gpu_hour_economic", "break_even_rent", "break_even_use"):
        assert metric(question, name).code == "never_used"


def test_a_utilisation_above_all_hours_is_never_with_the_raw_figure():
    found = metric(replace(BASE, lots=(replace(NODE, rent=D(1)),)), "break_even_use")
    assert (found.value, found.code) == (None, "never")
    assert found.candidates[0] > 1


def test_a_plan_that_buys_nothing_is_asked_about_one_node():
    question, _ = questions()["tiny"]
    (lot,) = question.lots
    assert not question.planned
    assert (lot.nodes, lot.node, lot.price) == (1, "2xRTX4090", D(40_000))
    assert lot.rent == D("1.24")


def test_a_plan_that_buys_is_asked_about_what_it_buys():
    plan, _ = everything()
    question, _ = questions()["everything"]
    assert question.planned
    assert sum(lot.nodes for lot in question.lots) == sum(line.nodes for line in plan.bought) > 0
    bought = sum(line.price for line in plan.bought)
    assert values(question)["capex"] == bought
    resale = sum(line.resale for line in plan.bought)
    flows = sum(
        lot.nodes * lot.price * lot.residual * (1 - question.resale_cost) for lot in question.lots
    )
    assert abs(flows - resale) < D("1E-15")


def test_the_steps_of_a_quote_lead_to_its_price_of_a_gpu_hour():
    for question in (*(q for q, _ in questions().values()), replace(FULL, lots=(LATER,))):
        for lot in question.lots:
            quote = lot.quote
            whole = quote.amount * quote.instances * quote.exchange * quote.vat * quote.ratio
            if quote is not NODE.quote:
                assert abs(whole / quote.hours / lot.gpus - lot.rent) < D("1E-15")
    assert QUOTE.currency == "USD"


def test_a_schedule_that_may_buy_nothing_has_no_question():
    plan, problem = tiny()
    with pytest.raises(RentoptError, match="may buy nothing"):
        make_question(plan, problem.without_purchases())


def test_a_plan_without_break_even_points_must_be_made_with_them():
    plan, problem = tiny()
    with pytest.raises(RentoptError, match="without --no-breakeven"):
        make_question(replace(plan, breakeven=()), problem)
