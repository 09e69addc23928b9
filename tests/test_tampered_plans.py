"""A plan that was tampered with does not hold, and the fault says where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from verified_plans import EVERYTHING, Json, as_read, everything

from optimizer.schedule.load import parse_schedule
from optimizer.verify import verify


def tampered(change: Callable[[Json], None]) -> list[str]:
    body, schedule, book = everything()
    copied = as_read(body)
    change(copied)
    assert copied != body, "nothing was changed"
    return verify(copied, schedule, book)


def first(body: Json, part: str, **wanted: object) -> Json:
    """The first entry of a list of the plan with these values."""
    found: Json = next(
        entry for entry in body[part] if all(entry[key] == value for key, value in wanted.items())
    )
    return found


def cheaper_rental(body: Json) -> None:
    body["rentals"][0]["cost"] = "0.01"


def unknown_offer(body: Json) -> None:
    body["rentals"][0]["offer"] = "nobody/nothing"


def other_quote(body: Json) -> None:
    body["rentals"][0]["quoted"] = "0.10 CNY/hour"


def longer_rental(body: Json) -> None:
    first(body, "rentals", workload="")["end"] = "2027-02-28"


def fewer_nodes_rented(body: Json) -> None:
    del body["rentals"][body["rentals"].index(first(body, "rentals", workload=""))]


def fewer_hours_for_a_job(body: Json) -> None:
    rental = next(rental for rental in body["rentals"] if rental["workload"])
    rental["hours_per_day"] = rental["hours_per_day"] - 1


def rental_for_another_job(body: Json) -> None:
    next(rental for rental in body["rentals"] if rental["workload"])["workload"] = "play"


def earlier_delivery(body: Json) -> None:
    body["bought"][0]["usable"] = body["bought"][0]["paid"]


def dearer_resale(body: Json) -> None:
    body["bought"][0]["resale"] = "9000"


def more_bought(body: Json) -> None:
    body["bought"][0]["nodes"] = 4


def more_owned_in_use(body: Json) -> None:
    first(body, "usages", asset="owned 1xRTX4090")["nodes"] = "2"


def more_free_hours(body: Json) -> None:
    shared = {"nodes": "2", "hours_per_day": 12, "workload": ""}
    body["usages"].append({**first(body, "usages", asset="gift"), **shared})


def fewer_replicas(body: Json) -> None:
    first(body, "assignments", workload="chat")["count"] = 1


def too_small_a_replica(body: Json) -> None:
    first(body, "assignments", workload="chat")["gpus"] = 0


def said_to_be_measured(body: Json) -> None:
    first(body, "assignments", workload="chat")["label"] = "measured"


def job_left_out(body: Json) -> None:
    body["assignments"] = [part for part in body["assignments"] if part["workload"] != "tune"]


def job_before_its_window(body: Json) -> None:
    part = first(body, "assignments", workload="tune")
    part["start"], part["end"] = "2026-12-20", "2026-12-21"


def follower_too_early(body: Json) -> None:
    for part in (*body["assignments"], *body["rentals"]):
        if part["workload"] == "evaluate":
            part["start"], part["end"] = "2026-12-20", "2026-12-21"


def data_not_moved(body: Json) -> None:
    body["moved"] = []


def spot_where_it_is_not_allowed(body: Json) -> None:
    first(body, "assignments", workload="tune")["spot"] = True


def lower_total(body: Json) -> None:
    body["total"] = "1"


def lower_npv(body: Json) -> None:
    body["npv"] = "1"


def a_line_less(body: Json) -> None:
    body["ledger"] = [line for line in body["ledger"] if line["component"] != "data"]


def another_line(body: Json) -> None:
    first(body, "ledger", component="purchase")["amount"] = "8000"


def money_in_another_month(body: Json) -> None:
    months = list(body["cash_flow"])
    body["cash_flow"][months[0]], body["cash_flow"][months[1]] = "0", body["cash_flow"][months[0]]


def cost_on_another_workload(body: Json) -> None:
    body["by_workload"]["play"] = body["by_workload"].pop("chat")


def fuller_use(body: Json) -> None:
    body["utilisation"][0]["used_node_hours"] = "1"


def bound_above_the_cost(body: Json) -> None:
    body["bound"] = first(body, "answers", kind="mix")["bound"] = "999999"


def smaller_gap(body: Json) -> None:
    body["gap"] = first(body, "answers", kind="mix")["gap"] = 0.5


def dearer_than_rent(body: Json) -> None:
    rent = first(body, "answers", kind="rent")
    rent["npv"] = rent["bound"] = "1"


def answer_without_reason(body: Json) -> None:
    first(body, "answers", kind="own")["reason"] = ""


def other_schedule(body: Json) -> None:
    body["schedule_sha256"] = "0" * 64


def other_prices(body: Json) -> None:
    body["as_of"] = "2026-01-01"


def other_horizon(body: Json) -> None:
    body["n_days"] = 19


TAMPERINGS: dict[Callable[[Json], None], str] = {
    cheaper_rental: "cost is 0.01, recomputed",
    unknown_offer: "no such offer in the price tables",
    other_quote: "quoted as 0.10 CNY/hour",
    longer_rental: "is not a span inside the horizon",
    fewer_nodes_rented: "nodes in use,",
    fewer_hours_for_a_job: "of its work are done",
    rental_for_another_job: "it does not run on them",
    earlier_delivery: "delivered 2 days after paid",
    dearer_resale: "resale is 9000, recomputed",
    more_bought: "4 nodes owned at once, at most 3",
    more_owned_in_use: "nodes in use, 1 are there",
    more_free_hours: "free nodes in use of 1",
    fewer_replicas: "replicas of at least 2",
    too_small_a_replica: "does not fit, or is too slow",
    said_to_be_measured: "said to be measured, it is interpolated",
    job_left_out: "tune: 0 of",
    job_before_its_window: "outside its window of days",
    follower_too_early: "runs before the day after 'tune' is finished",
    data_not_moved: "its data is not moved",
    spot_where_it_is_not_allowed: "may not run on spot capacity",
    lower_total: "total is 1, recomputed",
    lower_npv: "npv is 1, recomputed",
    a_line_less: "data of tune is missing",
    another_line: "purchase of buy 2xRTX4090 is 8000, recomputed 9000",
    money_in_another_month: "cash_flow: 2026-12 is 0",
    cost_on_another_workload: "by_workload: chat is 0",
    fuller_use: "used node-hours is 1",
    bound_above_the_cost: "bound 999999 is above its npv",
    smaller_gap: "gap is 0.500000000",
    dearer_than_rent: "rent is cheaper",
    answer_without_reason: "no plan, and no reason why",
    other_schedule: "the schedule has changed",
    other_prices: "as_of is 2026-01-01",
    other_horizon: "n_days is 19, expected 20",
}


@pytest.mark.parametrize("change", TAMPERINGS, ids=lambda change: change.__name__)
def test_a_tampered_plan_does_not_hold(change: Callable[[Json], None]) -> None:
    faults = tampered(change)
    assert any(TAMPERINGS[change] in fault for fault in faults), faults


def test_limits_of_another_schedule_are_kept() -> None:
    """The same plan under a smaller site, less cash and other rules of the market."""
    body, _, book = everything()
    for old, new, words in (
        ("power: 4 kW", "power: 1 kW", "kW on"),
        ("rack_units: 12", "rack_units: 5", "rack units on"),
        ("cash: 40000 CNY", "cash: 8000 CNY", "cash:"),
        ("30000 CNY/month", "8000 CNY/month", "budget:"),
        ("market:", "market:\n  tiers: {forbid: [specialist]}", "the schedule forbids it: tier"),
        ("interruptible: false", "interruptible: true\n    spot: true", ""),
    ):
        schedule = parse_schedule(EVERYTHING.replace(old, new), "other.yaml")
        copied = {**as_read(body), "schedule_sha256": schedule.sha256}
        faults = verify(copied, schedule, book)
        assert any(words in fault for fault in faults) if words else faults == []
