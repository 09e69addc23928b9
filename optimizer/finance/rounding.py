"""Amounts for display in each currency's smallest unit. Lines that add up: `report.money_text`."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from optimizer.finance.refusal import FinanceError

MINOR_UNITS = {"JPY": 0, "KRW": 0, "CNY": 2, "EUR": 2, "GBP": 2, "USD": 2}
"""Decimals of ISO 4217."""


def minor_units(currency: str) -> int:
    """Decimals of a currency.

    Raises:
        FinanceError: the currency is not known.
    """
    if currency not in MINOR_UNITS:
        raise FinanceError(f"the smallest unit of {currency} is not known")
    return MINOR_UNITS[currency]


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the currency's smallest unit, half to even."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), ROUND_HALF_EVEN)
