"""Each vector of taxes, VAT and lease accounting, worked out with the package."""

from __future__ import annotations

from datetime import date
from typing import Any

from vector_data import D

from optimizer.finance import depreciation, ifrs16, tax, vat
from optimizer.finance.leasing import LeaseOrBuy
from optimizer.finance.presets import Asset, depreciation_tables, preset

Found = dict[str, Any]


def tax_01(given: Any) -> Found:
    taken = depreciation.straight_line(D(given["cost"]), given["years"], given["residual_rate"])
    return {
        "annual_depreciation": taken.by_year[0],
        "pv_tax_shield": tax.shield_value(taken, given["tax_rate"], given["rate"]),
        "unrecovered_book_value": taken.left,
    }


def tax_02(given: Any) -> Found:
    """By the preset: use begins in June, depreciation in July."""
    used = date(2026, given["in_service_month"], 15)
    taken = preset("cn-sl3").deductions(Asset(D(given["cost"]), 1, "CNY", used))
    assert given["residual_rate"] == preset("cn-sl3").residual_share
    return {"monthly": taken.total / given["months"], "by_calendar_year": list(taken.by_year)}


def tax_03(given: Any) -> Found:
    asset = Asset(D(given["cost"]), 1, "CNY", date(2026, 6, 1))
    taken = preset("cn-one-off").deductions(asset)
    rate = given["rate"]
    spread = depreciation.straight_line(asset.cost, 3, D("0.05")).written_off(3)
    at_25 = tax.shield_value(taken, given["tax_rate"], rate)
    return {
        "pv_shield_25": at_25,
        "pv_shield_15": tax.shield_value(taken, given["hnte_rate"], rate),
        "gain_vs_straight_line_25": at_25 - tax.shield_value(spread, given["tax_rate"], rate),
    }


def tax_04(given: Any) -> Found:
    """Twenty machines each: the limit is tested by unit, not by order."""
    rule = preset("cn-one-off")
    orders = [Asset(D(cost), 20, "CNY", date(2026, 6, 1)) for cost in given["unit_costs"]]
    return {"one_off_allowed": [not rule.refusal(order) for order in orders]}


def tax_05(given: Any) -> Found:
    """Derived from the rule, and as the statutory table has it: the same."""
    life = given["life"]
    quarters = [D("0.875"), D("0.625"), D("0.375"), D("0.125")]
    derived = [depreciation.declining_table(life, share) for share in quarters]
    half = depreciation.declining_table(life, D("0.5"))
    tables = depreciation_tables()
    assert tables["macrs5-hy"] == tuple(half)
    assert [tables[f"macrs5-mq{q}"] for q in range(1, 5)] == [tuple(table) for table in derived]
    return {"half_year_pct": half, "mid_quarter_pct": derived}


def tax_06(given: Any) -> Found:
    asset = Asset(D(given["cost"]), 1, "USD", date(2026, 6, 1))
    spread = preset("us-macrs5-hy").deductions(asset)
    bonus = preset("us-bonus100").deductions(asset)
    tax_rate, rate = given["tax_rate"], given["rate"]
    return {
        "deductions": list(spread.by_year),
        "pv_shield_macrs": tax.shield_value(spread, tax_rate, rate),
        "pv_shield_bonus_year1": tax.shield_value(bonus, tax_rate, rate),
        "immediate_tax_saving_undiscounted": tax.first_year_saving(bonus, tax_rate),
    }


def tax_07(given: Any) -> Found:
    table = depreciation_tables()["macrs5-hy"]
    taken = depreciation.until_sold(table, D(given["cost"]), 3)
    sold = tax.sale(taken, D(given["sale_price"]), given["tax_rate"])
    return {
        "depreciation_taken": taken.total,
        "adjusted_basis": sold.basis,
        "gain": sold.gain,
        "tax_on_gain": sold.tax,
    }


def tax_08(given: Any) -> Found:
    taken = depreciation.at_once(D(given["cost"]))
    sold = tax.sale(taken, D(given["sale_price"]), given["tax_rate"])
    return {
        "tax_at_sale": sold.tax,
        "net_proceeds": sold.proceeds,
        "pv_net_proceeds": sold.proceeds / (1 + given["rate"]) ** given["year"],
    }


def tax_09(given: Any) -> Found:
    asset = Asset(D(given["cost"]), 1, "EUR", date.fromisoformat(given["purchase"]))
    at_once = preset("de-1y").deductions(asset)
    spread = depreciation.straight_line(asset.cost, 3)
    tax_rate, rate = given["tax_rate"], given["rate"]
    return {
        "deduction_2026": at_once.by_year[0],
        "pv_shield_one_year": tax.shield_value(at_once, tax_rate, rate),
        "pv_shield_three_year_sl": tax.shield_value(spread, tax_rate, rate),
    }


def tax_10(given: Any) -> Found:
    asset = Asset(D(given["cost"]), 1, "GBP", date(2026, 6, 1))

    def worth(name: str) -> D:
        taken = preset(name).deductions(asset)
        first = depreciation.Deductions(asset.cost, taken.by_year[: given["years"]])
        return tax.shield_value(first, given["tax_rate"], given["rate"])

    assert worth("uk-aia") == worth("uk-fe")
    return {
        "pv_full_expensing": worth("uk-fe"),
        "pv_fya40_then_wda14": worth("uk-fya40-wda14"),
        "wda14_only": worth("uk-wda14"),
    }


def tax_11(given: Any) -> Found:
    taken = depreciation.at_once(D(given["capex"]))
    saving = given["annual_rent_avoided"] - given["annual_opex"]
    return {
        "npv_of_buying": tax.buying_after_tax(
            taken, saving, given["years"], D(given["residual"]), given["tax_rate"], given["rate"]
        )
    }


def tax_12(given: Any) -> Found:
    choice = LeaseOrBuy(
        deductions=depreciation.straight_line(D(given["asset_cost"]), given["years"]),
        lease_payment=D(given["lease_payment_arrears"]),
        years=given["years"],
        residual=D(given["residual"]),
        debt_rate=given["pre_tax_debt_rate"],
        residual_rate=given["residual_discount_rate"],
        tax_rate=given["tax_rate"],
    )
    return {
        "after_tax_debt_rate": choice.discount_rate,
        "pv_cost_buy": choice.cost_of_buying,
        "pv_cost_lease": choice.cost_of_leasing,
        "nal": choice.net_advantage,
    }


def vat_01(given: Any) -> Found:
    goods = vat.TaxedPrice(D(given["gross"]), given["rate"], True)
    service = vat.TaxedPrice(given["gross_service"], given["service_rate"], True)
    return {
        "net": goods.net, "vat": goods.vat, "service_net": service.net, "service_vat": service.vat,
    }  # fmt: skip


def vat_02(given: Any) -> Found:
    bought = vat.TaxedPrice(D(given["buy_gross"]), given["buy_vat"], True)
    rented = vat.TaxedPrice(given["rent_gross_per_hour"], given["rent_vat"], True)
    other = given["other_owned_cost_per_hour_net"]

    def hours(position: vat.VatPosition) -> D:
        return bought.cost(position) / (rented.cost(position) - other)

    return {
        "hours_recoverable": hours(vat.RECOVERABLE),
        "hours_nonrecoverable": hours(vat.NON_RECOVERABLE),
    }


def vat_03(given: Any) -> Found:
    rates = {vat.Supply.SERVICE: D("0.06"), vat.Supply.LEASE_OF_GOODS: D("0.13")}
    gross = vat.by_class(given["rent_net"], rates)
    low, high = gross[vat.Supply.SERVICE], gross[vat.Supply.LEASE_OF_GOODS]
    return {"gross_6": low, "gross_13": high, "extra_cost_if_not_recoverable": high - low}


def vat_04(given: Any) -> Found:
    months = D(given["months_until_offset"])
    return {"pv_loss": vat.waiting_cost(D(given["vat"]), months, given["annual_rate"])}


def multi_01(given: Any) -> Found:
    """Ranked by what each position really pays; a service from abroad bears withheld VAT."""
    prices = {}
    for offer in given["offers"]:
        abroad = offer["currency"] != "CNY"
        in_cny = offer["price"] * (given["fx"]["USDCNY"] if abroad else 1)
        rate = given["withholding_vat_on_imported_service"] if abroad else offer["vat"]
        prices[offer["name"]] = vat.TaxedPrice(in_cny, rate, offer["includes_vat"])

    def ranked(position: vat.VatPosition) -> dict[str, D]:
        return {name: price.cost(position) for name, price in prices.items()}

    general, other = ranked(vat.RECOVERABLE), ranked(vat.NON_RECOVERABLE)
    return {
        "general_taxpayer_net_cny": list(general.values()),
        "non_recoverable_gross_cny": list(other.values()),
        "cheapest_general": min(general, key=lambda name: general[name]),
        "cheapest_non_recoverable": min(other, key=lambda name: other[name]),
    }


def acc_01(given: Any) -> Found:
    lease = ifrs16.lease_schedule(D(given["payment"]), given["months"], given["ibr"])
    return {
        "lease_liability": lease.liability,
        "rou_depreciation_month": lease.months[0].depreciation,
        "interest_year1": lease.interest(1),
        "interest_year2": lease.interest(2),
        "interest_year3": lease.interest(3),
        "expense_year1": lease.expense(1),
        "expense_service_contract_year": D(given["payment"]) * 12,
        "total_expense": lease.total_expense,
    }


def acc_02(given: Any) -> Found:
    names = {"supplier_substitution_substantive": "supplier_may_substitute"}
    flags = [
        ifrs16.accounting_flags(
            ifrs16.Contract(**{names.get(name, name): value for name, value in case.items()})
        )
        for case in given["cases"]
    ]
    return {
        "is_lease": [flag.is_lease for flag in flags],
        "on_balance_sheet": [flag.on_balance_sheet for flag in flags],
    }
