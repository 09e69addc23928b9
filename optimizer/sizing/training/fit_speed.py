"""Fits the constants of training speed to published measurements.

Least squares on the logarithm of tokens/s, soft on outliers, drawn towards physical priors. Each
group of a source, a card and a method weighs as the square root of its rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from optimizer.sizing.training.cases import Case, cases
from optimizer.sizing.training.priors import SPEED
from optimizer.sizing.training.speed import Rates, rate_names, step_seconds
from optimizer.sizing.training.terms import Terms, step_terms

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Problem:
    """Cases stacked into arrays."""

    names: list[str]
    terms: Any
    """Terms of arrays of shape (cases,)."""
    factors: dict[str, Array]
    """Per rate, of shape (cases, names): 1 where a constant is one of its factors."""
    tokens: Array
    """Per optimizer step."""
    measured: Array
    """Tokens per second."""
    weights: Array


def stack(rows: Sequence[Case]) -> Problem:
    names = list(SPEED)
    number = {name: n for n, name in enumerate(names)}
    terms = [step_terms(case.card, case.setup, case.gang) for case in rows]
    known = [found for found in terms if found is not None]
    if len(known) < len(rows):
        raise ValueError("a measured card has no rate")
    columns = {f.name: np.array([getattr(found, f.name) for found in known]) for f in fields(Terms)}
    factors = {f.name: np.zeros((len(rows), len(names))) for f in fields(Rates)}
    for n, case in enumerate(rows):
        for rate, used in rate_names(case.card, case.setup, case.gang.gpu).items():
            factors[rate][n, [number[name] for name in used]] = 1.0
    tokens = [
        max(1, c.gang.gpus // c.setup.replica_gpus)
        * c.setup.accumulation
        * c.setup.micro_batch
        * c.setup.sequence_tokens
        for c in rows
    ]
    groups = Counter((c.row.group, c.row.hardware, c.row.method) for c in rows)
    weights = [groups[c.row.group, c.row.hardware, c.row.method] ** -0.25 for c in rows]
    return Problem(
        names,
        cast("Any", Terms)(**columns),
        factors,
        np.array(tokens, float),
        np.array([c.row.tokens_per_s for c in rows], float),
        np.array(weights),
    )


def predict(problem: Problem, log_values: Array) -> Array:
    found: dict[str, Any] = {
        rate: np.exp(used @ log_values) for rate, used in problem.factors.items()
    }
    seconds: Any = step_seconds(problem.terms, Rates(**found))
    return np.asarray(problem.tokens / seconds)


def fit(rows: Sequence[Case]) -> dict[str, float]:
    """Constants that explain the rows, each drawn to its prior."""
    problem = stack(rows)
    start = np.log([prior.value for prior in SPEED.values()])
    spread = np.array([prior.spread for prior in SPEED.values()])

    def residuals(log_values: Array) -> Array:
        misses = np.log(predict(problem, log_values) / problem.measured) / NOISE * problem.weights
        return np.concatenate([misses, (log_values - start) / spread])

    solved = least_squares(residuals, start, loss="soft_l1", max_nfev=60)
    return dict(zip(problem.names, np.exp(solved.x).tolist(), strict=True))


NOISE = 0.12
"""Spread of ln(tokens/s) between two runs of one setting by different people; assumed."""


def timed() -> list[Case]:
    return [case for case in cases() if case.row.tokens_per_s]


def errors(rows: Sequence[Case], known: Mapping[str, float]) -> Array:
    problem = stack(rows)
    log_values = np.log([known[name] for name in problem.names])
    return predict(problem, log_values) / problem.measured - 1.0


TOUCHED_BY = {
    "attention": ("attention_s",),
    "fp8": ("gemm8_s",),
    "dequantise": ("dequantise_s",),
    "link": ("gather_s", "reduce_s", "tensor_s"),
    "fabric": ("gather_fabric_s", "reduce_fabric_s"),
    "host": ("host_s",),
    "hidden": ("gather_s", "gather_fabric_s", "host_s", "reduce_s", "reduce_fabric_s"),
    "tensor_hidden": ("tensor_s",),
    "straggling": ("doublings",),
}
"""Terms that a rate multiplies; the others touch every row."""


def used_by(rows: Sequence[Case]) -> dict[str, list[str]]:
    """Dates of the rows that say something about each constant."""
    used: dict[str, list[str]] = defaultdict(list)
    for case in rows:
        terms = step_terms(case.card, case.setup, case.gang)
        for rate, names in rate_names(case.card, case.setup, case.gang.gpu).items():
            parts = TOUCHED_BY.get(rate, ())
            if not parts or any(getattr(terms, part) > 0 for part in parts):
                for name in names:
                    used[name].append(case.row.date)
    return dict(used)
