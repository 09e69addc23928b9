"""The assumptions of a question that may turn out otherwise, each as one number to read and set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from optimizer.review.workbook.question import Lot, Question

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Driver:
    """An assumption. Where a question has several purchases, all move by one factor."""

    name: str
    title: str
    unit: str
    """With ``{}`` for the currency."""
    get: Callable[[Question], Decimal]
    put: Callable[[Question, Decimal], Question]
    most: Decimal | None = None
    """Values above it make no sense."""

    def within(self, value: Decimal) -> Decimal:
        return value if self.most is None else min(value, self.most)


def drivers(question: Question) -> Iterator[Driver]:
    """Those that count in a question: what is 0 in it and cannot be scaled is left out."""
    return (driver for driver in ALL.values() if driver.name in MAY_BE_0 or driver.get(question))


def _of_lots(name: str, title: str, unit: str, most: Decimal | None = None) -> Driver:
    def get(question: Question) -> Decimal:
        """Of the purchase with the most nodes: what a reader would name."""
        lot = max(question.lots, key=lambda lot: lot.nodes)
        found: Decimal = getattr(lot, name)
        return found

    def put(question: Question, value: Decimal) -> Question:
        base = get(question)

        def moved(lot: Lot) -> Lot:
            scaled = getattr(lot, name) * value / base if base else value
            changes: dict[str, Any] = {name: scaled if most is None else min(scaled, most)}
            return replace(lot, **changes)

        return replace(question, lots=tuple(moved(lot) for lot in question.lots))

    return Driver(name, title, unit, get, put, most)


def _of_question(name: str, title: str, unit: str, most: Decimal | None = None) -> Driver:
    def get(question: Question) -> Decimal:
        found: Decimal = getattr(question, name)
        return found

    def put(question: Question, value: Decimal) -> Question:
        changes: dict[str, Any] = {name: value}
        return replace(question, **changes)

    return Driver(name, title, unit, get, put, most)


def _later(question: Question, days: Decimal) -> Question:
    """Delivered so many days later, paid and sold on the same days: rent goes on in between."""

    def moved(lot: Lot) -> Lot:
        end = min(lot.sold, question.days)
        return replace(lot, usable=min(lot.usable + int(days), end))

    return replace(question, lots=tuple(moved(lot) for lot in question.lots))


ALL = {
    driver.name: driver
    for driver in (
        _of_lots("rent", "rental price", "{}/GPU-hour"),
        _of_lots("use", "utilisation", "share", ONE),
        _of_lots("price", "purchase price", "{}/node"),
        _of_lots("residual", "resale", "share of the price", ONE),
        _of_lots("maintenance", "maintenance", "share of the price a year"),
        _of_lots("hosting", "hosting", "{}/node-month"),
        _of_question("tariff", "electricity", "{}/kWh"),
        _of_question("pue", "power usage effectiveness", "factor"),
        _of_question("resale_cost", "cost of the sale", "share of the resale", ONE),
        _of_question("rate", "discount rate", "a year"),
        _of_question("rent_change", "change of rental prices", "a year"),
        Driver("delay", "delivery later than planned", "days", lambda question: Decimal(0), _later),
    )
}
"""Name → driver."""

MAY_BE_0 = ("maintenance", "resale_cost", "rate", "delay")
"""0 is what a schedule leaves out, and seldom what happens: their range is told all the same."""
