"""Workbooks worked out by LibreOffice: as written, and with inputs changed in the sheet."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from review_cases import questions
from spending_cases import rent_only, spending_of
from spreadsheet import cell, edited, formulas, opened, recalculated
from workbooks import CASES, differs, hostile, made, written

from optimizer.review.spending.workbook import spending_workbook

D = Decimal

CHANGES = {
    "discount_rate": ("base", {"discount_rate": 0.12}, lambda q: replace(q, rate=D("0.12"))),
    "rent": ("base", {"rent_1": 1.7}, lambda q: _lot(q, rent=D("1.7"))),
    "use": ("everything", {"use_1": 0.35}, lambda q: _lot(q, use=D("0.35"))),
    "three_at_once": (
        "persona",
        {"discount_rate": 0.11, "rent_1": 2.4, "use_1": 0.7},
        lambda q: _lot(replace(q, rate=D("0.11")), rent=D("2.4"), use=D("0.7")),
    ),
    "price": ("full", {"price_1": 150_000}, lambda q: _lot(q, price=D(150_000))),
    "tax": ("full", {"tax_rate": 0.15}, lambda q: replace(q, tax_rate=D("0.15"))),
    "horizon": (
        "base",
        {"horizon_days": 1300, "sold_1": 1300},
        lambda q: _lot(replace(q, days=1300), sold=1300),
    ),
    "never": ("base", {"rent_1": 0.9}, lambda q: _lot(q, rent=D("0.9"))),
    "unused": ("tiny", {"use_1": 0}, lambda q: _lot(q, use=D(0))),
}
"""Name → workbook, cells typed into, the same change for Python."""


def _lot(question, **changed):
    first = replace(question.lots[0], **changed)
    return replace(question, lots=(first, *question.lots[1:]))


@pytest.fixture(scope="module")
def worked_out(tmp_path_factory):
    bodies = {case: edited(made(case)) for case in CASES}
    for name, (case, cells, _) in CHANGES.items():
        bodies[f"changed-{name}"] = edited(made(case), **cells)
    bodies["hostile"] = edited(hostile())
    bodies["wrong"] = edited(made("base"), usable_1=2000)
    return recalculated(bodies, tmp_path_factory.mktemp("office"))


@pytest.mark.parametrize("case", CASES)
def test_recalculated_by_libreoffice_every_output_is_that_of_python(worked_out, case):
    assert differs(worked_out[case], questions()[case][0]) == []
    assert cell(worked_out[case], "master_check").value == "OK"


@pytest.mark.parametrize("case", CASES)
def test_recalculated_every_cell_is_what_was_written(worked_out, case):
    before = opened(made(case), values=True)
    for found in formulas(written(case)):
        old = before[found.parent.title][found.coordinate].value
        new = worked_out[case][found.parent.title][found.coordinate].value
        if isinstance(old, int | float) and isinstance(new, int | float):
            assert abs(old - new) <= 1e-8 * max(1, abs(old)), (found.parent.title, found.coordinate)
        else:
            assert (old or None) == (new or None), (found.parent.title, found.coordinate)


@pytest.mark.parametrize("name", CHANGES)
def test_an_input_changed_in_the_sheet_gives_what_python_gives(worked_out, name):
    case, cells, change = CHANGES[name]
    book = worked_out[f"changed-{name}"]
    assert differs(book, change(questions()[case][0])) == []
    assert cell(book, "inputs_changed").value == len(cells)
    assert cell(book, "master_check").value == "OK"


def test_no_cell_of_any_workbook_is_an_error(worked_out):
    for title, book in worked_out.items():
        for sheet in book:
            for row in sheet.iter_rows():
                for found in row:
                    wrong = isinstance(found.value, str) and found.value.startswith("#")
                    assert not wrong, (title, sheet.title, found.coordinate, found.value)


def test_a_wrong_order_of_days_fails_the_master_check(worked_out):
    assert cell(worked_out["wrong"], "master_check").value.startswith("FAILED")


def test_worked_out_text_of_strangers_is_still_text(worked_out):
    texts = [c.value for row in worked_out["hostile"]["Prices"].iter_rows() for c in row]
    assert [t for t in texts if isinstance(t, str) and t.startswith("=cmd|")]
    assert "-2+3" in texts
    assert "@SUM(A1)" in texts


def test_the_workbook_of_a_plan_that_rents_follows_its_inputs(tmp_path):
    spending = spending_of(*rent_only(tmp_path))
    body = spending_workbook(spending)
    changed = {"discount_rate": 0.2, "factor_2": 1.5, "use_1": 0.4, "by_hour_1": 12}
    books = recalculated({"as-is": edited(body), "other": edited(body, **changed)}, tmp_path)
    for found in formulas(opened(body)):
        old = opened(body, values=True)[found.parent.title][found.coordinate].value
        new = books["as-is"][found.parent.title][found.coordinate].value
        if isinstance(old, int | float):
            assert abs(old - new) <= 1e-8 * max(1, abs(old)), (found.parent.title, found.coordinate)
        else:
            assert old == new
    other = books["other"]
    assert cell(other, "master_check").value == "OK"
    assert cell(other, "inputs_changed").value == len(changed)
    lines = spending.plan.ledger
    factors = {line.cause: 1.5 if n == 2 else 1.0 for n, line in enumerate(lines, start=1)}
    paid = [(day, float(amount) * factors[cause]) for day, _, cause, amount in spending.bill]
    assert cell(other, "out_total").value == pytest.approx(sum(a for _, a in paid))
    days = [(day - spending.plan.first_day).days for day, _ in paid]
    worth = sum(a * 1.2 ** (-day / 365) for day, (_, a) in zip(days, paid, strict=True))
    assert cell(other, "out_present_value").value == pytest.approx(worth)
    term = 4000 * factors[spending.signed[0].group.sample.offer]
    assert cell(other, "out_saves_1").value == pytest.approx(744 * 0.4 * 12 - term)
    assert cell(other, "out_even_use_1").value == pytest.approx(term / (744 * 12))
