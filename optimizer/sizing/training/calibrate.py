"""Fits the constants of training speed to the published measurements; writes ``data/sizing``.

    python -m optimizer.sizing.training.calibrate

Least squares on the logarithm of tokens/s, soft on outliers, drawn towards physical priors. Each
group of a source, a card and a method weighs as the square root of its rows.
"""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from optimizer.sizing.training.cases import Case, cases
from optimizer.sizing.training.speed import Rates, rate_names, step_seconds
from optimizer.sizing.training.terms import Terms, step_terms
from providers.bundled import data_path

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prior:
    """What a constant is before any measurement, and how sure of it: ln(value) +- `spread`."""

    value: float
    spread: float
    unit: str
    basis: str


PRIORS = {
    "gemm a100": Prior(0.75, 0.05, "share of dense 16-bit rate", "271 of 312 TFLOPS reached"),
    "gemm h100": Prior(0.65, 0.10, "share of dense 16-bit rate", "at most 794 of 989 TFLOPS"),
    "gemm h100-limited": Prior(0.55, 0.15, "share of dense 16-bit rate", "H100 at 500 W"),
    "gemm b200": Prior(0.62, 0.15, "share of dense 16-bit rate", "as H100"),
    "gemm h20": Prior(0.90, 0.10, "share of dense 16-bit rate", "compute cut, power left"),
    "gemm geforce": Prior(0.85, 0.07, "share of dense 16-bit rate", "clocks above nominal boost"),
    "gemm rtx-pro": Prior(0.80, 0.12, "share of dense 16-bit rate", "600 W for the chip"),
    "gemm workstation": Prior(0.70, 0.15, "share of dense 16-bit rate", "power bound"),
    "gemm metal": Prior(0.60, 0.30, "share of dense 16-bit rate", "assumed"),
    "gemm rocm": Prior(0.45, 0.20, "share of dense 16-bit rate", "assumed"),
    "gemm other": Prior(0.60, 0.20, "share of dense 16-bit rate", "assumed"),
    "gemm hf": Prior(0.90, 0.10, "factor", "of native"),
    "gemm native": Prior(1.0, 0.001, "factor", "the reference"),
    "gemm tuned": Prior(1.25, 0.10, "factor", "of native"),
    "attention ampere": Prior(0.55, 0.15, "share of dense 16-bit rate", "flash attention 2"),
    "attention hopper": Prior(0.38, 0.15, "share of dense 16-bit rate", "flash attention 2"),
    "attention flash 2": Prior(1.0, 0.001, "factor", "the reference"),
    "attention older": Prior(0.5, 0.2, "factor", "flash attention 2 is twice as fast as 1"),
    "fp8": Prior(0.85, 0.10, "of twice the 16-bit rate", "scaling and casts"),
    "stream hf": Prior(4.0, 0.3, "passes per kept value", "eager kernels"),
    "stream native": Prior(2.5, 0.3, "passes per kept value", "fused kernels"),
    "stream tuned": Prior(1.5, 0.3, "passes per kept value", "hand-fused kernels"),
    "dequantise": Prior(2.0, 0.4, "passes over the weights", "bitsandbytes, GPTQ"),
    "launch hf": Prior(1.8e-3, 0.3, "s per layer and pass", "Python and kernel launch"),
    "launch native": Prior(0.3e-3, 0.4, "s per layer and pass", "CUDA graphs or compile"),
    "launch tuned": Prior(0.1e-3, 0.4, "s per layer and pass", "C++"),
    "link nvlink": Prior(0.75, 0.15, "share of one direction", "NCCL large messages"),
    "link pcie-p2p": Prior(0.55, 0.2, "share of one direction", "shared root complex"),
    "link pcie-host": Prior(0.25, 0.25, "share of one direction", "every byte through the host"),
    "fabric": Prior(0.75, 0.2, "share of line rate", "NCCL over RDMA"),
    "host": Prior(0.70, 0.1, "share of one direction", "pinned copies"),
    "hidden": Prior(0.90, 0.15, "of the arithmetic that can hide traffic", "FSDP prefetch"),
    "tensor hidden": Prior(0.30, 0.3, "share of traffic", "little overlap in tensor parallelism"),
    "straggling": Prior(0.01, 0.5, "of the time per doubling of nodes", "slowest of many"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Cases stacked into arrays."""

    names: list[str]
    terms: Any
    """Terms of arrays of shape (cases,)."""
    factors: dict[str, list[tuple[int, ...]]]
    tokens: Array
    """Per optimizer step."""
    measured: Array
    """Tokens per second."""
    weights: Array


def stack(rows: Sequence[Case]) -> Problem:
    names = list(PRIORS)
    number = {name: n for n, name in enumerate(names)}
    terms = [step_terms(case.card, case.setup, case.gang) for case in rows]
    known = [found for found in terms if found is not None]
    if len(known) < len(rows):
        raise ValueError("a measured card has no rate")
    columns = {f.name: np.array([getattr(found, f.name) for found in known]) for f in fields(Terms)}
    factors: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for case in rows:
        for rate, used in rate_names(case.setup, case.gang.gpu).items():
            factors[rate].append(tuple(number[name] for name in used))
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
        {
            rate: [tuple(column) for column in zip(*used, strict=True)]
            for rate, used in factors.items()
        },
        np.array(tokens, float),
        np.array([c.row.tokens_per_s for c in rows], float),
        np.array(weights),
    )


def predict(problem: Problem, log_values: Array) -> Array:
    values = np.exp(log_values)
    found: dict[str, Any] = {}
    for rate, columns in problem.factors.items():
        product = np.ones(len(problem.tokens))
        for column in columns:
            product = product * values[list(column)]
        found[rate] = product
    seconds: Any = step_seconds(problem.terms, Rates(**found))
    return np.asarray(problem.tokens / seconds)


def fit(rows: Sequence[Case]) -> dict[str, float]:
    """Constants that explain the rows, each drawn to its prior."""
    problem = stack(rows)
    start = np.log([prior.value for prior in PRIORS.values()])
    spread = np.array([prior.spread for prior in PRIORS.values()])

    def residuals(log_values: Array) -> Array:
        misses = np.log(predict(problem, log_values) / problem.measured) / NOISE * problem.weights
        return np.concatenate([misses, (log_values - start) / spread])

    solved = least_squares(residuals, start, loss="soft_l1", max_nfev=60)
    return dict(zip(problem.names, np.exp(solved.x).tolist(), strict=True))


def write(known: Mapping[str, float], rows: Sequence[Case]) -> None:
    """``data/sizing/training.csv``: every constant with its unit, prior, and the rows behind it."""
    used: Counter[str] = Counter()
    for case in rows:
        used.update(n for names in rate_names(case.setup, case.gang.gpu).values() for n in names)
    newest = max(case.row.date for case in rows)
    with data_path("sizing", "training.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "value", "unit", "prior", "basis", "rows", "newest"])
        for name, prior in PRIORS.items():
            count = used[name]
            table.writerow(
                [
                    name,
                    f"{known[name]:.4g}",
                    prior.unit,
                    f"{prior.value:g}",
                    prior.basis,
                    count,
                    newest if count else "",
                ]
            )


NOISE = 0.12
"""Spread of ln(tokens/s) between two runs of one setting by different people; assumed."""


def timed() -> list[Case]:
    return [case for case in cases() if case.row.tokens_per_s]


def errors(rows: Sequence[Case], known: Mapping[str, float]) -> Array:
    problem = stack(rows)
    log_values = np.log([known[name] for name in problem.names])
    return predict(problem, log_values) / problem.measured - 1.0


def held_out(rows: Sequence[Case]) -> Array:
    """Relative error of each row, predicted by constants fitted without its source."""
    missed = np.zeros(len(rows))
    for group in sorted({case.row.group for case in rows}):
        inside = [n for n, case in enumerate(rows) if case.row.group == group]
        known = fit([case for case in rows if case.row.group != group])
        missed[inside] = errors([rows[n] for n in inside], known)
    return missed


def percentile(missed: Sequence[float], share: float) -> float:
    ordered = sorted(abs(e) for e in missed)
    return ordered[min(math.floor(share * len(ordered)), len(ordered) - 1)]


if __name__ == "__main__":
    everything = timed()
    write(fit(everything), everything)
