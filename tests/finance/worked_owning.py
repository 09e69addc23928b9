"""Each vector of owning, renting and fleets, worked out with the package."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vector_data import D

from optimizer.breakeven.pair import Pair, commitment_even_use
from optimizer.finance import energy, reliability, residual, unit_costs
from optimizer.finance.amortisation import Amortisation
from optimizer.finance.fleet import CardDay, days_used
from optimizer.finance.ownership import Fleet, Hosting

Found = dict[str, Any]
TEN = D("0.1")


def fleet(given: Any) -> Fleet:
    colocation = D(given["colo_per_kw_month"])
    return Fleet(
        nodes=1, gpus=given["gpus"], price=D(given["capex"]), years=D(given["life_years"]),
        residual=given["residual_pct"], busy_kw=given["kw_load"], idle_kw=given["kw_idle"],
        pue=given["pue"], tariff=given["kwh_price"], operations=given["ops_per_year"],
        maintenance=given["maint_pct"],
        hosting=Hosting(colocation, False, given["kw_load"]) if colocation else None,
    )  # fmt: skip


def pair(given: Any, **more: Any) -> Pair:
    owned = fleet(given)
    values = {
        "rent": D(given.get("rent_per_gpu_hour", 0)),
        "use": D(given.get("utilisation", 1)),
        "payments": 1,
        **more,
    }
    return Pair(
        gpus=owned.gpus, capex=owned.capex, years=owned.years, residual=owned.residual,
        busy_kw=owned.busy_kw, idle_kw=owned.idle_kw, pue=owned.pue, tariff=owned.tariff,
        fixed=owned.operations, maintenance=owned.maintenance, **values,
    )  # fmt: skip


def own_01(given: Any) -> Found:
    owned, at_60 = fleet(given), fleet(given).lines(D("0.6"))
    return {
        "depreciation": at_60["capital"],
        "maintenance": at_60["maintenance"],
        "ops": at_60["operations"],
        "fixed_per_year": owned.total(D("0.6")) - at_60["electricity"],
        "energy_at_100pct": owned.energy(D(1)),
        "energy_at_60pct": at_60["electricity"],
        "total_at_60pct": owned.total(D("0.6")),
    }


def own_02(given: Any) -> Found:
    owned, use = fleet(given), given["utilisation"]

    def each(rate: D) -> D:
        return unit_costs.per_delivered_gpu_hour(owned.total(use, rate), owned.gpus, use)

    return {"per_gpu_hour": each(D(0)), "per_gpu_hour_capital_charge_10pct": each(TEN)}


def own_03(given: Any) -> Found:
    plain = pair(given)
    return {
        "u_star": plain.even_use(),
        "u_star_with_10pct_capital_charge": replace(plain, rate=TEN).even_use(),
        "u_star_naive_energy_all_fixed": replace(plain, idle_kw=plain.busy_kw).even_use(),
    }


def own_04(given: Any) -> Found:
    even = pair(given).even_rent()
    assert even == own_02(given)["per_gpu_hour"]
    return {"p_star": even}


def own_05(given: Any) -> Found:
    even = pair(given).even_capex()
    return {"capex_star": even, "capex_star_per_gpu": even / given["gpus"]}


def own_06(given: Any) -> Found:
    plain = pair(given)
    return {
        "monthly_saving": plain.monthly_saving,
        "months_undiscounted": plain.payback(),
        "months_discounted": replace(plain, rate=given["annual_rate"]).payback(),
    }


def own_07(given: Any) -> Found:
    bought, curve = pair(given, rate=given["annual_rate"]), given["resale_curve"]
    assert curve["kind"] == "exponential"

    def resale(age: D) -> D:
        half_life = D(curve["half_life_months"])
        return residual.exponential_share(curve["immediate_haircut"], half_life, age)

    def sold(month: int) -> D:
        return bought.advantage(D(month), bought.capex * resale(D(month)))

    nets = {f"net_if_sold_at_{month}": sold(month) for month in (12, 24, 36)}
    return {"months": bought.payback_with_resale(resale)} | nets


def own_08(given: Any) -> Found:
    hours = given["hours"]
    return {
        "months_730": hours / energy.HOURS_IN_MONTH,
        "months_720": hours / 720,
        "months_365_25": hours / (D("365.25") * 24 / 12),
        "days": hours / energy.HOURS_IN_DAY,
        "years_8760": hours / energy.HOURS_IN_YEAR,
    }


def own_09(given: Any) -> Found:
    hour, day = given["price_per_hour"], given["price_per_day"]
    chosen = [unit_costs.cheaper_per_day(D(h), hour, day) for h in given["hours_needed_per_day"]]
    return {
        "day_break_even_hours": commitment_even_use(day, hour),
        "cheapest": [which for which, _ in chosen],
        "cost": [cost for _, cost in chosen],
    }


def own_10(given: Any) -> Found:
    used, hour = D(given["runtime_minutes"]) * 60, given["price_per_hour"]
    units = {"per_second": 1, "per_minute": 60, "per_hour_ceil": 3600, "per_day_ceil_at_24h": 86400}
    return {
        name: unit_costs.billed(used, seconds, hour * seconds / 3600)
        for name, seconds in units.items()
    }


def own_11(given: Any) -> Found:
    speed, useful = D(given["tokens_per_second_node"]), given["useful_fraction"]
    cost, gpus = given["cost_per_gpu_hour"], given["gpus"]
    return {
        "per_million_tokens": unit_costs.per_million_tokens(cost, gpus, speed, useful),
        "tokens_per_node_hour": unit_costs.tokens_per_hour(speed, useful),
    }


def own_12(given: Any) -> Found:
    prices = given["input_price_per_m"], given["output_price_per_m"]
    mix = D(given["in_tokens"]), D(given["out_tokens"])
    return {
        "per_request": unit_costs.per_request(*prices, *mix),
        "per_million_total_tokens": unit_costs.blended_per_million(*prices, *mix),
        "weight_3_to_1": unit_costs.blended_per_million(*prices, D(3), D(1)),
    }


def own_13(given: Any) -> Found:
    """Bands of eight hours: valley at night, peak in the middle of the day."""
    starts = {"valley": 0, "peak": 8, "flat": 16}
    length = given["hours_per_day"]
    bands = {
        name: (price, range(starts[name], starts[name] + length[name]))
        for name, price in given["prices"].items()
    }
    tariff = energy.Tariff.bands(bands)
    job = [starts[name] + i for name, hours in given["job_hours_in"].items() for i in range(hours)]
    average = energy.Tariff.flat(tariff.mean)
    return {
        "flat_average_price": tariff.mean,
        "job_cost_tou": tariff.cost(given["kw"], given["pue"], job),
        "job_cost_at_average": average.cost(given["kw"], given["pue"], job),
    }


def own_14(given: Any) -> Found:
    down = reliability.unavailability(given["afr"], D(given["repair_days"]))
    target = given["target_prob_full_capacity"]
    return {
        "unavailability": down,
        "expected_down": down * given["gpus"],
        "spares_needed": reliability.spares_needed(given["gpus"], down, target),
        "expected_failures_per_year": given["afr"] * given["gpus"],
    }


UNEXPECTED_INTERRUPTIONS = 419
"""Of the same run, all causes; named in the vector's notes."""


def own_15(given: Any) -> Found:
    gpus, days = given["gpus"], D(given["days"])
    related = ("faulty_gpu", "hbm3", "sram", "gpu_sys", "sdc", "thermal")

    def rate(events: int) -> D:
        return reliability.annualised_failure_rate(events, gpus, days)

    return {
        "afr_faulty_gpu": rate(given["faulty_gpu"]),
        "afr_gpu_plus_hbm": rate(given["faulty_gpu"] + given["hbm3"]),
        "afr_all_gpu_related": rate(sum(given[name] for name in related)),
        "mean_hours_between_unexpected": days * 24 / UNEXPECTED_INTERRUPTIONS,
    }


def own_16(given: Any) -> Found:
    table = dict(zip(given["table_months"], given["table_pct"], strict=True))
    later = {m: residual.Range(share, share) for m, share in table.items() if m}
    curve = residual.ResidualCurve(later)
    ages = [D(month) for month in given["query_months"]]
    assert [curve.at(age).beyond for age in ages] == [False, False, False, True]
    return {
        "linear": [curve.at(age).value for age in ages],
        "log_linear": [curve.at(age, log=True).value for age in ages],
    }


def own_17(given: Any) -> Found:
    new, years = D(given["msrp"]), given["years"]
    low, high = D(given["resale_low"]), D(given["resale_high"])
    return {
        "cagr_low": residual.yearly_change(new, low, years),
        "cagr_high": residual.yearly_change(new, high, years),
        "residual_low": low / new,
        "residual_high": high / new,
    }


def own_18(given: Any) -> Found:
    total, paid = given["total_cost"], D(given["paid_gpu_hours"])
    lost, idle = D(given["failed_retry_hours"]), D(given["idle_hours"])
    return {
        "per_paid_hour": unit_costs.per_useful_hour(total, paid, D(0), D(0)),
        "per_useful_hour": unit_costs.per_useful_hour(total, paid, lost, idle),
    }


def own_19(given: Any) -> Found:
    powers = given["kw_idle_alternatives"]
    return {"u_star": [replace(pair(given), idle_kw=kw).even_use() for kw in powers]}


def own_20(given: Any) -> Found:
    """Savings of months after delivery, and the same resale at the end."""
    bought = pair(given, rate=given["annual_rate"])
    months = D(given["months"])
    return {
        "npv_no_delay": bought.advantage(months, bought.resale),
        "npv_paid_now_used_after_3_months": bought.advantage(
            months, bought.resale, D(given["delay_months"])
        ),
    }


def card_day(given: Any) -> CardDay:
    return CardDay(
        D(given["own_cost_per_gpu_day"]),
        D(given["rent_cost_per_gpu_day"]),
        D(given["own_energy_per_gpu_day_used"]),
    )


def plan_01(given: Any) -> Found:
    card, demand = card_day(given), given["daily_demand_gpus"]
    costs = {str(k): card.cost(demand, k) for k in range(max(demand) + 1)}
    assert min(costs, key=lambda k: costs[k]) == str(card.best(demand))
    return {
        "costs": costs,
        "best_owned": card.best(demand),
        "critical_ratio_days": card.critical_share,
    }


def plan_02(given: Any) -> Found:
    share = commitment_even_use(given["committed_hour"], given["on_demand_hour"])
    hours = share * given["term_hours"]
    return {
        "break_even_usage_fraction": share,
        "break_even_hours": hours,
        "break_even_days_per_year": hours / energy.HOURS_IN_DAY,
    }


def plan_03(given: Any) -> Found:
    hour = reliability.spot_hour(
        given["spot_hour"], D(given["interruptions_per_100h"]) / 100, given["lost_hours_each"],
        given["checkpoint_overhead"],
    )  # fmt: skip
    return {"effective_spot_hour": hour, "spot_saving": 1 - hour / given["on_demand_hour"]}


def plan_04(given: Any) -> Found:
    card, demand = card_day(given), given["daily_demand_gpus"]
    cards = range(1, max(demand) + 1)
    return {
        "days_used_by_card": [days_used(demand, k) for k in cards],
        "marginal_saving_by_card": [card.marginal_saving(demand, k) for k in cards],
        "last_card_worth_owning": card.best(demand),
    }


def focus_01(given: Any) -> Found:
    spread = Amortisation(
        D(given["purchase_billed"]), D(given["amortisation_hours"]), D(given["used_hours"])
    )
    assert abs(spread.per_hour - given["rate"]) < D("1e-9")
    purchase, used, unused = spread.rows()
    assert [row.charge for row in spread.rows()] == ["Purchase", "Used", "Unused"]
    assert purchase.billed == spread.billed
    return {
        "purchase_effective": purchase.effective,
        "used_effective": used.effective,
        "unused_effective": unused.effective,
        "sum_effective_usage": used.effective + unused.effective,
        "billed_of_usage_rows": used.billed + unused.billed,
    }
