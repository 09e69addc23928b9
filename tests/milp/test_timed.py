"""A search that ends when its time is over."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from random_instances import larger

from optimizer.milp.anytime import Stopped, Watch
from optimizer.milp.first import is_plan
from optimizer.milp.instance import Solution
from optimizer.milp.solve import NoSolution, SolveOptions, solve
from optimizer.milp.timed import Deadline, solvers_at_work


def over() -> float:
    return time.monotonic() - 1


def hours() -> float:
    return time.monotonic() + 3600


def test_it_is_over_when_its_time_or_the_watch_around_it_says_so() -> None:
    assert not Deadline(hours()).stopped
    assert Deadline(over()).stopped
    outer = Watch()
    inner = Deadline(hours(), outer)
    assert not inner.stopped
    outer.stop()
    with pytest.raises(Stopped):
        assert inner.stopped


def test_a_search_after_its_time_asks_no_solver_and_proves_nothing_false() -> None:
    data = larger(1, days=12, n_jobs=1)
    late = solve(data, SolveOptions(watch=Deadline(over())))
    exact = solve(data, SolveOptions(gap=1e-6))
    assert isinstance(exact, Solution)
    assert late.bound <= exact.objective
    if isinstance(late, NoSolution):
        assert not late.infeasible
    else:
        assert is_plan(data, late)


def test_a_search_with_time_is_as_any_other() -> None:
    data = larger(2, days=6, n_jobs=1)
    options = SolveOptions(gap=1e-6)
    timed = solve(data, replace(options, watch=Deadline(hours())))
    free = solve(data, options)
    assert isinstance(timed, Solution)
    assert isinstance(free, Solution)
    assert timed.objective == pytest.approx(free.objective, rel=1e-5)


def test_a_solver_that_was_left_behind_is_known() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="solver", daemon=True)
    thread.start()
    assert thread in solvers_at_work()
    end.set()
    thread.join()
    assert thread not in solvers_at_work()
