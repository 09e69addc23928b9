"""The load a service asks for, hour by hour."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.schedule.demand import hourly_load, load_profile, phase_on, whole_months
from optimizer.schedule.load import parse_schedule

START = date(2026, 12, 7)  # a Monday


def schedule(service, days=120):
    text = f"""
rentopt: 1
currency: CNY
horizon: {{start: {START}, days: {days}}}
workloads:
  - {{name: chat, kind: service, model: Qwen2-7B, {service}}}
"""
    return parse_schedule(text, "test")


def load(found, day, hour=12):
    return hourly_load(found.document.workloads[0], day, hour, found.document.horizon)


def test_without_a_profile_every_hour_has_the_load_of_its_phase():
    found = schedule("phases: [{users: 12}]")
    (service,) = found.document.workloads
    assert load_profile(service, found) == [[12.0] * 24] * 120


def test_requests_are_counted_per_second():
    found = schedule("phases: [{requests: 120 requests/min}]")
    assert load(found, START) == 2.0


def test_a_day_without_a_phase_has_no_load():
    found = schedule(
        "phases: [{start: 2026-12-10, end: 2026-12-11, users: 5}, {start: 2027-01-01, users: 9}]"
    )
    days = [date(2026, 12, 9), date(2026, 12, 10), date(2026, 12, 11), date(2026, 12, 12)]
    assert [load(found, day) for day in days] == [0, 5, 5, 0]
    assert load(found, found.last_day) == 9
    assert phase_on(found.document.workloads[0], START, found.document.horizon) is None


def test_hours_that_are_not_listed_have_no_load():
    found = schedule('phases: [{users: 10}], hours: {"09:00-18:00": 100 %, "22:00-02:00": 30 %}')
    profile = load_profile(found.document.workloads[0], found)[0]
    assert profile == [3, 3, *[0] * 7, *[10] * 9, *[0] * 4, 3, 3]


def test_weekdays_that_are_not_listed_have_the_whole_load():
    found = schedule("phases: [{users: 10}], weekdays: {sat: 50 %, Sunday: 0}")
    week = [load(found, START + timedelta(n)) for n in range(8)]
    assert week == [10, 10, 10, 10, 10, 5, 0, 10]


def test_growth_steps_once_a_calendar_month_and_compounds():
    found = schedule("phases: [{users: 100}], growth: 10 %/month")
    days = [START, date(2027, 1, 6), date(2027, 1, 7), date(2027, 2, 6), date(2027, 2, 7)]
    assert [load(found, day) for day in days] == pytest.approx([100, 100, 110, 110, 121])


def test_growth_starts_again_with_each_phase():
    found = schedule(
        "growth: 10 %/month,"
        " phases: [{end: 2027-01-31, users: 100}, {start: 2027-02-01, users: 50}]"
    )
    assert load(found, date(2027, 2, 15)) == 50
    assert load(found, date(2027, 3, 1)) == pytest.approx(55)


def test_headroom_is_left_to_the_planner():
    assert load(schedule("phases: [{users: 10}], headroom: 50 %"), START) == 10


def test_an_hour_outside_the_day_is_refused():
    found = schedule("phases: [{users: 10}]")
    with pytest.raises(ValueError, match="0 to 23"):
        load(found, START, 24)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 1500))
def test_whole_months_never_fall_and_rise_one_by_one(start, days):
    day = start + timedelta(days)
    step = whole_months(start, day + timedelta(1)) - whole_months(start, day)
    assert step in (0, 1)
    assert whole_months(start, start) == 0


@given(st.integers(0, 119), st.integers(0, 23))
def test_the_profile_holds_the_hourly_loads(day, hour):
    found = schedule(
        'phases: [{users: 10}], growth: 3 %/month, weekdays: {sun: 20 %}, hours: {"08:00-20:00": 1}'
    )
    profile = load_profile(found.document.workloads[0], found)
    assert profile[day][hour] == load(found, START + timedelta(day), hour)
