"""The workbook as a file: sheets, names, input cells, checks."""

from __future__ import annotations

import io
from typing import Any

from optimizer.plans import Plan
from optimizer.review.workbook.answers import CashFlow, add_answers
from optimizer.review.workbook.checks import Check, write_checks
from optimizer.review.workbook.formula import Row
from optimizer.review.workbook.front import write_about
from optimizer.review.workbook.inputs import write_inputs, write_prices
from optimizer.review.workbook.model import SPARE_MONTHS, Answer, Model, make_model
from optimizer.review.workbook.outcomes import Outcome, outcomes
from optimizer.review.workbook.question import Question
from optimizer.review.workbook.sensitivity import write_sensitivity
from optimizer.review.workbook.sheet import (
    Sheet,
    lay_out,
    period_header,
    period_sheet,
    set_widths,
    sheet_top,
    write_rows,
)
from optimizer.review.workbook.styles import QUIET, STRONG, Styles

SHEETS = (
    "About", "Inputs", "Prices", "Timing", "Calc_Buy", "Calc_Rent", "Calc_Tax", "Outputs",
    "Sensitivity", "Checks",
)  # fmt: skip

_MONTHS = {
    "Timing": ("Timing", "months of 365/12 days from the first day; the last one ends with the "
               "horizon, and periods past it are empty"),
    "Calc_Buy": ("Buying", "costs positive, each at the end of its month; the purchase at the "
                 "nearest month's end"),
    "Calc_Rent": ("Renting the same GPU-hours", "costs positive, at the end of the month"),
    "Calc_Tax": ("Taxes", "off while the tax rate on Inputs is 0; paid at the end of every 12 "
                 "months and of the horizon, profits supposed"),
}  # fmt: skip


def workbook(question: Question, plan: Plan) -> bytes:
    """An XLSX file that follows its inputs, with the values it shows already in it."""
    import xlsxwriter

    model = make_model(question)
    flow = add_answers(model)
    found = outcomes(question)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False,
                                        "strings_to_urls": False})  # fmt: skip
    book.set_properties({"title": f"Buy or rent: {question.title}"[:200], "author": "rentopt"})
    book.set_calc_mode("auto")
    styles = Styles(book)
    sheets = {name: Sheet(book, styles, name) for name in SHEETS}
    for name, (_, below) in _MONTHS.items():
        lay_out(model, name, sheet_top(below))
    lay_out(model, "Outputs", _cash_flow_line(model))
    changed = write_inputs(sheets["Inputs"], model)
    rent_checks = write_prices(sheets["Prices"], model, plan)
    for name, (words, below) in _MONTHS.items():
        period_sheet(sheets[name], model, words, below)
    _write_outputs(sheets["Outputs"], model, flow, found, plan)
    write_sensitivity(sheets["Sensitivity"], model, flow)
    checks: list[Check] = write_checks(sheets["Checks"], model, flow, found, rent_checks)
    write_about(sheets["About"], model, plan, changed, checks)
    for sheet in sheets.values():
        sheet.protect()
    sheets["About"].page.activate()
    book.close()
    return buffer.getvalue()


def _cash_flow_line(model: Model) -> int:
    """Line of the cash flow's first row: under answers, blocks, the plan and four headings."""
    return 3 + 1 + len(model.answers) + 1 + 1 + len(model.blocks) + 1 + 1 + 3 + 1 + 1


def _write_outputs(
    sheet: Sheet, model: Model, flow: CashFlow, found: list[Outcome], plan: Plan
) -> None:
    money = model.question.currency
    sheet.title("Answers", f"in {money}; {model.question.vat}; costs out: negative in NPV")
    sheet.heading("answer", "unit", "value", "", "meaning", right=2, until=2)
    for answer in model.answers:
        _write_answer(sheet, answer, **(STRONG if answer.name == "npv" else {}))
    sheet.line += 1
    sheet.heading("present values they are made of", "unit", "value", "", "", right=2, until=2)
    for answer in model.blocks:
        _write_answer(sheet, answer)
    sheet.line += 1
    sheet.heading("the plan as a whole, as it was solved", "unit", "present value", "", "",
                  right=2, until=2)  # fmt: skip
    for kind, words in (("rent", "All rented"), ("own", "All owned"), ("mix", "Best mix")):
        best = plan.answer(kind)
        sheet.text(0, words)
        sheet.text(1, money, **QUIET)
        if best.npv is None:
            sheet.text(2, "none", align="right")
        else:
            sheet.number(2, float(best.npv), "amount")
        sheet.text(4, "all workloads, with what is rented beside; does not follow the inputs",
                   **QUIET)  # fmt: skip
        sheet.line += 1
    sheet.line += 1
    period_header(sheet, model)
    write_rows(sheet, model)
    set_widths(sheet, model)
    sheet.page.freeze_panes(3, 1)
    _chart(sheet, model, flow)


def _write_answer(sheet: Sheet, answer: Answer, **look: Any) -> None:
    sheet.text(0, answer.label, **look)
    sheet.text(1, answer.unit, **QUIET)
    sheet.formula(2, answer.expr, answer.form, align="right", **look)
    sheet.name_cell(answer.cell.name, 2)
    sheet.text(4, answer.meaning, **QUIET)
    sheet.line += 1


def _chart(sheet: Sheet, model: Model, flow: CashFlow) -> None:
    """Net cash so far, undiscounted and at present value: where it crosses 0, it is paid back."""
    used = model.periods - 1 - SPARE_MONTHS
    chart = sheet.book.add_chart({"type": "line"})
    for row, colour, dash in (
        (flow.so_far, "#1F3B57", "solid"),
        (flow.worth_so_far, "#C55A11", "dash"),
    ):
        chart.add_series({
            "name": [row.sheet, row.line, 0],
            "categories": [row.sheet, _date_line(model), 4, _date_line(model), 4 + used],
            "values": [row.sheet, row.line, 4, row.line, 4 + used],
            "line": {"color": colour, "width": 2, "dash_type": dash},
        })  # fmt: skip
    chart.set_title({"name": "Buying rather than renting: net so far", "name_font": {"size": 11}})
    chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True}})
    chart.set_x_axis({"num_format": "yyyy-mm", "label_position": "low", "text_axis": True})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 600, "height": 380})
    sheet.page.insert_chart(3, 9, chart, {"description": "Net cash so far by month"})


def _date_line(model: Model) -> int:
    rows = (row for row in model.rows["Outputs"] if isinstance(row, Row))
    return next(row.line for row in rows if row.form == "date")
