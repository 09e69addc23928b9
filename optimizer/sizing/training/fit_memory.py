"""Fits the constants of training memory to published peaks, in the manner of `fit_speed`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from optimizer.sizing.training.cases import Case, cases
from optimizer.sizing.training.memory import training_memory
from optimizer.sizing.training.priors import MEMORY

Array = npt.NDArray[np.float64]

NOISE = 0.06
"""Spread of ln(peak) between two runs of one setting by different people; assumed."""
NOT_MODELLED = frozenset({"varied lengths", "no flash attention"})


def peaks() -> list[Case]:
    """Published peaks of a fully stated setting: length and micro-batch given, sequences of equal
    length, flash attention."""
    return [
        case
        for case in cases()
        if case.row.peak_memory_gb and case.stated and not case.row.options & NOT_MODELLED
    ]


def predict(case: Case, known: Mapping[str, float]) -> float:
    """Gigabytes as the source counted them: the whole device, or what PyTorch holds of it."""
    memory = training_memory(case.card, case.setup, case.gang, known)
    if case.row.memory_counter == "device":
        return memory.required_gb
    if case.row.memory_counter == "allocated":
        return memory.required_gb - memory.overhead_gb
    peers = known["memory peers"] if case.gang.gpus > 1 else 0.0
    return memory.required_gb - known["memory context"] - peers


def fit(rows: Sequence[Case]) -> dict[str, float]:
    """Constants that explain the rows, each drawn to its prior."""
    start = np.log([prior.value for prior in MEMORY.values()])
    spread = np.array([prior.spread for prior in MEMORY.values()])
    groups = Counter((case.row.group, case.row.method) for case in rows)
    weights = np.array([groups[case.row.group, case.row.method] ** -0.25 for case in rows])

    def residuals(log_values: Array) -> Array:
        known = dict(zip(MEMORY, np.exp(log_values).tolist(), strict=True))
        misses = np.log1p(errors(rows, known)) / NOISE * weights
        return np.concatenate([misses, (log_values - start) / spread])

    solved = least_squares(residuals, start, loss="soft_l1", max_nfev=40)
    return dict(zip(MEMORY, np.exp(solved.x).tolist(), strict=True))


def errors(rows: Sequence[Case], known: Mapping[str, float]) -> Array:
    """Relative errors."""
    return np.array([predict(c, known) / (c.row.peak_memory_gb or 1.0) - 1.0 for c in rows])
