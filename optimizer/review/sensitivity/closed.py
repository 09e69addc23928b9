"""NPV of buying less renting for thousands of values of the assumptions at once.

The same months and flows as `workbook.outcomes`, in floats: each cost is a figure of the schedule
times days owned, counted at their present value. Values are those of `drivers`, by name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.workbook.outcomes import months
from optimizer.review.workbook.question import HOURS_IN_DAY, Lot, Question

Floats = NDArray[np.float64]
Values = Mapping[str, Floats]
"""Driver → one value a draw, shape (draws,)."""


class Closed:
    """A question, ready to be answered for many draws."""

    def __init__(self, question: Question) -> None:
        self.question = question
        periods = months(question)
        self.start = np.array([float(month.start) for month in periods])
        """Days, shape (months,)."""
        self.end = np.array([float(month.end) for month in periods])

    def npv(self, values: Values, level: Floats | None = None) -> Floats:
        """One NPV a draw.

        Args:
            values: what differs from the question; drivers not named stay.
            level: rental prices as a share of what the question expects, shape (draws, months).

        Returns:
            Shape (draws,); (1,) when nothing differs.
        """
        moved = _Moved(self.question, values)
        factor = (1 + moved.column("rate")) ** (-self.end / DAYS_IN_YEAR)
        growth = (1 + moved.column("rent_change")) ** (self.start / DAYS_IN_YEAR)
        if level is not None:
            growth = growth * level
        shape = np.broadcast_shapes(growth.shape[:1], factor.shape[:1])
        total: Floats = np.zeros(shape)
        for lot in self.question.lots:
            total = total + self._lot(lot, moved, factor, growth)
        return total

    def _lot(self, lot: Lot, moved: _Moved, factor: Floats, growth: Floats) -> Floats:
        sold = float(min(lot.sold, self.question.days))
        usable = np.minimum(float(lot.usable) + np.floor(moved.column("delay")), sold)
        days = np.clip(np.minimum(self.end, sold) - np.maximum(self.start, usable), 0.0, None)
        owned = (days * factor).sum(axis=-1)
        rented = (days * factor * growth).sum(axis=-1)
        price = lot.nodes * moved.of_lot("price", lot)
        use = moved.of_lot("use", lot)
        power = (
            lot.nodes * HOURS_IN_DAY * moved.value("pue") * moved.value("tariff")
            * (float(lot.idle_kw) + use * float(lot.busy_kw - lot.idle_kw))
        )  # fmt: skip
        kept = moved.of_lot("residual", lot) * (1 - moved.value("resale_cost"))
        yearly = price * moved.of_lot("maintenance", lot) / DAYS_IN_YEAR
        monthly = lot.nodes * moved.of_lot("hosting", lot) * MONTHS_IN_YEAR / DAYS_IN_YEAR
        hours = lot.nodes * lot.gpus * HOURS_IN_DAY * use
        saved: Floats = hours * moved.of_lot("rent", lot) * rented
        bought = factor[..., self._bought(lot)] - kept * factor[..., self._sold(sold)]
        running: Floats = (yearly + monthly + power) * owned
        found: Floats = saved - price * bought - running
        return found

    def _bought(self, lot: Lot) -> int:
        """The period at whose end it is paid: the nearest."""
        following = np.append(self.end[1:], self.question.days)
        twice = 2.0 * lot.paid
        at = (self.start + self.end <= twice) & (twice < self.end + following)
        return int(np.argmax(at))

    def _sold(self, sold: float) -> int:
        return int(np.argmax((self.start < sold) & (sold <= self.end)))


class _Moved:
    """Values of the drivers, those of the question where a draw has none."""

    def __init__(self, question: Question, values: Values) -> None:
        self.question, self.values = question, values

    def value(self, name: str) -> Floats:
        if name in self.values:
            return np.asarray(self.values[name], dtype=np.float64)
        return np.array([float(ALL[name].get(self.question))])

    def column(self, name: str) -> Floats:
        """Against months: shape (draws, 1)."""
        return self.value(name)[:, np.newaxis]

    def of_lot(self, name: str, lot: Lot) -> Floats:
        """All purchases move by the factor of the one that is named."""
        driver, own = ALL[name], float(getattr(lot, name))
        if name not in self.values:
            return np.array([own])
        base = float(driver.get(self.question))
        values = self.value(name)
        found = values * (own / base) if base else values
        return found if driver.most is None else np.minimum(found, float(driver.most))
