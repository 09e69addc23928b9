"""A schedule with sizes of requests from the file to a plan that `verify` holds to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from verified_plans import Json, as_read

from optimizer.api import plan, prices_for
from optimizer.errors import NoPlanError
from optimizer.milp.solve import SolveOptions
from optimizer.plans import Plan
from optimizer.replan.run import followed, replan
from optimizer.report.plan_csv import plan_csv
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_schema import plan_schema
from optimizer.report.plan_table import plan_text
from optimizer.schedule.load import load_schedule, parse_schedule
from optimizer.schedule.schedule import Schedule
from optimizer.verify import verify
from providers.offers import OfferBook

DAY = date(2026, 11, 22)
QUICK = SolveOptions(gap=0.01, time_limit_s=20)
CHAT = """
rentopt: 1
currency: CNY
horizon: {start: 2026-12-20, days: 4 days}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    floor: 20 tokens/s
    mix:
      - {prompt_tokens: 0-250, output_tokens: 0-100, share: 60 %}
      - {prompt_tokens: 250-1000, output_tokens: 100-500, share: 30 %}
      - {prompt_tokens: 6000, output_tokens: 1000, share: 10 %, throughput: {RTX4090: 0}}
    phases: [{end: 2026-12-21, requests: 3 requests/s}, {start: 2026-12-22, requests: 9 requests/s}]
    hours: {"08:00-20:00": 100 %, "20:00-08:00": 40 %}
    min_replicas: 2
    spot: true
    hardware: {allow: [RTX4090, A100, A800]}
  - name: tune
    kind: training
    model: Qwen2.5-7B
    tokens: 5M tokens
    hardware: {allow: [RTX4090]}
hardware:
  owned: [{node: 1xRTX4090, count: 1}]
  buy: [{node: 2xRTX4090, price: 9000 CNY, max: 2, lead_time: 1 day}]
market: {stock: 6}
money: {discount_rate: 6 %/year, electricity: 0.8 CNY/kWh, residual: {1 months: 97 %}}
"""
TOKENS = """
rentopt: 1
currency: USD
horizon: {start: 2026-12-20, days: 3 days}
workloads:
  - name: writer
    kind: service
    model: Qwen2.5-72B
    precision: awq-int4
    floor: 10 tokens/s
    mix:
      - {prompt_tokens: 200, output_tokens: 100, share: 98 %}
      - prompt_tokens: 20000
        output_tokens: 2000
        share: 2 %
        throughput: {2xRTX4090: 0, 4xRTX4090: 0, 8xRTX4090: 0, 10xRTX4090: 0}
    phases: [{requests: 30 requests/s}]
    api: allowed
    hardware: {allow: [RTX4090]}
market: {providers: {forbid: [hyperbolic, nebius, deepinfra, novita]}}
"""


@cache
def made(text: str) -> tuple[Plan, Schedule, OfferBook]:
    schedule = parse_schedule(text, "chat.yaml")
    book = prices_for(schedule, DAY)
    return plan(schedule, book, QUICK, breakeven_s=None), schedule, book


def edited(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("text", [CHAT, TOKENS], ids=["chat", "tokens"])
def test_a_plan_of_a_mix_holds_and_keeps_to_the_schema(text: str) -> None:
    found, schedule, book = made(text)
    body = plan_to_dict(found)
    assert verify(body, schedule, book) == []
    jsonschema.validate(body, plan_schema())


def test_hardware_that_cannot_serve_a_size_never_does() -> None:
    found, _, _ = made(CHAT)
    long = [line for line in found.bucket_use if line.bucket == "6000/1000"]
    assert long
    assert all((line.node, line.gpus) != ("1xRTX4090", 1) for line in long)
    assert {line.bucket for line in found.bucket_use} == {
        "0-250/0-100",
        "250-1000/100-500",
        "6000/1000",
    }


def test_requests_and_costs_of_the_sizes_add_up() -> None:
    found, _, _ = made(CHAT)
    seconds = Decimal(3600 * 12)
    asked = (3 + Decimal("1.2")) * seconds * 2 + (9 + Decimal("3.6")) * seconds * 2
    assert float(sum(line.requests for line in found.bucket_use)) == pytest.approx(float(asked))
    paid = sum((line.cost for line in found.bucket_use), Decimal(0))
    assert float(paid) == pytest.approx(float(dict(found.by_workload)["chat"]), rel=1e-12)
    for line in found.replica_use:
        assert 0 < line.utilisation <= Decimal(1) / Decimal("1.2") + Decimal("1e-6")


def test_sizes_that_no_node_serves_go_through_an_api() -> None:
    found, _, _ = made(TOKENS)
    through = [line for line in found.bucket_use if not line.gpus]
    assert {line.bucket for line in through} >= {"20000/2000"}
    by_node = {line.bucket for line in found.bucket_use if line.gpus}
    assert "20000/2000" not in by_node
    bought = sum((line.cost for line in through), Decimal(0))
    tokens = sum((x.amount for x in found.ledger if x.component == "api"), Decimal(0))
    assert bought == pytest.approx(tokens)


def test_the_report_shows_what_serves_which_size() -> None:
    found, _, _ = made(CHAT)
    text = plan_text(found)
    assert "Sizes of requests of 'chat'" in text
    line = next(line for line in text.splitlines() if line.strip().startswith("0-250/0-100"))
    assert "60.0 %" in line
    assert "Work of replicas" in text
    rows = plan_csv(found, "sizes").splitlines()
    assert len(rows) == 1 + len(found.bucket_use)
    assert rows[0].startswith("workload,bucket,node")


@pytest.mark.parametrize("text", [CHAT, TOKENS], ids=["chat", "tokens"])
def test_a_mix_planned_again_in_the_middle_holds(text: str) -> None:
    """Tokens bought so far are paid at the size they were bought for; prices as before."""
    found, schedule, book = made(text)
    old = followed(as_read(plan_to_dict(found)), "", schedule, book)
    again = replan(schedule, old, date(2026, 12, 22), book, options=QUICK)
    assert verify(as_read(plan_to_dict(again)), schedule, book) == []
    assert again.npv == pytest.approx(found.npv, rel=Decimal("0.02"))
    assert {line.start for line in again.routes} == {date(2026, 12, 22)}


# -- tampered ------------------------------------------------------------------------------


def less_routed(body: Json) -> None:
    body["routes"][0]["share"] = "0.5"


def routed_to_what_cannot(body: Json) -> None:
    route = next(r for r in body["routes"] if r["bucket"] == "6000/1000")
    route |= {"node": "1xRTX4090", "gpus": 1, "spot": False}


def another_size(body: Json) -> None:
    body["routes"][0]["bucket"] = "1/1"


def a_replica_less(body: Json) -> None:
    part = next(p for p in body["assignments"] if p["workload"] == "chat" and p["count"] > 1)
    part["count"] = 1


def cheaper_size(body: Json) -> None:
    body["bucket_use"][0]["cost"] = "0.01"


def more_requests(body: Json) -> None:
    body["bucket_use"][0]["requests"] = "1000000000"


def a_size_left_out(body: Json) -> None:
    del body["bucket_use"][0]


def emptier_replicas(body: Json) -> None:
    body["replica_use"][0]["busy_hours"] = "1"


def replicas_that_are_not_there(body: Json) -> None:
    body["replica_use"].append({**body["replica_use"][0], "node": "8xA100-SXM4-80GB"})


def another_service(body: Json) -> None:
    body["routes"].append({**body["routes"][0], "workload": "tune"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (less_routed, "% of requests of"),
        (routed_to_what_cannot, "cannot serve it"),
        (another_size, "no such size"),
        (a_replica_less, "replicas"),
        (cheaper_size, "cost is 0.01"),
        (more_requests, "requests is 1000000000"),
        (a_size_left_out, "is missing"),
        (emptier_replicas, "busy_hours is 1"),
        (replicas_that_are_not_there, "replica_use: chat on 8xA100-SXM4-80GB"),
        (another_service, "'tune' has no sizes of requests"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_mix_that_was_tampered_with_does_not_hold(
    change: Callable[[Json], None], words: str
) -> None:
    found, schedule, book = made(CHAT)
    body = as_read(plan_to_dict(found))
    change(body)
    faults = verify(body, schedule, book)
    assert any(words in fault for fault in faults), faults


# -- schedules ------------------------------------------------------------------------------


ONE = """
rentopt: 1
currency: CNY
horizon: {start: 2026-12-20, days: 5 days}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    SIZES
    phases: [{requests: 7 requests/s}]
    hours: {"08:00-20:00": 100 %, "20:00-08:00": 40 %}
    hardware: {allow: [RTX4090, RTX3090, A100]}
"""


def test_one_size_in_a_mix_is_the_service_with_that_size() -> None:
    mix = "mix: [{prompt_tokens: 900, output_tokens: 200, share: 100 %}]"
    plain, _, _ = made(ONE.replace("SIZES", "prompt_tokens: 900\n    output_tokens: 200"))
    single, _, _ = made(ONE.replace("SIZES", mix))
    assert single.npv == plain.npv
    assert single.assignments == plain.assignments
    assert single.routes == ()
    half = "{prompt_tokens: 900, output_tokens: 200, share: 50 %}"
    near = half.replace("900", "899-901")  # the same middle, another name
    split, _, _ = made(ONE.replace("SIZES", f"mix: [{half}, {near}]"))
    assert split.npv == plain.npv
    assert split.routes


def test_a_size_that_nothing_can_serve_is_named_with_its_place() -> None:
    text = edited(
        CHAT, ("prompt_tokens: 6000", "prompt_tokens: 600000"), (", throughput: {RTX4090: 0}", "")
    )
    with pytest.raises(NoPlanError) as caught:
        made(text)
    told = str(caught.value)
    assert "'chat', requests of 600000/1000 tokens (chat.yaml:13:9): no hardware" in told
    assert "601000 tokens exceed the context" in told
    assert "0-250/0-100" not in told


HISTOGRAM = """prompt_tokens,output_tokens,share,RTX4090,A100
0-250,0-100,60 %,,
250-1000,100-500,30 %,,
1000-4000,1000,0 %,,
6000,1000,10 %,0,
"""


def test_a_histogram_in_a_file_is_the_mix_itself(tmp_path: Path) -> None:
    start, end = CHAT.index("    mix:"), CHAT.index("    phases:")
    text = CHAT[:start] + "    histogram: sizes.csv\n" + CHAT[end:]
    (tmp_path / "chat.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "sizes.csv").write_text(HISTOGRAM, encoding="utf-8")
    found = load_schedule(tmp_path / "chat.yaml")
    _, written, _ = made(CHAT)
    assert found.document.workloads[0].mix == written.document.workloads[0].mix  # type: ignore[union-attr]
    places = [place.rsplit("/")[-1] for place in found.bucket_places["chat"]]
    assert places == ["sizes.csv:2:3", "sizes.csv:3:3", "sizes.csv:5:3"]
    before = found.sha256
    (tmp_path / "sizes.csv").write_text(HISTOGRAM.replace("60 %", "60.000 %"), encoding="utf-8")
    assert load_schedule(tmp_path / "chat.yaml").sha256 != before
    shutil.copy(tmp_path / "chat.yaml", tmp_path / "other.yaml")
    (tmp_path / "sizes.csv").write_text(HISTOGRAM, encoding="utf-8")
    assert load_schedule(tmp_path / "other.yaml").sha256 == before


def test_shares_are_scaled_to_exactly_one() -> None:
    text = edited(CHAT, ("share: 60 %", "share: 60.005 %"))
    mix = parse_schedule(text, "chat.yaml").document.workloads[0].mix  # type: ignore[union-attr]
    assert sum(bucket.share for bucket in mix) == pytest.approx(1, abs=1e-15)
    assert mix[0].share == pytest.approx(0.60005 / 1.00005)


def test_the_users_throughput_beats_the_model() -> None:
    text = edited(
        CHAT,
        ("share: 60 %}", "share: 60 %, throughput: {RTX4090: 2.5 requests/s, 2xRTX4090: 5}}"),
    )
    from optimizer.problem import gather

    options = (
        gather(parse_schedule(text, "chat.yaml"), prices_for(made(CHAT)[1], DAY))
        .services[0]
        .options
    )
    rates = {(str(o.kind), o.gpus): o.rates for o in options}
    assert rates["1xRTX4090", 1][0] == rates["2xRTX4090", 1][0] == 2.5
    assert rates["1xRTX4090", 1][2] == 0.0
    assert rates["2xRTX4090", 2][0] == 5.0
    whole = next(o for o in options if (str(o.kind), o.gpus) == ("2xRTX4090", 2))
    shares = zip((0.6, 0.3, 0.1), whole.rates, strict=True)
    assert whole.capacity == pytest.approx(1 / sum(share / rate for share, rate in shares))
    assert whole.label == "interpolated"  # of the label least to be trusted
