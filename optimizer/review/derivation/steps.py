"""Figures that are made of others, and worth what their formula says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from optimizer.review.figure import Figure, How


def worked_out(
    name: str, title: str, unit: str, formula: str, *on: Figure, symbol: str = ""
) -> Figure:
    """A figure that is what its formula makes of its inputs."""
    made = Figure(name, title, Decimal(0), unit, How.FORMULA, formula, on, symbol=symbol)
    return replace(made, value=made.recomputed)


def summed(name: str, title: str, unit: str, *on: Figure, symbol: str = "") -> Figure:
    value = sum((part.value or Decimal(0) for part in on), Decimal(0))
    return Figure(name, title, value, unit, How.SUM, "sum", on, symbol=symbol)


def product(name: str, title: str, unit: str, formula: str, *on: Figure) -> Figure:
    value = Decimal(1)
    for part in on:
        value *= part.value or Decimal(0)
    return Figure(name, title, value, unit, How.PRODUCT, formula, on)
