"""Columns and rows of a mixed-integer linear model, gathered before any solver is asked.

Plain lists: a golden test prints them, `solve` hands them to OR-Tools in one piece (adding columns
one by one through its Python objects takes seconds at 10^5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

INF = math.inf
Term = tuple[int, float]
"""(column, coefficient)"""


@dataclass(slots=True)
class LinearModel:
    """minimise cost · x  subject to  lower <= A x <= upper,  bounds, some x whole."""

    names: list[str] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    row_names: list[str] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    entries: list[dict[int, float]] = field(default_factory=list)
    """[row] column → coefficient"""
    offset: float = 0.0

    def column(
        self, name: str, *, upper: float = INF, whole: bool = False, cost: float = 0.0
    ) -> int:
        """Add a column between 0 and `upper`; returns its number."""
        self.names.append(name)
        self.costs.append(cost)
        self.lower.append(0.0)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.names) - 1

    def row(
        self, name: str, terms: Iterable[Term], *, lower: float = -INF, upper: float = INF
    ) -> None:
        """Add a row; coefficients of a column named twice add up.

        A row without columns that cannot hold (0 >= 3) stays, and makes the model infeasible as
        it should; one that always holds is left out.
        """
        gathered: dict[int, float] = {}
        for column, coefficient in terms:
            if coefficient:
                gathered[column] = gathered.get(column, 0.0) + coefficient
        if not gathered and lower <= 0.0 <= upper:
            return
        self.row_names.append(name)
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        self.entries.append(gathered)

    def text(self, family: str) -> str:
        """The rows of one family, one a line, for people and golden files."""
        lines = []
        for name, terms, low, high in zip(
            self.row_names, self.entries, self.row_lower, self.row_upper, strict=True
        ):
            if name.split("[")[0] != family:
                continue
            parts = " ".join(f"{value:+g} {self.names[col]}" for col, value in terms.items())
            if low == high:
                lines.append(f"{name}: {parts} == {low:g}")
            elif low > -INF:
                lines.append(f"{name}: {parts} >= {low:g}")
            else:
                lines.append(f"{name}: {parts} <= {high:g}")
        return "\n".join(lines) + "\n" if lines else ""
