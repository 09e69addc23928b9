"""A user's table of measured speeds from the schedule, or the command, to a plan that holds."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.api import prices_for
from optimizer.cli.main import app
from optimizer.options.mixes import BucketRate, bucket_rate
from optimizer.options.workloads import job_options, service_options
from optimizer.problem import gather
from optimizer.schedule.document import BatchInferenceJob, ServiceWorkload
from optimizer.schedule.load import load_schedule
from optimizer.sizing.measured.own import REQUIRED
from optimizer.sweep.load import load_sweep
from providers.errors import DocumentError
from providers.hardware import node_kind

DAY = date(2026, 11, 22)
SCHEDULE = """\
rentopt: 1
currency: CNY
horizon: {start: 2026-12-20, days: 2 days}
measurements: my.csv
workloads:
  - {name: chat, kind: service, model: Qwen2.5-7B, prompt_tokens: 800, output_tokens: 300,
     phases: [{users: 4}], hardware: {allow: [RTX4090]}}
  - {name: sizes, kind: service, model: Qwen2.5-7B, phases: [{requests: 0.2 requests/s}],
     mix: [{prompt_tokens: 800, output_tokens: 300, share: 100 %}], hardware: {allow: [RTX4090]}}
  - {name: offline, kind: batch_inference, model: Qwen2.5-7B, requests: 2000,
     prompt_tokens: 800, output_tokens: 300, hardware: {allow: [RTX4090]}}
market: {rent: true}
"""
ROW = "RTX 4090,1,Qwen2.5-7B,bf16,vllm,800,300,{users},output_tok_s,{pace}"
SLOW = tuple(ROW.format(users=n, pace=pace) for n, pace in ((1, 20), (8, 124), (200, 400)))

RESTS_ON_A_ROW = ("measured", "interpolated")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chat.yaml").write_text(SCHEDULE, encoding="utf-8")
    write(tmp_path / "my.csv", *SLOW)
    return tmp_path


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((",".join(REQUIRED), *rows)) + "\n", encoding="utf-8")
    return path


def without_key(folder: Path) -> Path:
    path = folder / "bare.yaml"
    path.write_text(SCHEDULE.replace("measurements: my.csv\n", ""), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=True)
    return done.exit_code, f"{done.output} {done.exception or ''}"


def test_services_mixes_and_batches_run_at_the_measured_speed(folder: Path) -> None:
    schedule = load_schedule(folder / "chat.yaml")
    problem = gather(schedule, prices_for(schedule, DAY))
    card = node_kind("1xRTX4090")
    chat, sizes = problem.services
    [alone] = [o for o in chat.options if o.kind == card]
    assert 8 <= alone.capacity < 12
    assert alone.label in RESTS_ON_A_ROW
    [mixed] = [o for o in sizes.options if o.kind == card]
    assert mixed.capacity == pytest.approx(124 / 300, rel=0.1)
    [gang] = [o for o in problem.jobs[0].options if o.kind == card]
    bare = load_schedule(without_key(folder))
    quicker = gather(bare, prices_for(bare, DAY)).jobs[0]
    assert gang.rate < 0.5 * next(o.rate for o in quicker.options if o.kind == card)


def test_functions_take_the_rows_as_the_schedule_gives_them(folder: Path) -> None:
    schedule = load_schedule(folder / "chat.yaml")
    assert [row.value for row in schedule.own_rows] == [20, 124, 400]
    card = node_kind("1xRTX4090")
    given = {"as_of": DAY, "own_rows": schedule.own_rows}
    for workload in schedule.document.workloads:
        if isinstance(workload, BatchInferenceJob):
            assert job_options(workload, [card], **given)[0]
        elif isinstance(workload, ServiceWorkload):
            assert service_options(workload, [card], **given)[0]
            for bucket in workload.mix:
                found = bucket_rate(workload, bucket, card.gpu, 1, DAY, schedule.own_rows)
                assert isinstance(found, BucketRate)
                assert found.label in RESTS_ON_A_ROW


def test_the_table_is_part_of_what_a_schedule_is_told_by(folder: Path) -> None:
    named = load_schedule(folder / "chat.yaml").sha256
    write(folder / "other.csv", SLOW[0])
    assert load_schedule(folder / "chat.yaml", folder / "other.csv").sha256 != named
    assert load_schedule(folder / "chat.yaml", folder / "my.csv").sha256 == named
    write(folder / "my.csv", *reversed(SLOW))
    assert load_schedule(folder / "chat.yaml").sha256 != named


def test_a_plan_holds_with_its_table_and_with_no_other(folder: Path) -> None:
    schedule, plan = folder / "chat.yaml", folder / "plan.json"
    asked = ("--as-of", "2026-11-22", "--store", "none")
    made = ("--format", "json", "--no-breakeven", "-o", plan)
    assert run("plan", schedule, *asked, *made)[0] == 0
    assert json.loads(plan.read_bytes())["schedule_sha256"] == load_schedule(schedule).sha256
    assert run("verify", plan, schedule, "--store", "none")[0] == 0
    write(folder / "my.csv", SLOW[0])
    code, told = run("verify", plan, schedule, "--store", "none")
    assert code != 0
    assert "or a table read with it" in told


def test_the_option_does_what_the_key_does(folder: Path) -> None:
    bare, plan = without_key(folder), folder / "plan.json"
    table = ("--measurements", folder / "my.csv", "--store", "none")
    asked = ("--as-of", "2026-11-22", "--format", "json", "--no-breakeven", "-o", plan)
    assert run("plan", bare, *table, *asked)[0] == 0
    assert run("verify", plan, bare, *table)[0] == 0
    assert run("verify", plan, bare, "--store", "none")[0] != 0
    again = ("replan", plan, bare, "--today", "2026-12-21", "--format", "json", "-o")
    assert run(*again, folder / "again.json", *table)[0] == 0
    assert run(*again, folder / "none.json", "--store", "none")[0] != 0


def test_a_sweep_plans_with_the_table(folder: Path) -> None:
    (folder / "sweep.yaml").write_text(
        "rentopt_sweep: 1\nschedule: chat.yaml\n"
        "axes: [{path: workloads.chat.phases.0.users, list: [4, 8]}]\n",
        encoding="utf-8",
    )
    sweep = load_sweep(folder / "sweep.yaml")
    for edits in sweep.cases():
        assert len(sweep.schedule_of(edits).own_rows) == 3


def test_every_fault_of_the_table_has_file_line_and_column(folder: Path) -> None:
    write(folder / "my.csv", SLOW[0], "RTX 4090,0,Qwen2.5-7B,bf16,vllm,800,300,x,output_tok_s,9")
    with pytest.raises(DocumentError) as told:
        load_schedule(folder / "chat.yaml")
    places = [(Path(f.file).name, f.line, f.column) for f in told.value.faults]
    assert places == [("my.csv", 3, 2), ("my.csv", 3, 8)]


def test_a_table_that_is_not_there_is_told_at_the_key(folder: Path) -> None:
    (folder / "my.csv").unlink()
    with pytest.raises(DocumentError, match=r"'my\.csv' cannot be read") as told:
        load_schedule(folder / "chat.yaml")
    [fault] = told.value.faults
    assert (Path(fault.file).name, fault.line, fault.path) == ("chat.yaml", 4, "measurements")
