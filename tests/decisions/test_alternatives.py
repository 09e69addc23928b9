"""Plans that decide otherwise: against hand counts, against the wish that asks for the same."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from small_market import market, offer, schedule

from optimizer.api import plan
from optimizer.milp.solve import SolveOptions
from optimizer.plans import Plan
from optimizer.questions import Questions
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_md import plan_md
from optimizer.report.plan_schema import plan_schema
from optimizer.report.plan_table import plan_text
from optimizer.schedule.schedule import Schedule
from optimizer.verify import verify
from optimizer.wishes import Wishes
from providers.offers import OfferBook

EXACT = SolveOptions(gap=1e-7)
BOOK = market(
    "acme 1xRTX4090 day 40",
    "best 1xRTX4090 day 44",
    "core 1xA800 day 50",
    "core 1xA800 month 700",
)
BUY = "{node: 1xRTX4090, price: 95 CNY, max: 3}"


def asked(what: Schedule, most: int, book: OfferBook = BOOK, **more: object) -> Plan:
    questions = Questions(alternatives=most)
    return plan(what, book, EXACT, breakeven_s=None, questions=questions, **more)  # type: ignore[arg-type]


def test_each_turned_decision_has_its_cost_by_hand() -> None:
    found = asked(schedule(1, 1, buy=BUY), 9)
    assert found.total == 80
    extras = {near.asked: near.extra for near in found.alternatives}
    assert extras == {
        "without acme": 8,
        "buying 1xRTX4090": 15,
        "without RTX4090": 20,
        "with a commitment": 620,
    }
    assert [near.extra for near in found.alternatives] == sorted(extras.values())
    for near in found.alternatives:
        assert near.extra_least <= near.extra <= near.extra_most
        assert near.extra_most - near.extra_least <= Decimal("0.01")
        assert near.npv == found.npv + near.extra


def test_a_line_says_what_is_done_instead() -> None:
    found = asked(schedule(1, 1, buy=BUY), 3)
    differs = {near.asked: near.differs for near in found.alternatives}
    assert differs["without acme"] == "rent 1xRTX4090 from best; not: rent 1xRTX4090 from acme"
    assert differs["buying 1xRTX4090"] == "buy 1 x 1xRTX4090; not: rent 1xRTX4090 from acme"
    assert len(found.alternatives) == 3


def test_an_alternative_costs_what_the_same_wish_costs() -> None:
    what = schedule(2, 1, 3, buy=BUY)
    found = asked(what, 9)
    for near in found.alternatives:
        if near.asked in ("without acme", "without RTX4090", "without core"):
            wish = Wishes(without=(near.asked.removeprefix("without "),))
            same = plan(what, BOOK, EXACT, breakeven_s=None, wishes=wish)
            assert same.npv == near.npv


def test_two_decisions_are_turned_where_one_is_not_enough() -> None:
    book = market("acme 1xRTX4090 day 40", "best 1xRTX4090 day 44", "core 1xRTX4090 day 60")
    found = asked(schedule(1), 3, book)
    assert [(near.asked, near.extra) for near in found.alternatives] == [
        ("without acme", 4),
        ("without acme, without best", 20),
    ]
    assert found.indispensable == ("without RTX4090",)
    assert "proven: there is no plan without RTX4090" in plan_text(found)


def test_a_wish_binds_the_alternatives_too() -> None:
    found = asked(schedule(1, 1, buy=BUY), 9, wishes=Wishes(without=("best",), only_rent=True))
    assert {near.asked for near in found.alternatives} == {"without acme", "with a commitment"}
    assert {near.extra for near in found.alternatives} == {20, 620}


def test_the_same_question_gets_the_same_answer() -> None:
    what = schedule(1, 2, 1, buy=BUY)
    assert asked(what, 4).alternatives == asked(what, 4).alternatives


def test_spot_is_a_decision() -> None:
    book = market("acme 1xRTX4090 day 40", "acme 1xRTX4090 spot 1")
    text = """  - {name: tune, kind: training, model: Qwen2.5-7B, tokens: 3M tokens, spot: true,
      hardware: {allow: [RTX4090]}}"""
    found = asked(schedule(1, more=text), 5, book)
    assert "without spot" in {near.asked for near in found.alternatives}


def test_all_forms_show_them_and_the_plan_still_holds() -> None:
    import jsonschema

    what = schedule(1, 1, buy=BUY)
    found = asked(what, 2)
    body = json.loads(json.dumps(plan_to_dict(found)))
    jsonschema.validate(body, plan_schema())
    assert not verify(body, what, BOOK)
    assert [near["asked"] for near in body["alternatives"]] == ["without acme", "buying 1xRTX4090"]
    for text in (plan_text(found), plan_md(found)):
        assert "Plans that decide otherwise" in text
        assert "8.00 to 8.00" in text
    assert "decide otherwise" not in plan_text(plan(what, BOOK, EXACT, breakeven_s=None))


def test_no_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = Questions(alternatives=3, time_limit_s=0.0)
    found = plan(schedule(1), BOOK, EXACT, breakeven_s=None, questions=questions)
    assert found.questions_cut_short
    assert "the time ended before all was tried" in plan_text(found)


def test_where_there_is_none_that_is_told() -> None:
    alone = market("acme 1xRTX4090 day 40")
    found = asked(schedule(1), 3, alone)
    assert not found.alternatives
    assert not found.questions_cut_short
    assert found.alternatives_search is not None
    assert set(found.alternatives_search.kinds) == {"without acme", "without RTX4090"}
    text = plan_text(found)
    assert "there is none: no decision of the plan can be turned" in text
    assert "proven: there is no plan without acme, none without RTX4090" in text


def test_that_none_was_found_in_the_time_is_told_beside_marginal_prices() -> None:
    questions = Questions(alternatives=3, marginal=True, time_limit_s=0.0)
    found = plan(schedule(1), BOOK, EXACT, breakeven_s=None, questions=questions)
    search = found.alternatives_search
    assert search is not None
    assert search.not_asked
    assert not search.kinds
    text = plan_text(found)
    assert "none was found, there may be some: the time ended before all was tried" in text
    assert "no time was left for: 'without acme'" in text


def test_offers_with_limits_do_not_disturb() -> None:
    book = market(offer("acme 1xRTX4090 day 40", max_units=1), "best 1xRTX4090 day 44")
    found = asked(schedule(2), 5, book)
    assert {(near.asked, near.extra) for near in found.alternatives} == {("without acme", 4)}
    assert set(found.indispensable) == {"without best", "without RTX4090"}
