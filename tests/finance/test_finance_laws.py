"""What holds for all flows, rates and machines; Hypothesis looks for the exception."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optimizer.finance import depreciation, energy, rates, returns, risk, tax
from optimizer.finance.fleet import CardDay
from optimizer.finance.ifrs16 import lease_schedule
from optimizer.finance.leasing import LeaseOrBuy
from optimizer.finance.ownership import Fleet, Hosting, Staff
from optimizer.finance.presets import Asset, presets
from optimizer.finance.reliability import at_most_down, spares_needed
from optimizer.finance.roots import bisect
from optimizer.finance.time_value import discount_factor, equivalent_annual_cost, npv, xnpv
from optimizer.finance.vat import TaxedPrice, VatPosition
from optimizer.report.money_text import footed

D = Decimal
law = settings(deadline=None, max_examples=60, derandomize=True)
CLOSE = D("1e-9")
amounts = st.decimals(-100_000, 100_000, places=2)
costs = st.decimals(1, 1_000_000, places=2)
interest = st.decimals("0.001", "0.6", places=4)
shares = st.decimals(0, 1, places=3)
flows = st.lists(amounts, min_size=2, max_size=12)
lives = st.integers(1, 12)


def near(one: D, other: D, size: D | int = 1) -> bool:
    return abs(one - other) <= CLOSE * max(abs(one), abs(other), D(size))


@law
@given(flows, flows, interest, amounts)
def test_npv_is_linear_in_the_flows(one: list[D], other: list[D], rate: D, factor: D) -> None:
    length = min(len(one), len(other))
    both = [a + factor * b for a, b in zip(one[:length], other[:length], strict=True)]
    apart = npv(rate, one[:length]) + factor * npv(rate, other[:length])
    assert near(npv(rate, both), apart, 10**10)


@law
@given(flows, interest)
def test_xnpv_on_equal_spacing_is_npv(paid: list[D], rate: D) -> None:
    dated = [(date(2026, 1, 1) + timedelta(days=365 * t), flow) for t, flow in enumerate(paid)]
    assert near(xnpv(rate, dated), npv(rate, paid), 10**5)
    one_by_one = sum(flow * discount_factor(rate, 365 * t) for t, flow in enumerate(paid))
    assert near(xnpv(rate, dated), D(one_by_one), 10**5)


@law
@given(costs, st.lists(costs, min_size=1, max_size=10))
def test_the_irr_put_back_leaves_nothing(invested: D, back: list[D]) -> None:
    paid = [-invested, *back]
    found = returns.irr(paid).value
    assert found is not None
    assert abs(npv(found, paid)) <= D("1e-9") * invested
    years = [(date(2026, 1, 1) + timedelta(days=365 * t), flow) for t, flow in enumerate(paid)]
    dated = returns.xirr(years).value
    assert dated is not None
    assert near(dated, found)


@law
@given(flows)
def test_every_rate_named_for_odd_flows_leaves_nothing(paid: list[D]) -> None:
    for rate in returns.irr(paid).candidates:
        worth = npv(rate, paid)
        size = sum(abs(flow) / (1 + rate) ** t for t, flow in enumerate(paid))
        assert abs(worth) <= CLOSE * size


@law
@given(costs, st.lists(costs, min_size=2, max_size=8), st.data())
def test_irr_mirr_and_xirr_agree_with_pyxirr(
    invested: D, back: list[D], data: st.DataObject
) -> None:
    paid = [-invested, *back]
    found = returns.irr(paid).value
    assert found is not None
    assume(D("-0.9") < found < 5)  # its float search does not reach farther
    assert abs(float(found) - pyxirr.irr([float(p) for p in paid])) < 1e-8
    modified = returns.mirr(paid, D("0.08"), D("0.05")).value
    theirs = pyxirr.mirr([float(p) for p in paid], 0.08, 0.05)
    assert abs(float(modified or 0) - theirs) < 1e-9
    gaps = data.draw(st.lists(st.integers(20, 500), min_size=len(back), max_size=len(back)))
    days = [date(2026, 1, 1)]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    dated = returns.xirr(list(zip(days, paid, strict=True))).value
    assert dated is not None
    assume(D("-0.9") < dated < 5)
    assert abs(float(dated) - pyxirr.xirr(days, [float(p) for p in paid])) < 1e-7


@law
@given(costs, shares, lives, interest)
def test_equivalent_annual_cost_times_the_annuity_is_the_cost(
    capex: D, residual: D, years: int, rate: D
) -> None:
    yearly = equivalent_annual_cost(capex, capex * residual, D(years), rate)
    paid = [capex, *[D(0)] * years]
    paid[-1] -= capex * residual
    assert near(yearly * rates.annuity(D(years), rate), npv(rate, paid))


@law
@given(lives, interest, st.sampled_from([1, 4, 12]))
def test_an_annuity_due_is_one_in_arrears_a_period_earlier(
    years: int, rate: D, payments: int
) -> None:
    late, early = (f(D(years), rate, payments) for f in (rates.annuity, rates.annuity_due))
    assert near(early, late * (1 + rates.per_period(rate, payments)))
    each = npv(rates.per_period(rate, payments), [D(0), *[D(1) / payments] * (years * payments)])
    assert near(late, each)


@law
@given(interest, st.sampled_from([2, 4, 12, 365]))
def test_nominal_and_effective_rates_are_inverses(rate: D, periods: int) -> None:
    assert near(rates.effective(rates.nominal(rate, periods), periods), rate)
    assert near(rates.annual_rate(rates.per_period(rate, periods), periods), rate)
    assert rates.nominal(rate, periods) < rate


@law
@given(costs, costs, lives, interest)
def test_the_discounted_payback_is_never_the_shorter_one(
    invested: D, back: D, years: int, rate: D
) -> None:
    paid = [-invested, *[back] * years]
    plain, discounted = returns.payback(paid), returns.discounted_payback(rate, paid)
    if discounted.value is not None:
        assert plain.value is not None
        assert plain.value <= discounted.value
        assert npv(rate, paid) >= -CLOSE


@law
@given(costs, st.integers(1, 12), st.sampled_from(sorted(presets())))
def test_deductions_and_what_is_left_add_up_to_the_cost(cost: D, month: int, name: str) -> None:
    rule = presets()[name]
    asset = Asset(cost, 1, rule.currency, date(2026, month, 1))
    taken = rule.deductions(asset, force=True)
    assert all(amount >= 0 for amount in taken.by_year)
    assert near(taken.total + taken.left, cost)
    assert near(taken.written_off(len(taken.by_year)).total, cost)
    if not rule.residual_share and rule.writing_down_share == 0:
        assert near(taken.total, cost)


@law
@given(costs, shares, interest)
def test_an_earlier_deduction_is_worth_more(cost: D, tax_rate: D, rate: D) -> None:
    now = depreciation.at_once(cost)
    later = depreciation.straight_line(cost, 5)
    worth = tax.shield_value(now, tax_rate, rate)
    assert worth >= tax.shield_value(later, tax_rate, rate)
    assert worth <= tax_rate * cost
    assert tax.shield_value(now, tax_rate, rate, quarterly=True) >= worth


@law
@given(costs, st.integers(1, 60), interest, st.booleans(), costs)
def test_a_lease_liability_ends_at_nothing(
    payment: D, months: int, rate: D, advance: bool, direct: D
) -> None:
    lease = lease_schedule(payment, months, rate, in_advance=advance, direct_costs=direct)
    assert abs(lease.months[-1].closing) <= CLOSE * payment
    assert near(lease.total_expense, payment * months + direct)
    discounted = [D(0)] * (not advance) + [payment] * months
    assert near(lease.liability, npv(rates.monthly_rate(rate), discounted))


@law
@given(costs, shares, shares, shares, st.booleans())
def test_vat_positions_are_ordered(price: D, rate: D, one: D, other: D, included: bool) -> None:
    quoted = TaxedPrice(price, rate, included)
    less, more = sorted((one, other))
    net = quoted.cost(VatPosition(D(1)))
    gross = quoted.cost(VatPosition(D(0)))
    mixed = [quoted.cost(VatPosition(share)) for share in (more, less)]
    assert [net, *mixed, gross] == sorted([net, *mixed, gross])
    assert near(quoted.net + quoted.vat, quoted.gross)


@law
@given(costs, costs, lives, shares, interest, shares)
def test_the_even_lease_payment_leaves_no_advantage(
    price: D, payment: D, years: int, residual: D, rate: D, tax_rate: D
) -> None:
    assume(tax_rate < D("0.9"))
    choice = LeaseOrBuy(
        depreciation.straight_line(price, years), payment, years, price * residual, rate,
        rate + D("0.02"), tax_rate,
    )  # fmt: skip
    even = replace(choice, lease_payment=choice.even_payment())
    assert abs(even.net_advantage) <= CLOSE * price
    dearer = replace(even, lease_payment=even.lease_payment + 1 + abs(even.lease_payment))
    assert dearer.net_advantage < 0  # a dearer lease never favours leasing


@law
@given(costs, shares, shares, interest, st.integers(1, 40))
def test_the_lines_of_owning_add_up_and_rise_with_use(
    price: D, one: D, other: D, rate: D, nodes: int
) -> None:
    fleet = Fleet(
        nodes=nodes, gpus=nodes * 8, price=price, years=D(3), residual=D("0.3"), busy_kw=D(4),
        idle_kw=D("0.6"), pue=D("1.4"), tariff=D("0.7"), maintenance=D("0.03"),
        insurance=D("0.01"), spares=D("0.05"), hosting=Hosting(D(150), False, D(4)),
        staff=Staff(D(50_000), 8, D("0.5")),
    )  # fmt: skip
    low, high = sorted((one, other))
    assert fleet.total(low, rate) <= fleet.total(high, rate)
    assert fleet.total(low, D(0)) <= fleet.total(low, rate)
    assert replace(fleet, always_on=False).total(low, rate) <= fleet.total(low, rate)
    with_power = replace(fleet, hosting=Hosting(D(150), True, D(4)))
    assert with_power.energy(high) == 0
    assert fleet.lines(low)["staff"] == D(25_000) * -(-nodes // 8)


@law
@given(st.lists(st.decimals(0, 3, places=2), min_size=24, max_size=24), costs)
def test_a_tariff_over_a_whole_day_costs_its_mean(prices: list[D], kw: D) -> None:
    tariff = energy.Tariff.daily(prices)
    assert near(tariff.cost(kw, D("1.2"), range(24)), kw * D("1.2") * 24 * tariff.mean)


@law
@given(
    st.integers(1, 80), st.decimals("0.001", "0.1", places=3), st.decimals("0.5", "0.99", places=2)
)
def test_spares_reach_the_target_and_one_less_does_not(cards: int, down: D, target: D) -> None:
    spares = spares_needed(cards, down, target)
    assert at_most_down(cards + spares, down, spares) >= target
    if spares:
        assert at_most_down(cards + spares - 1, down, spares - 1) < target


@law
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), costs, costs, shares)
def test_the_best_number_of_cards_costs_no_more_than_any_other(
    demand: list[int], own: D, rent: D, energy_share: D
) -> None:
    card = CardDay(own, rent, rent * energy_share)
    best = card.cost(demand, card.best(demand))
    assert all(best <= card.cost(demand, k) for k in range(max(demand) + 2))


@law
@given(st.lists(st.decimals(-1000, 1000, places=5), min_size=1, max_size=20))
def test_rounded_lines_add_up_to_the_rounded_total(lines: list[D]) -> None:
    shown = footed(lines)
    assert abs(sum(shown) - sum(lines)) <= D("0.005")
    assert all(abs(one - other) < D("0.01") for one, other in zip(shown, lines, strict=True))


@law
@given(st.lists(amounts, min_size=1, max_size=12), st.decimals("0.05", "0.99", places=2))
def test_the_tail_mean_is_between_the_quantile_and_the_worst(losses: list[D], level: D) -> None:
    even = [D(1) / len(losses)] * len(losses)
    quantile = risk.value_at_risk(losses, even, level)
    tail = risk.conditional_value_at_risk(losses, even, level)
    assert quantile - CLOSE <= tail <= max(losses) + CLOSE * 10**5


@law
@given(amounts, costs, costs, shares)
def test_a_triangular_quantile_has_its_probability(low: D, up: D, more: D, share: D) -> None:
    shape = risk.Triangular(low, low + up, low + up + more)
    assert near(shape.below(shape.quantile(share)), share)
    assert shape.low <= shape.mean <= shape.high


@law
@given(st.decimals(-50, 50, places=3))
def test_bisection_finds_where_a_line_crosses(at: D) -> None:
    found = bisect(lambda x: 3 * (x - at), D(-60), D(60))
    assert found is not None
    assert near(found, at)
    assert bisect(lambda x: x * x + 1, D(-1), D(1)) is None
