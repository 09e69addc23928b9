"""Numbers with units: what is read, what is refused, and in which words."""

import contextlib
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from optimizer.schedule import quantities as q
from providers import units
from providers.money import Money

TYPES = {
    name: TypeAdapter(getattr(q, name))
    for name in [
        "Count",
        "Number",
        "Days",
        "Months",
        "Hours",
        "Seconds",
        "GpuHours",
        "Gigabytes",
        "Watts",
        "Kilowatts",
        "TokenCount",
        "TokensPerSecond",
        "Requests",
        "RequestsPerSecond",
        "NodeCount",
        "Share",
        "SharePerMonth",
        "SharePerYear",
        "MoneyAmount",
        "MoneyPerKwh",
        "MoneyPerMonth",
        "MoneyPerYear",
        "Hardware",
        "Gpu",
        "Day",
        "Month",
        "Weekday",
        "HoursOfDay",
    ]
}
CNY = "CNY"


def read(name, value):
    return TYPES[name].validate_python(value)


def refusal(name, value):
    with pytest.raises(ValidationError) as caught:
        read(name, value)
    return str(caught.value.errors()[0]["ctx"]["error"])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Days", "365 days", 365),
        ("Days", "2 weeks", 14),
        ("Days", "1 day", 1),
        ("Days", 90, 90),
        ("Months", "12 months", 12),
        ("Months", "2 years", 24),
        ("Hours", "30 min", 0.5),
        ("Hours", "90 s", 0.025),
        ("Hours", "2 days", 48),
        ("Hours", Decimal("0.5"), 0.5),
        ("Seconds", "500 ms", 0.5),
        ("Seconds", "2 s", 2),
        ("Seconds", "1 min", 60),
        ("GpuHours", "800 GPU-hours", 800),
        ("GpuHours", "1.5k gpu hours", 1500),
        ("GpuHours", "2 GPU-days", 48),
        ("Gigabytes", "500 GB", 500),
        ("Gigabytes", "1.5 TB", 1500),
        ("Gigabytes", "1 GiB", 1.073741824),
        ("Watts", "450 W", 450),
        ("Watts", "1.2 kW", 1200),
        ("Kilowatts", "12 kW", 12),
        ("Kilowatts", "500W", 0.5),
        ("TokenCount", "2B tokens", 2e9),
        ("TokenCount", "500M tokens", 5e8),
        ("TokenCount", "500 M", 5e8),
        ("TokenCount", "1.5T", 1.5e12),
        ("TokenCount", "3亿 tokens", 3e8),
        ("TokenCount", "1_000_000", 1e6),
        ("TokenCount", "1,000,000 tokens", 1e6),
        ("TokenCount", "2e9 tokens", 2e9),
        ("TokenCount", 250, 250),
        ("TokensPerSecond", "15 tokens/s", 15),
        ("TokensPerSecond", "120 tokens / min", 2),
        ("TokensPerSecond", "15 tok/s", 15),
        ("TokensPerSecond", "3.6k tokens per hour", 1),
        ("Requests", "200k requests", 200_000),
        ("RequestsPerSecond", "2 requests/s", 2),
        ("RequestsPerSecond", "90 requests/min", 1.5),
        ("RequestsPerSecond", "86.4k requests/day", 1),
        ("NodeCount", 4, 4),
        ("NodeCount", "4 nodes", 4),
        ("Share", "8 %", 0.08),
        ("Share", "8%", 0.08),
        ("Share", Decimal("0.08"), 0.08),
        ("Share", "0.08", 0.08),
        ("Share", 1, 1),
        ("Share", "100 %", 1),
        ("TokensPerSecond", "15", 15),
        ("SharePerMonth", "5 %/month", 0.05),
        ("SharePerMonth", "-5 % per month", -0.05),
        ("SharePerYear", "8 %/year", 0.08),
        ("SharePerYear", "8 %", 0.08),
        ("MoneyAmount", "30000 CNY", Money(Decimal(30000), CNY)),
        ("MoneyAmount", "1.9 USD", Money(Decimal("1.9"), "USD")),
        ("MoneyAmount", "30k EUR", Money(Decimal(30000), "EUR")),
        ("MoneyAmount", "3万 CNY", Money(Decimal(30000), CNY)),
        ("MoneyPerKwh", "0.6 CNY/kWh", Money(Decimal("0.6"), CNY)),
        ("MoneyPerKwh", "350 CNY/MWh", Money(Decimal("0.35"), CNY)),
        ("MoneyPerMonth", "500 CNY/month", Money(Decimal(500), CNY)),
        ("MoneyPerYear", "500 CNY per year", Money(Decimal(500), CNY)),
        ("Hardware", "8xA800", "8xA800-80GB"),
        ("Hardware", "2 x RTX 4090", "2xRTX4090"),
        ("Hardware", "M3Max-40c-128GB", "1xM3Max-40c-128GB"),
        ("Gpu", "nvidia a800", "A800-80GB"),
        ("Day", "2027-03-01", date(2027, 3, 1)),
        ("Day", date(2027, 3, 1), date(2027, 3, 1)),
        ("Month", "2027-03", "2027-03"),
        ("Weekday", "Saturday", "sat"),
        ("Weekday", "MON", "mon"),
        ("HoursOfDay", "9:00 - 21:00", "09:00-21:00"),
        ("HoursOfDay", "21:00-0:00", "21:00-24:00"),
        ("HoursOfDay", "21:00–06:00", "21:00-06:00"),
    ],
)
def test_a_quantity_is_read_in_the_unit_of_its_type(name, text, value):
    assert read(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Days", "1.5 days", "'1.5 days' is no whole number of days"),
        ("Days", "-3", "'-3' is too small, expected 0 or more days"),
        ("Days", "", "'' does not start with a number"),
        ("Hours", "a while", "'a while' does not start with a number"),
        ("Hours", True, "expected a text such as '30 min', found true"),
        ("Hours", None, "expected a text such as '30 min', found nothing"),
        ("Hours", float("inf"), "expected a text such as '30 min', found inf"),
        ("Watts", "450 mW", "'450 mW' has the unit 'mW', expected W, such as '450 W'"),
        (
            "TokensPerSecond",
            "15 tokens/fortnight",
            "'15 tokens/fortnight' has the unit 'tokens/fortnight', expected tokens/s,"
            " such as '15 tokens/s'",
        ),
        ("TokenCount", "1.2.3", "'1.2.3' does not start with a plain number such as 1500 or 0.5"),
        ("TokenCount", "10,00 tokens", None),
        ("TokenCount", "1e99", "'1e99' is too large to be meant"),
        ("Share", "8", "'8' is more than 1; for per cent write '8 %'"),
        ("Share", "120 %", "'120 %' is out of range, expected 0 % to 100 %"),
        ("MoneyAmount", "$5", None),
        ("MoneyAmount", "5 €", "'5 €' needs a currency code: write EUR"),
        ("MoneyAmount", "5 dollars", "'5 dollars' needs a currency code: write USD"),
        ("MoneyAmount", "cheap", "'cheap' does not start with a number"),
        ("MoneyPerKwh", "0.6 CNY/h", "'0.6 CNY/h' is per h, expected CNY/kWh"),
        ("Day", "2027-02-29", "'2027-02-29' is not a date: day is out of range for month"),
        ("Weekday", "frday", None),
    ],
)
def test_what_is_no_such_quantity_is_refused_in_words(name, text, message):
    found = refusal(name, text)
    assert message is None or found == message


def test_a_comma_that_can_be_read_in_two_ways_is_refused():
    assert refusal("MoneyAmount", "30,000 CNY") == (
        "'30,000 CNY' can be read as 30000 or as 30.000; write one of them"
    )
    assert read("MoneyAmount", "1,030,000 CNY").amount == 1_030_000
    assert read("MoneyAmount", "30,000.50 CNY").amount == Decimal("30000.50")


def test_a_currency_sign_of_several_currencies_is_refused():
    assert refusal("MoneyAmount", "¥30000") == (
        "'¥30000' names no single currency; write the code, CNY (or JPY), after the amount,"
        " such as '30000 CNY'"
    )


def test_an_unknown_gpu_is_told_with_the_closest_names():
    assert "did you mean RTX4090" in refusal("Hardware", "2xRTX409")


def test_hours_wrap_past_midnight():
    assert q.hours_of_day("22:00-02:00") == {22, 23, 0, 1}
    assert q.hours_of_day("00:00-24:00") == set(range(24))


@given(st.decimals(0, 10**9, places=4), st.sampled_from(["CNY", "EUR", "USD"]))
def test_money_never_passes_through_a_float(amount, currency):
    assert read("MoneyAmount", f"{amount:f} {currency}") == Money(amount, currency)
    priced = read("MoneyPerKwh", f"{amount:f} {currency}/kWh")
    assert TYPES["MoneyPerKwh"].dump_python(priced, mode="json") == f"{amount} {currency}/kWh"


@given(st.integers(0, 23), st.integers(0, 24))
def test_a_span_of_hours_and_its_rest_make_a_day(start, end):
    if start == end % 24 and (start, end) != (0, 24):
        return
    span = q.hours_of_day(f"{start:02d}:00-{end:02d}:00")
    assert len(span) == (end - start) % 24 or len(span) == 24
    if len(span) < 24:
        assert q.hours_of_day(f"{end % 24:02d}:00-{start:02d}:00") == set(range(24)) - span


DIMENSIONS = [item for item in vars(units).values() if isinstance(item, units.Dimension)]


@given(st.sampled_from(DIMENSIONS), st.decimals(0, 10**6, places=3), st.data())
def test_every_unit_of_a_dimension_is_read_exactly(dimension, number, data):
    unit = data.draw(st.sampled_from(sorted(dimension.factors)))
    found = units.quantity(f"{number:f} {unit}", dimension)
    assert found == Fraction(number) * dimension.factors[unit]


@given(st.sampled_from(sorted(TYPES)), st.one_of(st.text(), st.floats(), st.integers(), st.none()))
@example("Share", "1e-99%")
@example("MoneyAmount", "5 k")
@example("Hardware", "9" * 5000 + "xA100")
@example("Days", "٣ days")
@example("TokenCount", "9" * 5000)
def test_nothing_but_a_refusal_comes_of_nonsense(name, value):
    with contextlib.suppress(ValidationError):
        read(name, value)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(TYPES)),
    st.from_regex(r"[-+]?[0-9_,.e]{1,8} ?[kMBGT万]? ?[A-Za-z%/ -]{0,14}", fullmatch=True),
)
def test_what_nearly_is_a_quantity_is_read_or_refused(name, value):
    try:
        found = read(name, value)
    except ValidationError:
        return
    assert read(name, found) == found
