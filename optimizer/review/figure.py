"""A figure that knows how it came about, down to the prices somebody quoted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from optimizer.finance.refusal import Metric
from providers.errors import RentoptError

_INDENT = "  "


class How(StrEnum):
    """How a value follows from the inputs below it."""

    SUM = "sum"
    DIFFERENCE = "difference"
    """The first input less the others."""
    PRODUCT = "product"
    QUOTIENT = "quotient"
    """The first input divided by the second."""
    FORMULA = "formula"
    """As its formula says; more than one step."""
    GIVEN = "given"
    """Quoted, measured or set by somebody: its source says who."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its formula, its inputs, and where given ones come from."""

    name: str
    """For programs and ``--explain``: npv, payback."""
    title: str
    value: Decimal | None
    unit: str
    how: How = How.GIVEN
    formula: str = ""
    """In plain text; empty for what is given."""
    inputs: tuple[Figure, ...] = ()
    source: str = ""
    code: str = ""
    """Why there is no value, in one word."""
    note: str = ""
    """The same in a sentence, or a remark."""

    @property
    def recomputed(self) -> Decimal | None:
        """The value from the inputs alone; None where the formula takes more than one step."""
        values = [figure.value for figure in self.inputs if figure.value is not None]
        if self.how is How.SUM:
            return sum(values, Decimal(0))
        if len(values) < len(self.inputs) or not values:
            return None
        if self.how is How.DIFFERENCE:
            return values[0] - sum(values[1:], Decimal(0))
        if self.how is How.PRODUCT:
            product = Decimal(1)
            for value in values:
                product *= value
            return product
        if self.how is How.QUOTIENT and values[1]:
            return values[0] / values[1]
        return None

    def walk(self) -> Iterator[Figure]:
        """This figure and all below it, top down."""
        yield self
        for figure in self.inputs:
            yield from figure.walk()


def of_metric(
    name: str, title: str, unit: str, metric: Metric, formula: str, *on: Figure
) -> Figure:
    """A figure of something that may have no value."""
    return Figure(
        name, title, metric.value, unit, How.FORMULA, formula, on, code=metric.code,
        note=metric.reason,
    )  # fmt: skip


def find(figures: tuple[Figure, ...], name: str) -> Figure:
    """A figure by its name, at the top or anywhere below.

    Raises:
        RentoptError: there is none.
    """
    for figure in figures:
        for part in figure.walk():
            if part.name == name:
                return part
    known = ", ".join(figure.name for figure in figures)
    raise RentoptError(f"'{name}' is no figure of this review; there are {known}")


def explain(figure: Figure, depth: int | None = None) -> Iterator[str]:
    """The derivation in lines, each input indented under what it is used for.

    What was told before is named again and not told again.

    Args:
        depth: levels below the figure; all when left out.
    """
    yield from _lines(figure, depth, 0, set())


def _lines(figure: Figure, depth: int | None, level: int, seen: set[str]) -> Iterator[str]:
    indent = _INDENT * level
    if figure.name in seen:
        yield f"{indent}{_worth(figure)}, as above"
        return
    seen.add(figure.name)
    yield f"{indent}{_line(figure)}"
    if depth is None or level < depth:
        for part in figure.inputs:
            yield from _lines(part, depth, level + 1, seen)


def _worth(figure: Figure) -> str:
    if figure.value is not None:
        worth = f"{told(figure.value)} {figure.unit}".rstrip()
    else:
        worth = f"none ({figure.code})" if figure.code else "none"
    return _printable(f"{figure.title} = {worth}")


def _line(figure: Figure) -> str:
    parts = [part for part in (_worth(figure), figure.formula, figure.note) if part]
    text = "; ".join(parts)
    return _printable(f"{text} [{figure.source}]" if figure.source else text)


def _printable(text: str) -> str:
    """Names and notes of others may hold line breaks, terminal codes and marks of direction."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def told(value: Decimal) -> str:
    """Whole amounts to the cent, small ones with six digits that count."""
    if value and abs(value) < 10:
        places = min(12, 5 - value.adjusted())
        text = f"{value:.{places}f}".rstrip("0")
        return f"{text}0" if text.endswith(".") else text
    return f"{value:,.2f}"
