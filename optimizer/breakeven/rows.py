"""A break-even point as a row of plain values, for a plan, a table or a file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Row = dict[str, Any]
"""What a row says; keys as in `row`."""

KEYS = (
    "kind", "subject", "against", "basis", "quantity", "unit", "now", "answer", "break_even", "raw",
    "low", "high", "proven", "self_check", "meaning",
)  # fmt: skip
"""In the order of a file's columns."""

DIGITS = 12


def row(
    kind: str,
    subject: str,
    quantity: str,
    unit: str,
    meaning: str,
    *,
    now: Decimal | float | None = None,
    break_even: Decimal | float | None = None,
    raw: Decimal | float | None = None,
    low: Decimal | float | None = None,
    high: Decimal | float | None = None,
    proven: bool = True,
    self_check: Decimal | None = None,
    against: str = "",
    basis: str = "",
    answer: str = "",
    **more: Any,
) -> Row:
    """One break-even point.

    Args:
        kind: pair, whole, ladder or regime.
        subject: what is bought.
        now: value in the schedule or its plan.
        break_even: None where there is none ("never"); `raw` has the figure all the same.
        low, high: the proven bracket, where it is one.
        proven: whether the figure is exact, or its bracket proven.
        self_check: what is left of the difference with the figure put back, as share of the price.
        against: the rental it is compared with.
        basis: accounting (no interest) or economic (at the schedule's discount rate).
        answer: at (the figure), never, always, none (there is nothing to ask), or open (not
            settled); at or never by whether there is a figure when left out.
    """
    return {
        "kind": kind,
        "subject": subject,
        "against": against,
        "basis": basis,
        "quantity": quantity,
        "unit": unit,
        "now": number(now),
        "answer": answer or ("never" if break_even is None else "at"),
        "break_even": number(break_even),
        "raw": number(raw),
        "low": number(low),
        "high": number(high),
        "proven": proven,
        "self_check": None if self_check is None else f"{self_check:.1E}",
        "meaning": meaning,
        **more,
    }


def number(value: Decimal | float | None) -> str | None:
    """A decimal string of twelve digits, without exponent; None where there is no number."""
    if value is None:
        return None
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return None
    short = Decimal(f"{exact:.{DIGITS - 1}e}")
    text = f"{short:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def said(value: Decimal | float, places: int | None = None) -> str:
    """A figure in a sentence: three digits or more, thousands apart.

    >>> said(Decimal("1234.567")), said(Decimal("17.249")), said(0.01234)
    ('1,235', '17.2', '0.0123')
    """
    number = float(value)
    if places is None:
        size = abs(number)
        places = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 4
    return f"{number:,.{places}f}"


def percent(share: Decimal | float) -> str:
    return f"{float(share) * 100:,.1f} %"
