"""``rentopt simulate`` as it is typed, over a file and over a store."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from markets import write_history
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "prices"))

from market import fill

from optimizer.cli.main import app

SOME = """
rentopt: 1
name: some days
currency: CNY
horizon: {start: 2027-01-04, days: 10 days}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{users: 30}]
    floor: 20 tokens/s
    hardware: {allow: [GPU]}
hardware:
  buy: [{node: 1xRTX4090, price: 900 CNY, max: 2}]
market: {providers: {allow: [acme]}}
"""


def run(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == exit_code, result.output
    return result.output if exit_code else result.stdout


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("some.yaml").write_text(SOME.replace("GPU", "RTX4090"), encoding="utf-8")
    write_history(tmp_path / "past.csv", 3, 10)
    return tmp_path


OVER = ("simulate", "some.yaml", "--from", "2026-09-01", "--to", "2026-09-10", "--gap", "0%")
FILE = (*OVER, "--history", "past.csv")


def test_the_table_compares_all_ways(desk) -> None:
    text = run(*FILE, "--every", "5d")
    assert "on the prices of 2026-09-01 to 2026-09-10, in CNY, planned every 5 days" in text
    for name in ("rentopt, planned again", "perfect foresight", "always on demand"):
        assert name in text


def test_json_and_csv_have_the_same_rows(desk) -> None:
    body = json.loads(run(*FILE, "--format", "json", "--seed", "5"))
    rows = list(csv.DictReader(io.StringIO(run(*FILE, "--format", "csv", "--seed", "5"))))
    assert [row["strategy"] for row in body["rows"]] == [row["strategy"] for row in rows]
    assert [row["total"] or "" for row in body["rows"]] == [row["total"] for row in rows]
    assert body["seed"] == 5


def test_the_prices_of_a_store_are_used_day_by_day(desk) -> None:
    fill(desk / "prices.db", days=45)
    Path("some.yaml").write_text(SOME.replace("GPU", "H100"), encoding="utf-8")
    window = ("simulate", "some.yaml", "--from", "2026-09-28", "--to", "2026-10-07")
    text = run(*window, "--store", "prices.db", "--format", "json")
    rows = {row["strategy"]: row for row in json.loads(text)["rows"]}
    rented = float(rows["always on demand"]["total"])
    # The price by the hour rises by a cent a day from the fourth of these ten days on.
    frozen = run("plan", "some.yaml", "--as-of", "2026-09-28", "--store", "prices.db",
                 "--format", "json", "--only-rent")  # fmt: skip
    assert rented > 0
    assert float(json.loads(frozen)["total"]) > 0
    assert rented >= float(rows["perfect foresight"]["bound"]) * (1 - 1e-9)


YEAR = """
rentopt: 1
name: a year
currency: CNY
horizon: {start: 2027-01-04, days: 366 days}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{users: 30}]
    floor: 20 tokens/s
    hardware: {allow: [H100-SXM5-80GB]}
hardware:
  buy: [{node: 1xH100-SXM5-80GB, price: 90000 CNY, max: 1}]
market: {providers: {allow: [acme]}, quotes: [month.yaml]}
money: {residual: {12 months: 60 %}}
"""
MONTH = """
- {provider: acme, instance_type: h100 by the month, gpu: H100-SXM5-80GB, gpu_count: 1,
   purchase_model: reserved, increment: month, tenor: P1M, price: 1800, currency: USD,
   observed_at: 2026-09-01, source: mail}
"""


def test_a_year_of_stored_prices_is_followed_in_every_way(desk) -> None:
    fill(desk / "prices.db", days=370)
    Path("some.yaml").write_text(YEAR, encoding="utf-8")
    Path("month.yaml").write_text(MONTH, encoding="utf-8")
    window = ("simulate", "some.yaml", "--from", "2026-09-01", "--to", "2027-09-01")
    text = run(*window, "--store", "prices.db", "--every", "61d", "--format", "json")
    body = json.loads(text)
    rows = {row["strategy"]: row for row in body["rows"]}
    assert [name for name, row in rows.items() if row["total"] is None] == []
    least = float(rows["perfect foresight"]["bound"])
    assert all(float(row["present_value"]) >= least * (1 - 1e-9) for row in rows.values())
    # The price by the hour rises by a cent a day from the 31st day on: 3 to 6 USD.
    dearest = float(rows["always on demand"]["total"])
    assert dearest > 2 * float(rows["rentopt, planned again"]["total"])
    assert float(rows["break-even rule, terms"]["total"]) < dearest
    assert float(rows["break-even rule, buying"]["total"]) < dearest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--every", "weekly"), "no number of days"),
        (("--to", "2026-08-01"), "the last day is before the first"),
    ],
)
def test_a_wrong_call_is_told(desk, arguments: tuple[str, str], words: str) -> None:
    assert words in run(*FILE, *arguments, exit_code=2)
