"""The sheet About: the question, the answer, whether all checks hold, and how to read the rest."""

from __future__ import annotations

from optimizer.plans import Plan
from optimizer.report.money_text import proven
from optimizer.report.plan_json import tool_version
from optimizer.review.workbook.checks import Check
from optimizer.review.workbook.formula import Named, call
from optimizer.review.workbook.model import Model
from optimizer.review.workbook.sheet import Sheet
from optimizer.review.workbook.styles import INPUT, LINKED, REMARK, STRONG

_SHEETS = (
    ("Inputs", "every assumption with unit and source; the only sheet to type in, beside the "
     "factors on Sensitivity"),
    ("Prices", "what was quoted, by whom, when, and the steps to a GPU-hour"),
    ("Timing", "months, discount factors, level of rental prices"),
    ("Calc_Buy", "purchases, running costs and resale by month"),
    ("Calc_Rent", "GPU-hours delivered, and their rent"),
    ("Calc_Tax", "deductions and taxes, where a tax rate is set"),
    ("Outputs", "the answers, and the cash flow they come from"),
    ("Sensitivity", "one assumption at a time; utilisation against rental price"),
    ("Checks", "what must hold, and what rentopt found for the same inputs"),
)  # fmt: skip


def write_about(
    sheet: Sheet, model: Model, plan: Plan, changed: Named, checks: list[Check]
) -> None:
    q, money = model.question, model.question.currency
    sheet.title(f"Buy or rent: {q.title}", "decision support, not tax or accounting advice")
    sheet.text(0, "All checks", **STRONG)
    failed = model["checks_failed"]
    sheet.formula(1, call("IF", failed.equals(0), "OK", "FAILED: see Checks"), "number",
                  bold=True, font_color="#00682F", align="right")  # fmt: skip
    sheet.name_cell("master_check", 1)
    sheet.page.conditional_format(sheet.line, 1, sheet.line, 1, {
        "type": "cell", "criteria": "!=", "value": '"OK"',
        "format": sheet.book.add_format({"bg_color": "#C00000", "font_color": "#FFFFFF"}),
    })  # fmt: skip
    sheet.text(2, f"{len(checks)} of them", **REMARK)
    sheet.line += 1
    sheet.text(0, "Inputs changed since the export")
    sheet.formula(1, changed * 1, "count", align="right")
    sheet.line += 2
    sheet.heading("question", "", "")
    sheet.wrapped(_question(model), 3, 46)
    sheet.line += 1
    sheet.heading("answer", "", "")
    _answers(sheet, model)
    sheet.line += 1
    sheet.heading("how to read it", "", "")
    for words, look in (
        ("blue on yellow: an input, to be changed", INPUT),
        ("black: worked out on the same sheet", {}),
        ("green: reads another sheet or a named cell of it", LINKED),
    ):
        sheet.text(0, words, **look)
        sheet.line += 1
    sheet.wrapped(
        f"Money in {money}, {q.vat}. Costs are positive on Calc sheets; on Outputs money that goes "
        "out is negative. Rates are annual and effective. Sheets are protected without a password.",
        3, 46,
    )  # fmt: skip
    sheet.line += 1
    sheet.heading("sheets", "", "")
    for name, words in _SHEETS:
        sheet.page.write_url(sheet.line, 0, f"internal:{name}!A1", string=name)
        sheet.text(1, words)
        sheet.line += 1
    sheet.line += 1
    sheet.heading("where it comes from", "", "")
    for label, value in origin_lines(plan):
        sheet.text(0, label)
        sheet.text(1, value)
        sheet.line += 1
    sheet.page.fit_to_pages(1, 1)
    sheet.page.set_column(0, 0, 46)
    sheet.page.set_column(1, 1, 24)
    sheet.page.set_column(2, 2, 70)


def _question(model: Model) -> str:
    q = model.question
    lots = ", ".join(f"{lot.nodes} x {lot.node}" for lot in q.lots)
    who = "The plan buys" if q.planned else "The plan buys nothing. To weigh it all the same: buy"
    against = "; ".join(dict.fromkeys(lot.quote.name for lot in q.lots))
    return (
        f"{who} {lots}. What is that worth, over {q.days} days from {q.first_day}, against renting "
        f"the GPU-hours they deliver at today's price ({against})?"
    )


def _answers(sheet: Sheet, model: Model) -> None:
    sheet.text(0, "Cheaper, with these inputs", **STRONG)
    cheaper = call("IF", model["npv"] > 0, "buying", "renting")
    sheet.formula(1, cheaper, "number", align="right", bold=True)
    sheet.line += 1
    units = {answer.name: answer for answer in model.answers}
    taxed = ("npv_after_tax",) if model.question.tax_rule else ()
    for name in ("npv", *taxed, "cash_at_risk", "payback", "discounted_payback", "irr",
                 "break_even_rent", "utilisation", "break_even_use"):  # fmt: skip
        answer = units[name]
        look = STRONG if name == "npv" else {}
        sheet.text(0, answer.label, **look)
        sheet.formula(1, model[name], answer.form, align="right", **look)
        sheet.text(2, f"{answer.unit}; {answer.meaning}" if answer.meaning else answer.unit,
                   **REMARK)  # fmt: skip
        sheet.line += 1


def origin_lines(plan: Plan) -> list[tuple[str, object]]:
    known = plan.prices_known_at.isoformat() if plan.prices_known_at else "bundled tables"
    return [
        ("schedule", plan.schedule),
        ("its SHA-256", plan.schedule_sha256),
        ("prices as of", plan.as_of),
        ("prices known at", known),
        ("price tables", ", ".join(f"{s.name} {s.sha256[:12]}" for s in plan.price_sources)),
        ("exchange rates", "; ".join(plan.fx) or "none needed"),
        ("how sure", proven(plan.npv, plan.bound, plan.currency)),
        ("made with", f"rentopt {tool_version()}"),
    ]
