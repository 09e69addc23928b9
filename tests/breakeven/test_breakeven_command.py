"""`rentopt breakeven`, and the break-even rows of a plan."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
import typer
from ten_days import write_ten_days
from typer.testing import CliRunner, Result

from optimizer import load_schedule, plan
from optimizer.api import breakeven as find
from optimizer.api import prices_for
from optimizer.breakeven.rows import KEYS
from optimizer.cli.breakeven import breakeven
from optimizer.milp.anytime import Watch
from optimizer.milp.solve import SolveOptions

app = typer.Typer()
app.command()(breakeven)


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    return write_ten_days(tmp_path)


def run(*arguments: object) -> Result:
    found = CliRunner().invoke(app, [str(a) for a in (*arguments, "--as-of", "2026-11-22")])
    assert found.exit_code == 0, found.output
    return found


def test_the_text_tells_use_brackets_ladder_and_map(schedule: Path) -> None:
    text = run(schedule, "--regime").stdout
    assert "buy 1xRTX4090, against renting own/1xRTX4090/day/0" in text
    assert "pays above 13.8 days/month (45.5 %)" in text
    assert "rents all below 0.5000 x all rental prices and buys something above it" in text
    assert "4  1,292.00               20.00          5            0.9167" in text
    assert "x 1         0       2    4      4    4" in text


def test_json_has_a_version_and_plain_values(schedule: Path, tmp_path: Path) -> None:
    target = tmp_path / "points.json"
    run(schedule, "--format", "json", "-o", target, "--no-ladder")
    body = json.loads(target.read_text(encoding="utf-8"))
    assert body["schema_version"] == 1
    assert {r["kind"] for r in body["breakeven"]} == {"pair", "whole"}
    for row in body["breakeven"]:
        assert set(KEYS) <= set(row)
        assert all(v is None or isinstance(v, str | bool | int) for v in row.values())


def test_csv_has_a_line_a_row(schedule: Path) -> None:
    text = run(schedule, "--format", "csv", "--quantity", "rent", "--no-ladder").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {r["quantity"] for r in rows} == {"rental price"}
    assert {r["kind"] for r in rows} == {"pair", "whole"}


def test_a_schedule_that_buys_nothing_has_nothing_to_compare(schedule: Path) -> None:
    text = schedule.read_text(encoding="utf-8")
    first, rest = text.split("hardware:\n  buy:", 1)
    schedule.write_text(first + "market:" + rest.split("market:", 1)[1], encoding="utf-8")
    assert "nothing to compare" in run(schedule).stdout


def test_a_plan_carries_its_main_points(schedule: Path) -> None:
    found = plan(load_schedule(schedule))
    pairs = [row for row in found.breakeven if row["kind"] == "pair"]
    assert [row["quantity"] for row in pairs] == [
        "utilisation", "rental price", "purchase price", "payback with resale",
        "electricity price", "residual value", "discount rate",
    ]  # fmt: skip
    whole = [row for row in found.breakeven if row["kind"] == "whole"]
    assert len(whole) == 4
    assert whole[0]["answer"] == "at"


def test_a_plan_can_leave_the_exact_points_to_the_command(schedule: Path) -> None:
    found = plan(load_schedule(schedule), breakeven_s=0)
    assert "rentopt breakeven" in found.breakeven[-1]["meaning"]
    assert plan(load_schedule(schedule), breakeven_s=None).breakeven == ()


def test_stopped_only_the_parts_that_were_finished_are_told(schedule: Path) -> None:
    asked = load_schedule(schedule)
    book = prices_for(asked, date(2026, 11, 22), store="")

    def stopped_at(until: str) -> list[tuple[str, str]]:
        watch = Watch()

        def progress(step: str) -> None:
            if step == until:
                watch.stop()

        options = SolveOptions(gap=0.005, watch=watch)
        rows = find(asked, book, options, progress=progress)
        return [(str(row["kind"]), str(row["quantity"])) for row in rows]

    whole = stopped_at("never")
    assert {kind for kind, _ in whole} == {"pair", "whole", "ladder"}
    assert stopped_at("break-even points: the ladder") == [x for x in whole if x[0] != "ladder"]
    assert stopped_at("break-even points: the whole plan") == [x for x in whole if x[0] == "pair"]
    assert {kind for kind, _ in stopped_at("looking for the best mix")} <= {"pair"}
