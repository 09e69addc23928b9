"""Other ways to predict the same rows: a plain roofline with one fitted constant, and GenZ."""

from __future__ import annotations

from typing import cast

import numpy as np

from optimizer.sizing.calibration.cases import Array, Table
from optimizer.sizing.calibration.validate import HELD_OUT, folds
from optimizer.sizing.rates import RATES

NO_LOSS = dict.fromkeys(("overhead_s", "layer_s", "sequence_s", "prefill_s"), 0.0) | {
    "overlap_loss": 0.0,
    "exposed": 0.0,
    "reduce_latency_s": 0.0,
}


def plain_roofline(table: Table, key: str) -> Array:
    """Logarithm of predicted over measured by nominal rates times one constant.

    The longer of streaming and arithmetic, the cache, and all-reduces at the link's rate, with no
    other cost. The constant is the median of the rows outside the fold, so it is held out too.
    """
    ideal = {rate: np.full(len(table.cases), NO_LOSS.get(rate, 1.0)) for rate in RATES}
    ideal |= {"tail": np.full(len(table.cases), 1.5), "time": np.ones(len(table.cases))}
    off = table.log_figures(cast(dict[str, Array], ideal)) - table.log_value
    return one_constant(table, key, off)


def one_constant(table: Table, key: str, off: Array) -> Array:
    """Errors after each fold is put right by the median error of the others."""
    times = np.where(table.is_time, -1.0, 1.0)
    fold = folds([HELD_OUT[key](case) for case in table.cases])
    found = off.copy()
    for each in sorted(set(fold.tolist())):
        out = fold == each
        found[out] -= times[out] * np.nanmedian((times * off)[~out])
    return found
