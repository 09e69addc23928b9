"""Amounts, shares and spans of days as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from optimizer.plans import Answer

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half up; never minus zero."""
    return amount.quantize(CENT, ROUND_HALF_UP) + 0


def money(amount: Decimal) -> str:
    return f"{cents(amount):,.2f}"


def footed(
    amounts: Sequence[Decimal], unit: Decimal = CENT, total: Decimal | None = None
) -> list[Decimal]:
    """The amounts in whole cents that add up to the rounded sum.

    Each is cut down to the cent; the cents that are then missing go to the largest remainders, in
    line order among equals. So no line is a cent or more away from what it exactly is.

    Args:
        unit: what to round to, instead of a cent.
        total: what they must add up to, where that is rounded already.

    >>> footed([Decimal("0.005"), Decimal("0.005"), Decimal("1")])
    [Decimal('0.01'), Decimal('0.00'), Decimal('1.00')]
    """
    lines = [amount.quantize(unit, ROUND_FLOOR) + 0 for amount in amounts]
    if not lines:
        return []
    whole = sum(amounts, Decimal(0)).quantize(unit, ROUND_HALF_UP) if total is None else total
    missing = int((whole - sum(lines, Decimal(0))) / unit)
    each, more = divmod(missing, len(lines))
    order = sorted(range(len(lines)), key=lambda i: lines[i] - amounts[i])
    for i in order:
        lines[i] += each * unit
    for i in order[:more]:
        lines[i] += unit
    return lines


def footed_text(amounts: Sequence[Decimal]) -> list[str]:
    return [f"{line:,.2f}" for line in footed(amounts)]


def percent(share: Decimal) -> str:
    return f"{share * 100:.1f} %"


def percent_up(share: Decimal) -> str:
    """Two digits after the point, rounded up: what is proven must not look better than it is."""
    return f"{(share * 100).quantize(CENT, ROUND_CEILING) + 0} %"


def proven(npv: Decimal, bound: Decimal, currency: str, kind: str = "") -> str:
    """How far above the least possible a cost is at most, among all plans or those of a kind."""
    excess = npv - bound
    least = f"the least of any plan {kind}" if kind else "the least possible"
    if excess <= CENT / 2:
        return f"proven: no plan {kind} costs less" if kind else "proven: no plan costs less"
    if bound <= CENT:
        return f"at most {money(excess)} {currency} above {least}"
    return f"at most {percent_up(excess / bound)} above {least}"


def why_none(answer: Answer) -> str:
    """The first line of a reason that says something, without the heading above it."""
    lines = [line.strip() for line in answer.reason.splitlines()]
    told = [line for line in lines if line and line != "no plan exists:"]
    return told[0] if told else "no such plan"


def span(start: date, end: date) -> str:
    """First and last day of days up to but without `end`."""
    last = end - timedelta(1)
    return f"{start}" if last <= start else f"{start} to {last}"


def counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def number_range(least: int, most: int) -> str:
    return f"{most}" if least == most else f"{least} to {most}"


def hours_number(hours: Decimal) -> str:
    """Hours to the tenth, without it where it is nought."""
    text = f"{hours:,.1f}"
    return text.removesuffix(".0")
