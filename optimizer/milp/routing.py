"""How a router splits the requests of a mix over the replicas that a solution has.

The solver's own split is one of many: any that the replicas have time for costs the same. This one
leaves the fullest kind of replica as much room as can be, and is the same in all slices that ask
for the same, so that people can set a router by it.
"""

from __future__ import annotations

import time

from optimizer.milp.instance import Instance, Service, Solution
from optimizer.milp.linear_model import LinearModel, Term
from optimizer.milp.solver import SolveOptions, run_solver

Split = dict[tuple[int, int], float]
"""(bucket, replica) → share of the bucket's requests"""
FULLNESS = 1e-3
"""Weight of the time spent in all against that of the fullest kind: of equally full splits, the one
with the least work."""
TINY = 1e-9


def routes(data: Instance, solution: Solution) -> dict[tuple[int, int, int, int], float]:
    """(service, bucket, replica, slice) → share of the bucket's requests.

    Args:
        data: an exact instance.
        solution: its solution.
    """
    found: dict[tuple[int, int, int, int], float] = {}
    known: dict[object, Split] = {}
    for v, service in enumerate(data.services):
        for s, load in enumerate(service.load if service.buckets else ()):
            if not load:
                continue
            counts = {
                c: n for c in range(len(service.replicas)) if (n := solution.serve.get((v, c, s)))
            }
            bought = [0.0] * len(service.buckets)
            for a, api in enumerate(service.apis):
                bought[api.bucket] += solution.api.get((v, a, s), 0.0)
            key = (v, load, tuple(counts.items()), tuple(bought))
            if key not in known:
                known[key] = _split(service, s, counts, bought)
            found |= {(v, b, c, s): share for (b, c), share in known[key].items()}
    return found


def _split(service: Service, s: int, counts: dict[int, int], bought: list[float]) -> Split:
    r"""The split with the least fullness.

    $$\min z + \varepsilon \sum_c busy_c\quad\text{s.t.}\quad
      \sum_c route_{b,c} = 1 - api_b / load_b,\;
      busy_c = \sum_b \frac{load_b (1 + headroom)}{rate_{c,b}} route_{b,c} \le serve_c\, z$$
    """
    model = LinearModel()
    fullest = model.column("fullness", cost=1.0)
    columns: dict[tuple[int, int], int] = {}
    for c, replicas in counts.items():
        busy: list[Term] = [(fullest, -float(replicas))]
        for b, rate in enumerate(service.replicas[c].rates):
            if rate:
                taken = service.busy_replicas(b, c, s)
                columns[b, c] = model.column(f"route[{b},{c}]", cost=FULLNESS * taken)
                busy.append((columns[b, c], taken))
        model.row(f"replica_time[{c}]", busy, upper=0)
    for b in range(len(service.buckets)):
        left = max(0.0, 1 - bought[b] / service.bucket_load(b, s))
        terms = [(column, 1.0) for (bucket, _), column in columns.items() if bucket == b]
        if left > TINY:
            model.row(f"bucket_demand[{b}]", terms, lower=left, upper=left)
        else:
            model.row(f"bucket_demand[{b}]", terms, upper=0)
    raw = run_solver(model, SolveOptions(), time.monotonic() + 10)
    values = raw.values or []
    return {key: values[c] for key, c in columns.items() if values and values[c] > TINY}
