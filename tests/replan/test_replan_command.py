"""``rentopt replan`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from interrupts import SIGNALS, stopped
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.errors import VerifyError
from optimizer.replan.actuals import parse_actuals
from optimizer.report.plan_schema import plan_schema
from providers.errors import DocumentError

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"
ACTUALS = "actuals: 1\nservices: [{name: assistant, users: 60}]\n"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the schedule, its plan, and what went otherwise."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_bytes(TINY.read_bytes())
    Path("actuals.yaml").write_text(ACTUALS, encoding="utf-8")
    run("plan", "tiny.yaml", "--as-of", "2026-11-22", "--no-breakeven", "--gap", "0%",
        "--format", "json", "-o", "plan.json")  # fmt: skip
    return tmp_path


AGAIN = ("replan", "plan.json", "tiny.yaml", "--today", "2026-12-03", "--as-of", "2026-11-22",
         "--gap", "0%")  # fmt: skip


def test_the_rest_is_planned_and_what_changed_is_told(desk) -> None:
    text = run(*AGAIN, "--actuals", "actuals.yaml")
    assert "planned again from 2026-12-03" in text
    assert "59.52 CNY paid or agreed before, 173.28 for the rest: 232.80 in all" in text
    assert "load of services, nodes lost" in text
    assert "2026-12-01" not in text.split("\nRent\n")[1].split("\nCalendar")[0]


def test_the_plan_made_again_holds_and_names_what_it_was_made_from(desk) -> None:
    run(*AGAIN, "--actuals", "actuals.yaml", "--format", "json", "-o", "again.json")
    body = json.loads(Path("again.json").read_text(encoding="utf-8"))
    jsonschema.validate(body, plan_schema())
    assert body["replanned_from"]["today"] == "2026-12-03"
    assert body["replanned"]["sunk_total"] == "59.52"
    assert run("verify", "again.json", "tiny.yaml").startswith("holds: ")
    whole = ("verify", "again.json", "tiny.yaml", "--followed", "plan.json")
    assert run(*whole, "--actuals", "actuals.yaml").startswith("holds: ")
    with pytest.raises(VerifyError, match="loads is not what the plan that was followed has left"):
        run(*whole)


def test_a_state_that_was_edited_does_not_hold(desk) -> None:
    run(*AGAIN, "--format", "json", "-o", "again.json")
    body = json.loads(Path("again.json").read_text(encoding="utf-8"))
    body["replanned_from"]["sunk"][0]["amount"] = "1"
    Path("again.json").write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(VerifyError, match="total is"):
        run("verify", "again.json", "tiny.yaml")


def test_the_schema_of_the_actuals_is_printed() -> None:
    assert json.loads(run("schema", "--of", "actuals"))["title"] == "rentopt actuals"


def test_the_same_inputs_give_the_same_bytes(desk) -> None:
    again = (*AGAIN, "--actuals", "actuals.yaml", "--format", "json")
    assert run(*again) == run(*again)


@pytest.mark.parametrize("format", ["md", "csv"])
def test_other_forms_show_the_rest_only(desk, format: str) -> None:
    text = run(*AGAIN, "--format", format)
    assert "2026-12-04" in text
    assert ("# Planned again" in text) == (format == "md")


def test_a_plan_of_another_schedule_is_refused(desk) -> None:
    text = Path("tiny.yaml").read_text(encoding="utf-8")
    Path("tiny.yaml").write_text(text.replace("users: 40", "users: 41"), encoding="utf-8")
    with pytest.raises(VerifyError, match="the schedule has changed since"):
        run(*AGAIN)


def test_faults_of_the_actuals_have_their_place(desk) -> None:
    Path("actuals.yaml").write_text("actuals: 1\njobs: [{name: tun}]\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"actuals.yaml:2:15: jobs.0.name: there is no job"):
        run(*AGAIN, "--actuals", "actuals.yaml")


QUOTE = """- provider: northgpu
  instance_type: 1x RTX 4090
  gpu: RTX4090
  gpu_count: 1
  max_gpus_per_host: 2
  purchase_model: on_demand
  increment: hour
  price: {price}
  currency: CNY
  region: cn
  observed_at: 2026-11-20
  source: mail
"""


def test_quotes_that_have_become_dearer_are_a_cause(desk) -> None:
    Path("then.yaml").write_text(QUOTE.format(price="0.50"), encoding="utf-8")
    Path("now.yaml").write_text(QUOTE.format(price="0.80"), encoding="utf-8")
    run("plan", "tiny.yaml", "--as-of", "2026-11-22", "--no-breakeven", "--quotes", "then.yaml",
        "--format", "json", "-o", "plan.json")  # fmt: skip
    now = ("--quotes", "now.yaml")
    with pytest.raises(VerifyError, match=r"(?s)tables is .* hint: .*\(--old-quotes\)"):
        run(*AGAIN, *now)
    both = (*now, "--old-quotes", "then.yaml")
    run(*AGAIN, *both, "--format", "json", "-o", "again.json")
    record = json.loads(Path("again.json").read_text(encoding="utf-8"))["replanned"]
    changes = {change["cause"]: change["total"] for change in record["changes"]}
    # One node, 24 h on three working days: 0.30 CNY/hour more.
    assert changes == {"optimiser": "0", "prices": "21.6"}
    verified = run("verify", "again.json", "tiny.yaml", "--followed", "plan.json", *both)
    assert verified.startswith("holds: ")


def test_what_was_to_be_paid_for_the_rest_does_not_depend_on_other_bills(desk) -> None:
    Path("bills.yaml").write_text("actuals: 1\npaid: 100 CNY\n", encoding="utf-8")
    plain, billed = run(*AGAIN), run(*AGAIN, "--actuals", "bills.yaml")
    lines = [
        next(line for line in text.splitlines() if "carried on as it was" in line)
        for text in (plain, billed)
    ]
    assert lines[0] == lines[1]
    assert "100.00 CNY paid or agreed before" in billed


def test_the_actuals_of_the_manual_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "replan.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert parse_actuals(example.encode(), "actuals.yaml").document.paid is not None


# -- stopped early -------------------------------------------------------------------------


YEAR = TINY.parent / "startup-cny.yaml"


@SIGNALS
def test_a_signal_ends_it_with_the_best_rest_so_far(tmp_path, monkeypatch, number, code) -> None:
    monkeypatch.chdir(tmp_path)
    year, day = [str(YEAR)], ["--as-of", "2026-11-22", "-v", "--format", "json", "--gap", "0%"]
    stopped(tmp_path, ["plan", *year, *day, "-o", "plan.json"], "found", number)
    again = ["replan", "plan.json", *year, "--today", "2027-03-01", *day, "-o", "again.json"]
    ended, said = stopped(tmp_path, again, "found", number)
    assert ended == code
    assert "stopping with the best plan so far" in said
    assert "Traceback" not in said
    body = json.loads(Path("again.json").read_text(encoding="utf-8"))
    assert body["warnings"][0].startswith("stopped early: the best plan so far; at most ")
    assert body["warnings"][0].endswith(" of the rest's cost could be saved")
    assert float(body["replanned"]["rest_bound"]) < float(body["replanned"]["rest_present_value"])
    verified = run("verify", "again.json", *year, "--followed", "plan.json")
    assert verified.startswith("holds: ")


def test_the_commands_to_type_next_keep_the_plan_that_was_followed(desk) -> None:
    text = run(*AGAIN, "--actuals", "actuals.yaml")
    again, verify = (line.split("  ")[1] for line in text.split("\nNext\n")[1].splitlines())
    before = Path("plan.json").read_bytes()
    run(*again.split()[1:])
    assert run(*verify.split()[1:]).startswith("holds: ")
    assert Path("plan.json").read_bytes() == before
