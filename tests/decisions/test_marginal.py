"""What one more costs: against hand counts, and against the schedule written with one more."""

from __future__ import annotations

import json
from decimal import Decimal

import jsonschema
import pytest
from small_market import market, offer, schedule

from optimizer.api import plan
from optimizer.milp.solve import SolveOptions
from optimizer.plans import Marginal, Plan
from optimizer.questions import Questions
from optimizer.report.plan_json import plan_to_dict
from optimizer.report.plan_schema import plan_schema
from optimizer.report.plan_table import plan_text
from optimizer.schedule.schedule import Schedule
from providers.offers import OfferBook

EXACT = SolveOptions(gap=1e-7)
CLOSE = Decimal("0.0001")
BOOK = market("acme 1xRTX4090 day 40", "core 1xA800 hour 2")
BUY = "{node: 1xRTX4090, price: 100 CNY, max: 1, busy_power: 1000 W, rack_units: 4}"
TUNE = """  - {name: tune, kind: training, gpu_hours: 60 GPU-hours, gpu: A800,
      hardware: {allow: [A800]}, deadline: DAY}"""


def asked(what: Schedule, book: OfferBook = BOOK) -> tuple[Plan, dict[str, Marginal]]:
    found = plan(what, book, EXACT, breakeven_s=None, questions=Questions(marginal=True))
    jsonschema.validate(json.loads(json.dumps(plan_to_dict(found))), plan_schema())
    assert not found.questions_cut_short
    for one in found.marginal:
        if one.extra is not None:
            assert one.extra_least is not None
            assert one.extra_most is not None
            assert one.extra_least <= one.extra <= one.extra_most
    return found, {one.change: one for one in found.marginal}


def test_one_more_user_costs_what_a_schedule_with_one_more_costs() -> None:
    found, told = asked(schedule(2, 2, 2, gpus="RTX4090"))
    more = plan(schedule(3, 3, 3, gpus="RTX4090"), BOOK, EXACT, breakeven_s=None)
    assert told["one more user of 'chat' at its peak"].extra == more.npv - found.npv == 120
    assert told["one more 1xRTX4090 on 2026-12-01, its busiest day"].extra == 40


def test_one_more_node_that_may_be_bought_saves_its_rent() -> None:
    _, told = asked(schedule(2, 2, 2, gpus="RTX4090", buy=BUY))
    assert told["buying up to 2 x 1xRTX4090 (max)"].extra == -20


@pytest.mark.parametrize(
    ("limits", "change", "extra"),
    [
        ("rack_units: 3", "1 more rack unit", -20),
        ("power: 0.5 kW", "1 kW more power", -20),
        ("cash: 150 CNY", "2 CNY more cash", None),
        ("max_providers: 1", "1 more provider", 0),
    ],
)
def test_a_little_more_of_a_limit(limits: str, change: str, extra: int | None) -> None:
    _, told = asked(schedule(1, 1, 1, gpus="RTX4090", buy=BUY, limits=limits))
    assert change in told
    if extra is not None:
        assert told[change].extra == extra


def test_work_and_deadline_of_a_job() -> None:
    """60 GPU-hours on cards at 2 an hour: one more day is 24 hours; two days are too few."""
    _, told = asked(schedule(1, 1, 1, 1, more=TUNE.replace("DAY", "2026-12-03")))
    assert told["one more GPU-day on 1xA800-80GB for 'tune'"].impossible
    _, told = asked(schedule(1, 1, 1, 1, more=TUNE.replace("DAY", "2026-12-04")))
    assert told["one more GPU-day on 1xA800-80GB for 'tune'"].extra == 48
    assert told["the deadline of 'tune' a day earlier"].extra == 0
    tight = market("acme 1xRTX4090 day 40", offer("core 1xA800 day 30"))
    _, told = asked(schedule(1, 1, 1, 1, more=TUNE.replace("DAY", "2026-12-03")), tight)
    earlier = told["the deadline of 'tune' a day earlier"]
    assert (earlier.impossible, earlier.extra) == (True, None)
    assert told["the deadline of 'tune' a day later"].extra == 0


def test_the_text_shows_them_with_what_is_proven() -> None:
    found, _ = asked(schedule(2, 2, 2, gpus="RTX4090", buy=BUY))
    text = plan_text(found)
    assert "What one more costs" in text
    assert "-20.00" in text
    assert "with this one change, all else as it is" in text
    assert "Proven: with n times the change no plan costs less than" in text
    assert "What one more GPU-day costs, day by day" in text


def test_prices_by_dual_are_those_of_optimising_again_where_nothing_is_whole() -> None:
    """A card by the hour for work that may pause, and GPU-days of it: no whole number matters."""
    found, told = asked(schedule(1, 1, 1, 1, more=TUNE.replace("DAY", "2026-12-04")))
    work = told["one more GPU-day on 1xA800-80GB for 'tune'"]
    assert work.by_dual == pytest.approx(work.extra, rel=CLOSE)
    node = told["one more 1xRTX4090 on 2026-12-01, its busiest day"]
    assert node.by_dual == pytest.approx(node.extra, rel=CLOSE)
    assert told["the deadline of 'tune' a day earlier"].by_dual is None
    assert found.relaxation is not None
    assert found.relaxation.npv == pytest.approx(found.npv, rel=CLOSE)
    cards = [x for x in found.relaxation.gpu_days if x.node == "1xRTX4090"]
    assert sum((x.last - x.first).days + 1 for x in cards) == 4
    assert all(x.price == pytest.approx(40, rel=CLOSE) for x in cards)


@pytest.mark.parametrize(
    ("limits", "change"),
    [
        ("rack_units: 3", "1 more rack unit"),
        ("power: 0.5 kW", "1 kW more power"),
        ("cash: 220 CNY", "2 CNY more cash"),
        ("budget_per_month: 220 CNY/month", "the budget of 2026-12 2 CNY more"),
        ("", "buying up to 2 x 1xRTX4090 (max)"),
    ],
)
def test_no_limit_saves_more_than_its_dual_price_says(limits: str, change: str) -> None:
    """However much is eased: the proven claim, against a schedule with far more."""
    found, told = asked(schedule(2, 2, 2, gpus="RTX4090", buy=BUY, limits=limits))
    buy = BUY if limits else BUY.replace("max: 1", "max: 9")
    most = plan(schedule(2, 2, 2, gpus="RTX4090", buy=buy), BOOK, EXACT, breakeven_s=None)
    one = told[change]
    assert found.relaxation is not None
    assert one.by_dual is not None
    assert one.by_dual <= 0
    assert most.npv >= found.relaxation.npv + 1000 * one.by_dual - Decimal("1e-5")


def test_a_number_of_providers_has_no_dual_price() -> None:
    _, told = asked(schedule(1, 1, gpus="RTX4090", limits="max_providers: 1"))
    assert told["1 more provider"].by_dual is None


def test_the_time_may_cut_it_short() -> None:
    questions = Questions(marginal=True, time_limit_s=0.0)
    found = plan(schedule(1), BOOK, EXACT, breakeven_s=None, questions=questions)
    assert found.questions_cut_short
    assert found.marginal
    assert not any(one.impossible or one.extra for one in found.marginal)
    text = plan_text(found)
    assert not any(one.asked for one in found.marginal)
    assert found.relaxation is None
    assert text.count("not asked") == sum(one.extra is None for one in found.marginal) > 0
    assert text.count("(--question-time)") == 1
    assert "Plans that decide otherwise" not in text
