"""A search for a decision that is ended early: the best so far, and no more said than is known."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from cases import book, listed, schedule
from interrupts import stopped
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.milp.anytime import Watch
from optimizer.milp.solve import SolveOptions
from optimizer.report.hedge import hedge_text
from optimizer.report.hedge_document import hedge_schema_text
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.tables import TableFormat
from optimizer.uncertainty.hedge import Hedge
from optimizer.uncertainty.study import hedge
from optimizer.verify import examine

NEAR = SolveOptions(gap=1e-4, time_limit_s=180)
YEAR = Path(__file__).parents[2] / "data" / "schedules" / "startup-cny.yaml"


def stopped_at(folder: Path, number: int) -> tuple[Hedge, list[str]]:
    """Stopped when the step of that number begins, counted from 1; and all the steps."""
    asked, whole, prices = listed(folder), schedule(), book()
    watch, steps = Watch(), list[str]()

    def progress(step: str) -> None:
        steps.append(step)
        if len(steps) == number:
            watch.stop()

    drawn = asked.scenarios(whole, prices)
    options = replace(NEAR, watch=watch)
    return hedge(whole, prices, asked, drawn, options=options, progress=progress), steps


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hedge, list[str]]:
    return stopped_at(tmp_path_factory.mktemp("full"), 0)


def test_stopped_at_any_step_the_decision_so_far_holds_in_every_scenario(
    full: tuple[Hedge, list[str]], tmp_path: Path
) -> None:
    whole, steps = full
    assert not whole.stopped_early
    asked, prices = listed(tmp_path), book()
    assert len(steps) > len(whole.outcomes)
    for number in range(1, len(steps) + 1):
        found, heard = stopped_at(tmp_path, number)
        assert heard[:number] == steps[:number]
        assert found.stopped_early
        assert found.bound <= whole.objective
        assert found.objective >= whole.bound
        for line in found.outcomes:
            outlook = asked.outlook(line.scenario, schedule(), prices)
            body = json.loads(json.dumps(plan_to_dict(line.plan)))
            assert examine(body, schedule(), prices, outlook.realised).faults == ()
            assert line.plan.warnings[0].startswith("stopped early: ")
            assert line.least_bound <= line.least <= line.cost


def test_what_was_not_looked_for_is_no_missing_plan(tmp_path: Path) -> None:
    found, _ = stopped_at(tmp_path, 2)
    assert found.deterministic_signed is None
    text = hedge_text(found, TableFormat.TABLE)
    assert "stopped early: the best decision so far" in text
    assert text.count("not looked for") == 2 * len(found.outcomes) + 1
    assert "no plan" not in text


def test_ctrl_c_prints_the_best_decision_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["init", "scenarios"]).exit_code == 0
    command = ["hedge", str(YEAR), "scenarios.yaml", "--as-of", "2026-11-22", "-v"]
    ended, said = stopped(
        tmp_path, [*command, "--format", "json", "-o", "hedge.json"], "found", signal.SIGINT
    )
    assert ended == 130
    assert "stopping with the best decision so far" in said
    assert "Traceback" not in said
    body = json.loads(Path("hedge.json").read_text(encoding="utf-8"))
    jsonschema.validate(body, json.loads(hedge_schema_text()))
    assert body["stopped_early"] is True
    assert body["gap"] > 0
