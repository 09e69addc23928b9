"""The rows of the model: one function a family, listed in the order of MODEL.md."""

from optimizer.milp.constraints.capacity import (
    add_active,
    add_capacity,
    add_gang_site,
    add_ownership,
)
from optimizer.milp.constraints.choices import add_choice, add_least_use, add_sellers
from optimizer.milp.constraints.jobs import (
    add_contiguous,
    add_job_price,
    add_move,
    add_one_gang,
    add_precedence,
    add_whole_hours,
    add_work,
)
from optimizer.milp.constraints.limits import (
    add_budget,
    add_cash,
    add_least_bought,
    add_lot,
    add_minimum_order,
    add_purchase_limit,
    add_quota,
    add_site_limits,
    add_stock,
    add_whole_starts,
)
from optimizer.milp.constraints.mixes import add_bucket_demand, add_replica_time, add_worth
from optimizer.milp.constraints.services import (
    add_demand,
    add_demand_rounding,
    add_least_replicas,
    add_replica_price,
    add_supply_price,
)

FAMILIES = (
    add_capacity,
    add_gang_site,
    add_ownership,
    add_demand,
    add_bucket_demand,
    add_replica_time,
    add_worth,
    add_demand_rounding,
    add_replica_price,
    add_supply_price,
    add_least_replicas,
    add_work,
    add_job_price,
    add_whole_hours,
    add_one_gang,
    add_contiguous,
    add_precedence,
    add_move,
    add_stock,
    add_lot,
    add_minimum_order,
    add_whole_starts,
    add_quota,
    add_purchase_limit,
    add_least_bought,
    add_budget,
    add_cash,
    add_site_limits,
    add_choice,
    add_sellers,
    add_least_use,
)

TIGHTENING = frozenset({add_demand_rounding, add_replica_price, add_supply_price, add_job_price})
"""Families that hold for all whole plans anyway, and cut off points that are not whole."""

__all__ = ["FAMILIES", "TIGHTENING", "add_active"]
