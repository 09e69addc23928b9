"""A plan that was made holds; a plan that was tampered with does not, and the fault says where."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from test_tampered_plans import cheaper_rental, data_not_moved
from typer.testing import CliRunner
from verified_plans import EVERYTHING, Json, as_read, everything

from optimizer.api import Solved, make_plan, plan, prices_for, solve_problem
from optimizer.cli.verify import verify as verify_command
from optimizer.errors import VerifyError
from optimizer.milp.solve import SolveOptions
from optimizer.plans import Answer, Plan
from optimizer.problem import gather
from optimizer.report.plan_json import plan_to_dict
from optimizer.schedule.load import load_schedule, parse_schedule
from optimizer.schedule.schedule import Schedule
from optimizer.verify import PlanFormatError, examine, verify
from providers.book import bundled_book
from providers.bundled import data_path
from providers.offers import OfferBook

SCHEDULES = sorted(data_path("schedules").rglob("*.yaml"))
ROUGH = SolveOptions(gap=0.1, time_limit_s=8)
SLOW = {"mixed", "small-deployment", "training"}
NOT_ASKED = Answer("rent", None, None, None, None, "not asked")


@cache
def made(path: Path) -> tuple[Json, Schedule, OfferBook]:
    schedule = load_schedule(path)
    book = prices_for(schedule)
    if path.parent.name == "starters" and path.stem in SLOW:
        return plan_to_dict(mix_only(schedule, book)), schedule, book
    return plan_to_dict(plan(schedule, book, ROUGH)), schedule, book


def mix_only(schedule: Schedule, book: OfferBook) -> Plan:
    """The plan without the other two answers, for schedules that take the solver long."""
    problem = gather(schedule, book)
    mix = solve_problem(problem, replace(ROUGH, time_limit_s=60))
    assert isinstance(mix, Solved)
    npv = problem.costs.present_value(flow for _, flow in mix.parts.bill)
    total = sum((flow.amount for _, flow in mix.parts.bill), Decimal(0))
    bound, gap = Decimal(repr(mix.solution.bound)), mix.solution.gap
    best = Answer("mix", total, npv, bound, gap, nodes_bought=mix.nodes_bought)
    rent = replace(best, kind="rent") if not mix.nodes_bought else NOT_ASKED
    return make_plan(mix, (rent, replace(NOT_ASKED, kind="own"), best))


@pytest.mark.parametrize("path", SCHEDULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_bundled_schedule_gets_a_plan_that_holds(path: Path) -> None:
    body, schedule, book = made(path)
    verdict = examine(as_read(body), schedule, book)
    assert verdict.faults == ()
    assert verdict.n_checks > 40


def test_a_plan_with_a_bit_of_everything_holds_and_has_it() -> None:
    body, schedule, book = everything()
    assert verify(as_read(body), schedule, book) == []
    for part in ("rentals", "bought", "assignments", "usages", "moved", "ledger"):
        assert body[part], part
    assert any(usage["workload"] for usage in body["usages"])
    assert any(rental["workload"] for rental in body["rentals"])
    assert examine(body, schedule, book).n_checks > 500


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    body, _, _ = everything()
    (tmp_path / "plan.json").write_text(json.dumps(body), encoding="utf-8")
    (tmp_path / "schedule.yaml").write_text(EVERYTHING, encoding="utf-8")
    return tmp_path / "plan.json", tmp_path / "schedule.yaml"


def run(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(verify_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_says_what_was_checked(files: tuple[Path, Path]) -> None:
    result = run(*files)
    assert result.exit_code == 0
    assert result.stdout.startswith("holds: ")
    assert "load of services" in result.stdout
    told = json.loads(run(*files, "--format", "json").stdout)
    assert told["holds"] is True
    assert told["faults"] == []
    assert sum(told["checks"].values()) > 500


def test_the_command_tells_every_fault_on_a_line_and_exits_with_7(
    files: tuple[Path, Path],
) -> None:
    body = json.loads(files[0].read_text(encoding="utf-8"))
    cheaper_rental(body)
    data_not_moved(body)
    files[0].write_text(json.dumps(body), encoding="utf-8")
    result = run(*files)
    assert isinstance(result.exception, VerifyError)
    assert result.exception.exit_code == 7
    lines = str(result.exception).splitlines()
    assert f"{len(lines) - 1} faults" in lines[0]
    assert any("cost is 0.01" in line for line in lines)
    told = json.loads(run(*files, "--format", "json").stdout)
    assert told["faults"] == lines[1:]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "no plan, but a JSON list"),
        ("{}", "found none"),
        ('{"schema_version": 99}', "found 99"),
        ('{"schema_version": 1}', "rentals: field required"),
        ("[" * 100_000, "not JSON"),
        ("\udcff", "not UTF-8"),
    ],
)
def test_what_is_no_plan_is_told_in_words(files: tuple[Path, Path], text: str, words: str) -> None:
    files[0].write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run(*files)
    assert isinstance(result.exception, PlanFormatError)
    assert result.exception.exit_code == 2
    assert words in str(result.exception)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("total",), "NaN"),
        (("npv",), "1e999999"),
        (("gap",), "inf"),
        (("n_days",), "many"),
        (("rentals", 0, "nodes"), -1),
        (("rentals", 0, "nodes"), 10**30),
        (("rentals", 0, "start"), "soon"),
        (("usages", 0, "nodes"), None),
        (("answers", 0, "kind"), "lease"),
        (("ledger",), {}),
        (("cash_flow", "2026-12"), []),
    ],
)
def test_odd_values_in_a_plan_are_told_with_their_place(
    path: tuple[str | int, ...], value: object
) -> None:
    body, schedule, book = everything()
    copied = as_read(body)
    place: Any = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(PlanFormatError, match=str(path[0])):
        verify(copied, schedule, book)


def test_days_far_away_are_faults_and_no_crash() -> None:
    for part in ("rentals", "bought", "assignments", "usages"):
        for key, day in (("start", "0001-01-01"), ("end", "9999-12-31"), ("sold", "9999-12-31")):
            body, schedule, book = everything()
            copied = copy.deepcopy(body)
            if key in copied[part][0]:
                copied[part][0][key] = day
                assert verify(copied, schedule, book)


def test_a_plan_made_with_quotes_holds_with_the_same_quotes_only(tmp_path: Path) -> None:
    quotes = tmp_path / "quotes.csv"
    quotes.write_text(
        "provider,instance_type,region,gpu,gpu_count,purchase_model,increment,price,currency,"
        "observed_at,source\n"
        "friend,pc,home,RTX4090,1,on_demand,hour,0.01,CNY,2026-11-20,a letter\n",
        encoding="utf-8",
    )
    schedule = parse_schedule(EVERYTHING, "schedule.yaml")
    book = bundled_book(as_of=date(2026, 11, 22), quotes=[quotes])
    body = plan_to_dict(plan(schedule, book, ROUGH))
    assert any(rental["provider"] == "friend" for rental in body["rentals"])
    (tmp_path / "plan.json").write_text(json.dumps(body), encoding="utf-8")
    (tmp_path / "schedule.yaml").write_text(EVERYTHING, encoding="utf-8")
    files = (tmp_path / "plan.json", tmp_path / "schedule.yaml")
    assert run(*files, "--quotes", quotes).exit_code == 0
    assert "tables is" in str(run(*files).exception)
