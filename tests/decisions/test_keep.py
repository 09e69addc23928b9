"""Staying near an earlier plan: a change saves more than the tolerance, or must be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_market import market, schedule

from optimizer.api import plan
from optimizer.keep import Keep
from optimizer.milp.solve import SolveOptions
from optimizer.plans import Plan
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_table import plan_text
from optimizer.schedule.schedule import Schedule
from optimizer.verify import verify
from optimizer.verify.plan_document import PlanFormatError
from providers.offers import OfferBook

EXACT = SolveOptions(gap=1e-7)


def body(found: Plan) -> dict[str, Any]:
    return dict(json.loads(json.dumps(plan_to_dict(found))))


def near(asked: Schedule, book: OfferBook, before: Plan, tolerance: float) -> Plan:
    keep = Keep.of("old.json", body(before), tolerance)
    found = plan(asked, book, EXACT, breakeven_s=None, keep=keep)
    assert not verify(body(found), asked, book)
    return found


OLD = market("acme 1xRTX4090 day 40")
NEW = market("acme 1xRTX4090 day 40", "best 1xRTX4090 day 38")


def test_a_small_saving_is_no_reason_to_change_the_seller() -> None:
    asked = schedule(1, 1)
    before = plan(asked, OLD, EXACT, breakeven_s=None)
    found = near(asked, NEW, before, 0.1)
    assert {r.provider for r in found.rentals} == {"acme"}
    assert found.kept is not None
    assert (found.kept.free_npv, found.kept.extra) == (76, 4)
    assert found.kept.extra_most == pytest.approx(4, abs=0.01)
    assert found.kept.kept == ("rent 1xRTX4090 from acme",)
    assert (found.kept.changed, found.kept.dropped) == ((), ())
    assert "keeping costs 4.00 CNY more than the best free plan found" in plan_text(found)


def test_a_saving_above_the_tolerance_changes_it() -> None:
    asked = schedule(1, 1)
    before = plan(asked, OLD, EXACT, breakeven_s=None)
    found = near(asked, NEW, before, 0.01)
    assert {r.provider for r in found.rentals} == {"best"}
    assert found.kept is not None
    assert found.kept.changed == ("rent 1xRTX4090 from best",)
    assert found.kept.dropped == ("rent 1xRTX4090 from acme",)
    assert found.kept.extra == 0


def test_what_is_no_longer_sold_must_change() -> None:
    asked = schedule(1, 1)
    before = plan(asked, OLD, EXACT, breakeven_s=None)
    found = near(asked, market("best 1xRTX4090 day 90"), before, 0.5)
    assert found.kept is not None
    assert found.kept.changed == ("rent 1xRTX4090 from best",)


@pytest.mark.parametrize(("tolerance", "nodes"), [(0.02, 0), (0.2, 1)])
def test_a_purchase_is_kept_though_renting_got_a_little_cheaper(
    tolerance: float, nodes: int
) -> None:
    asked = schedule(1, 1, 1, buy="{node: 1xRTX4090, price: 100 CNY, max: 3}")
    before = plan(asked, OLD, EXACT, breakeven_s=None)
    assert sum(line.nodes for line in before.bought) == 1
    found = near(asked, market("acme 1xRTX4090 day 30"), before, tolerance)
    assert sum(line.nodes for line in found.bought) == nodes


@pytest.mark.parametrize(("tolerance", "changed"), [(0.05, True), (0.5, False)])
def test_more_is_bought_only_if_that_pays_more_than_the_tolerance(
    tolerance: float, changed: bool
) -> None:
    """A second card of one's own costs 100, and saves 120 of rent."""
    buy = "{node: 1xRTX4090, price: 100 CNY, max: 3}"
    before = plan(schedule(1, 1, 2, buy=buy), OLD, EXACT, breakeven_s=None)
    assert (len(before.bought), len(before.rentals)) == (1, 1)
    found = near(schedule(2, 2, 2, buy=buy), OLD, before, tolerance)
    assert found.kept is not None
    assert found.kept.changed == (("buy 2 x 1xRTX4090 instead of 1",) if changed else ())
    assert found.total == (200 if changed else 220)


def test_a_file_that_is_no_plan_is_refused() -> None:
    with pytest.raises(PlanFormatError, match="schema_version"):
        Keep.of("old.json", {})
