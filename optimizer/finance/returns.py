"""Rates of return and paybacks; none where a single figure would mislead.

Flows with more than one change of sign can have several internal rates, and programs differ in
which one they print. Here they get no IRR; NPV, MIRR and all rates found are what there is to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate

from optimizer.finance.rates import ONE
from optimizer.finance.refusal import Metric, none
from optimizer.finance.roots import Terms, positive_roots, sign_changes
from optimizer.finance.time_value import DAYS_IN_YEAR, npv

MOST_CHANGES = 12
"""Of direction, up to which all rates are looked for: the work grows with their square."""


def irr(flows: Sequence[Decimal], periods: int = 1) -> Metric:
    """Internal rate of return: the r at which ``npv(r, flows)`` is 0.

    The `code` is no_sign_change where nothing is ever paid back (or paid in), several_rates where
    flows are not conventional.

    Args:
        periods: 12 makes the rate of monthly flows one a year, ``(1 + r) ** 12 - 1``.
    """
    return _rate(list(enumerate(flows)), periods)


def xirr(dated: Sequence[tuple[date, Decimal]]) -> Metric:
    """The same for dated flows, a year: the r at which `xnpv` is 0."""
    if not dated:
        return _rate([], DAYS_IN_YEAR)
    first = min(day for day, _ in dated)
    by_day: dict[int, Decimal] = {}
    for day, amount in dated:
        at = (day - first).days
        by_day[at] = by_day.get(at, Decimal(0)) + amount
    return _rate(sorted(by_day.items()), DAYS_IN_YEAR)


def irr_at(flows: Sequence[tuple[Decimal, Decimal]], parts: int) -> Metric:
    """The same of (day, amount), a year, where days are whole numbers of `parts` of a day."""
    terms: dict[int, Decimal] = {}
    for day, amount in flows:
        at = int((day * parts).to_integral_value())
        terms[at] = terms.get(at, Decimal(0)) + amount
    return _rate(sorted(terms.items()), DAYS_IN_YEAR * parts)


def _rate(terms: Terms, periods: int) -> Metric:
    amounts = [amount for _, amount in terms]
    changes = sign_changes(amounts)
    if changes == 0:
        return none(
            "no_sign_change", "money only goes one way, so no rate of return makes it even out"
        )
    looked_for = changes <= MOST_CHANGES
    rates = tuple(sorted(1 / v**periods - 1 for v in positive_roots(terms))) if looked_for else ()
    if changes == 1:
        return Metric(rates[0], candidates=rates)
    found = " and ".join(f"{rate:.2%}" for rate in rates) or "no rate"
    roots = f" ({found} would make them even out)" if looked_for else ""
    return none(
        "several_rates",
        f"the flows change direction {changes} times, so a single rate of return has no meaning"
        f"{roots}; take NPV or MIRR",
        rates,
    )


def mirr(flows: Sequence[Decimal], finance_rate: Decimal, reinvest_rate: Decimal) -> Metric:
    """Modified IRR a period, as spreadsheets' MIRR: ``(FV(in) / -PV(out)) ** (1/n) - 1``."""
    periods = len(flows) - 1
    paid = -npv(finance_rate, [min(flow, Decimal(0)) for flow in flows])
    got = npv(reinvest_rate, [max(flow, Decimal(0)) for flow in flows])
    if periods < 1 or not paid or not got:
        return none("no_sign_change", "money only goes one way, so there is no rate of return")
    return Metric((got * (1 + reinvest_rate) ** periods / paid) ** (ONE / periods) - 1)


def profitability_index(rate: Decimal, flows: Sequence[Decimal]) -> Metric:
    """Present value of what comes after the investment, per unit invested at time 0."""
    if not flows or flows[0] >= 0:
        return none("nothing_invested", "nothing is invested at the start")
    return Metric(npv(rate, [Decimal(0), *flows[1:]]) / -flows[0])


def payback(flows: Sequence[Decimal]) -> Metric:
    """Periods until the flows so far add up to 0 or more, linear inside a period.

    ``t - 1 + |cumulative| / CF_t``; None: never within the flows. It may equal the horizon where
    NPV is far below 0, so it is shown beside `discounted_payback`.
    """
    sums = list(accumulate(flows))
    if not flows or min(sums) >= 0:
        return none("nothing_invested", "nothing is paid that would have to come back")
    spent = next(t for t, reached in enumerate(sums) if reached < 0)
    back = next((t for t in range(spent, len(sums)) if sums[t] >= 0), None)
    if back is None:
        return none("never", f"not paid back within {len(flows) - 1} periods")
    again = any(later < 0 for later in sums[back:])
    remark = "what comes later takes the sum below 0 again" if again else ""
    return Metric(back - 1 - sums[back - 1] / flows[back], reason=remark)


def discounted_payback(rate: Decimal, flows: Sequence[Decimal]) -> Metric:
    """The same with every flow at its present value."""
    return payback([npv(rate, [Decimal(0)] * t + [flow]) for t, flow in enumerate(flows)])


def peak_outlay(flows: Sequence[Decimal]) -> Decimal:
    """Cash at risk: the most that is out at any time, net of what came back; 0 or more."""
    return max((-reached for reached in accumulate(flows)), default=Decimal(0)).max(Decimal(0))
