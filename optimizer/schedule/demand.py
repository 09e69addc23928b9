"""The load a service asks for, hour by hour, in the unit of its phases (users or requests/s).

Headroom is not in it: that is spare capacity, which the planner adds.
"""

from __future__ import annotations

from datetime import date, timedelta

from optimizer.schedule.document import Horizon, Phase, ServiceWorkload
from optimizer.schedule.quantities import WEEKDAYS, hours_of_day
from optimizer.schedule.schedule import Schedule, first_and_last
from providers.terms import add_months


def phase_on(service: ServiceWorkload, day: date, horizon: Horizon) -> Phase | None:
    """The phase that covers `day`; None when no load is asked that day."""
    first, last = first_and_last(horizon)
    for phase in service.phases:
        if (phase.start or first) <= day <= (phase.end or last):
            return phase
    return None


def hourly_load(service: ServiceWorkload, day: date, hour: int, horizon: Horizon) -> float:
    """Load in the hour that starts at `hour` o'clock, in users or requests/s.

    The phase's load, times the share of that hour and of that weekday, times the growth. Growth
    steps on the phase's day of each calendar month (on the month's last day where it is shorter)
    and compounds: ``(1 + growth) ** n`` after n whole months.
    """
    if not 0 <= hour <= 23:
        raise ValueError(f"an hour is 0 to 23, got {hour}")
    return _day_load(service, day, horizon) * _hour_shares(service)[hour]


def load_profile(service: ServiceWorkload, schedule: Schedule) -> list[list[float]]:
    """Load ``[day][hour]`` over the whole horizon, in users or requests/s."""
    horizon = schedule.document.horizon
    shares = _hour_shares(service)
    days = (schedule.first_day + timedelta(number) for number in range(schedule.n_days))
    loads = (_day_load(service, day, horizon) for day in days)
    return [[load * share for share in shares] for load in loads]


def _day_load(service: ServiceWorkload, day: date, horizon: Horizon) -> float:
    """Load of a day's busiest hour, at an hourly share of 100 %."""
    phase = phase_on(service, day, horizon)
    if phase is None:
        return 0.0
    peak = phase.users if phase.users is not None else phase.requests or 0.0
    share = service.weekdays.get(WEEKDAYS[day.weekday()], 1.0)
    months = whole_months(phase.start or first_and_last(horizon)[0], day)
    return float(peak * share * (1.0 + service.growth) ** months)


def _hour_shares(service: ServiceWorkload) -> list[float]:
    if not service.hours:
        return [1.0] * 24
    shares = [0.0] * 24
    for window, share in service.hours.items():
        for hour in hours_of_day(window):
            shares[hour] = share
    return shares


def whole_months(start: date, day: date) -> int:
    """Calendar months that have passed from `start` to `day`, which is not before it.

    >>> whole_months(date(2027, 1, 31), date(2027, 2, 28))
    1
    """
    months = (day.year - start.year) * 12 + day.month - start.month
    return months if add_months(start, months) <= day else months - 1
