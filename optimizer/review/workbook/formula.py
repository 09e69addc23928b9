"""Formulas that are both written into a sheet and worked out here, so that the two cannot differ.

An expression is built once from named cells and rows; `text` is what a spreadsheet reads, `value`
what it must show. A row has one expression for all its periods, so its formulas cannot vary.
Only functions that every spreadsheet of the last fifteen years knows are there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

FIRST = 4
"""Column of period 0, from 0: label, unit, total and opening balance come before it."""
OPENING = FIRST - 1

Value = Any
"""A number, text, truth, or a list of them for a range."""


class Expr:
    """Something with a value; operators make formulas of it."""

    @property
    def level(self) -> int:
        """How strongly it binds; 9 needs no brackets."""
        return 9

    def text(self, sheet: str, column: int) -> str:
        """As a spreadsheet reads it in this column of this sheet."""
        raise NotImplementedError

    def value(self, column: int) -> Value:
        raise NotImplementedError

    def __add__(self, other: Term) -> Expr:
        return Op("+", self, term(other))

    def __sub__(self, other: Term) -> Expr:
        return Op("-", self, term(other))

    def __rsub__(self, other: Term) -> Expr:
        return Op("-", term(other), self)

    def __radd__(self, other: Term) -> Expr:
        return Op("+", term(other), self)

    def __mul__(self, other: Term) -> Expr:
        return Op("*", self, term(other))

    def __truediv__(self, other: Term) -> Expr:
        return Op("/", self, term(other))

    def __pow__(self, other: Term) -> Expr:
        return Op("^", self, term(other))

    def __neg__(self) -> Expr:
        return Op("-", Literal(0), self)

    def __lt__(self, other: Term) -> Expr:
        return Op("<", self, term(other))

    def __le__(self, other: Term) -> Expr:
        return Op("<=", self, term(other))

    def __gt__(self, other: Term) -> Expr:
        return Op(">", self, term(other))

    def __ge__(self, other: Term) -> Expr:
        return Op(">=", self, term(other))

    def equals(self, other: Term) -> Expr:
        return Op("=", self, term(other))


Term = Expr | int | str


def term(value: Term) -> Expr:
    return value if isinstance(value, Expr) else Literal(value)


@dataclass(frozen=True, eq=False)
class Literal(Expr):
    """0, 1 or a word: every other constant is a named cell."""

    content: int | str

    def __post_init__(self) -> None:
        if not isinstance(self.content, str) and self.content not in (0, 1):
            raise ValueError(f"{self.content} is a buried constant; give it a name")

    def text(self, sheet: str, column: int) -> str:
        return f'"{self.content}"' if isinstance(self.content, str) else str(self.content)

    def value(self, column: int) -> Value:
        return self.content if isinstance(self.content, str) else float(self.content)


@dataclass(eq=False)
class Named(Expr):
    """A cell with a name."""

    name: str
    content: Value

    def text(self, sheet: str, column: int) -> str:
        return self.name

    def value(self, column: int) -> Value:
        return self.content


@dataclass(eq=False)
class Row:
    """A line of a sheet: one formula over all periods."""

    sheet: str
    label: str
    unit: str
    expr: Expr
    opening: Value = None
    """Balance before period 0, shown in its column; nothing counts as 0."""
    summed: bool = False
    """Whether the sum over the periods means something."""
    form: str = "amount"
    line: int = -1
    """In the sheet, from 0; set when it is laid out."""
    values: list[Value] = field(default_factory=list)

    def work_out(self, periods: int) -> None:
        self.values.clear()
        for column in range(FIRST, FIRST + periods):
            self.values.append(self.expr.value(column))

    @property
    def now(self) -> Expr:
        return At(self)

    @property
    def before(self) -> Expr:
        return At(self, -1)

    @property
    def all(self) -> Expr:
        return Span(self)


@dataclass(eq=False)
class At(Expr):
    """A row in this period, or the one before."""

    row: Row
    shift: int = 0

    def text(self, sheet: str, column: int) -> str:
        place = f"{column_name(column + self.shift)}{self.row.line + 1}"
        return place if self.row.sheet == sheet else f"{self.row.sheet}!{place}"

    def value(self, column: int) -> Value:
        at = column + self.shift - FIRST
        if at < 0:
            return 0.0 if self.row.opening is None else self.row.opening
        return self.row.values[at]


@dataclass(eq=False)
class Span(Expr):
    """A row over all periods."""

    row: Row

    def text(self, sheet: str, column: int) -> str:
        last = column_name(FIRST + len(self.row.values) - 1)
        line = self.row.line + 1
        place = f"${column_name(FIRST)}${line}:${last}${line}"
        return place if self.row.sheet == sheet else f"{self.row.sheet}!{place}"

    def value(self, column: int) -> Value:
        return list(self.row.values)


_LEVELS = {"^": 5, "*": 4, "/": 4, "+": 3, "-": 3, "=": 1, "<": 1, "<=": 1, ">": 1, ">=": 1}
_WORK: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(eq=False)
class Op(Expr):
    sign: str
    left: Expr
    right: Expr

    @property
    def level(self) -> int:
        return _LEVELS[self.sign]

    def text(self, sheet: str, column: int) -> str:
        # Equal levels group from the left, in spreadsheets the power too.
        left = _bracketed(self.left, self.left.level < self.level, sheet, column)
        right = _bracketed(self.right, self.right.level <= self.level, sheet, column)
        if self.sign == "-" and isinstance(self.left, Literal) and self.left.content == 0:
            return f"-{right}"
        return f"{left}{self.sign}{right}"

    def value(self, column: int) -> Value:
        return _spread(_WORK[self.sign], self.left.value(column), self.right.value(column))


def _bracketed(part: Expr, needed: bool, sheet: str, column: int) -> str:
    # A leading minus binds more strongly than a power there, and less so elsewhere.
    inner = part.text(sheet, column)
    return f"({inner})" if needed or inner.startswith("-") else inner


def _spread(work: Callable[[Any, Any], Any], a: Value, b: Value) -> Value:
    """A range and a number, or two ranges, cell by cell."""
    if isinstance(a, list) and isinstance(b, list):
        return [work(x, y) for x, y in zip(a, b, strict=True)]
    if isinstance(a, list):
        return [work(x, b) for x in a]
    if isinstance(b, list):
        return [work(a, y) for y in b]
    return work(a, b)


@dataclass(eq=False)
class Call(Expr):
    """A function of a spreadsheet."""

    name: str
    arguments: tuple[Expr, ...]

    def text(self, sheet: str, column: int) -> str:
        return f"{self.name}({','.join(a.text(sheet, column) for a in self.arguments)})"

    def value(self, column: int) -> Value:
        if self.name == "IF":
            condition, yes, no = self.arguments
            return (yes if condition.value(column) else no).value(column)
        return _FUNCTIONS[self.name]([a.value(column) for a in self.arguments])


def call(name: str, *arguments: Term) -> Expr:
    if name != "IF" and name not in _FUNCTIONS:
        raise ValueError(f"{name} is not among the functions used")
    return Call(name, tuple(term(a) for a in arguments))


def _numbers(values: Sequence[Value]) -> list[float]:
    """Of arguments and ranges, without texts."""
    found: list[float] = []
    for value in values:
        found += [x for x in (value if isinstance(value, list) else [value]) if not _is_text(x)]
    return found


def _is_text(value: Value) -> bool:
    return isinstance(value, str) or value is None


def _sum_product(values: list[Value]) -> float:
    total = 0.0
    for row in zip(*values, strict=True):
        product = 1.0
        for factor in row:
            product *= factor
        total += product
    return total


_FUNCTIONS: dict[str, Callable[[list[Value]], Value]] = {
    "SUM": lambda v: sum(_numbers(v)),
    "MIN": lambda v: min(_numbers(v), default=0.0),
    "MAX": lambda v: max(_numbers(v), default=0.0),
    "ABS": lambda v: abs(v[0]),
    "EXP": lambda v: [math.exp(x) for x in v[0]] if isinstance(v[0], list) else math.exp(v[0]),
    "LN": lambda v: math.log(v[0]),
    "AND": all,
    "OR": any,
    "COUNT": lambda v: float(len(_numbers(v))),
    "INT": lambda v: float(v[0] // 1),
    "MOD": lambda v: float(v[0] % v[1]),
    "ISNUMBER": lambda v: not _is_text(v[0]),
    "SUMPRODUCT": _sum_product,
}


def column_name(number: int) -> str:
    """0 is A, 26 is AA."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
