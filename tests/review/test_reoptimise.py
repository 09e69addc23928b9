"""Draws that are planned again: right where nothing moves, right where one thing does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from one_card import one_card

from optimizer.api import plan
from optimizer.milp.solve import SolveOptions
from optimizer.reoptimise import Draw, Work, draws_of, first_seconds, reoptimise, section_of
from optimizer.review.sensitivity.monte_carlo import Volatility
from optimizer.review.sensitivity.ranges import spans
from optimizer.review.sensitivity.results import Basis
from optimizer.review.workbook.question import make_question
from optimizer.sweep.backends import Here, Processes
from optimizer.sweep.document import PlanOptions
from providers.errors import RentoptError

D = Decimal
AS_PLANNED = Draw(D(1), D(1), D(1), 0)
OPTIONS = PlanOptions(gap=0.0001, time_limit=60.0, breakeven=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    problem = one_card(tmp_path_factory.mktemp("again"))
    found = plan(problem.schedule, problem.costs.book, SolveOptions(gap=1e-9), breakeven_s=0.0)
    assert found.bought
    return found, problem


def again(made, *draws, backend=None):
    found, problem = made
    work = Work(found, problem.schedule, problem.costs.book, draws, seed=1)
    return reoptimise(work, OPTIONS, backend or Here())


def test_as_planned_following_the_plan_is_the_best_and_costs_what_it_says(made):
    [outcome] = again(made, AS_PLANNED).outcomes
    assert float(outcome.best) == pytest.approx(float(made[0].npv), abs=1e-5)
    assert float(outcome.followed) == pytest.approx(float(made[0].npv), abs=1e-5)
    assert float(outcome.all_rented) == pytest.approx(float(made[0].answer("rent").npv), abs=1e-5)
    assert outcome.bought == (("1xRTX4090", 1),)


def test_where_renting_costs_nearly_nothing_the_purchase_is_regretted(made):
    cheap, plain = Draw(D("0.01"), D(1), D(1), 0), AS_PLANNED
    found = again(made, cheap, plain)
    first, second = found.outcomes
    assert first.bought == ()
    assert first.best == first.all_rented
    assert first.followed > first.best
    assert found.cvar_regret_following == pytest.approx(float(first.followed - first.best))
    assert found.buying_wins == 0.5
    assert found.cvar_regret_renting == pytest.approx(float(second.all_rented - second.best))
    assert dict(found.best_buys) == {"nothing": 1, "1 x 1xRTX4090": 1}


def test_a_lower_resale_costs_what_it_no_longer_brings(made):
    [outcome] = again(made, Draw(D(1), D(1), D("0.5"), 0)).outcomes
    [resale] = [line for line in made[0].ledger if line.component == "resale"]
    lost = float(outcome.followed) - float(made[0].npv)
    assert lost == pytest.approx(-float(resale.present_value) / 2, abs=1e-5)


def test_a_later_delivery_is_rented_until_then(made):
    """Ten days at 48 for rent, less the 24 of electricity that owning would have taken."""
    [outcome] = again(made, Draw(D(1), D(1), D(1), 10)).outcomes
    more = float(outcome.followed) - float(made[0].npv)
    assert more == pytest.approx(sum(24 * 1.1 ** (-day / 365) for day in range(10)), abs=1e-4)


def test_draws_are_the_same_for_a_seed_and_move_what_has_a_range(made):
    found, problem = made
    question = make_question(found, problem)
    ranges = spans(question, problem)
    once = draws_of(question, ranges, Volatility(0.5, Basis.NO_DATA, ""), 6, seed=4)
    assert once == draws_of(question, ranges, Volatility(0.5, Basis.NO_DATA, ""), 6, seed=4)
    assert len({draw.rent for draw in once}) == 6
    assert all(draw.delay >= 0 and draw.residual > 0 for draw in once)
    still = draws_of(question, (), Volatility(0.0, Basis.NO_DATA, ""), 2, seed=4)
    assert still == (AS_PLANNED, AS_PLANNED)


def test_processes_find_what_one_process_finds(made):
    draws = (AS_PLANNED, Draw(D("0.5"), D(1), D("0.9"), 3))
    alone = again(made, *draws)
    together = again(made, *draws, backend=Processes(2))
    assert together.outcomes == alone.outcomes


def test_progress_is_told_after_every_plan(made):
    found, problem = made
    work = Work(found, problem.schedule, problem.costs.book, (AS_PLANNED,), seed=1)
    told = []
    reoptimise(work, OPTIONS, Here(), lambda tally: told.append((tally.done, tally.total)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert first_seconds(work, OPTIONS, Here()) > 0


def test_where_no_draw_has_a_plan_there_is_nothing_to_compare(made):
    nothing = Work(made[0], made[1].schedule, made[1].costs.book, (), seed=1)
    with pytest.raises(RentoptError, match="no draw has a plan"):
        reoptimise(nothing, OPTIONS, Here())


def test_the_table_tells_what_the_best_mix_buys(made):
    section = section_of(again(made, AS_PLANNED), "CNY")
    assert section.rows == [["1 x 1xRTX4090", "1", "100%"]]
    assert any("regret in the worst 5%" in note for note in section.notes)
