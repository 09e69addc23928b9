r"""Where a function changes its sign, and all rates at which flows are worth nothing.

With v = 1/(1+r) the value of flows is a sum of powers of v, one term a flow. Such a sum has at
most as many positive roots as its coefficients have changes of sign (Descartes' rule; for any
real exponents: Jameson 2006, Math. Gazette 90, 223-234). Dividing it by v^m, with m between the
exponents of a change, and differentiating takes exactly that change away (Laguerre). So all roots
are found by bisection between the roots of a simpler sum, and none is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

Terms = Sequence[tuple[int, Decimal]]
"""(exponent, coefficient), by rising exponent."""

_HALVINGS = 110
_DOUBLINGS = 400
_NOTHING = Decimal("1e-20")
"""Share of the terms' absolute sum below which a sum counts as 0: roots that only touch."""


def bisect(f: Callable[[Decimal], Decimal], low: Decimal, high: Decimal) -> Decimal | None:
    """Where f changes its sign, to the last digits; None when both ends have the same sign."""
    below, above = f(low), f(high)
    if below == 0:
        return low
    if above == 0:
        return high
    if (below > 0) == (above > 0):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        value = f(middle)
        if value == 0 or middle in (low, high):
            return middle
        if (value > 0) == (below > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def sign_changes(amounts: Sequence[Decimal]) -> int:
    """Changes between outflow and inflow; nothing paid is neither.

    >>> sign_changes([Decimal(-100), Decimal(230), Decimal(0), Decimal(-132)])
    2
    """
    signs = [amount > 0 for amount in amounts if amount != 0]
    return sum(1 for one, other in pairwise(signs) if one != other)


def positive_roots(terms: Terms) -> list[Decimal]:
    """Every v > 0 at which the sum of coefficient * v ** exponent is 0, rising."""
    terms = [(power, amount) for power, amount in terms if amount != 0]
    change = next(
        (i for i, (_, amount) in enumerate(terms[:-1]) if (amount > 0) != (terms[i + 1][1] > 0)),
        None,
    )
    if change is None:
        return []
    # Doubled exponents keep m, the middle of two neighbours, a whole number.
    middle = terms[change][0] + terms[change + 1][0]
    simpler = [(power, amount * (2 * power - middle)) for power, amount in terms]
    turning = positive_roots(simpler)
    lower = _outside(terms, turning[0] if turning else Decimal(1), Decimal("0.5"), terms[0][1])
    upper = _outside(terms, turning[-1] if turning else Decimal(1), Decimal(2), terms[-1][1])
    points = [lower, *turning, upper]
    found: list[Decimal] = []
    for low, high in pairwise(points):
        root = bisect(lambda v: _value(terms, v), low, high)
        touching = low if low in turning and _touches(terms, low) else None
        for candidate in (touching, root):
            if candidate is not None and not any(_same(candidate, known) for known in found):
                found.append(candidate)
    return sorted(found)


def _value(terms: Terms, v: Decimal) -> Decimal:
    lowest = terms[0][0]
    return sum((amount * v ** (power - lowest) for power, amount in terms), Decimal(0))


def _touches(terms: Terms, v: Decimal) -> bool:
    lowest = terms[0][0]
    size = sum((abs(amount) * v ** (power - lowest) for power, amount in terms), Decimal(0))
    return abs(_value(terms, v)) <= size * _NOTHING


def _same(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= Decimal("1e-9") * max(abs(one), abs(other))


def _outside(terms: Terms, start: Decimal, factor: Decimal, outermost: Decimal) -> Decimal:
    """A v beyond all roots: there the sum has the sign of its outermost coefficient."""
    v = start * factor
    for _ in range(_DOUBLINGS):
        if (_value(terms, v) > 0) == (outermost > 0) and _value(terms, v) != 0:
            break
        v *= factor
    return v
