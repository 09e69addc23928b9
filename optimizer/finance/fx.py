"""Money of another currency, now and later. Rates and their days: `providers.fx`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from optimizer.finance.refusal import FinanceError
from providers.fx import Rate
from providers.money import Money


def converted(money: Money, rate: Rate) -> Money:
    """At this rate, once; the rate's day and source stand beside the result.

    Raises:
        FinanceError: the rate is not of that currency.
    """
    if money.currency != rate.base:
        raise FinanceError(f"a rate of {rate.base} in {rate.quote} does not convert {money}")
    return Money(money.amount * rate.value, rate.quote)


def forward(spot: Rate, years: Decimal, quote_rate: Decimal, base_rate: Decimal) -> Rate:
    """Covered interest parity: ``F = S ((1 + r_quote) / (1 + r_base)) ** t``.

    Only where asked for: plans convert at spot.
    """
    grown = ((1 + quote_rate) / (1 + base_rate)) ** years
    return replace(spot, value=spot.value * grown, source=f"forward of {spot.source}")
