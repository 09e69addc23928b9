"""Tenors: how long a commitment runs."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.terms import Tenor, add_months

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
tenors = st.builds(Tenor, months=st.integers(1, 60)) | st.builds(Tenor, days=st.integers(1, 400))


@given(tenors)
def test_a_tenor_is_read_as_it_is_written(tenor):
    assert Tenor.parse(str(tenor)) == tenor


@pytest.mark.parametrize(
    ("text", "tenor"),
    [("P1D", Tenor(0, 1)), ("P2W", Tenor(0, 14)), ("P3M", Tenor(3)), ("P1Y", Tenor(12))],
)
def test_days_weeks_months_and_years_are_tenors(text, tenor):
    assert Tenor.parse(text) == tenor


@pytest.mark.parametrize("text", ["", "P", "1M", "PT1H", "P1", "P-1D", "P1.5M", "P1H", "month"])
def test_anything_else_is_no_tenor(text):
    with pytest.raises(ValueError, match="not a tenor"):
        Tenor.parse(text)


def test_a_tenor_of_months_and_days_is_refused():
    with pytest.raises(ValueError, match="months or days"):
        Tenor(1, 1)


@given(days, tenors)
def test_a_term_ends_after_it_starts(start, tenor):
    assert tenor.end(start) > start
    assert abs((tenor.end(start) - start).days - tenor.about_days) <= 3 + tenor.months / 12


def test_an_empty_tenor_ends_where_it_starts():
    assert not Tenor()
    assert Tenor().end(date(2026, 1, 5)) == date(2026, 1, 5)


def test_a_month_from_the_last_of_january_ends_on_the_last_of_february():
    assert Tenor(1).end(date(2026, 1, 31)) == date(2026, 2, 28)
    assert Tenor(1).end(date(2028, 1, 31)) == date(2028, 2, 29)


@given(days, st.integers(0, 100), st.integers(0, 100))
def test_adding_months_never_leaves_the_month_asked_for(day, first, second):
    later = add_months(day, first + second)
    index = day.year * 12 + day.month - 1 + first + second
    assert (later.year, later.month) == (index // 12, index % 12 + 1)
    assert later.day == min(day.day, (add_months(later.replace(day=1), 1) - timedelta(1)).day)
