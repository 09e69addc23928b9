"""The workbook as it is written: values, names, formulas, input cells, harmless text."""

from __future__ import annotations

import io
import re
import zipfile
from itertools import pairwise

import pytest
from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter
from review_cases import questions
from spreadsheet import cell, formulas, opened
from workbooks import CASES, differs, hostile, made, written

from optimizer.review.workbook.book import SHEETS
from optimizer.review.workbook.formula import Named, column_name
from optimizer.review.workbook.texts import LONGEST, inert

PERIODS = ("Timing", "Calc_Buy", "Calc_Rent", "Calc_Tax")
FIRST = 5
"""Column of period 0, from 1."""


def test_the_sheets_are_those_a_reviewer_expects():
    assert written("tiny").sheetnames == list(SHEETS)


@pytest.mark.parametrize("case", CASES)
def test_a_viewer_that_does_not_calculate_shows_the_figures_of_python(case):
    book = opened(made(case), values=True)
    assert differs(book, questions()[case][0]) == []
    assert cell(book, "master_check").value == "OK"


@pytest.mark.parametrize("case", CASES)
def test_each_row_of_months_has_one_formula(case):
    """The formula of a period, moved to the next column, is the formula there."""
    book, rows = written(case), 0
    for sheet in (*PERIODS, "Outputs"):
        for row in book[sheet].iter_rows(min_col=FIRST):
            line = [c for c in row if c.data_type == "f"]
            if len(line) < 3:
                continue
            rows += 1
            for left, right in pairwise(line):
                moved = Translator(left.value, left.coordinate).translate_formula(right.coordinate)
                assert right.value == moved
    assert rows > 30


@pytest.mark.parametrize("case", CASES)
def test_no_formula_hides_a_constant(case):
    for found in formulas(written(case)):
        bare = re.sub(r'"[^"]*"|\$?[A-Z]{1,3}\$?[0-9]+|[A-Za-z_]+[A-Za-z_0-9]*', "", found.value)
        assert set(re.findall(r"[0-9.]+", bare)) <= {"0", "1"}, found.value


@pytest.mark.parametrize("case", CASES)
def test_only_functions_that_every_spreadsheet_knows_are_used(case):
    used = {
        name for found in formulas(written(case)) for name in re.findall(r"([A-Z]+)\(", found.value)
    }
    assert used <= {
        "SUM", "SUMPRODUCT", "MIN", "MAX", "IF", "AND", "OR", "ABS", "COUNT", "MOD", "ISNUMBER",
        "EXP", "LN",
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_input_cells_have_names_a_look_and_no_lock_and_nothing_else_is_open(case):
    book = written(case)
    sheet = book["Inputs"]
    look = {"FFFFF9D6"}
    open_cells = [c for row in sheet.iter_rows() for c in row if not c.protection.locked]
    assert len(open_cells) >= 24
    named = {
        place.replace("$", "")
        for name in book.defined_names.values()
        for on, place in name.destinations
        if on == "Inputs"
    }
    for found in open_cells:
        assert found.coordinate in named
        assert found.fill.fgColor.rgb in look
    for name in SHEETS:
        assert book[name].protection.sheet, name
        if name not in ("Inputs", "Sensitivity"):
            assert all(c.protection.locked for row in book[name].iter_rows() for c in row)


def test_every_input_is_typed_within_limits():
    sheet = written("full")["Inputs"]
    ruled = {str(rule.sqref) for rule in sheet.data_validations.dataValidation}
    open_cells = {c.coordinate for row in sheet.iter_rows() for c in row if not c.protection.locked}
    assert open_cells <= ruled


def test_text_of_strangers_stays_text():
    body = hostile()
    book = opened(body)
    ours = {(c.parent.title, c.coordinate) for c in formulas(opened(made("base")))}
    for sheet in book:
        for row in sheet.iter_rows():
            for found in row:
                if isinstance(found.value, str) and found.data_type != "f":
                    assert len(found.value) <= LONGEST * 2
                    assert not re.search(r"[\x00-\x1f\u202a-\u202e\u2066-\u2069]", found.value)
    assert "cmd" not in " ".join(found.value for found in formulas(book))
    assert {(c.parent.title, c.coordinate) for c in formulas(book)} == ours
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        names = parts.namelist()
        assert not [n for n in names if "vba" in n.lower() or "externalLink" in n]
        relations = b"".join(parts.read(n) for n in names if n.endswith(".rels"))
        assert b"TargetMode" not in relations
        quoted = re.findall(rb'quotePrefix="1"', parts.read("xl/styles.xml"))
        assert quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a b c"),
        ("\u202ecod.exe", "cod.exe"),
        ("x\x00\x07y", "xy"),
        ("\u200bzero", "zero"),
        ("算家云", "算家云"),
    ],
)
def test_marks_that_change_how_text_is_read_are_left_out(text, shown):
    assert inert(text) == shown


def test_a_long_name_is_cut():
    assert len(inert("n" * 10_000)) == LONGEST


def test_columns_are_named_as_spreadsheets_do():
    assert [column_name(n) for n in (0, 25, 26, 701, 702)] == [
        get_column_letter(n + 1) for n in (0, 25, 26, 701, 702)
    ]


def test_a_number_in_a_formula_must_have_a_name():
    with pytest.raises(ValueError, match="buried constant"):
        Named("x", 1.0) * 12
