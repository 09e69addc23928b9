"""Tornado, scenarios and the two-way table: exact, by asking the question again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np

from optimizer.finance.risk import Scenarios
from optimizer.finance.roots import bisect
from optimizer.review.sensitivity.closed import Closed
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.results import Bar, Scenario, ScenarioTable, Span, Tornado, TwoWay
from optimizer.review.workbook.outcomes import npv_of
from optimizer.review.workbook.question import Question
from providers.errors import RentoptError

NEAR = Decimal("1e-6")
"""A flip value put back leaves less than this share of the purchase."""
WIDEST = 20
"""A flip value is looked for up to so many times the value itself."""
STEPS = 400
RULE = (("low", Decimal("0.3")), ("as planned", Decimal("0.4")), ("high", Decimal("0.3")))
"""Swanson's rule: 30, 40, 30 % for the tenth, the middle and the ninetieth hundredth."""
USES = tuple(Decimal(n) / 10 for n in range(1, 11))
PRICES = tuple(Decimal(n) / 10 for n in range(5, 17))
"""Factors of today's rental price."""


def set_all(question: Question, values: Iterable[tuple[str, Decimal]]) -> Question:
    for name, value in values:
        question = ALL[name].put(question, value)
    return question


def tornado(question: Question, spans: Sequence[Span]) -> Tornado:
    """Each assumption at both ends of its range, the widest first."""
    npv, closed = npv_of(question), Closed(question)
    bars = [
        Bar(
            span,
            npv_of(ALL[span.driver].put(question, span.low)),
            npv_of(ALL[span.driver].put(question, span.high)),
            _flip(question, closed, span),
        )
        for span in spans
    ]
    return Tornado(npv, tuple(sorted(bars, key=lambda bar: -bar.width)))


def _flip(question: Question, closed: Closed, span: Span) -> Decimal | None:
    """The value nearest to today's at which NPV is 0.

    Scanned in floats for where NPV changes its sign, then found exactly between two steps.
    """
    driver = ALL[span.driver]
    if span.driver == "delay":
        values = np.arange(0.0, question.days + 1)
    else:
        top = driver.within(max(span.high, span.base * WIDEST))
        values = np.linspace(0.0, float(top), STEPS + 1)
    signs = closed.npv({span.driver: values}) > 0
    changes = np.flatnonzero(signs[1:] != signs[:-1])
    if not len(changes):
        return None
    at = min(changes, key=lambda n: abs(values[n] + values[n + 1] - 2 * float(span.base)))
    low, high = Decimal(str(values[at])), Decimal(str(values[at + 1]))
    if span.driver == "delay":  # whole days: the first on which the answer is another
        return high

    def npv(value: Decimal) -> Decimal:
        return npv_of(driver.put(question, value))

    line = low - npv(low) * (high - low) / (npv(high) - npv(low))  # exact where NPV is linear
    invested = sum((lot.nodes * lot.price for lot in question.lots), Decimal(0))
    if abs(npv(line)) <= NEAR * NEAR * invested:
        return line
    return bisect(npv, low, high)


def two_way(
    question: Question, uses: Sequence[Decimal] = USES, factors: Sequence[Decimal] = PRICES
) -> TwoWay:
    """NPV by utilisation and rental price.

    Args:
        factors: of today's rental price.
    """
    rents = tuple(ALL["rent"].get(question) * factor for factor in factors)
    cells = tuple(
        tuple(npv_of(set_all(question, (("use", use), ("rent", rent)))) for rent in rents)
        for use in uses
    )
    return TwoWay(tuple(uses), rents, cells)


def three_by_three(question: Question, spans: Sequence[Span]) -> ScenarioTable:
    """Rental price and utilisation, each at the ends of its range and as planned."""
    known = {span.driver: span for span in spans}
    moved = [known[name] for name in ("rent", "use") if name in known]
    cases: list[tuple[str, Decimal, tuple[tuple[str, Decimal], ...]]] = [("", Decimal(1), ())]
    for span in moved:
        ends = (span.low, span.base, span.high)
        cases = [
            (
                f"{name}, {span.title} {words}" if name else f"{span.title} {words}",
                probability * share,
                (*values, (span.driver, value)),
            )
            for name, probability, values in cases
            for (words, share), value in zip(RULE, ends, strict=True)
        ]
    titles = " and ".join(span.title for span in moved)
    how = f"{titles} at low, as planned and high with 30, 40 and 30 %, independent of each other"
    return scenario_table(question, cases, how)


def scenario_table(
    question: Question,
    cases: Sequence[tuple[str, Decimal, tuple[tuple[str, Decimal], ...]]],
    how: str,
) -> ScenarioTable:
    """
    Args:
        cases: name, probability, values by driver.

    Raises:
        RentoptError: a driver is unknown, or the probabilities do not add up to 1.
    """
    for name, _, values in cases:
        unknown = [driver for driver, _ in values if driver not in ALL]
        if unknown:
            raise RentoptError(
                f"scenario '{name}': '{unknown[0]}' is no assumption; there are {', '.join(ALL)}"
            )
    scenarios = tuple(
        Scenario(name, probability, values, npv_of(set_all(question, values)))
        for name, probability, values in cases
    )
    table = Scenarios(
        tuple(case.probability for case in scenarios), tuple(case.npv for case in scenarios)
    )
    return ScenarioTable(
        scenarios, how, table.expected, table.deviation, table.buying_wins,
        table.regret_of_buying, table.regret_of_renting,
    )  # fmt: skip
