"""The merged model, and views of it; at each step its bound holds for the daily model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from optimizer.milp.assemble import assemble_levels
from optimizer.milp.constraints.capacity import Active
from optimizer.milp.constraints.services import add_demand_rounding
from optimizer.milp.encode import TINY, positive
from optimizer.milp.gangs import by_the_node
from optimizer.milp.hull import Hull
from optimizer.milp.instance import Instance
from optimizer.milp.levels import add_levels
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.merge import Merged, alike_days, merge_days
from optimizer.milp.solver import Raw
from optimizer.milp.variables import Variables, gang_columns

ROUNDED_LOADS = 2000
"""Up to so many loads of services in slices there are rows for rounded demand, a third of all rows;
above, those of the hull must do."""


MANY_GANGS = 5000
"""With more columns for gangs, they are counted by the node."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A merged model and what of it is whole; rows that are added tighten all views of it."""

    merged: Merged
    model: LinearModel
    v: Variables
    active: Active
    levels: Sequence[int]
    """Columns of levels"""
    pools: Sequence[int]
    """Pool of each level"""
    hull: Hull
    gangs: list[list[list[int]]] | None
    """[job][gang] gangs of the daily model; None: the same"""

    @classmethod
    def of(cls, data: Instance, longest: int, threads: int = 1) -> Relaxation:
        """Of an exact instance, with periods of at most so many days."""
        merged, gangs = merge_days(data, longest), None
        if gang_columns(merged.instance) > MANY_GANGS and not data.choices:
            days = alike_days((data,), longest, windows=False)
            merged = merge_days(data, longest, days)
            instance, gangs = by_the_node(merged.instance)
            merged = replace(merged, instance=instance)
        loads = len(merged.instance.slices) * len(data.services)
        without = (add_demand_rounding,) if loads > ROUNDED_LOADS else ()
        model, v, active = assemble_levels(merged.instance, without=without)
        levels = add_levels(model, v, merged.instance)
        hull = Hull(merged.instance, threads)
        return cls(merged, model, v, active, list(levels), list(levels.values()), hull, gangs)

    def used_gangs(self, values: Sequence[float]) -> set[tuple[int, int]]:
        """(job, gang of the daily model) that may be what runs in a solution."""
        used = {
            (j, g) for j, g, _ in (*positive(self.v.run, values), *positive(self.v.hours, values))
        }
        if self.gangs is None:
            return used
        return {(j, i) for j, g in used for i in self.gangs[j][g]}

    def loose(self) -> LinearModel:
        """Nothing whole."""
        return replace(self.model, whole=[False] * len(self.model.names))

    def near(self, values: Sequence[float]) -> LinearModel:
        """All whole that is whole in periods; levels as in the values, terms only those in use."""
        model = replace(self.model, lower=list(self.model.lower), upper=list(self.model.upper))
        for level in self.levels:
            model.lower[level] = model.upper[level] = float(round(values[level]))
        for column in (*self.v.start.values(), *self.v.hold.values()):
            if values[column] <= TINY:
                model.upper[column] = 0.0
        return model

    def price(
        self, raw: Raw, *, deep: bool = False, late: Callable[[], bool] = lambda: False
    ) -> int:
        """Add rows that a linear relaxation breaks; how many (`Hull.add_rows`)."""
        return self.hull.add_rows(self.model, self.v, self.active, raw, deep=deep, late=late)
