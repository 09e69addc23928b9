"""The first plan: at once, and checked against the rows of the model."""

from __future__ import annotations

from dataclasses import replace

from optimizer.milp.assemble import assemble
from optimizer.milp.constraints import TIGHTENING
from optimizer.milp.encode import encode, keeps_rows
from optimizer.milp.greedy import greedy
from optimizer.milp.instance import Instance, Service, Solution
from optimizer.milp.narrow import pools_of
from optimizer.milp.worth import missing


def first_plan(data: Instance) -> Solution | None:
    """The plan of `greedy` if it keeps every row; else one without long terms and purchases.

    Money that leaves early, and sellers that are too many, are what `greedy` does not look at.
    """
    for long in (True, False):
        found = greedy(data, long=long)
        if found is not None and is_plan(data, found):
            return found
    return None


def is_plan(data: Instance, found: Solution) -> bool:
    """Whether a solution of an exact instance keeps every row of the model.

    Only what the solution uses gets columns: all else is 0 in it. Whether mixes can be routed is
    asked without columns for their routes, which are many (`missing`).
    """
    told = replace(data, services=tuple(map(_by_worth, data.services)))
    used = replace(
        told,
        term_offers=tuple(
            replace(
                offer, starts=tuple(x for i, x in enumerate(offer.starts) if (o, i) in found.start)
            )
            for o, offer in enumerate(data.term_offers)
        ),
    )
    ids = [sorted(i for n, i in found.start if n == o) for o in range(len(data.term_offers))]
    start = {(o, ids[o].index(i)): n for (o, i), n in found.start.items()}
    model, v = assemble(used, pools_of(data, found), without=TIGHTENING)
    values = encode(used, model, v, replace(found, start=start))
    return values is not None and keeps_rows(model, values) and not missing(told, found)


def _by_worth(service: Service) -> Service:
    """A mix told by worths: by one that holds for any plan where it has none."""
    each = (1.0,) * len(service.buckets)
    return replace(service, worths=(each,)) if service.routed else service
