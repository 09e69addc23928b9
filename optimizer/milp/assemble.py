"""From an instance to a linear model: the table of contents of the maths."""

from __future__ import annotations

from collections.abc import Callable, Collection

from optimizer.milp.constraints import FAMILIES, add_active
from optimizer.milp.constraints.capacity import Active
from optimizer.milp.instance import Instance
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.variables import Variables, add_variables

Family = Callable[[LinearModel, Variables, Instance, Active], None]


def assemble(
    data: Instance, pools: Collection[int] | None = None, *, without: Collection[Family] = ()
) -> tuple[LinearModel, Variables]:
    """Columns with their costs (`variables`), then the rows of every family.

    Args:
        pools: only what runs on these pools; None: everything.
        without: families whose rows are left out.
    """
    model, v, _ = assemble_levels(data, pools, without=without)
    return model, v


def assemble_levels(
    data: Instance, pools: Collection[int] | None = None, *, without: Collection[Family] = ()
) -> tuple[LinearModel, Variables, Active]:
    """As `assemble`, with the terms that add up to what is rented and held in each period."""
    model = LinearModel()
    v = add_variables(model, data, pools)
    active = add_active(model, v, data)
    for add_family in FAMILIES:
        if add_family not in without:
            add_family(model, v, data, active)
    return model, v, active
