"""Each vector of the time value of money, worked out with the package."""

from __future__ import annotations

from datetime import date
from typing import Any

from vector_data import D

from optimizer.breakeven.pair import commitment_even_use
from optimizer.finance import rates, returns
from optimizer.finance.fx import converted, forward
from optimizer.finance.roots import sign_changes
from optimizer.finance.time_value import (
    equivalent_annual_cost,
    npv,
    npv_mid_year,
    prepaid_discount,
    xnpv,
)
from providers.fx import Rate
from providers.money import Money

Found = dict[str, Any]


def dated(given: Any) -> list[tuple[date, Any]]:
    days = [date.fromisoformat(day) for day in given["dates"]]
    return list(zip(days, map(D, given["amounts"]), strict=True))


def flows(given: Any) -> list[D]:
    return [D(flow) for flow in given["cashflows"]]


def tvm_01(given: Any) -> Found:
    worth = flows(given)
    return {
        "npv": npv(given["rate"], worth),
        "excel_NPV_range_all_five": npv(given["rate"], [D(0), *worth]),
    }


def tvm_02(given: Any) -> Found:
    yearly = [D(flow) for flow in given["operating_flows_mid_year"]]
    start, end, rate = D(given["capex_t0"]), D(given["residual_end_year3"]), given["rate"]
    ends = [start, *yearly[:-1], yearly[-1] + end]
    return {"npv": npv_mid_year(rate, start, yearly, end), "npv_end_year": npv(rate, ends)}


def tvm_03(given: Any) -> Found:
    return {
        "monthly_effective": rates.monthly_rate(given["annual_effective"]),
        "daily_effective_365": rates.per_period(given["annual_effective"], 365),
        "nominal_div_12": given["monthly_of_nominal"] / 12,
        "effective_of_nominal_10pct": rates.effective(given["monthly_of_nominal"], 12),
    }


def tvm_04(given: Any) -> Found:
    saved = [given["monthly_net_saving"]] * given["months"]
    saved[-1] += given["residual_at_36"]
    paid = [D(given["capex"]), *saved]
    monthly = returns.irr(paid).value
    return {
        "npv": npv(rates.monthly_rate(given["annual_rate"]), paid),
        "irr_monthly": monthly,
        "irr_annual_effective": rates.annual_rate(monthly, 12),
    }


def tvm_05(given: Any) -> Found:
    paid = dated(given)
    return {"xnpv": xnpv(given["rate"], paid), "xirr": returns.xirr(paid).value}


def tvm_06(given: Any) -> Found:
    paid = dated(given)
    offsets = [(day - paid[0][0]).days for day, _ in paid]
    return {"day_offsets": offsets, "xirr": returns.xirr(paid).value}


def tvm_07(given: Any) -> Found:
    paid, rate = flows(given), given["finance_rate"]
    return {
        "irr": returns.irr(paid).value,
        "mirr": returns.mirr(paid, rate, given["reinvest_rate"]).value,
        "profitability_index": returns.profitability_index(rate, paid).value,
    }


def tvm_08(given: Any) -> Found:
    paid = flows(given)
    found = returns.irr(paid)
    assert found.code == "several_rates"
    assert "no meaning" in found.reason
    return {
        "irrs": list(found.candidates),
        "sign_changes": sign_changes(paid),
        "npv_at_15pct": npv(D("0.15"), paid),
        "report_irr": found.value is not None,
    }


def tvm_09(given: Any) -> Found:
    found = returns.irr(flows(given))
    assert found.code == "no_sign_change"
    assert found.reason
    return {"irr": found.value}


def tvm_10(given: Any) -> Found:
    return {
        "payback_periods": returns.payback(flows(given)).value,
        "discounted_payback_periods": returns.discounted_payback(given["rate"], flows(given)).value,
    }


def tvm_11(given: Any) -> Found:
    assert returns.discounted_payback(given["rate"], flows(given)).code == "never"
    return tvm_10(given) | {"npv": npv(given["rate"], flows(given))}


def tvm_12(given: Any) -> Found:
    def each(kind: str) -> D:
        item = given[kind]
        return equivalent_annual_cost(
            D(item["capex"]), D(item["residual"]), D(item["life"]), given["rate"],
            D(item["annual_opex"]),
        )  # fmt: skip

    return {"eac_a": each("a"), "eac_b": each("b")}


def tvm_13(given: Any) -> Found:
    years, yearly = D(given["months"]) / 12, D(given["monthly_rent"]) * 12
    rate = given["rate_annual"]
    return {
        "pv_arrears": yearly * rates.annuity(years, rate, 12),
        "pv_in_advance": yearly * rates.annuity_due(years, rate, 12),
        "pv_prepaid_year": npv(rate, [yearly]),
    }


def tvm_14(given: Any) -> Found:
    monthly, prepaid = D(given["on_demand_month"]), D(given["prepay_year"])
    lent = returns.irr([-prepaid, *[monthly] * 12])
    assert lent.value is not None
    share = commitment_even_use(prepaid, monthly * 12)
    return {
        "headline_discount": 1 - share,
        "pv_discount": prepaid_discount(monthly, 12, prepaid, given["annual_rate"], 12),
        "implied_annual_yield_of_prepaying": rates.annual_rate(lent.value, 12),
        "break_even_months_used_undiscounted": share * 12,
    }


def tvm_15(given: Any) -> Found:
    return {"real": rates.real_rate(given["nominal"], given["inflation"])}


def tvm_16(given: Any) -> Found:
    first, months = given["hourly_price0"] * given["hours_per_month"], given["months"]
    rate, change = given["annual_rate"], given["annual_price_change"]
    return {
        "pv_rent": rates.growing_payments(first, months, rate, change, 12),
        "pv_rent_flat": rates.growing_payments(first, months, rate, D(0), 12),
        "undiscounted": rates.growing_payments(first, months, D(0), change, 12),
    }


def tvm_17(given: Any) -> Found:
    spot = Rate("USD", "CNY", given["usdcny_spot"], date(2026, 11, 20), "example")
    later = forward(spot, D(1), given["r_cny"], given["r_usd"])
    dollars = Money(given["usd_per_hour"] * given["hours"], "USD")
    return {
        "cny_cost_spot": converted(dollars, spot).amount,
        "forward_1y": later.value,
        "cny_cost_forward": converted(dollars, later).amount,
    }
