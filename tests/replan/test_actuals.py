"""What really happened, told in a file: every fault with its place, and what it does to a plan."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import jsonschema
import pytest
from small import EXACT, book, news, planned, schedule

from optimizer.errors import NoPlanError
from optimizer.replan.actuals import actuals_schema, load_actuals, parse_actuals
from optimizer.replan.past import standing_after
from optimizer.replan.run import ALL_LISTINGS, DayError, replan
from optimizer.resume import gather_rest
from providers.errors import DocumentError

SEED = 7


@pytest.fixture(scope="module")
def week():
    asked, prices = schedule(SEED), book(SEED)
    return asked, prices, planned(asked, prices)


def stands(week, text: str, day: int = 3):
    asked, prices, old = week
    problem = gather_rest(asked, prices, None, ALL_LISTINGS)
    today = asked.first_day + timedelta(day)
    return standing_after(problem, old.document, today, "", news(text))


def faults(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse_actuals(text.encode(), "actuals.yaml")
    return [str(fault) for fault in caught.value.faults]


def refused(week, text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        stands(week, text)
    (fault,) = caught.value.faults
    return str(fault)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jobs: []", "actuals.yaml:1:1: actuals: the key 'actuals' is missing"),
        ("actuals: 2", "actuals.yaml:1:10: actuals: expected 1, found '2'"),
        ("actuals: 1\njob: []", "actuals.yaml:2:1: job: unknown key 'job'; hint: did you mean"),
        (
            "actuals: 1\njobs:\n  - {name: a, tokens: lots}",
            "actuals.yaml:3:23: jobs.0.tokens: ",
        ),
        (
            "actuals: 1\nlost:\n  - {node: 3xUnicorn}",
            "actuals.yaml:3:12: lost.0.node: ",
        ),
        ("actuals: 1\nactuals: 1", "actuals.yaml:2:1: actuals: the key 'actuals' is given twice"),
        ("- 1", "actuals.yaml:1:1: expected a mapping of sections"),
        ("", "actuals.yaml: the file is empty"),
        ("actuals: 1\npaid: 5", "actuals.yaml:2:7: paid: "),
        ("actuals: 1\nservices:\n  - {users: 5}", "actuals.yaml:3:5: services.0.name: the key"),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in faults(text)), faults(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jobs: [{name: tuen, done: 5%}]", "there is no job 'tuen' in the schedule; hint: did"),
        ("services: [{name: tune, factor: 2}]", "there is no service 'tune' in the schedule"),
        ("jobs: [{name: tune, requests: 5}]", "the work of 'tune' is counted in tokens"),
        ("jobs: [{name: tune, tokens: 5, done: 5%}]", "the work done is given twice, as done and"),
        ("jobs: [{name: tune, tokens: 90B tokens}]", "less than are done"),
        ("jobs: [{name: tune, deadline: 2028-01-01}]", "2028-01-01 is outside what is left, "),
        ("jobs: [{name: tune}, {name: tune}]", "'tune' is told twice"),
        ("services: [{name: chat, requests: 2}]", "the load of 'chat' is counted in users"),
        ("services: [{name: chat}]", "expected one of users, requests and factor, found none"),
        ("lost: [{node: 1xRTX4090, count: 90}]", "90 x 1xRTX4090 are lost, "),
    ],
)
def test_what_does_not_fit_the_schedule_is_told_with_its_place(
    week, text: str, expected: str
) -> None:
    fault = refused(week, text)
    assert expected in fault
    assert fault.startswith("actuals.yaml:2:")


def test_the_schema_takes_what_is_read() -> None:
    jsonschema.Draft202012Validator.check_schema(actuals_schema())
    body = {
        "actuals": 1,
        "jobs": [{"name": "tune", "tokens": "30M tokens", "deadline": "2026-12-30"}],
        "services": [{"name": "chat", "users": 50}],
        "lost": [{"node": "1xRTX4090", "count": 1}],
        "paid": "500 CNY",
    }
    jsonschema.validate(body, actuals_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body | {"job": []}, actuals_schema())


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: no such file"):
        load_actuals(tmp_path / "nowhere.yaml")


def test_progress_replaces_what_was_planned(week) -> None:
    assert stands(week, "jobs: [{name: tune, tokens: 1M tokens}]").work_done("tune") == 1_000_000
    half = stands(week, "jobs: [{name: tune, done: 50%}]").work_done("tune")
    whole = next(w for w in week[0].document.workloads if w.name == "tune")
    assert half == Decimal(repr(whole.tokens)) / 2


def test_users_seen_scale_the_load_by_what_the_schedule_says_of_that_day(week) -> None:
    users = week[0].document.workloads[0].phases[0].users
    standing = stands(week, f"services: [{{name: chat, users: {users * 1.5}}}]")
    assert standing.load_factor("chat") == pytest.approx(1.5)


def test_lost_nodes_are_taken_from_the_owned_ones_first(week) -> None:
    standing = stands(week, "lost: [{node: 1xRTX4090}]")
    assert [(item.asset, item.nodes) for item in standing.lost] == [("owned 1xRTX4090", 1)]


def test_bills_beside_the_plan_make_the_sunk_money_what_was_paid(week) -> None:
    standing = stands(week, "paid: 12345 CNY")
    today = week[0].first_day + timedelta(3)
    assert sum(line.amount for line in standing.sunk if line.day < today) == 12345


def test_a_cause_is_told_for_each_thing_that_went_otherwise(week) -> None:
    asked, _, old = week
    today = asked.first_day + timedelta(2)
    more = news("jobs: [{name: tune, done: 0%}]\nservices: [{name: chat, factor: 2}]\npaid: 1 CNY")
    dear = book(SEED, 1.5, as_of=date(2026, 12, 28))
    again = replan(asked, old, today, dear, more, EXACT)
    causes = [change.cause for change in again.replanned.changes]
    assert causes[-2:] == ["prices", "bills"]
    assert "load and nodes" in causes
    by_cause = {change.cause: change.present_value for change in again.replanned.changes}
    assert by_cause["load and nodes"] > 0
    assert by_cause["prices"] > 0


def test_a_day_outside_the_schedule_is_refused(week) -> None:
    asked, prices, old = week
    with pytest.raises(DayError, match="is outside the schedule's days"):
        replan(asked, old, asked.last_day + timedelta(1), prices)


def test_a_job_past_its_deadline_needs_a_new_one() -> None:
    asked = schedule(2)
    prices = book(2)
    old = planned(asked, prices)
    tune = next(w for w in asked.document.workloads if w.name == "tune")
    today = tune.deadline + timedelta(1)
    late = "jobs: [{name: tune, done: 40%}]"
    with pytest.raises(NoPlanError, match="'tune' has work left, and its deadline was"):
        replan(asked, old, today, prices, news(late), EXACT)
    again = replan(
        asked, old, today, prices, news(f"{late[:-2]}, deadline: {asked.last_day}}}]"), EXACT
    )
    # Without a new deadline there is no rest, so both are told as one cause.
    assert [change.cause for change in again.replanned.changes] == ["optimiser", "jobs"]


def test_a_finished_job_is_not_planned_again_and_its_follower_may_start(week) -> None:
    asked, prices, old = week
    today = asked.first_day + timedelta(2)
    again = replan(asked, old, today, prices, news("jobs: [{name: tune, done: 100%}]"), EXACT)
    assert not [part for part in again.assignments if part.workload == "tune"]
