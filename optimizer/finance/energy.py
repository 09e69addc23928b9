"""Electricity that depends on load: idle power counts, and so does the hour of the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.refusal import FinanceError

HOURS_IN_YEAR = 8760
HOURS_IN_MONTH = 730
HOURS_IN_DAY = 24


def mean_kw(use: Decimal, busy_kw: Decimal, idle_kw: Decimal) -> Decimal:
    """Mean draw at a share of hours in use: ``u P_busy + (1 - u) P_idle``.

    Taking the rated power for all hours moves the break-even use by a tenth and more. `idle_kw` is
    0 for what is switched off while idle.
    """
    return use * busy_kw + (1 - use) * idle_kw


def yearly_kwh(use: Decimal, busy_kw: Decimal, idle_kw: Decimal, pue: Decimal) -> Decimal:
    """A year's electricity at the meter: ``8760 (u P_busy + (1-u) P_idle) PUE``."""
    return HOURS_IN_YEAR * mean_kw(use, busy_kw, idle_kw) * pue


@dataclass(frozen=True, slots=True)
class Tariff:
    """Price of a kWh by month and hour of the day: 12 rows of 24."""

    prices: tuple[tuple[Decimal, ...], ...]

    def __post_init__(self) -> None:
        if len(self.prices) != MONTHS_IN_YEAR or any(
            len(row) != HOURS_IN_DAY for row in self.prices
        ):
            raise FinanceError("a tariff needs a price for each of 24 hours, alike or by 12 months")

    @classmethod
    def flat(cls, price: Decimal) -> Tariff:
        return cls(((price,) * HOURS_IN_DAY,) * MONTHS_IN_YEAR)

    @classmethod
    def daily(cls, prices: Sequence[Decimal]) -> Tariff:
        """The same 24 prices all year."""
        return cls((tuple(prices),) * MONTHS_IN_YEAR)

    @classmethod
    def bands(cls, bands: Mapping[str, tuple[Decimal, Iterable[int]]]) -> Tariff:
        """From bands such as peak, flat and valley: (price, hours of the day) of each.

        Raises:
            FinanceError: an hour is in no band, or in two.
        """
        by_hour: dict[int, Decimal] = {}
        for name, (price, hours) in bands.items():
            for hour in hours:
                if hour in by_hour:
                    raise FinanceError(f"hour {hour} is in band {name} and in another one")
                by_hour[hour] = price
        missing = sorted(set(range(HOURS_IN_DAY)) - set(by_hour))
        if missing:
            raise FinanceError(f"hour {missing[0]} is in no band of the tariff")
        return cls.daily([by_hour[hour] for hour in range(HOURS_IN_DAY)])

    @property
    def mean(self) -> Decimal:
        """Over all hours of all months, each month alike."""
        return sum((sum(row, Decimal(0)) for row in self.prices), Decimal(0)) / (
            MONTHS_IN_YEAR * HOURS_IN_DAY
        )

    def cost(self, kw: Decimal, pue: Decimal, hours: Iterable[int], month: int = 1) -> Decimal:
        """Of a load that runs in these hours of a day: ``sum kW PUE p_h``."""
        row = self.prices[month - 1]
        return sum((kw * pue * row[hour] for hour in hours), Decimal(0))
