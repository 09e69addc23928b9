"""Wishes: what is left out is nowhere in the plan, what it outdid comes back, verify agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_market import market, offer, schedule

from optimizer.api import breakeven, plan
from optimizer.errors import NoPlanError
from optimizer.milp.solve import SolveOptions
from optimizer.named import UnknownNameError, find
from optimizer.plans import Plan
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_table import plan_text
from optimizer.schedule.schedule import Schedule
from optimizer.verify import verify
from optimizer.wishes import Wishes
from providers.offers import OfferBook

EXACT = SolveOptions(gap=1e-7)
BUY = "{node: 1xRTX4090, price: 100 CNY, max: 3}"
BOOK = market(
    "acme 1xRTX4090 day 40",
    "best 1xRTX4090 day 44",
    offer("best 2xRTX4090 hour 4", max_gpus_per_host=8),
    "core 1xA800 day 50",
    "core 1xRTX4090 spot 1",
)


def wish(asked: Schedule, book: OfferBook = BOOK, **wishes: Any) -> Plan:
    found = plan(asked, book, EXACT, breakeven_s=None, wishes=Wishes(**wishes))
    assert not verify(json.loads(json.dumps(plan_to_dict(found))), asked, book)
    return found


def test_without_a_provider_the_next_best_offer_is_there_again() -> None:
    free = wish(schedule(1, 1))
    assert {r.provider for r in free.rentals} == {"acme"}
    assert free.total == 80
    other = wish(schedule(1, 1), without=("ACME",))
    assert {r.provider for r in other.rentals} == {"best"}
    assert other.total == 88
    assert other.wishes == ("without ACME",)
    assert "as wished: without ACME" in plan_text(other)


@pytest.mark.parametrize(
    ("name", "total"),
    [("RTX4090", 50), ("rtx 4090", 50), ("acme/1xRTX4090/day", 44), ("prepaid", 96),
     ("1xRTX4090", 50), ("A800", 40), ("spot", 40)],
)  # fmt: skip
def test_gpus_nodes_deals_and_single_offers_can_be_left_out(name: str, total: int) -> None:
    assert wish(schedule(1), without=(name,)).total == total


def test_a_node_size_is_left_out_alone() -> None:
    book = market(offer("acme 1xRTX4090 hour 1", max_gpus_per_host=4))
    text = "  - {name: tune, kind: training, model: Qwen2.5-7B, tokens: 3M tokens, min_gpus: 2}"
    asked = schedule(1, more=text)
    free = wish(asked, book)
    assert "2xRTX4090" in {r.node for r in free.rentals if r.workload == "tune"}
    other = wish(asked, book, without=("2xRTX4090",))
    assert {r.node for r in other.rentals if r.workload == "tune"} == {"4xRTX4090"}


def test_hardware_left_out_is_not_bought_either() -> None:
    assert wish(schedule(1, 1, 1, buy=BUY)).bought
    assert not wish(schedule(1, 1, 1, buy=BUY), without=("RTX4090",)).bought


def test_only_rent_and_only_own() -> None:
    asked = schedule(1, 1, 1, buy=BUY)
    assert wish(asked).total == 100
    rent = wish(asked, only_rent=True)
    assert (rent.total, rent.bought) == (120, ())
    own = wish(schedule(1, 1, buy=BUY), only_own=True)
    assert (own.total, own.rentals) == (100, ())
    with pytest.raises(NoPlanError, match="no plan exists"):
        wish(schedule(1), only_own=True)


def test_few_providers_take_the_dearer_offers_of_one_seller() -> None:
    book = market("acme 1xRTX4090 day 40", "core 1xA800 day 10", "core 1xRTX4090 day 60")
    text = """
  - name: other
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [A800]}
    measured: [{on: 1xA800, tokens: 15 tokens/s, users: 1}]
    phases: [{users: 1}]"""
    asked = schedule(1, gpus="RTX4090", more=text)
    assert wish(asked, book).total == 50
    one = wish(asked, book, max_providers=1)
    assert one.total == 70
    assert {r.provider for r in one.rentals} == {"core"}
    limited = schedule(1, gpus="RTX4090", more=text, limits="max_providers: 1")
    assert wish(limited, book).total == 70
    assert wish(limited, book, max_providers=2).total == 70


def test_verify_counts_the_sellers_of_a_limited_schedule() -> None:
    book = market("acme 1xRTX4090 day 40", "core 1xA800 day 10")
    asked = schedule(1, 1, limits="max_providers: 1")
    body = json.loads(json.dumps(plan_to_dict(plan(asked, book, EXACT, breakeven_s=None))))
    assert not verify(body, asked, book)
    body["rentals"][0]["provider"] = "elsewhere"
    body["rentals"].append({**body["rentals"][0], "provider": "core"})
    faults = verify(body, asked, book)
    assert any(fault.startswith("sellers: core, elsewhere are 2") for fault in faults)


@pytest.mark.parametrize(
    ("name", "near"), [("acne", "acme"), ("RTX40", "RTX4090"), ("8xRTX409", "RTX4090"),
                       ("prepaidd", "prepaid")],
)  # fmt: skip
def test_an_unknown_name_gets_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean .*{near}"):
        find(name, BOOK)


def test_break_even_points_follow_the_wishes() -> None:
    asked = schedule(1, 1, buy=BUY)
    against = {
        wishes: {row["against"] for row in breakeven(asked, BOOK, EXACT, wishes=Wishes(wishes))
                 if row["kind"] == "pair"}
        for wishes in ((), ("acme",))
    }  # fmt: skip
    assert any("acme" in name for name in against[()])
    assert not any("acme" in name for name in against["acme",])
