"""A figure that knows how it came about, down to the prices somebody quoted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from optimizer.finance.refusal import Metric
from optimizer.review.arithmetic import evaluate, substituted
from optimizer.review.workbook.texts import inert
from providers.errors import RentoptError

_INDENT = "  "
_SHOWN = 8
"""Terms of a sum that are written out."""


class How(StrEnum):
    """How a value follows from the inputs below it."""

    SUM = "sum"
    DIFFERENCE = "difference"
    """The first input less the others."""
    PRODUCT = "product"
    QUOTIENT = "quotient"
    """The first input divided by the second."""
    FORMULA = "formula"
    """As its formula says, which calls the inputs by their symbols."""
    WORDS = "words"
    """As its formula says in words: more steps than its inputs tell."""
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
    symbol: str = ""
    """What the formula above calls it."""
    observed_at: date | None = None
    """Day on which a price was seen."""
    table: str = ""
    """Price table or snapshot it stands in."""
    set_by: str = ""
    """Who decided on it: the schedule, a default, the plan."""

    def called(self, symbol: str) -> Figure:
        """The same under the name that a formula uses."""
        return replace(self, symbol=symbol)

    @property
    def recomputed(self) -> Decimal | None:
        """The value from the inputs alone; None where it is given, or told in words."""
        if self.how is How.FORMULA:
            return self._evaluated()
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

    def _evaluated(self) -> Decimal | None:
        if self.value is None:
            return None
        return evaluate(self.formula, self._by_symbol())

    def _by_symbol(self) -> dict[str, Decimal | list[Decimal]]:
        """Symbol → value; several inputs of one symbol are a list."""
        found: dict[str, Decimal | list[Decimal]] = {}
        for figure in self.inputs:
            if not figure.symbol or figure.value is None:
                continue
            known = found.get(figure.symbol)
            if known is None:
                found[figure.symbol] = figure.value
            elif isinstance(known, list):
                known.append(figure.value)
            else:
                found[figure.symbol] = [known, figure.value]
        return found

    @property
    def numbers(self) -> str:
        """The formula with the values in it; empty for what is given or told in words."""
        values = [figure.value for figure in self.inputs if figure.value is not None]
        if self.value is None or not values:
            return ""
        sign = {How.SUM: " + ", How.DIFFERENCE: " - ", How.PRODUCT: " x ", How.QUOTIENT: " / "}
        if self.how in sign:
            return _joined(values, sign[self.how])
        if self.how is not How.FORMULA:
            return ""
        shown = {
            name: _joined(found if isinstance(found, list) else [found], ", ")
            for name, found in self._by_symbol().items()
        }
        return substituted(self.formula, shown)

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
        name, title, metric.value, unit, How.WORDS, formula, on, code=metric.code,
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
    for level, part, again in unfolded(figure, depth):
        text = f"{_worth(part)}, as above" if again else _line(part)
        yield f"{_INDENT * level}{text}"


def unfolded(figure: Figure, depth: int | None = None) -> Iterator[tuple[int, Figure, bool]]:
    """(level, figure, whether it was there before) top down; below what was there before nothing
    is told again."""
    yield from _unfolded(figure, depth, 0, set())


def _unfolded(
    figure: Figure, depth: int | None, level: int, seen: set[str]
) -> Iterator[tuple[int, Figure, bool]]:
    again = figure.name in seen
    yield level, figure, again
    seen.add(figure.name)
    if not again and (depth is None or level < depth):
        for part in figure.inputs:
            yield from _unfolded(part, depth, level + 1, seen)


def as_data(figure: Figure, depth: int | None = None) -> dict[str, Any]:
    """A derivation for programs: values as decimal strings, inputs as a list below."""
    return _as_data(figure, depth, 0, set())


def _as_data(figure: Figure, depth: int | None, level: int, seen: set[str]) -> dict[str, Any]:
    again = figure.name in seen
    seen.add(figure.name)
    body: dict[str, Any] = {
        "name": figure.name,
        "title": figure.title,
        "value": None if figure.value is None else f"{figure.value:f}",
        "unit": figure.unit,
    }
    if again:
        return body | {"as_above": True}
    more = {
        "how": str(figure.how),
        "symbol": figure.symbol,
        "formula": figure.formula,
        "numbers": figure.numbers,
        "code": figure.code,
        "note": figure.note,
        "source": figure.source,
        "observed_at": figure.observed_at.isoformat() if figure.observed_at else "",
        "table": figure.table,
        "set_by": figure.set_by,
    }
    body |= {name: text for name, text in more.items() if text}
    if figure.inputs and (depth is None or level < depth):
        body["inputs"] = [_as_data(part, depth, level + 1, seen) for part in figure.inputs]
    return body


def _worth(figure: Figure) -> str:
    if figure.value is not None:
        worth = f"{told(figure.value)} {inert(figure.unit)}".rstrip()
    else:
        worth = f"none ({figure.code})" if figure.code else "none"
    named = inert(figure.title)
    title = f"{figure.symbol}: {named}" if figure.symbol else named
    return f"{title} = {worth}"


def _line(figure: Figure) -> str:
    sums = " = ".join(part for part in (figure.formula, figure.numbers) if part)
    text = "; ".join(part for part in (_worth(figure), sums, inert(figure.note)) if part)
    origin = provenance(figure)
    return f"{text} [{origin}]" if origin else text


def provenance(figure: Figure) -> str:
    """Where what is given comes from, in one line."""
    seen = f"seen on {figure.observed_at}" if figure.observed_at else ""
    table = f"in {figure.table}" if figure.table else ""
    by = f"set by {figure.set_by}" if figure.set_by else ""
    return ", ".join(part for part in (inert(figure.source), seen, inert(table), by) if part)


def _joined(values: list[Decimal], sign: str) -> str:
    """A few of them, and how many more."""
    shown = [told(value) if value >= 0 else f"({told(value)})" for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        shown.append(f"{len(values) - _SHOWN} more")
    return sign.join(shown)


def told(value: Decimal) -> str:
    """Whole amounts to the cent, small ones with six digits that count, counts without any."""
    if abs(value) < 10 and value == value.to_integral_value():
        return f"{int(value)}"
    if abs(value) < 10:
        places = min(12, 5 - value.adjusted())
        text = f"{value:.{places}f}".rstrip("0")
        return f"{text}0" if text.endswith(".") else text
    return f"{value:,.2f}"
