"""The merged model, made tighter step by step; at each step its bound holds for the daily model.

1. The linear relaxation, and rows for what whole nodes can do (`hull`).
2. Whole levels of what is there for long (`levels`): a few branches.
3. With those levels held, the relaxation shows what the days pay beside what is committed. Rows
   again, until none is broken; then 2 again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from optimizer.milp.assemble import assemble_levels
from optimizer.milp.constraints.capacity import Active
from optimizer.milp.encode import TINY
from optimizer.milp.hull import Hull
from optimizer.milp.instance import Instance
from optimizer.milp.levels import add_levels
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.merge import Merged, merge_days
from optimizer.milp.solver import Raw
from optimizer.milp.variables import Variables

PRICINGS = 8
"""Most linear programs for one set of levels."""
Run = Callable[[LinearModel], Raw]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A merged model and what of it is whole; rows that are added tighten all views of it."""

    merged: Merged
    model: LinearModel
    v: Variables
    active: Active
    levels: Sequence[int]
    hull: Hull

    @classmethod
    def of(cls, data: Instance, longest: int) -> Relaxation:
        """Of an exact instance, with periods of at most so many days."""
        merged = merge_days(data, longest)
        model, v, active = assemble_levels(merged.instance)
        levels = add_levels(model, v, merged.instance)
        return cls(merged, model, v, active, levels, Hull(merged.instance))

    def loose(self) -> LinearModel:
        """Nothing whole."""
        return replace(self.model, whole=[False] * len(self.model.names))

    def levelled(self) -> LinearModel:
        """Only levels whole."""
        model = self.loose()
        for level in self.levels:
            model.whole[level] = True
        return model

    def near(self, values: Sequence[float]) -> LinearModel:
        """All whole that is whole in periods; only terms and purchases that the values use."""
        model = replace(self.model, upper=list(self.model.upper))
        for column in (*self.v.start.values(), *self.v.hold.values()):
            if values[column] <= TINY:
                model.upper[column] = 0.0
        return model

    def price(self, raw: Raw, *, deep: bool = False) -> int:
        """Add rows that a linear relaxation breaks; how many (`Hull.add_rows`)."""
        return self.hull.add_rows(self.model, self.v, self.active, raw, deep=deep)

    def price_beside(self, values: Sequence[float], run: Run, *, deep: bool) -> Raw | None:
        """Add rows that the relaxation breaks whose levels are as in the values.

        Returns:
            Its solution when it breaks none of them any more; None if it broke none.
        """
        model = self.loose()
        model.lower, model.upper = list(model.lower), list(model.upper)
        for level in self.levels:
            model.lower[level] = model.upper[level] = float(round(values[level]))
        raw = run(model)
        for n in range(PRICINGS):
            if not self.price(raw, deep=deep):
                return raw if n else None
            raw = run(model)
        return raw
