"""A plan as text, Markdown, CSV and JSON."""

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_plan import END, FIRST, assignment, package, rental, sample
from write_golden import reports

from optimizer.plans import Answer
from optimizer.report import gantt
from optimizer.report.money_text import cents, footed, proven
from optimizer.report.plan_csv import TABLES, plan_csv
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_md import plan_md
from optimizer.report.plan_schema import plan_schema
from optimizer.report.plan_table import plan_text
from optimizer.report.rental_groups import grouped
from optimizer.report.text_grid import cell_width, grid

GOLDEN = Path(__file__).parent / "golden"
amounts = st.lists(st.decimals(-(10**9), 10**9, allow_nan=False, places=6), max_size=30)


def same_as_golden(name, text):
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_a_plan_of_all_sorts_as_text():
    same_as_golden("all-sorts.txt", plan_text(sample(), why=True))


def test_a_plan_of_all_sorts_as_markdown():
    same_as_golden("all-sorts.md", plan_md(sample(), why=True, details=True))


@pytest.mark.parametrize("table", TABLES)
def test_a_plan_of_all_sorts_as_csv(table):
    same_as_golden(f"all-sorts-{table}.csv", plan_csv(sample(), table))


@pytest.fixture(scope="module")
def tiny_reports():
    return reports()


@pytest.mark.parametrize("name", ["tiny.txt", "tiny.md", "tiny.csv", "tiny.json"])
def test_the_plan_of_a_week_in_every_form(name, tiny_reports):
    same_as_golden(name, tiny_reports[name])


def test_an_unknown_csv_table_is_refused():
    with pytest.raises(ValueError, match="calendar, rentals, ledger, cash-flow, sizes"):
        plan_csv(sample(), "rental")


# -- money ---------------------------------------------------------------------------------


@given(amounts)
def test_rounded_lines_add_up_to_the_rounded_total(lines):
    rounded = footed(lines)
    assert sum(rounded, Decimal(0)) == cents(sum(lines, Decimal(0)))
    assert all(abs(a - b) < Decimal("0.01") for a, b in zip(rounded, lines, strict=True))
    assert all(r == e for r, e in zip(rounded, lines, strict=True) if e == cents(e))


def test_leftover_cents_go_to_the_largest_remainders_and_then_in_line_order():
    thirds = [Decimal("0.334"), Decimal("0.333"), Decimal("0.333")]
    assert footed(thirds) == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    assert footed([Decimal("0.005")] * 4) == [Decimal("0.01")] * 2 + [Decimal(0)] * 2


@given(amounts.filter(bool), st.integers(-3, 3))
def test_whole_units_add_up_to_a_total_that_is_rounded_already(lines, off):
    exact = sum(lines, Decimal(0))
    total = exact.quantize(Decimal(1)) + off
    rounded = footed(lines, Decimal(1), total)
    assert sum(rounded) == total
    assert all(line == line.to_integral_value() for line in rounded)
    apart = [abs(a - b) for a, b in zip(rounded, lines, strict=True)]
    assert max(apart) < 2 + Decimal(abs(off)) / len(lines)


@given(st.decimals("0.02", 10**6, places=4), st.decimals(0, 10**5, places=4))
def test_what_is_proven_never_looks_better_than_it_is(bound, excess):
    text = proven(bound + excess, bound, "CNY")
    told = re.match(r"at most (.*) % above", text)
    share = Decimal(told[1]) / 100 if told else Decimal(0)
    assert bound * share + Decimal("0.005") >= excess


def test_a_bound_of_nothing_is_told_in_money():
    text = proven(Decimal(3), Decimal(0), "CNY")
    assert text == "at most 3.00 CNY above the least possible"


# -- rentals -------------------------------------------------------------------------------


def test_rentals_of_one_offer_node_and_use_are_one_line():
    later = package(nodes=5, start=END, end=END + timedelta(30), cost=Decimal(9999))
    groups = grouped(sample(rentals=(package(), rental(), later)))
    assert [len(group.rentals) for group in groups] == [2, 1]
    assert groups[0].nodes == (3, 5)
    assert (groups[0].start, groups[0].end) == (FIRST, END + timedelta(30))
    assert groups[0].quantity == 8
    assert groups[1].quantity == 20


def test_chains_of_terms_that_overlap_are_counted_together():
    both = (package(), package(nodes=1, start=date(2026, 12, 10), cost=Decimal(1)))
    assert grouped(sample(rentals=both))[0].nodes == (3, 4)


def test_a_shared_rental_is_not_for_a_job_that_rents_its_own():
    alone = rental(node="1xRTX4090", offer="acme/4090/cn/on_demand")
    job = assignment(workload="tune", start=alone.start, end=alone.end)
    plan = sample(rentals=(package(), alone), assignments=(assignment(), job))
    assert [group.workloads for group in grouped(plan)] == [("chat",), ("tune",)]


def test_details_show_every_rental():
    many = tuple(package(start=FIRST + timedelta(n)) for n in range(9))
    assert plan_text(sample(rentals=many), details=True).count("1052 CNY/month") == 10
    assert "9 rentals in 1 lines; --details" in plan_text(sample(rentals=many))


# -- calendar ------------------------------------------------------------------------------


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(1, 1826))
def test_columns_cover_every_day_once(first, n_days):
    spans = gantt.columns(first, n_days)
    assert spans[0].start == first
    assert spans[-1].end == first + timedelta(n_days)
    assert all(a.end == b.start for a, b in pairwise(spans))
    assert len(spans) <= 62


@given(st.integers(1, 700), st.integers(0, 300), st.integers(1, 300), st.integers(1, 500))
def test_a_cell_is_filled_just_where_its_column_touches_the_days_in_use(n_days, begin, length, n):
    begin = min(begin, n_days - 1)
    start, end = FIRST + timedelta(begin), FIRST + timedelta(min(n_days, begin + length))
    plan = sample(n_days=n_days, assignments=(assignment(start=start, end=end, count=n),))
    (row,) = gantt.rows(plan)
    for cell, column in zip(row.cells, gantt.columns(FIRST, n_days), strict=True):
        assert cell == (str(n) if column.start < end and start < column.end else gantt.IDLE)


@pytest.mark.parametrize("width", [60, 80, 100, 140, 240])
@pytest.mark.parametrize("n_days", [7, 30, 365, 1800])
def test_the_calendar_fits_the_width_and_shows_every_column(width, n_days):
    plan = sample(n_days=n_days, assignments=(assignment(end=FIRST + timedelta(n_days)),))
    lines = gantt.calendar(plan, width).splitlines()
    assert max(map(len, lines)) <= width
    shown = [cell for line in lines if line.startswith("chat") for cell in line.split()[2:]]
    assert shown == ["3"] * len(gantt.columns(FIRST, n_days))


def test_replicas_of_different_size_add_up_and_gangs_of_a_job_do_not():
    lines = (
        assignment(node="2xA100", gpus=1, count=3),
        assignment(node="2xA100", gpus=2, count=1),
        assignment(node="2xA100", gpus=2, count=9, hours="00-08"),
        assignment(workload="tune", node="8xA800", gpus=8, count=1),
        assignment(workload="tune", node="8xA800", gpus=16, count=2),
    )
    assert [row.cells[0] for row in gantt.rows(sample(assignments=lines))] == ["9", "2"]
    first_two = gantt.rows(sample(assignments=lines[:2]))
    assert first_two[0].cells[0] == "4"


def test_csv_calendar_has_a_row_for_each_day_and_counts_gpus_in_use():
    rows = list(csv.DictReader(io.StringIO(plan_csv(sample()))))
    chat = [r for r in rows if r["workload"] == "chat" and r["label"] == "measured"]
    assert [r["date"] for r in chat] == [f"2026-12-{day:02}" for day in range(1, 31)]
    tune = [r for r in rows if r["workload"] == "tune"]
    assert [(r["hours_worked"], r["gpus"]) for r in tune] == [("5", "16")] * 2


# -- text ----------------------------------------------------------------------------------


def test_text_for_a_pipe_has_no_escapes_and_keeps_every_source():
    text = plan_text(sample(rentals=(package(source="x" * 300),)))
    assert "\x1b" not in text
    assert "x" * 300 in text


def test_colour_only_makes_titles_bold():
    coloured = plan_text(sample(), color=True)
    assert re.sub("\x1b\\[[0-9]+m", "", coloured) == plan_text(sample())


@given(st.lists(st.text("ab 算", max_size=60), min_size=2, max_size=2), st.integers(40, 200))
def test_a_folded_table_loses_nothing_and_fits(cells, width):
    text = grid(["one", "two"], [cells], width=width)
    body = text.split("\n", 1)[1]
    for letter in "ab算":
        assert body.count(letter) == sum(cell.count(letter) for cell in cells)
    assert all(cell_width(line) <= width for line in text.splitlines())


def test_break_even_points_are_few_unless_all_are_asked_for():
    points = tuple(
        {"kind": "pair", "subject": "buy A", "against": against, "basis": basis,
         "quantity": quantity, "now": "1", "break_even": "2", "unit": "h", "meaning": basis}
        for against in ("x", "y")
        for quantity in ("utilisation", "electricity price")
        for basis in ("accounting", "economic")
    )  # fmt: skip
    ends = {"kind": "whole", "answer": "open", "meaning": "run `rentopt breakeven`"}
    plan = sample(breakeven=(*points, ends))
    few = plan_text(plan)
    assert few.count("buy A ") == 1
    assert "1 of 8 points, with interest; --details shows all" in few
    assert "- run `rentopt breakeven`" in few
    assert plan_text(plan, details=True).count("buy A ") == 8


def test_nothing_is_said_where_there_is_nothing_to_say():
    text = plan_text(sample(breakeven=(), bought=(), usages=(), moved=(), warnings=(), fx=()))
    for title in ("Break-even", "\nBuy\n", "Before you sign", "exchange rate"):
        assert title not in text


def test_a_plan_that_costs_nothing_divides_by_nothing():
    nothing, zero = Answer("mix", Decimal(0), Decimal(0), Decimal(0), 0.0), Decimal(0)
    rent = Answer("rent", zero, zero, zero, 0.0)
    plan = sample(
        answers=(rent, nothing), rentals=(), bought=(), assignments=(), ledger=(),
        by_workload=(("chat", zero),), cash_flow=(), total=zero, npv=zero, bound=zero,
        utilisation=(), usages=(), moved=(),
    )  # fmt: skip
    assert "proven: no plan costs less" in plan_text(plan)
    assert "present value" not in plan_text(plan).replace("savings are in present value", "")
    assert plan_md(plan)


def test_markup_in_names_is_shown_as_it_is():
    text = plan_md(sample(name="a *b* <c> | d"))
    assert "a \\*b\\* \\<c> | d" in text
    assert "a \\[price] page" in text


# -- JSON ----------------------------------------------------------------------------------


@pytest.mark.parametrize("timings", [False, True])
def test_the_json_keeps_to_its_schema(timings):
    schema = plan_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(plan_to_dict(sample(), timings=timings), schema)


@pytest.mark.parametrize(
    ("key", "value"),
    [("total", 8012.0), ("total", "1e3"), ("rentals", [{}]), ("currency", None), ("gap", "0")],
)
def test_the_schema_refuses_what_is_no_plan(key, value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**plan_to_dict(sample()), key: value}, plan_schema())


def test_the_schema_tells_what_a_field_means():
    rental_schema = plan_schema()["$defs"]["Rental"]
    assert rental_schema["properties"]["end"]["description"] == "First day no longer rented."
    assert "node" in rental_schema["required"]
