"""Amounts for display: lines that add up to their total, and each currency's smallest coin."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

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


def footing(lines: Sequence[Decimal], decimals: int = 2) -> list[Decimal]:
    """Lines rounded so that they add up to their rounded total (largest remainder).

    Each is cut down; the units that are missing go to the largest remainders, on a tie to the
    earlier line.

    >>> [str(line) for line in footing([Decimal("33.335"), Decimal("33.335"), Decimal("33.33")])]
    ['33.34', '33.33', '33.33']
    """
    unit = Decimal(1).scaleb(-decimals)
    total = sum(lines, Decimal(0)).quantize(unit, ROUND_HALF_EVEN)
    cut = [line.quantize(unit, ROUND_FLOOR) for line in lines]
    missing = int((total - sum(cut, Decimal(0))) / unit)
    order = sorted(range(len(lines)), key=lambda i: cut[i] - lines[i])
    for i in order[:missing]:
        cut[i] += unit
    return cut
