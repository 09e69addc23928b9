"""What a sweep found, as files and pictures."""

import csv
import io
import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from sweeps import DAY, FAST, sweep_of

from optimizer.sweep.cases import PriceChoice
from optimizer.sweep.chart import chart_of, chart_text, draw
from optimizer.sweep.rows import FIELDS
from optimizer.sweep.table import legend, sweep_csv, sweep_json, sweep_parquet, sweep_text
from providers.errors import RentoptError

AXES = """  - {path: money.electricity, name: power, list: [1.2 CNY/kWh, 0.4 CNY/kWh]}
  - {path: market.providers.forbid, name: without, list: [[], [gpushare]]}
"""
PRICES = PriceChoice(DAY, exactly=True)


def row(npv, bought=0, **more):
    return {
        "status": "planned", "reason": "", "npv": npv, "total": npv, "bound": npv, "gap": 0.001,
        "rent_npv": npv, "own_npv": None, "breakeven_rent": "1.234567890123", "breakeven_of": "x",
        "bought": {"2xRTX4090": bought} if bought else {}, "providers": ["a", "b"],
        "utilisation": {"1xA800": 0.5}, "cost": {"rent": npv}, "currency": "CNY",
        "as_of": "2026-11-22", "seconds": 0.5, **more,
    }  # fmt: skip


NO_PLAN = {"status": "no plan", "reason": "no plan exists:\n  too little", "currency": "CNY",
           "as_of": "2026-11-22", "seconds": 0.1}  # fmt: skip
ROWS = [row("1000.5"), NO_PLAN, row("250.25", bought=2), None]


@pytest.fixture
def sweep(tmp_path):
    return sweep_of(tmp_path, AXES)


def test_the_text_has_a_line_a_case_and_why_there_is_no_plan(sweep):
    text = sweep_text(sweep, PRICES, ROWS)
    assert text.startswith("tiny.yaml: 4 cases of tiny.yaml (2 planned, 1 no plan, 1 missing)\n")
    assert "2 x 2xRTX4090" in text
    assert "no plan exists:" in text
    assert "cost: least 250.25, " in text
    assert "buying something is best in 1 of 2 plans" in text
    assert list(legend(ROWS)) == ["no plan: no plan exists, or none was found in time"]


def test_csv_has_a_column_for_each_node_and_component(sweep):
    found = list(csv.DictReader(io.StringIO(sweep_csv(sweep, ROWS))))
    assert [line["power"] for line in found] == ["1.2 CNY/kWh"] * 2 + ["0.4 CNY/kWh"] * 2
    assert [line["without"] for line in found] == ["[]", '["gpushare"]'] * 2
    assert [line["npv"] for line in found] == ["1000.5", "", "250.25", ""]
    assert [line["bought 2xRTX4090"] for line in found] == ["0", "", "2", ""]
    assert found[0]["providers"] == "a, b"
    assert found[0]["cost rent"] == "1000.5"


def test_json_has_every_field_of_every_case(sweep):
    body = json.loads(sweep_json(sweep, PRICES, ROWS))
    assert body["axes"][0] == {"name": "power", "path": "money.electricity", "values": 2}
    assert [set(case) for case in body["cases"]] == [{"axes", *FIELDS}] * 4
    assert body["cases"][1]["npv"] is None
    assert body["cases"][3]["status"] == "missing"
    assert body["options"] == {"gap": 0.01, "time_limit": 60.0, "solver": "highs",
                               "breakeven": False}  # fmt: skip


def test_parquet_has_exact_money_and_axes_as_numbers(sweep):
    table = pq.read_table(io.BytesIO(sweep_parquet(sweep, ROWS))).to_pydict()
    assert table["power [CNY/kWh]"] == [1.2, 1.2, 0.4, 0.4]
    assert table["npv"] == [Decimal("1000.500000"), None, Decimal("250.250000"), None]
    assert table["breakeven_rent"][0] == Decimal("1.234568")
    assert table["bought 2xRTX4090"] == [0, None, 2, None]
    assert table["providers"][0] == ["a", "b"]
    assert table["utilisation 1xA800"][0] == 0.5


def test_a_map_has_the_first_axis_down_and_leaves_out_what_has_no_plan(sweep):
    found = chart_of(sweep, ROWS)
    assert found.axes == ("power, CNY/kWh", "without")
    assert found.positions[0] == (0.4, 1.2)
    assert found.numbers == {(1, 0): 1000.5, (0, 0): 250.25}
    assert chart_text(found).splitlines()[1:] == [
        'power, CNY/kWh     []  ["gpushare"]',
        "   0.4 CNY/kWh  250.2             -",
        "   1.2 CNY/kWh  1,000             -",
    ]


def test_a_line_of_one_axis_takes_the_mean_over_the_others(sweep):
    rows = [row("100"), row("300"), row("10"), row("30")]
    found = chart_of(sweep, rows, axes=["power"])
    assert found.numbers == {(0,): 20.0, (1,): 200.0}
    assert "(mean over the other axes)" in chart_text(found)
    assert chart_text(found).count("█") == 44


@pytest.mark.parametrize("axes", [("power",), ("without",), ()])
def test_pictures_are_whole_and_the_same_for_the_same_numbers(sweep, axes):
    found = chart_of(sweep, ROWS, axes=axes)
    picture = draw(found, "a title", "svg")
    assert picture == draw(found, "a title", "svg")
    assert picture.lstrip().startswith(b"<?xml")
    assert picture.rstrip().endswith(b"</svg>")
    assert b'href="http' not in picture
    assert draw(found, "a title", "png").startswith(b"\x89PNG")


def test_scattered_draws_are_dots_and_not_a_map_with_holes(tmp_path):
    draws = "random: {distribution: uniform, low: 1, high: 2, count: 6"
    axes = f"  - {{path: load, {draws}}}}}\n  - {{path: prices.rent, {draws}, seed: 1}}}}\n"
    sweep = sweep_of(tmp_path, axes, "combine: zip\n" + FAST)
    picture = draw(chart_of(sweep, [row(str(n + 1)) for n in range(6)]), "dots", "svg")
    assert b"PathCollection" in picture


@pytest.mark.parametrize(
    ("value", "axes", "said"),
    [
        ("nvp", (), "did you mean 'npv'"),
        ("power", (), "no column 'power'"),
        ("npv", ("powr",), "did you mean 'power'"),
        ("npv", ("power", "power"), "one axis or two"),
    ],
)
def test_a_chart_of_what_is_not_there_is_refused(sweep, value, axes, said):
    with pytest.raises(RentoptError, match=said):
        chart_of(sweep, ROWS, value, axes)
