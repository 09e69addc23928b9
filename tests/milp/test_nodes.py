"""A limit on nodes ends a search wherever the clock stands."""

from __future__ import annotations

import time

from random_instances import larger

from optimizer.milp.assemble import assemble
from optimizer.milp.solver import SolveOptions, run_solver


def test_a_search_with_few_nodes_ends_the_same_way_every_time_with_a_bound_that_holds() -> None:
    model, _ = assemble(larger(11, days=10, n_jobs=3))
    until = time.monotonic() + 60
    few = [run_solver(model, SolveOptions(gap=0.0, nodes=1), until) for _ in range(2)]
    assert few[0] == few[1]
    close = run_solver(model, SolveOptions(gap=0.01), until)
    assert close.values is not None
    assert few[0].bound <= close.objective * (1 + 1e-6)
    assert few[0].bound < few[0].objective * (1 - 1e-4)  # it ended before the proof
    assert close.bound <= few[0].objective * (1 + 1e-6)
