"""The whole study of one question."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.problem import Problem
from optimizer.review.sensitivity.monte_carlo import Correlations, monte_carlo, rent_volatility
from optimizer.review.sensitivity.one_at_a_time import three_by_three, tornado, two_way
from optimizer.review.sensitivity.ranges import Seen, spans
from optimizer.review.sensitivity.results import ScenarioTable, Sensitivity
from optimizer.review.sensitivity.waiting import waiting
from optimizer.review.workbook.question import Question


def study(
    question: Question,
    problem: Problem | None = None,
    *,
    history: Sequence[Seen] = (),
    draws: int = 10_000,
    seed: int = 1,
    correlations: Correlations | None = None,
    scenarios: ScenarioTable | None = None,
) -> Sensitivity:
    """Tornado, scenarios, two-way table, Monte Carlo and the value of waiting; nothing is planned
    again.

    Args:
        problem: for ranges from its offers and purchase prices.
        history: prices of the rental compared with, oldest first.
        scenarios: one's own; rental price by utilisation when left out.
    """
    ranges = spans(question, problem, history)
    volatility = rent_volatility(ranges, history)
    return Sensitivity(
        currency=question.currency,
        tornado=tornado(question, ranges),
        scenarios=scenarios or three_by_three(question, ranges),
        two_way=two_way(question),
        monte_carlo=monte_carlo(
            question, ranges, volatility, draws=draws, seed=seed, correlations=correlations
        ),
        waiting=waiting(question, volatility),
    )
