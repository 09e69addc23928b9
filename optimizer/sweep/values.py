"""The values of an axis: a grid in exact decimals, a list, or draws that a seed repeats."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import accumulate
from statistics import NormalDist
from typing import Any

from optimizer.sweep.document import MOST_VALUES, Axis, Draws, Grid, day_of
from providers import units

TWELVE = Context(prec=12, rounding=ROUND_HALF_EVEN)
SIX = Context(prec=6, rounding=ROUND_HALF_EVEN)


class AxisError(ValueError):
    """An axis that has no values; the message says what is wrong, then `; ` and what would do."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        """The key below the axis that is at fault, such as ``grid.step``."""
        super().__init__(message)


def axis_values(axis: Axis) -> list[Any]:
    """What the axis puts into the schedule, one after the other, as YAML would hold it.

    Raises:
        AxisError: it says too little, too much, or what goes against itself.
    """
    given = [key for key in ("grid", "list", "random") if getattr(axis, key) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        said = f"give one of grid, list, random, found {found}"
        raise AxisError(given[-1] if given else "", said)
    if axis.grid is not None:
        return _grid(axis.grid)
    if axis.random is not None:
        return _drawn(axis.random, axis.title)
    if not axis.list:
        raise AxisError("list", "the list is empty, expected at least one value")
    return list(axis.list)


def written(amount: Decimal, unit: str = "") -> Decimal | int | str:
    """A number as a schedule has it: with its unit, or whole, or with a point."""
    amount = amount.normalize()
    whole = amount == amount.to_integral_value()
    if unit:
        return f"{amount:f} {unit}"
    return int(amount) if whole else amount


# -- grids -----------------------------------------------------------------------------------


def _grid(grid: Grid) -> list[Any]:
    if (grid.step is None) == (grid.steps is None):
        found = "neither" if grid.step is None else "both"
        raise AxisError("grid", f"give step or steps, found {found}")
    first, last = day_of(grid.start), day_of(grid.stop)
    if (first is None) != (last is None):
        raise AxisError("grid.stop", "start and stop must both be days, or both be numbers")
    if first is not None and last is not None:
        span = Decimal((last - first).days)
        offsets = _amounts(Decimal(0), span, _day_step(grid), grid.steps)
        days = dict.fromkeys(first + timedelta(round(offset)) for offset in offsets)
        return [day.isoformat() for day in days]
    (start, unit), (stop, other) = _split(grid.start), _split(grid.stop)
    if unit and other and unit != other:
        raise AxisError("grid.stop", f"start is in {unit} and stop in {other}; write one unit")
    step = None
    if grid.step is not None:
        step, third = _split(grid.step)
        if third and third != (unit or other):
            raise AxisError("grid.step", f"the step is in {third}, the ends in {unit or 'no unit'}")
    return [written(amount, unit or other) for amount in _amounts(start, stop, step, grid.steps)]


def _split(text: Any) -> tuple[Decimal, str]:
    return units.split(text) if isinstance(text, str) else (Decimal(text), "")


def _day_step(grid: Grid) -> Decimal | None:
    if grid.step is None:
        return None
    try:
        step = units.quantity(str(grid.step), units.DAYS)
    except units.UnitError as error:
        raise AxisError("grid.step", str(error)) from None
    if step.denominator != 1:
        raise AxisError("grid.step", f"'{grid.step}' is no whole number of days")
    return Decimal(step.numerator)


def _amounts(
    start: Decimal, stop: Decimal, step: Decimal | None, steps: int | None
) -> list[Decimal]:
    if steps is not None:
        return [
            TWELVE.plus(start + (stop - start) * number / (steps - 1)) for number in range(steps)
        ]
    assert step is not None
    if step == 0 or (stop - start) / step < 0:
        raise AxisError("grid.step", f"a step of {step} never leads from {start} to {stop}")
    count = int((stop - start) / step) + 1
    if count > MOST_VALUES:
        raise AxisError("grid.step", f"the grid has {count:,} values, at most {MOST_VALUES:,}")
    return [start + step * number for number in range(count)]


# -- draws -----------------------------------------------------------------------------------

_NEEDS = {
    "uniform": ("low", "high"),
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sigma"),
    "triangular": ("low", "mode", "high"),
    "choice": ("choices",),
}
_MAY = {"normal": {"at_least", "at_most"}, "lognormal": {"at_least", "at_most"},
        "choice": {"weights"}}  # fmt: skip
_ALL = {"low", "high", "mode", "mean", "sd", "median", "sigma", "at_least", "at_most", "choices",
        "weights"}  # fmt: skip


def _drawn(draws: Draws, title: str) -> list[Any]:
    _check(draws)
    # Each axis has a stream of its own: two axes with one seed must not move together. Quantiles
    # of uniform numbers, because only those are promised to stay the same in later Pythons.
    stream = random.Random(f"{draws.seed}:{title}")
    shares = [stream.random() for _ in range(draws.count)]
    if draws.distribution == "choice":
        return [_chosen(draws, share) for share in shares]
    return [_rounded(_quantile(draws, share), draws) for share in shares]


def _check(draws: Draws) -> None:
    kind = draws.distribution
    needed = _NEEDS[kind]
    for key in needed:
        if getattr(draws, key) in (None, []):
            raise AxisError("random", f"{kind} needs {' and '.join(needed)}, '{key}' is missing")
    for key in sorted(_ALL - set(needed) - _MAY.get(kind, set())):
        if getattr(draws, key) not in (None, []):
            said = f"'{key}' means nothing for {kind}; it takes {', '.join(needed)}"
            raise AxisError(f"random.{key}", said)
    ends = [getattr(draws, key) for key in needed if key in ("low", "mode", "high")]
    if ends != sorted(ends) or (ends and ends[0] == ends[-1]):
        raise AxisError("random", f"expected {' <= '.join(needed)}, and low below high")
    for key in ("sd", "sigma", "median"):
        value = getattr(draws, key)
        if value is not None and value <= 0:
            raise AxisError(f"random.{key}", f"expected more than 0, found {value}")
    if draws.weights and (
        len(draws.weights) != len(draws.choices) or min(draws.weights) < 0 or not sum(draws.weights)
    ):
        said = "expected one weight a choice, none negative and not all of them 0"
        raise AxisError("random.weights", said)
    if kind in ("normal", "lognormal"):
        low, high = _ends(draws)
        if high <= low:
            raise AxisError("random", "at_least and at_most leave nothing in between")


def _chosen(draws: Draws, share: float) -> Any:
    weights = [float(weight) for weight in draws.weights] or [1.0] * len(draws.choices)
    reached = list(accumulate(weights))
    return next(
        choice
        for choice, until in zip(draws.choices, reached, strict=True)
        if share * reached[-1] < until
    )


def _ends(draws: Draws) -> tuple[float, float]:
    """Shares of a normal or lognormal distribution below `at_least` and `at_most`."""
    curve = _curve(draws)

    def below(value: Decimal | None, otherwise: float) -> float:
        if value is None:
            return otherwise
        if draws.distribution == "normal":
            return curve.cdf(float(value))
        return curve.cdf(math.log(value)) if value > 0 else 0.0

    return below(draws.at_least, 0.0), below(draws.at_most, 1.0)


def _curve(draws: Draws) -> NormalDist:
    """Of the values, or of the logarithms of a lognormal distribution."""
    if draws.distribution == "normal":
        assert draws.mean is not None
        assert draws.sd is not None
        return NormalDist(float(draws.mean), float(draws.sd))
    assert draws.median is not None
    assert draws.sigma is not None
    return NormalDist(math.log(draws.median), float(draws.sigma))


def _quantile(draws: Draws, share: float) -> float:
    if draws.distribution in ("normal", "lognormal"):
        low, high = _ends(draws)
        inside = min(max(low + share * (high - low), 1e-12), 1 - 1e-12)
        value = _curve(draws).inv_cdf(inside)
        return value if draws.distribution == "normal" else math.exp(value)
    assert draws.low is not None
    assert draws.high is not None
    low, high = float(draws.low), float(draws.high)
    if draws.distribution == "uniform":
        return low + share * (high - low)
    assert draws.mode is not None
    mode = float(draws.mode)
    rising = (mode - low) / (high - low)
    if share < rising:
        return low + math.sqrt(share * (high - low) * (mode - low))
    return high - math.sqrt((1 - share) * (high - low) * (high - mode))


def _rounded(value: float, draws: Draws) -> Decimal | int | str:
    exact = Decimal(repr(value))
    if draws.digits is None:
        return written(SIX.plus(exact), draws.unit)
    return written(exact.quantize(Decimal(1).scaleb(-draws.digits)), draws.unit)
