"""Formulas as people write them, worked out in exact decimals: what is printed is what is done.

Names, numbers, ``+ - * / ^``, brackets, and min, max, sum, lowest,
even_rate and worth_of_days; nothing else is a formula.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from itertools import accumulate
from typing import Any

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.returns import irr_at
from optimizer.finance.time_value import discount_factor

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def lowest(values: list[Decimal]) -> Decimal:
    """The least sum reached when values are added one by one."""
    return min(accumulate(values))


def worth_of_days(values: list[Decimal]) -> Decimal:
    """Present value of 1 on each day from the first to the one before the end: r, first, end."""
    rate, first, end = values
    days = range(int(first), int(end))
    return sum((discount_factor(rate, day) for day in days), Decimal(0))


def even_rate(values: list[Decimal]) -> Decimal:
    """Rate a year at which flows are worth nothing: their amounts, then as many days."""
    middle = len(values) // 2
    flows = list(zip(values[:middle], values[middle:], strict=True))
    found = irr_at([(day, amount) for amount, day in flows], MONTHS_IN_YEAR).value
    if found is None:
        raise ValueError("there is no single rate")
    return found


_FUNCTIONS: dict[str, Callable[[list[Decimal]], Decimal]] = {
    "min": min,
    "max": max,
    "sum": lambda values: sum(values, Decimal(0)),
    "lowest": lowest,
    "worth_of_days": worth_of_days,
    "even_rate": even_rate,
}
_WORK: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


def evaluate(formula: str, values: Mapping[str, Decimal | list[Decimal]]) -> Decimal:
    """What a formula comes to.

    Args:
        values: name → number; a list where several inputs share a name, for sum and lowest.

    Raises:
        ValueError: it is no formula, or a name is not among the values.

    >>> evaluate("(1 + r) ^ -2 * cost", {"r": Decimal("0.25"), "cost": Decimal(50)})
    Decimal('32.00')
    """
    found = _worth(_parsed(formula), values)
    if not isinstance(found, list):
        return found
    raise ValueError(f"'{formula}' is a list")


@cache
def _parsed(formula: str) -> ast.expr:
    try:
        return ast.parse(formula.replace("^", "**"), mode="eval").body
    except SyntaxError:
        raise ValueError(f"'{formula}' is no formula") from None


def _worth(node: Any, values: Mapping[str, Decimal | list[Decimal]]) -> Decimal | list[Decimal]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Decimal(str(node.value))
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, values)
    if isinstance(node, ast.BinOp) and type(node.op) in _WORK:
        return _WORK[type(node.op)](_number(node.left, values), _number(node.right, values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = _FUNCTIONS.get(node.func.id)
        if function is not None:
            return function(_numbers([_worth(part, values) for part in node.args]))
    raise ValueError(f"'{ast.unparse(node)}' means nothing here")


def _number(node: Any, values: Mapping[str, Decimal | list[Decimal]]) -> Decimal:
    found = _worth(node, values)
    if not isinstance(found, list):
        return found
    raise ValueError(f"'{ast.unparse(node)}' is a list")


def _numbers(parts: list[Decimal | list[Decimal]]) -> list[Decimal]:
    flat: list[Decimal] = []
    for part in parts:
        flat += part if isinstance(part, list) else [part]
    return flat


def substituted(formula: str, shown: Mapping[str, str]) -> str:
    """The formula with numbers in place of names.

    >>> substituted("a * sum(b)", {"a": "2.0", "b": "3.0 + 4.0"})
    '2.0 * sum(3.0 + 4.0)'
    """
    return _NAME.sub(lambda match: shown.get(match.group(), match.group()), formula)
