"""From an instance to a linear model: the table of contents of the maths."""

from __future__ import annotations

from collections.abc import Collection

from optimizer.milp.constraints import FAMILIES, TIGHTENING, add_active
from optimizer.milp.constraints.capacity import Active
from optimizer.milp.instance import Instance
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.variables import Variables, add_variables


def assemble(
    data: Instance, pools: Collection[int] | None = None, *, tight: bool = True
) -> tuple[LinearModel, Variables]:
    """Columns with their costs (`variables`), then the rows of every family.

    Args:
        pools: only what runs on these pools; None: everything.
        tight: with the rows that only help a solver; without them the whole plans are the same.
    """
    model, v, _ = assemble_levels(data, pools, tight=tight)
    return model, v


def assemble_levels(
    data: Instance, pools: Collection[int] | None = None, *, tight: bool = True
) -> tuple[LinearModel, Variables, Active]:
    """As `assemble`, with the terms that add up to what is rented and held in each period."""
    model = LinearModel()
    v = add_variables(model, data, pools)
    active = add_active(model, v, data)
    for add_family in FAMILIES:
        if tight or add_family not in TIGHTENING:
            add_family(model, v, data, active)
    return model, v, active
