"""The days of a plan, each cut into slices only where a load profile or a tariff needs it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Slice:
    """Hours of the day that are alike for every load profile and tariff, on every day."""

    hours: tuple[int, ...]
    """Hours of the day, 0 to 23, ascending; not always neighbours."""

    @property
    def n_hours(self) -> int:
        return len(self.hours)

    def __str__(self) -> str:
        """``09-21`` for 09:00 to 21:00, ``00-09,21-24`` for the rest of the day."""
        runs: list[list[int]] = []
        for hour in self.hours:
            if runs and runs[-1][1] == hour:
                runs[-1][1] = hour + 1
            else:
                runs.append([hour, hour + 1])
        return ",".join(f"{first:02d}-{end:02d}" for first, end in runs)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Days 0 … n_days-1 from `first_day`, local dates; every day has the same slices."""

    first_day: date
    n_days: int
    slices: tuple[Slice, ...] = (Slice(tuple(range(24))),)

    def day(self, index: int) -> date:
        return self.first_day + timedelta(index)

    def index(self, day: date) -> int:
        """Day number of a date; negative before the horizon, n_days or more after it."""
        return (day - self.first_day).days

    @property
    def months(self) -> list[str]:
        """Calendar months the horizon touches, such as ``2027-03``."""
        return list(dict.fromkeys(f"{self.day(t):%Y-%m}" for t in range(self.n_days)))


def cut_day(profiles: Mapping[str, Sequence[Hashable]]) -> tuple[Slice, ...]:
    """Group the 24 hours into slices over which every profile is constant.

    Args:
        profiles: name → one value per hour of the day (24 of them).
    """
    groups: dict[tuple[Hashable, ...], list[int]] = {}
    for hour in range(24):
        key = tuple(values[hour] for values in profiles.values())
        groups.setdefault(key, []).append(hour)
    return tuple(Slice(tuple(hours)) for hours in groups.values())
