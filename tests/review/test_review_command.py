"""``rentopt review``: from a plan or a schedule to a file, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from review_cases import tiny
from spreadsheet import cell, opened

from optimizer.report.plan_json import plan_to_json

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"
MAIN = [sys.executable, "-c", "from optimizer.cli.main import main; main()"]


@pytest.fixture
def run(tmp_path):
    def runs(*arguments, code=0):
        done = subprocess.run(
            [*MAIN, *map(str, arguments)], capture_output=True, cwd=tmp_path,
            env={**os.environ, "RENTOPT_STORE": str(tmp_path / "none.db")}, timeout=120,
        )  # fmt: skip
        assert done.returncode == code, done.stderr.decode()
        return done.stdout, done.stderr.decode()

    runs.folder = tmp_path
    return runs


@pytest.fixture
def plan(tmp_path):
    """Made once for all tests, put into the folder of each."""
    (tmp_path / "tiny.yaml").write_bytes(TINY.read_bytes())
    (tmp_path / "plan.json").write_text(plan_to_json(tiny()[0]), encoding="utf-8")
    return tmp_path / "plan.json"


def test_a_workbook_and_the_json_of_one_plan_say_the_same(run, plan):
    _, told = run("review", plan, "--format", "xlsx", "-o", "review.xlsx")
    assert "wrote review.xlsx" in told
    book = opened(plan.with_name("review.xlsx").read_bytes(), values=True)
    body = json.loads(run("review", plan, "--format", "json")[0])
    for name, answer in body["outputs"].items():
        shown = cell(book, f"out_{name}").value
        if answer["value"] is None:
            assert isinstance(shown, str)
        else:
            assert abs(shown - float(answer["value"])) <= 1e-6 * max(1, abs(shown))
    assert body["assumptions"]["rate"] == "0.08"
    assert body["outputs"]["payback"]["code"] == "never"


def test_a_schedule_that_may_buy_nothing_has_a_review_of_what_it_spends(run):
    team = TINY.with_name("team-eur.yaml")
    body = yaml.safe_load(team.read_text(encoding="utf-8"))
    body["workloads"] = body["workloads"][:1]
    body["horizon"]["days"] = "7 days"
    (run.folder / "team.yaml").write_text(yaml.safe_dump(body), encoding="utf-8")
    run("plan", "team.yaml", "--as-of", "2026-11-22", "--format", "json", "-o", "team.json")
    for form in ("html", "md", "xlsx", "json"):
        run("review", "team.json", "--format", form, "-o", f"out.{form}")
    comment = (run.folder / "out.md").read_text(encoding="utf-8")
    assert "name what could be bought under hardware.buy" in comment
    body = json.loads((run.folder / "out.json").read_text(encoding="utf-8"))
    assert body["not_weighed"]["code"] == "none_allowed"
    _, told = run("review", "team.json", "--explain", "npv", "--set", "rent=3", code=2)
    assert "no purchase is weighed" in told
    bill, _ = run("review", "team.json", "--format", "focus")
    total = json.loads((run.folder / "team.json").read_text())["total"]
    rows = list(csv.DictReader(io.StringIO(bill.decode())))
    assert abs(sum(float(row["BilledCost"]) for row in rows) - float(total)) <= 0.005


def test_a_schedule_is_planned_first(run, plan):
    asked = ("--format", "json")
    planned = json.loads(run("review", "tiny.yaml", "--as-of", "2026-11-22", *asked)[0])
    read = json.loads(run("review", plan, *asked)[0])
    assert planned == read


def test_focus_rows_need_the_plan_alone(run, plan, tmp_path):
    (tmp_path / "tiny.yaml").unlink()
    text = run("review", plan, "--format", "focus")[0].decode()
    assert text.startswith("BilledCost,BillingAccountId,")
    newer = run("review", plan, "--format", "focus", "--focus-version", "1.4")[0].decode()
    assert "ServiceProviderName" in newer.splitlines()[0]


def _plain(told):
    """Without the box around it."""
    return " ".join(told.replace("│", "").split())


def test_every_answer_of_the_json_is_explained_by_its_name(run, plan):
    body = json.loads(run("review", plan, "--format", "json")[0])
    listed = json.loads(run("review", plan, "--explain", "list", "--format", "json")[0])
    values = {figure["name"]: figure["value"] for figure in listed}
    for name, answer in body["outputs"].items():
        if answer["value"] is None:
            assert values[name] is None
        else:
            assert abs(float(values[name]) - float(answer["value"])) <= 1e-15 * abs(
                float(values[name])
            )
    assert float(values["plan.pv"]) > 0
    asked = [part for name in body["outputs"] for part in ("--explain", name)]
    trees = json.loads(run("review", plan, *asked, "--format", "json")[0])
    assert [tree["name"] for tree in trees] == list(body["outputs"])


def test_an_explanation_is_a_tree_as_deep_as_asked(run, plan):
    text = run("review", plan, "--explain", "npv", "--depth", "1")[0].decode()
    npv = json.loads(run("review", plan, "--format", "json")[0])["outputs"]["npv"]["value"]
    lines = text.splitlines()
    title = "NPV of buying less renting"
    assert lines[0].startswith(f"{title} = {float(npv):,.2f} CNY; pv_rent - pv_buy = ")
    assert [line[:2] for line in lines[1:]] == ["  ", "  "]
    whole = run("review", plan, "--explain", "npv", "--explain", "rent_1")[0].decode()
    assert "set by the schedule" in whole
    assert "\n\nrent: rent of a GPU-hour" in whole
    listed = run("review", plan, "--explain", "list")[0].decode()
    assert "plan.month.2026-12" in listed


def test_a_figure_is_explained_at_another_assumption(run, plan):
    asked = ("--explain", "npv", "--set", "rent=5", "--set", "use=0.9")
    text = run("review", plan, *asked)[0].decode()
    assert "= 5 CNY/GPU-hour [another value, asked for, set by the command]" in text
    assert text.startswith("NPV of buying less renting = 977.14 CNY")
    _, told = run("review", plan, "--explain", "npv", "--set", "rents=5", code=2)
    assert "'rents' is no assumption; there are rent, use" in " ".join(
        told.replace("│", "").split()
    )
    _, told = run("review", plan, "--explain", "npv", "--set", "rent=dear", code=2)
    assert "'dear' is no number" in told
    _, told = run("review", plan, "--format", "json", "--set", "rent=5", code=2)
    assert "is of --explain" in told


def test_a_figure_that_is_not_known_is_refused_with_those_that_are(run, plan):
    _, told = run("review", plan, "--explain", "profit", code=2)
    assert "'profit' is no figure of this review; there are npv, npv_buy" in told
    _, told = run("review", plan, "--explain", "npv", "--format", "focus", code=2)
    assert "--explain writes text, or json" in _plain(told)
    _, told = run("review", plan, code=2)
    assert "xlsx, focus, json; or --explain" in _plain(told)


def test_a_workbook_goes_through_a_pipe_whole(run, plan):
    body, _ = run("review", plan, "--format", "xlsx")
    assert cell(opened(body, values=True), "master_check").value == "OK"


def test_a_plan_whose_schedule_is_gone_or_changed_is_refused(run, plan, tmp_path):
    place = tmp_path / "tiny.yaml"
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace("7 days", "8 days"), encoding="utf-8")
    _, told = run("review", plan, "--format", "json", code=2)
    assert "was changed since" in told
    place.unlink()
    _, told = run("review", plan, "--format", "json", code=2)
    assert "--schedule" in told
    other = tmp_path / "elsewhere.yaml"
    other.write_text(text, encoding="utf-8")
    body, _ = run("review", plan, "--format", "json", "--schedule", other)
    assert json.loads(body)["name"] == "one week"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("[]", "no plan, but a JSON list"), ("{", "not JSON"), ('{"schema_version": 9}', "found 9")],
)
def test_what_is_no_plan_is_refused_with_the_reason(run, tmp_path, text, reason):
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    _, told = run("review", "odd.json", "--format", "focus", code=2)
    assert reason in told
    assert "Traceback" not in told


def test_a_memo_is_one_file_in_the_language_asked_for(run, plan):
    for lang, words in (("en", "Buy or rent: one week"), ("zh", "购置还是租用：one week")):
        asked = ("--format", "html", "--lang", lang, "-o", f"{lang}.html")
        assert f"wrote {lang}.html" in run("review", plan, *asked)[1]
        text = plan.with_name(f"{lang}.html").read_text(encoding="utf-8")
        assert text.startswith("<!DOCTYPE html>")
        assert f"<h1>{words}</h1>" in text
    static = run("review", plan, "--format", "html", "--static")[0].decode()
    assert "<script" not in static


def test_memo_workbook_and_json_lead_with_the_same_npv(run, plan):
    body = json.loads(run("review", plan, "--format", "json")[0])
    page = run("review", plan, "--format", "html")[0].decode()
    npv = body["outputs"]["npv"]["value"]
    assert f'data-figure="npv" value="{npv}"' in page
    comment = run("review", plan, "--format", "md")[0].decode()
    assert f"{abs(float(npv)):,.0f} CNY" in comment


@pytest.mark.parametrize(("format", "code"), [("html", 2), ("md", 0)])
def test_without_the_extra_a_memo_as_html_is_refused_and_markdown_is_not(run, plan, format, code):
    blocked = "import sys; sys.modules['jinja2'] = sys.modules['markupsafe'] = None; "
    done = subprocess.run(
        [sys.executable, "-c", blocked + MAIN[2], "review", str(plan), "--format", format],
        capture_output=True, text=True, cwd=plan.parent, timeout=120,
        env={**os.environ, "RENTOPT_STORE": str(plan.with_name("none.db"))},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert ("pip install rentopt[review]" in done.stderr) == bool(code)
    assert "Traceback" not in done.stderr
