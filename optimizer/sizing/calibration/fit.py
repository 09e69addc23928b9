"""Least squares on logarithms, robust, held to the priors."""

from __future__ import annotations

from typing import cast

import numpy as np

from optimizer.sizing.calibration.cases import Array, Table

NOISE = 0.2
"""Of a logarithm. Two careful runs of one cell differ by a tenth; the rest is what the form cannot
follow. Chosen, with `cases.CAUTION`, by the errors on rows not fitted."""
STEP = 1e-5
MOST_STEPS = 40
SETTLED = 1e-4
"""Relative gain of a step that ends the search."""


def fit(table: Table, used: Array, start: Array | None = None) -> Array:
    """Logarithms of the constants that explain the rows where `used` best.

    Minimises the soft L1 loss of the log errors in units of `NOISE`, weighted so that a cell with
    many rows does not outvote the others, plus the squared distance from the priors in units of
    their spreads: by Gauss-Newton steps on the reweighted squares, with Levenberg's damping.
    """
    weight = np.where(used, table.weight, 0.0)
    theta = table.prior if start is None else start
    cost, damping = _cost(table, weight, theta), 1e-3
    for _ in range(MOST_STEPS):
        errors, slopes = _slopes(table, theta)
        # The soft L1 loss 2 (sqrt(1 + e^2) - 1) has the gradient of squares weighted by this.
        rows = weight / np.sqrt(1 + errors**2)
        away = (theta - table.prior) / table.spread**2
        gradient = slopes.T @ (rows * errors) + away
        bend = slopes.T @ (slopes * rows[:, None]) + np.diag(table.spread**-2.0)
        while damping < 1e6:
            damped = bend + damping * np.diag(np.diag(bend))
            moved = theta - np.linalg.solve(damped, gradient)
            after = _cost(table, weight, moved)
            if after < cost:
                break
            damping *= 10
        else:
            return theta
        gain, theta, cost, damping = (cost - after) / cost, moved, after, damping / 10
        if gain < SETTLED:
            break
    return theta


def _errors(table: Table, theta: Array) -> Array:
    return (table.log_predicted(table.log_rates(theta)) - table.log_value) / NOISE


def _cost(table: Table, weight: Array, theta: Array) -> float:
    loss = 2 * (np.sqrt(1 + _errors(table, theta) ** 2) - 1)
    return float(weight @ loss + np.sum(((theta - table.prior) / table.spread) ** 2))


def _slopes(table: Table, theta: Array) -> tuple[Array, Array]:
    """Errors, and their derivatives by the chain rule: few rates a row, many constants a rate."""
    logs = table.log_rates(theta)
    base = table.log_predicted(logs)
    slopes = np.zeros((len(base), len(theta)))
    for rate in table.rates:
        moved = table.log_predicted({**logs, rate: logs[rate] + STEP})
        rows, columns = table.entries[rate]
        np.add.at(slopes, (rows, columns), ((moved - base) / STEP / NOISE)[rows])
    return cast(Array, (base - table.log_value) / NOISE), slopes
