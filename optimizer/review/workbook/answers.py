"""Totals, the cash flow, and the answers of the Outputs sheet."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.review.workbook.formula import Expr, Row, call, term
from optimizer.review.workbook.model import Model, total

OUT = "Outputs"


@dataclass(eq=False)
class CashFlow:
    """Rows of the Outputs sheet that answers and sensitivities read."""

    net: Row
    end: Row
    so_far: Row
    worth: Row
    worth_so_far: Row


def timing_row(model: Model, label: str) -> Row:
    for row in model.rows["Timing"]:
        if isinstance(row, Row) and row.label == label:
            return row
    raise KeyError(label)


def add_answers(model: Model) -> CashFlow:
    """The rest of the model: everything that needs all purchases together."""
    m, money, lots = model, model.question.currency, model.lots
    factor = timing_row(m, "Discount factor")
    totals = {}
    m.heading("Calc_Buy", "All purchases")
    for name, label, fields in (
        ("purchase", "Purchases", ("purchase",)),
        ("maintenance", "Maintenance", ("maintenance",)),
        ("hosting", "Hosting", ("hosting",)),
        ("idle", "Electricity of waiting nodes", ("idle",)),
        ("busy", "Electricity that use adds", ("busy",)),
        ("resale", "Resale (negative: comes in)", ("resale",)),
    ):
        expr = total(lots, *fields)
        totals[name] = m.row("Calc_Buy", label, money, expr, summed=True)
    cost = m.row(
        "Calc_Buy", "Cost of buying", money, call("SUM", *(row.now for row in totals.values())),
        summed=True,
    )  # fmt: skip
    discounted = m.row(
        "Calc_Buy", "Cost of buying, present value", money, cost.now * factor.now, summed=True
    )
    m.heading("Calc_Rent", "All purchases")
    for name, label, unit in (
        ("hours", "GPU-hours delivered", "GPU-hours"),
        ("worth", "The same at the level of rental prices", "GPU-hours"),
        ("rent", "Cost of renting", money),
    ):
        totals[name] = m.row("Calc_Rent", label, unit, total(lots, name), summed=True)
    rented = m.row(
        "Calc_Rent", "Cost of renting, present value", money, totals["rent"].now * factor.now,
        summed=True,
    )  # fmt: skip
    taxes = _taxes(m, totals)
    flow = _cash_flow(m, totals, taxes, factor)
    _blocks(m, totals, factor, discounted, rented)
    _add_outputs(m, flow, totals, factor)
    return flow


def _taxes(m: Model, totals: dict[str, Row]) -> Row:
    tax, money = "Calc_Tax", m.question.currency
    m.heading(tax, "Buying rather than renting")
    running = call("SUM", *(totals[n].now for n in ("maintenance", "hosting", "idle", "busy")))
    profit = m.row(
        tax, "Profit that buying adds", money,
        totals["rent"].now - running - total(m.lots, "deductions") + total(m.lots, "gain"),
        summed=True,
    )  # fmt: skip
    accrued = m.row(tax, "Tax on it", money, m["tax_rate"] * profit.now, summed=True)
    period, start = timing_row(m, "Period"), timing_row(m, "Starts on day")
    end = timing_row(m, "Ends on day")
    last = call("AND", start.now < m["horizon_days"], end.now.equals(m["horizon_days"]))
    whole = call("MOD", period.now, m["months_in_year"]).equals(0)
    due = m.row(
        tax, "Tax is paid in this period", "flag", call("IF", call("OR", whole, last), 1, 0),
        form="count",
    )  # fmt: skip
    owed = Row(tax, "Tax owed by now", money, accrued.now)
    owed.expr = owed.before * (1 - due.before) + accrued.now
    m.add(owed)
    return m.row(tax, "Tax paid", money, owed.now * due.now, summed=True)


def _cash_flow(m: Model, totals: dict[str, Row], taxes: Row, factor: Row) -> CashFlow:
    money = m.question.currency

    def flow(label: str, expr: Expr) -> Row:
        return m.row(OUT, label, money, expr, summed=True)

    m.heading(OUT, "Cash flow of buying rather than renting (comes in: positive)")
    date = timing_row(m, "Date of its end")
    m.row(OUT, "Period ends", "date", date.now, form="date")
    saved = flow("Rent not paid", totals["rent"].now)
    bought = flow("Purchases", -totals["purchase"].now)
    running = flow(
        "Running costs",
        -call("SUM", *(totals[n].now for n in ("maintenance", "hosting", "idle", "busy"))),
    )
    sold = flow("Resale", -totals["resale"].now)
    net = flow("Net, before tax", call("SUM", *(r.now for r in (saved, bought, running, sold))))
    so_far = _cumulative(m, "Net so far", net)
    worth = flow("Net at present value", net.now * factor.now)
    worth_so_far = _cumulative(m, "Present value so far", worth)
    flow("Tax", -taxes.now)
    flow("Net, after tax", net.now - taxes.now)
    end = timing_row(m, "Ends on day")
    return CashFlow(net, end, so_far, worth, worth_so_far)


def _cumulative(m: Model, label: str, of: Row) -> Row:
    row = Row(OUT, label, m.question.currency, of.now)
    row.expr = row.before + of.now
    m.add(row)
    return row


def _payback(m: Model, label: str, flow: Row, so_far: Row, end: Row) -> Expr:
    """First month in which the sum comes back to 0, linear inside the period."""
    into = -so_far.before / flow.now * (end.now - end.before)
    months = (end.before + into) / m["days_in_year"] * m["months_in_year"]
    reached = call("AND", so_far.before < 0, so_far.now >= 0)
    here = m.row(OUT, label, "months", call("IF", reached, months, ""), form="months")
    never = call("IF", call("MIN", so_far.all) < 0, "never", "nothing invested")
    return call("IF", call("COUNT", here.all) > 0, call("MIN", here.all), never)


def _blocks(m: Model, totals: dict[str, Row], factor: Row, discounted: Row, rented: Row) -> None:
    money = m.question.currency

    def block(name: str, label: str, expr: Expr, unit: str = money, form: str = "amount") -> None:
        m.answer(name, label, unit, expr, form, block=True)

    def worth(row: Row) -> Expr:
        return call("SUMPRODUCT", row.all, factor.all)

    block("pv_buy", "Cost of buying", call("SUM", discounted.all))
    block("pv_rent", "Cost of renting", call("SUM", rented.all))
    for name, label in (
        ("purchase", "Purchases"),
        ("maintenance", "Maintenance"),
        ("hosting", "Hosting"),
        ("idle", "Electricity of waiting nodes"),
        ("busy", "Electricity that use adds"),
        ("resale", "Resale (negative: comes in)"),
    ):
        block(f"pv_{name}", label, worth(totals[name]))
    block("pv_hours", "GPU-hours delivered", worth(totals["hours"]), "GPU-hours")
    block("pv_worth", "The same at the level of rental prices", worth(totals["worth"]), "GPU-hours")
    owned = call(
        "SUM",
        *(
            lot.cells["nodes"] * lot.cells["gpus"] * m["hours_in_day"]
            * call("SUMPRODUCT", lot.owned.all, factor.all)
            for lot in m.lots
        ),
    )  # fmt: skip
    block("pv_owned", "GPU-hours from delivery to sale", owned, "GPU-hours")
    block("total_buy", "Cost of buying, undiscounted", _total_of(totals))
    block("total_hours", "GPU-hours delivered, undiscounted", call("SUM", totals["hours"].all),
          "GPU-hours")  # fmt: skip
    end = timing_row(m, "Ends on day")
    first = call("MIN", *(call("SUMPRODUCT", lot.bought.all, end.all) for lot in m.lots))
    block("first_paid", "First payment falls on", first, "day", "days")
    sold = call("MIN", call("MAX", *(lot.cells["sold"] for lot in m.lots)), m["horizon_days"])
    years = (sold - m["first_paid"]) / m["days_in_year"]
    block("years", "From the first payment to the last sale", years, "years", "factor")


def _rates(m: Model, flow: CashFlow) -> None:
    """MIRR in closed form, and IRR from it by Newton's method, a step a column.

    A spreadsheet's own IRR() takes all months for equally long, also the last one, and may not end.
    """
    period, years = timing_row(m, "Period"), flow.end.all / m["days_in_year"]
    came = m.row(OUT, "Present value that comes in", m.question.currency,
                 call("MAX", 0, flow.worth.now), summed=True)  # fmt: skip
    went = m.row(OUT, "Present value that goes out", m.question.currency,
                 call("MAX", 0, -flow.worth.now), summed=True)  # fmt: skip
    sign = Row(OUT, "Direction of the last payment", "sign", flow.net.now, form="count")
    out = call("IF", flow.net.now < 0, -term(1), sign.before)
    sign.expr = call("IF", flow.net.now > 0, 1, out)
    m.add(sign)
    turn = call("IF", sign.before * sign.now < 0, 1, 0)
    turns = m.row(OUT, "Direction turns", "flag", turn, summed=True, form="count")
    one_way = "none: one way only"
    both = call("AND", call("SUM", came.all) > 0, call("SUM", went.all) > 0)
    ratio = call("SUM", came.all) / call("SUM", went.all)
    each = ratio ** (m["days_in_year"] / m["horizon_days"]) * (1 + m["discount_rate"])
    mirr = m.answer("mirr_raw", "Modified rate of return, raw", "a year",
                    call("IF", both, each - 1, 0), "rate", block=True)  # fmt: skip
    once = call("AND", call("SUM", turns.all).equals(1), both)
    step = Row(OUT, "ln(1 + rate of return), by steps", "number", flow.net.now, form="factor")
    worth = call("EXP", -step.before * years)
    slope = call("SUMPRODUCT", flow.net.all, years, worth)
    newton = step.before + call("SUMPRODUCT", flow.net.all, worth) / slope
    begin = call("LN", 1 + mirr)
    step.expr = call("IF", once, call("IF", period.now.equals(0), begin, newton), 0)
    m.add(step)
    at_end = period.all.equals(call("MAX", period.all)) * 1
    found = m.answer("irr_log", "ln(1 + rate of return)", "number",
                     call("SUMPRODUCT", step.all, at_end), "factor", block=True)  # fmt: skip
    left = call("SUMPRODUCT", flow.net.all, call("EXP", -found * years))
    m.answer("irr_left", "NPV at the rate of return", m.question.currency,
             call("IF", once, left, 0), block=True)  # fmt: skip
    several = call("IF", call("SUM", turns.all) > 1, "none: several rates", one_way)
    m.answer("irr", "Rate of return (IRR)", "a year",
             call("IF", once, call("EXP", found) - 1, several), "rate",
             "discount rate at which NPV is 0; none where money turns more than once")  # fmt: skip
    m.answer("mirr", "Modified rate of return (MIRR)", "a year",
             call("IF", both, mirr * 1, one_way), "rate",
             "lent and borrowed at the discount rate")  # fmt: skip


def _total_of(totals: dict[str, Row]) -> Expr:
    names = ("purchase", "maintenance", "hosting", "idle", "busy", "resale")
    return call("SUM", *(totals[name].all for name in names))


def _add_outputs(m: Model, flow: CashFlow, totals: dict[str, Row], factor: Row) -> None:
    money = m.question.currency
    rate = f"{money}/GPU-hour"

    def out(name: str, label: str, unit: str, expr: Expr, form: str, meaning: str) -> None:
        m.answer(name, label, unit, expr, form, meaning)

    out("npv", "NPV of buying less renting", money, call("SUM", flow.worth.all), "amount",
        "above 0: buying is cheaper, at the discount rate")  # fmt: skip
    out("npv_buy", "NPV of buying", money, -m["pv_buy"], "amount", "money that goes out: negative")
    out("npv_rent", "NPV of renting", money, -m["pv_rent"], "amount", "the same GPU-hours, rented")
    after = next(r for r in m.rows[OUT] if isinstance(r, Row) and r.label == "Net, after tax")
    out("npv_after_tax", "NPV of buying less renting, after tax", money,
        call("SUMPRODUCT", after.all, factor.all), "amount",
        "as before tax while the tax rate is 0")  # fmt: skip
    out("saving", "Saving by buying, undiscounted", money, call("SUM", flow.net.all), "amount",
        "not a measure of value: money has a price")  # fmt: skip
    out("capex", "Purchases", money, call("SUM", totals["purchase"].all), "amount", "")
    out("cash_at_risk", "Cash at risk", money, -call("MIN", 0, call("MIN", flow.so_far.all)),
        "amount", "most that buying is behind renting at any time")  # fmt: skip
    simple = _payback(m, "Paid back in month", flow.net, flow.so_far, flow.end)
    out("payback", "Payback", "months", simple, "months",
        "from the first day, counting the resale")  # fmt: skip
    late = _payback(
        m, "Paid back at present value in month", flow.worth, flow.worth_so_far, flow.end
    )
    out("discounted_payback", "Discounted payback", "months", late, "months",
        "the same at present value")  # fmt: skip
    _rates(m, flow)
    rated = (1 - (1 + m["discount_rate"]) ** -m["years"]) / m["discount_rate"]
    annuity = call("IF", m["discount_rate"].equals(0), m["years"], rated)
    at_start = (1 + m["discount_rate"]) ** (m["first_paid"] / m["days_in_year"])
    out("eac", "Equivalent annual cost of buying", f"{money}/year",
        call("IF", m["years"] > 0, m["pv_buy"] * at_start / annuity, 0), "amount",
        "on the day of the first payment")  # fmt: skip

    def each(cost: str, hours: str) -> Expr:
        return call("IF", m[hours] > 0, m[cost] / m[hours], "never used")

    out("gpu_hour_accounting", "Cost of a delivered GPU-hour, accounting", rate,
        each("total_buy", "total_hours"), "price", "without interest")  # fmt: skip
    out("gpu_hour_economic", "Cost of a delivered GPU-hour, economic", rate,
        each("pv_buy", "pv_hours"), "price", "with interest")  # fmt: skip
    out("break_even_rent", "Break-even rental price", rate, each("pv_buy", "pv_worth"), "price",
        "today's price at which both cost the same; renting wins below it")  # fmt: skip
    used = call("IF", m["pv_owned"] > 0, m["pv_hours"] / m["pv_owned"], 0)
    out("utilisation", "Planned utilisation", "share", used, "share", "")
    raw = (m["pv_buy"] - m["pv_busy"]) / (m["pv_rent"] - m["pv_busy"]) * m["utilisation"]
    possible = call("AND", m["pv_rent"] > m["pv_busy"], m["pv_hours"] > 0)
    m.answer("break_even_use_raw", "Break-even utilisation, raw", "share",
             call("IF", possible, raw, "none"), "share", block=True)  # fmt: skip
    use = m["break_even_use_raw"]
    shown = call("IF", use > 1, "never", use)
    out("break_even_use", "Break-even utilisation", "share",
        call("IF", call("ISNUMBER", use), shown,
             call("IF", m["pv_hours"] > 0, "never", "never used")),
        "share", "renting wins below it; 'never' above 100 %")  # fmt: skip
    priced = call("SUM", m["pv_purchase"], m["pv_maintenance"], m["pv_resale"])
    other = call("SUM", m["pv_hosting"], m["pv_idle"], m["pv_busy"])
    out("break_even_price", "Break-even purchase price", "x the price",
        call("IF", priced > 0, (m["pv_rent"] - other) / priced, "always"), "factor",
        "factor of all purchase prices; buying wins below it")  # fmt: skip
