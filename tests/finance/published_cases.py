"""Published buy-or-rent cases: their inputs put through the package."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN
from typing import Any

from ruamel.yaml import YAML
from vector_data import DATA, D

from optimizer.breakeven.pair import Pair
from optimizer.finance import depreciation, presets, tax, unit_costs
from optimizer.finance.energy import HOURS_IN_MONTH, HOURS_IN_YEAR, Tariff
from optimizer.finance.ownership import Fleet, Hosting, Staff, nodes_for
from optimizer.finance.residual import Range, ResidualCurve
from optimizer.finance.returns import payback
from optimizer.finance.time_value import npv

Found = dict[str, Any]


def cases() -> dict[str, dict[str, Any]]:
    document = YAML(typ="safe").load((DATA / "external_cases.yaml").read_text(encoding="utf-8"))
    return {case["id"]: case for case in document["cases"]}


def d(number: Any) -> D:
    return D(str(number))


def hours_to_pay_back(capex: D, rent: D, own_hour: D) -> D:
    """Hours of use after which a machine has paid for itself, nothing discounted."""
    months = _pair(capex, rent, own_hour).payback()
    assert months is not None
    return months * HOURS_IN_MONTH


def _pair(capex: D, rent: D, own_hour: D) -> Pair:
    return Pair(
        gpus=1, capex=capex, years=D(3), residual=D(0), busy_kw=D(1), idle_kw=D(0), pue=D(1),
        tariff=own_hour, fixed=D(0), maintenance=D(0), rent=rent, use=D(1),
    )  # fmt: skip


def legitlads(given: Any) -> Found:
    gpus, years, use = given["gpus"], given["years"], d(given["utilisation"])
    owned = Fleet(
        nodes=1, gpus=gpus, price=d(given["capex_total"]), years=d(years), residual=D(0),
        busy_kw=d(given["kw_per_gpu"]) * gpus, pue=d(given["pue"]), tariff=d(given["kwh_price"]),
        maintenance=d(given["ops_pct_of_capex_per_year"]),
    )  # fmt: skip
    rent = d(given["rent_per_gpu_hour"])
    running = owned.total(use) - owned.capital(D(0))
    cloud = HOURS_IN_YEAR * gpus * use * rent
    flows = [-owned.capex, *[cloud - running] * years]
    pair = Pair(
        gpus=gpus, capex=owned.capex, years=d(years), residual=D(0), busy_kw=owned.busy_kw,
        idle_kw=D(0), pue=owned.pue, tariff=owned.tariff, fixed=D(0),
        maintenance=owned.maintenance, rent=rent, use=use,
    )  # fmt: skip
    return {
        "own_total": owned.total(use) * years,
        "energy_plus_ops": running * years,
        "cloud_total": cloud * years,
        "saving": sum(flows),
        "payback_years": payback(flows).value,
        "npv_10pct": npv(d(given["discount_rate"]), flows),
        "roi_on_capex": sum(flows) / owned.capex,
        "break_even_utilisation": pair.even_use(),
    }


def lenovo_25(given: Any) -> Found:
    hours = hours_to_pay_back(
        d(given["capex"]), d(given["cloud_cost_per_hour"]), d(given["owned_cost_per_hour"])
    )
    return {
        "break_even_hours": hours,
        "break_even_months_720h": hours / 720,
        "break_even_years_at_8h_per_day": hours / (8 * 365),
        "break_even_years_at_16h_per_day": hours / (16 * 365),
    }


def index_energy(given: Any) -> Found:
    kw = d(given["kw_per_gpu"]) * given["gpus"]
    owned = [
        Fleet(nodes=1, gpus=8, price=D(1), years=D(1), residual=D(0), busy_kw=kw,
              pue=d(given["pue"]), tariff=d(price))
        for price in given["kwh_price"]
    ]  # fmt: skip
    return {"annual_power_cost": [fleet.energy(D(1)) for fleet in owned]}


def index_macrs(given: Any) -> Found:
    cost = d(given["cost"])
    table = presets.depreciation_tables()["macrs5-hy"]
    assert list(table) == [d(percent) for percent in given["pct"]]
    spread = depreciation.from_table(cost, table)
    bonus = depreciation.at_once(cost)
    return {
        "deductions": list(spread.by_year),
        "bonus_tax_benefit": tax.first_year_saving(bonus, d(given["tax_rate"])),
    }


def shiroya(given: Any) -> Found:
    kw, gpus = d(given["kw"]), given["gpus"]
    owned = Fleet(
        nodes=1, gpus=gpus, price=d(given["gpu_price"]) * gpus, other_capex=d(given["host"]),
        years=d(given["life"]), residual=d(given["residual"]), busy_kw=kw, idle_kw=kw,
        pue=d(given["pue"]), tariff=d(given["kwh"]), hosting=Hosting(d(given["colo"]), False, kw),
    )  # fmt: skip
    lines = owned.lines(D(1))
    pair = Pair(
        gpus=gpus, capex=owned.capex, years=owned.years, residual=owned.residual, busy_kw=kw,
        idle_kw=kw, pue=owned.pue, tariff=owned.tariff, fixed=lines["hosting"], maintenance=D(0),
        rent=d(given["rate"]), use=D(1),
    )  # fmt: skip
    uses = [D(share) / 100 for share in (25, 50, 75, 100)]
    return {
        "capex": owned.capex,
        "depreciation_per_year": lines["capital"],
        "colocation_per_year": lines["hosting"],
        "energy_per_year": lines["electricity"],
        "annual_owned": owned.total(D(1)),
        "break_even_utilisation": pair.even_use(),
        "owned_per_gpu_hour_at_25_50_75_100pct": [
            unit_costs.per_delivered_gpu_hour(owned.total(use), gpus, use) for use in uses
        ],
    }


def lazic(given: Any) -> Found:
    rent, power = d(given["rent_per_hour"]), d(given["power_usd_per_hour"])
    bought = [d(price) for price in given["purchase_usd"]]
    return {
        "break_even_hours_ignoring_power": [hours_to_pay_back(p, rent, D(0)) for p in bought],
        "break_even_hours_with_power": [hours_to_pay_back(p, rent, power) for p in bought],
    }


def gpu_tco(given: Any) -> Found:
    years, per_node = given["horizon_years"], given["gpus_per_node"]
    speed = d(given["tokens_per_s_per_gpu"]) * d(given["model_speed_factor"]) * per_node
    work = d(given["tokens_per_minute_millions"]) * 1_000_000 / 60
    nodes = nodes_for(work, speed, d(given["utilisation"]))
    kw = d(given["node_kw"]) * nodes
    owned = Fleet(
        nodes=nodes, gpus=nodes * per_node, price=d(given["node_cost"]) * nodes,
        other_capex=d(given["network_storage"]), years=d(years), residual=D(0), busy_kw=kw,
        idle_kw=kw, pue=d(given.get("changed_pue", given["pue"])),
        tariff=d(given.get("changed_el", given["kwh_price"])),
        hosting=Hosting(d(given["colo_per_kw_month"]), False, kw),
        maintenance=d(given["maintenance_pct"]), operations=d(given["spares"]) / years,
        staff=Staff(d(given["fte_cost"]), nodes, d(given["fte"])),
    )  # fmt: skip
    lines = owned.lines(D(1))
    node_hours = HOURS_IN_YEAR * years * nodes
    listed = d(given["cloud_per_node_hour"]) * node_hours * (1 + d(given["cloud_uplift"]))
    running = (owned.total(D(1)) - lines["capital"]) / 12

    def months(cloud: D) -> D | None:
        monthly = cloud / (12 * years)
        return payback([-owned.capex, *[monthly - running] * 120]).value

    one_year = listed * (1 - d(given["ri1_discount"]))
    three_years = listed * (1 - d(given["ri3_discount"]))
    return {
        "nodes": nodes,
        "gpus": owned.gpus,
        "capex": owned.capex,
        "electricity": lines["electricity"] * years,
        "colocation": lines["hosting"] * years,
        "maintenance": lines["maintenance"] * years,
        "onprem_total": owned.total(D(1)) * years,
        "payg_total": listed,
        "ri3_total": three_years,
        "break_even_months_payg": months(listed),
        "break_even_months_ri1": months(one_year),
        "break_even_months_ri3": months(three_years),
    }


def giga_gpu(given: Any) -> Found:
    fixed = d(given["monthly_fixed_cost"])
    prices = [d(price) for price in given["api_price_per_m_tokens"]]
    return {
        "break_even_m_tokens_per_month": [
            unit_costs.even_million_tokens(fixed, price, D(0)) for price in prices
        ]
    }


def deepify(given: Any) -> Found:
    assert given["power_basis"] == "0.45 kW x 24 h x 30 d x 0.25 USD/kWh"
    power = Tariff.flat(D("0.25")).cost(D("0.45"), D(1), range(24)) * 30
    flows = [-d(given["hardware"]), *[d(given["api_per_month"]) - power] * 60]
    return {
        "power_per_month": power,
        "break_even_months": payback(flows).value,
        "saving_5_years": sum(flows),
    }


def deploybase(given: Any) -> Found:
    assert given["hours_per_month"] == HOURS_IN_MONTH
    hour = d(given["per_hour"])
    shown = (hour * HOURS_IN_MONTH).quantize(D(1), ROUND_HALF_EVEN)
    return {
        "per_month_rounded": shown,
        "per_year_from_rounded_month": shown * 12,
        "per_year_exact": hour * HOURS_IN_YEAR,
    }


def lenovo_26(given: Any) -> Found:
    cloud, owned = given["cloud_per_m"], given["owned_per_m"]
    return {
        "ratio_first": d(cloud[0]) / d(owned[0]),
        "reduction_second": 1 - d(owned[1]) / d(cloud[1]),
    }


def pan(given: Any, published: Any) -> Found:
    """Tokens a month from the break-even against one API, then the months against the other."""
    capex = d(given["hardware_usd"])
    kw = d(given["watts_per_gpu_assumed"]) / 1000 * given["gpus"]
    power = kw * given["hours_per_month"] * d(given["kwh_price"])
    assert given["input_output_ratio"] == "1:2"

    def blended(api: str) -> D:
        prompt, output = given["api_prices"][api]
        return unit_costs.blended_per_million(d(prompt), d(output), D(1), D(2))

    saving = capex / d(published["months_vs_gpt5"])
    tokens = (saving + power) / blended("gpt5")
    monthly = tokens * blended("claude4_opus") - power
    return {
        "monthly_tokens_m": tokens,
        "months_vs_opus": payback([-capex, *[monthly] * 60]).value,
    }


def residual(given: Any) -> Found:
    new, shares = d(given["msrp"]), (given["residual_low"], given["residual_high"])
    curve = ResidualCurve(
        {y * 12: Range(d(a), d(b)) for y, a, b in zip(given["years"], *shares, strict=True)}
    )
    ages = [D(year * 12) for year in given["years"]]
    return {
        "value_low": [new * curve.at(age, "low").value for age in ages],
        "value_high": [new * curve.at(age, "high").value for age in ages],
    }


WORKED = {
    "EXT-LEGITLADS-01": legitlads,
    "EXT-LENOVO25-ONDEMAND": lenovo_25,
    "EXT-AIIDX-NEG-01": index_energy,
    "EXT-AIIDX-MACRS": index_macrs,
    "EXT-SHIROYA-BASE": shiroya,
    "EXT-LAZIC-RTX4090": lazic,
    "EXT-LAZIC-L4": lazic,
    "EXT-LAZIC-A100": lazic,
    "EXT-GPUTCO-BASE": gpu_tco,
    "EXT-GPUTCO-POWER": gpu_tco,
    "EXT-GIGAGPU-4090": giga_gpu,
    "EXT-DEEPIFY-4090": deepify,
    "EXT-DEPLOYBASE-ROUND": deploybase,
    "EXT-LENOVO26-RATIO": lenovo_26,
    "EXT-PAN25-EXAONE": pan,
    "EXT-PAN25-GPTOSS120B": pan,
    "EXT-PAN25-GLM45AIR": pan,
    "EXT-RESID-H100": residual,
}


def work(case: dict[str, Any]) -> Found:
    worked = WORKED[case["id"]]
    if worked is pan:
        return pan(case["inputs"], case["published"])
    return worked(case["inputs"])
